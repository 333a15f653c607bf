"""`signer sign` against a real server: what each outage leads to, and what never does."""

import hashlib
import json
import os
import shutil
import signal

import pytest
from harness import tracing

OUTAGES = ["sealed", "refused", "unavailable", "timeout"]


def cause(vault, outage):
    """Makes Vault fail in the way that the class of that name stands for."""
    if outage == "sealed":
        vault.ctl("seal")
    elif outage == "refused":
        vault.process.kill()
    elif outage == "unavailable":
        vault.ctl("respond", "502")
    elif outage == "timeout":
        vault.process.signal(signal.SIGSTOP)


# What somebody on call looks for in the log.
WORDS = {
    "sealed": 'class=sealed status=503 {} message="status 503: Vault is sealed"',
    "refused": 'class=refused status=0 {} message="connection refused: ',
    "unavailable": 'class=unavailable status=502 {} message="status 502',
    "timeout": 'class=timeout status=0 {} message="timed out after 200 ms"',
}


def check_log(signer, run_id, log, outage):
    """A line for each attempt that failed, with what the trail says of it."""
    attempts = signer.audit(run_id)[-1]["payload"]["attempts"]
    lines = [line for line in log.splitlines() if " event=attempt_failed " in line]
    assert len(lines) == len(attempts) == 3
    for line, attempt in zip(lines, attempts, strict=True):
        assert f" bundle={run_id} attempt={attempt['n']} of=3 class=" in line
        assert WORDS[outage].format(f"wait_ms={attempt['wait_ms']}") in line
        assert " level=warn " in line and signer.settings["VAULT_TOKEN"] not in line


def patience(outage):
    """Short where it is over only with the timeout; elsewhere Vault's answer must not be missed."""
    return {"SIGNER_ATTEMPT_TIMEOUT_MS": 200} if outage == "timeout" else {}


def actions(signer, run_id):
    return [entry["action"] for entry in signer.audit(run_id)]


def result_of(signer, folder, code, **environment):
    child = signer.run("sign", folder, **environment)
    assert child.code == code, f"exit {child.code}: {child.errors()}"
    return json.loads(child.output()), child


def check_chain(signer):
    previous = "0" * 64
    for line in signer.audit_log.read_bytes().splitlines():
        entry = json.loads(line)
        assert entry["payload"]["previous"] == previous
        previous = hashlib.sha256(line).hexdigest()


def test_vault_signs_and_the_ledgers_agree(signer, durable_vault):
    folder, run_id = signer.bundle()
    result, child = result_of(signer, folder, 0)
    assert (result["status"], result["signingMode"]) == ("completed", "vault")
    assert (result["attempts"], result["already"]) == (1, False)
    assert "signing_mode=vault" in child.errors()
    started, signed = signer.audit(run_id)
    assert started["action"] == "MANIFEST_SIGNING_STARTED"
    payload = signed["payload"]
    assert payload["signingMode"] == "vault" and payload["signing.fallback"] is False
    manifest = json.loads((folder / "manifest.json").read_text())
    signature_hash = hashlib.sha256(manifest["signature"].encode()).hexdigest()
    assert payload["signature_sha256"] == signature_hash
    request = [r for r in durable_vault.journal("request") if r.get("key")][-1]
    assert request["input_sha256"] == [payload["input_sha256"]]
    assert int(request["attempt"]) == 1
    assert signer.run("verify", folder).code == 0
    check_chain(signer)


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_blocks_while_fallback_is_off(signer, durable_vault, outage):
    folder, run_id = signer.bundle()
    cause(durable_vault, outage)
    result, child = result_of(signer, folder, 1, **patience(outage))
    durable_vault.process.signal(signal.SIGCONT)
    assert (result["status"], result["reason"]) == ("blocked", "fallback_off")
    assert result["attempts"] == 3
    assert result["signingMode"] is None
    assert not (folder / "manifest.json").exists()
    assert actions(signer, run_id) == ["MANIFEST_SIGNING_STARTED", "MANIFEST_SIGNING_FAILED"]
    payload = signer.audit(run_id)[-1]["payload"]
    assert [a["class"] for a in payload["attempts"]] == [outage] * 3
    assert "signingMode" not in payload
    check_log(signer, run_id, child.errors(), outage)


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_leads_to_the_local_key_when_that_is_allowed(signer, durable_vault, outage):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    cause(durable_vault, outage)
    result, child = result_of(signer, folder, 0, **patience(outage))
    durable_vault.process.signal(signal.SIGCONT)
    assert (result["signingMode"], result["reason"]) == ("fallback", outage)
    assert "signing_mode=fallback" in child.errors()
    payload = signer.audit(run_id)[-1]["payload"]
    assert payload["signingMode"] == "fallback" and payload["signing.fallback"] is True
    assert [a["n"] for a in payload["attempts"]] == [1, 2, 3]
    waits = [a["wait_ms"] for a in payload["attempts"]]
    assert waits[0] == 0 and 10 <= waits[1] <= 20 and 20 <= waits[2] <= 40
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["signature"].startswith("ed25519:")
    assert manifest["metadata"]["signing"]["reason"] == outage
    assert signer.run("verify", folder).code == 0
    check_chain(signer)


