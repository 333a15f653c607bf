"""The server's log tells of an outage in Vault's words, at its levels and in its formats."""

import json
import re
import signal

import pytest
from harness import eventually
from harness.fakevault import FakeVault

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LINE = re.compile(rf"^{STAMP} \[(TRACE|DEBUG|INFO|WARN|ERROR)\] ?  ?([a-z-]+): (.*)$")


def told(vault):
    """The lines of Vault's form, without their time; waits for nothing."""
    lines = vault.process.errors().splitlines()
    return [line.split(" ", 1)[1] for line in lines if LINE.match(line)]


def started(factory, *flags):
    return FakeVault(factory, "-dev", "-dev-root-token-id=root", *flags)


def test_seal_and_unseal_are_told_in_vaults_words(durable_vault):
    durable_vault.ctl("seal")
    durable_vault.unseal()
    text = "\n".join(told(durable_vault))
    assert text.endswith(
        "[INFO]  core: marked as sealed\n"
        "[INFO]  core: pre-seal teardown starting\n"
        "[INFO]  core: pre-seal teardown complete\n"
        "[INFO]  core: vault is sealed\n"
        "[INFO]  core: vault is unsealed\n"
        "[INFO]  core: post-unseal setup starting\n"
        "[INFO]  core: post-unseal setup complete"
    )


def test_a_seal_over_the_api_is_told_too(durable_vault):
    durable_vault.call("PUT", "sys/seal")
    assert "[INFO]  core: vault is sealed" in told(durable_vault)
    before = len(told(durable_vault))
    durable_vault.ctl("seal")  # it is: nothing to tell
    assert len(told(durable_vault)) == before


def test_what_an_outage_does_is_told_once(durable_vault):
    address = f"address=127.0.0.1:{durable_vault.port}"
    before = len(told(durable_vault))
    for verb in ("refuse", "refuse", "accept", "accept", "hang", "resume"):
        durable_vault.ctl(verb)
    assert told(durable_vault)[before:] == [
        f"[WARN]  fakevault: listener is closed, connections are refused: {address}",
        f"[INFO]  fakevault: listener is open: {address}",
        "[WARN]  fakevault: requests are held",
        "[INFO]  fakevault: requests go on",
    ]


def test_a_rule_that_closes_the_listener_is_told_and_its_end(durable_vault):
    rule = {"match": {"path": "*"}, "effect": {"refuse": True}, "lease_ms": 300}
    durable_vault.control("POST", "/faults", rule)
    with pytest.raises(Exception, match="refused|reset|aborted|closed"):
        durable_vault.call("GET", "sys/health")
    for words in ("listener is closed, connections are refused", "listener is open"):
        eventually(
            lambda words=words: any(words in line for line in told(durable_vault)), what=words
        )


def test_a_crash_and_the_start_behind_it_are_told(durable_vault):
    durable_vault.crash()
    assert told(durable_vault)[-1] == "[ERROR] fakevault: crash, as it was told: SIGKILL follows"
    durable_vault.start()
    words = "[INFO]  fakevault: server started: storage=file initialized=true sealed=true boot_id="
    assert told(durable_vault)[0].startswith(words)


def test_an_audit_device_that_takes_nothing_is_told(factory):
    vault = started(factory)
    folder = vault.folder / "audit"
    folder.mkdir()
    options = {"type": "file", "options": {"file_path": str(folder / "a.log")}}
    assert vault.api("PUT", "sys/audit/file", options).status_code == 204
    (folder / "a.log").unlink()
    (folder / "a.log").mkdir()
    vault.process.signal(signal.SIGHUP)
    eventually(lambda: "event=reloaded" in vault.process.errors(), what="the reload")
    vault.api("GET", "sys/mounts")
    assert any(
        line.startswith("[ERROR] audit: backend failed to log: file=") and "directory" in line
        for line in told(vault)
    ), told(vault)


def test_levels_and_formats_are_vaults(factory):
    vault = started(factory, "-log-level=WARN", "-log-format=json")
    vault.ctl("seal")
    vault.ctl("refuse")
    lines = [json.loads(line) for line in vault.process.errors().splitlines()]
    assert [line["@level"] for line in lines] == ["warn"]
    assert lines[0]["@module"] == "fakevault" and lines[0]["address"].endswith(str(vault.port))
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", lines[0]["@timestamp"])


def test_at_debug_more_is_told(factory):
    vault = started(factory, "-log-level=debug")
    vault.ctl("seal")
    assert "[DEBUG] core: sealing barrier" in told(vault)


@pytest.mark.parametrize(
    "flag, words", [("level=loud", "log level: loud"), ("format=xml", "log format: xml")]
)
def test_a_level_that_is_none_is_refused(factory, flag, words):
    argv = [factory.binary("fakevault"), "server", "-dev", f"-log-{flag}"]
    child = factory.run("server", argv)
    assert child.code == 64 and f"unknown {words}" in child.errors()