@pytest.mark.parametrize(
    "name, limit", [("VAULT_TOKEN", 8192), ("VAULT_NAMESPACE", 1024), ("FAKEVAULT_TEST", 256)]
)
def test_a_value_too_long_for_a_header_is_told_at_the_start(signer, durable_vault, name, limit):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    child = signer.run("sign", folder, **{name: "s" * 20000})
    assert child.code == 2
    assert f"{name} has 20000 bytes, at most {limit} are taken" in child.errors()
    assert not (folder / "manifest.json").exists()
    assert signer.audit(run_id) == []


def test_a_token_file_too_long_for_a_header_is_told_at_the_start(signer, durable_vault):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    token = signer.folder / "token"
    token.write_text("s" * 8200 + "\n")
    del signer.settings["VAULT_TOKEN"]
    child = signer.run("sign", folder, VAULT_TOKEN_FILE=token)
    assert child.code == 2
    assert "VAULT_TOKEN_FILE holds a token of 8200 bytes, at most 8192 are taken" in child.errors()
    assert signer.audit(run_id) == []


@tracing.needs_trace
def test_no_descriptor_for_a_connection_is_no_outage(signer, durable_vault):
    """Vault is there and unsealed: what keeps us from asking it is our own trouble."""
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    program = signer.factory.traceable("signer")
    tracer = ["strace", "-f", "-o", "/dev/null", "-e", "inject=socket:error=EMFILE"]
    settings = signer.factory.environment(**{**signer.settings, **tracing.NO_LEAK_CHECK})
    child = signer.factory.run("traced", [*tracer, program, "sign", folder], settings)
    assert child.code == 1, child.errors()
    result = json.loads(child.output())
    assert (result["status"], result["reason"]) == ("failed", "internal")
    assert result["error"]["code"] == "internal"
    assert "Too many open files" in result["error"]["message"]
    assert not (folder / "manifest.json").exists()
    assert actions(signer, run_id) == ["MANIFEST_SIGNING_STARTED", "MANIFEST_SIGNING_FAILED"]


def deny(signer, vault):
    signer.settings["VAULT_TOKEN"] = "not-the-token"
    return "denied"


def delete_key(signer, vault):
    vault.call("POST", "transit/keys/docugen-manifest/config", {"deletion_allowed": True})
    vault.call("DELETE", "transit/keys/docugen-manifest")
    return "bad_request"


def recreate_key(signer, vault):
    delete_key(signer, vault)
    vault.create_key()
    return "key_mismatch"


def move_mount(signer, vault):
    vault.call("DELETE", "sys/mounts/transit")
    return "not_found"


def raise_minimum(signer, vault):
    vault.call("POST", "transit/keys/docugen-manifest/rotate")
    vault.call("POST", "transit/keys/docugen-manifest/config", {"min_encryption_version": 2})
    return "key_state"


def redirect(signer, vault):
    vault.ctl("respond", "307")
    return "redirect"


@pytest.mark.parametrize(
    "refusal", [deny, delete_key, recreate_key, move_mount, raise_minimum, redirect]
)
def test_a_refusal_ends_it_at_once_and_never_leads_to_the_local_key(signer, durable_vault, refusal):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    expected = refusal(signer, durable_vault)
    result, _ = result_of(signer, folder, 1)
    assert (result["status"], result["reason"]) == ("failed", "refused")
    assert result["attempts"] == 1
    assert result["error"]["code"] == "vault_refused"
    assert signer.audit(run_id)[-1]["payload"]["class"] == expected
    assert not (folder / "manifest.json").exists()


def test_load_is_no_outage(signer, durable_vault):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    durable_vault.ctl("respond", "429")
    result, _ = result_of(signer, folder, 1)
    assert (result["status"], result["attempts"]) == ("failed", 3)
    assert result["error"]["code"] == "vault_rate_limited"


def test_a_new_key_is_signed_with_once_it_is_accepted(signer, durable_vault):
    old, _ = signer.bundle(b"old")
    signer.sign(old)
    recreate_key(signer, durable_vault)
    accepted = json.loads(signer.run("trust", "accept").output())
    assert accepted["changed"] and len(accepted["retired"]) == 1
    new, _ = signer.bundle(b"new")
    assert signer.sign(new)["signingMode"] == "vault"
    # What the old key signed still verifies, without Vault.
    durable_vault.process.kill()
    assert json.loads(signer.run("verify", old).output())["key"] == "retired"
    assert json.loads(signer.run("verify", new).output())["key"] == "pinned"


def test_a_rotated_key_keeps_the_pinned_version(signer, durable_vault):
    durable_vault.call("POST", "transit/keys/docugen-manifest/rotate")
    folder, _ = signer.bundle()
    signer.sign(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["signature"].startswith("vault:v1:")


def test_a_bundle_is_signed_once(signer, durable_vault):
    folder, run_id = signer.bundle()
    signer.sign(folder)
    first = (folder / "manifest.json").read_bytes()
    assert signer.sign(folder)["already"] is True
    (folder / "manifest.json").unlink()
    assert signer.sign(folder)["already"] is True
    assert (folder / "manifest.json").read_bytes() == first
    assert actions(signer, run_id).count("MANIFEST_SIGNED") == 1
    signs = [r for r in durable_vault.journal("request") if r.get("operation") == "sign"]
    assert len(signs) <= 1
    (folder / "report.pdf").write_bytes(b"other content")
    result, _ = result_of(signer, folder, 2)
    assert result["error"]["code"] == "bundle_conflict"
    assert (folder / "manifest.json").read_bytes() == first


def test_a_manifest_that_the_trail_does_not_know_is_not_replaced(signer):
    folder, run_id = signer.bundle()
    (folder / "manifest.json").write_text("somebody's")
    result, _ = result_of(signer, folder, 2)
    assert result["error"]["code"] == "bundle_conflict"
    assert (folder / "manifest.json").read_text() == "somebody's"
    assert actions(signer, run_id) == []


def test_verify_sees_what_was_changed(signer):
    folder, _ = signer.bundle()
    signer.sign(folder)
    path = folder / "manifest.json"
    good = path.read_text()
    for old, new, code in [
        ("operator-1", "operator-2", 1),
        ('"mode":"vault"', '"mode":"fallback"', 2),
        ("vault:v1:ME", "vault:v1:MF", 1),
        ("vault:v1:", "vault:v2:", 1),
        ('"signature"', '"signatur"', 2),
    ]:
        assert old in good
        path.write_text(good.replace(old, new, 1))
        child = signer.run("verify", folder)
        assert child.code == code, f"{old}: {child.code} {child.errors()}"
        assert child.errors().count("\n") == 1
    path.write_text(good)
    (folder / "report.pdf").write_bytes(b"changed")
    assert signer.run("verify", folder).code == 1
    assert signer.run("verify", path).code == 0


def test_no_audit_no_signature(signer, durable_vault):
    folder, _ = signer.bundle()
    signer.settings["AUDIT_LOG"] = signer.folder / "no" / "audit.ndjson"
    child = signer.run("sign", folder)
    assert child.code == 1 and "audit trail" in child.errors()
    assert not [r for r in durable_vault.journal("request") if r.get("operation") == "sign"]
    assert not (folder / "manifest.json").exists()


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
def test_a_full_disk_refuses_to_sign(signer, durable_vault):
    """The limit on a file's size stands for the disk: 600 bytes hold the start, not the end."""
    folder, run_id = signer.bundle()
    settings = signer.factory.environment(**signer.settings)
    argv = ["prlimit", "--fsize=600", signer.binary, "sign", folder]
    child = signer.factory.run("full-disk", argv, settings)
    assert child.code == 1, child.errors()
    assert json.loads(child.output())["error"]["code"] == "audit_unavailable"
    assert not (folder / "manifest.json").exists()
    assert actions(signer, run_id) == ["MANIFEST_SIGNING_STARTED"]
    signer.sign(folder)
    assert actions(signer, run_id)[1:] == [
        "MANIFEST_SIGNING_FAILED",
        "MANIFEST_SIGNING_STARTED",
        "MANIFEST_SIGNED",
    ]
    check_chain(signer)


def test_the_key_file_is_never_opened_while_the_switch_is_off(signer, durable_vault):
    """The file is a pipe without a writer: a plain open of it would hang for ever."""
    pipe = signer.folder / "pipe"
    os.mkfifo(pipe, 0o600)
    folder, _ = signer.bundle()
    durable_vault.ctl("seal")
    environment = {"FALLBACK_KEY_FILE": pipe, "ALLOW_FALLBACK_SIGNING": "false"}
    result, child = result_of(signer, folder, 1, **environment)
    assert result["reason"] == "fallback_off"
    assert "fallback_unusable" not in child.errors()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda key: key.unlink(), "fallback_key_missing"),
        (lambda key: key.chmod(0o644), "fallback_key_unsafe"),
        (lambda key: key.write_text("{}"), "fallback_key_unsafe"),
    ],
)
def test_a_key_file_that_is_not_right_blocks(signer, durable_vault, spoil, reason):
    folder, run_id = signer.bundle()
    signer.allow_fallback()
    spoil(signer.fallback_key)
    durable_vault.ctl("seal")
    result, child = result_of(signer, folder, 1)
    assert (result["status"], result["reason"]) == ("blocked", reason)
    assert "event=fallback_unusable" in child.errors()
    assert signer.audit(run_id)[-1]["payload"]["reason"] == reason


def test_status_shows_the_banner(signer, durable_vault):
    child = signer.run("status")
    assert (child.code, child.output().splitlines()[0]) == (0, "Vault online")
    durable_vault.ctl("seal")
    child = signer.run("status")
    assert (child.code, child.output().splitlines()[0]) == (1, "Vault offline: sealed")
    durable_vault.process.kill()
    child = signer.run("status")
    assert child.code == 1 and child.output().startswith("Vault offline: refused")


def test_status_says_whether_the_local_key_could_take_over(signer, durable_vault):
    assert signer.run("status").output().splitlines()[1] == "fallback signing off"
    signer.allow_fallback()
    assert signer.run("status").output().splitlines()[1] == "fallback signing allowed"
    signer.fallback_key.chmod(0o644)
    line = signer.run("status").output().splitlines()[1]
    assert line.startswith("fallback signing allowed, but not possible: ")
    signer.fallback_key.unlink()
    line = signer.run("status").output().splitlines()[1]
    assert line.startswith("fallback signing allowed, but not possible: ")
    assert "No such file" in line


def test_no_secret_is_written_anywhere(signer, durable_vault):
    signer.allow_fallback()
    secrets = [durable_vault.token, json.loads(signer.fallback_key.read_text())["signingKey"]]
    durable_vault.ctl("seal")
    folder, _ = signer.bundle()
    child = signer.run("sign", folder)
    assert child.code == 0
    written = [child.output(), child.errors(), signer.audit_log.read_text()]
    written.append((folder / "manifest.json").read_text())
    for secret in secrets:
        assert not any(secret in text for text in written)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {"ALLOW_FALLBACK_SIGNING": "yes"},
            'signer sign: ALLOW_FALLBACK_SIGNING is "yes": only "true" and "false" are accepted, '
            "letter for letter\n",
        ),
        (
            {"SIGNER_ATTEMPTS": "none"},
            'signer sign: SIGNER_ATTEMPTS is "none": give a whole number from 1 to 10\n',
        ),
    ],
)
def test_bad_configuration_is_one_line_and_nothing_starts(signer, environment, line):
    folder, run_id = signer.bundle()
    child = signer.run("sign", folder, **environment)
    assert (child.code, child.errors()) == (2, line)
    assert not signer.audit_log.exists()


def test_a_service_keeps_no_token_in_its_environment(signer, durable_vault):
    service = signer.serve("api")
    try:
        with open(f"/proc/{service.process.pid}/environ", "rb") as file:
            environment = file.read()
    except PermissionError:
        return  # nobody but root may look at all
    assert b"VAULT_ADDR=" in environment
    assert durable_vault.token.encode() not in environment
