"""The defective signers of tests/defects really do what the catalogue says: seen while they do it.

Each check brings a client into a situation and answers whether it misbehaves. Every check is asked
of the real signer as well: one that would always say yes proves nothing.
"""

import contextlib
import http.server
import json
import threading
import time

import pytest
from harness import eventually, request_body
from harness.defects import (
    attempts,
    binary_of,
    client,
    hold,
    moment,
    release,
    respond,
    signed_requests,
    try_to_sign,
)
from test_signer_tls import certificates, serving  # noqa: F401

CHECKS = {}


def check(*names):
    """Names the defects for which the check must answer True."""

    def note(function):
        CHECKS.update(dict.fromkeys(names, function))
        return function

    return note


@check("intent_with_result", "intent_after_request")
def not_announced(s):
    hold(s.vault)
    folder, run_id = s.bundle()
    child = s.factory.start("held", [s.binary, "sign", folder], s.factory.environment(**s.settings))
    eventually(lambda: signed_requests(s.vault), what="the request")
    announced = s.audit(run_id)
    release(s.vault)
    child.wait()
    return not announced


def waits_of_two(s):
    s.vault.call("PUT", "sys/seal")
    runs = [try_to_sign(s, **SLOW).id for _ in range(2)]
    return [[a["wait_ms"] for a in attempts(s, run)] for run in runs]


SLOW = {"SIGNER_BACKOFF_BASE_MS": 200, "SIGNER_BACKOFF_MAX_MS": 2000}


@check("wait_without_jitter")
def waits_longest(s):
    return waits_of_two(s) == [[0, 200, 400]] * 2


@check("wait_always_shortest")
def waits_shortest(s):
    return waits_of_two(s) == [[0, 100, 200]] * 2


@check("wait_same_jitter")
def waits_alike(s):
    first, second = waits_of_two(s)
    return first == second


def gaps(s, run_id):
    """(milliseconds between the starts of attempts, the wait told) for each but the first."""
    made = attempts(s, run_id)
    times = [moment(a["started_at"]) for a in made]
    return [
        ((b - a).total_seconds() * 1000, attempt["wait_ms"])
        for a, b, attempt in zip(times, times[1:], made[1:], strict=False)
    ]


@check("wait_counts_attempt")
def attempt_is_wait(s):
    hold(s.vault)
    return any(
        gap < 300 + wait - 20
        for gap, wait in gaps(s, try_to_sign(s, SIGNER_ATTEMPT_TIMEOUT_MS=300, **SLOW).id)
    )


@check("wait_longer_than_told")
def waits_more(s):
    s.vault.call("PUT", "sys/seal")
    return all(gap > wait + 1400 for gap, wait in gaps(s, try_to_sign(s).id))


@check("retry_after_ignored", "retry_after_halved", "retry_after_as_milliseconds")
def waits_less_than_asked(s):
    respond(s.vault, 429, Retry_After="1")
    return attempts(s, try_to_sign(s, SIGNER_BACKOFF_MAX_MS=2000).id)[1]["wait_ms"] < 1000


@check("retry_after_unclamped")
def waits_as_long_as_asked(s):
    respond(s.vault, 429, Retry_After="1")
    return attempts(s, try_to_sign(s).id)[1]["wait_ms"] >= 1000


@check("attempt_timeout_ignored", "attempt_timeout_doubled")
def attempt_takes_longer(s):
    hold(s.vault)
    return gaps(s, try_to_sign(s, SIGNER_ATTEMPT_TIMEOUT_MS=600).id)[0][0] > 1150


@check("attempt_given_up_early", "total_timeout_tenth")
def operation_takes_less(s):
    hold(s.vault)
    limits = {"SIGNER_ATTEMPT_TIMEOUT_MS": 800, "SIGNER_TOTAL_TIMEOUT_MS": 8000}
    return try_to_sign(s, **limits).seconds < 2.4


@check("reason_of_first")
def tells_the_first(s):
    s.allow_fallback()
    effect = {"respond": {"status": 503, "errors": ["busy"]}}
    s.vault.control("POST", "/faults", {"trigger": {"times": 1}, "effect": effect})
    s.vault.call("PUT", "sys/seal")
    return s.audit(try_to_sign(s).id)[-1]["payload"]["reason"] == "unavailable"


@check("answered_200_as_timeout")
def throws_signatures_away(s):
    service = s.serve()
    return any(service.sign()["signing"]["attempts"] == 2 for _ in range(2))


@check("total_timeout_ignored")
def operation_takes_longer(s):
    hold(s.vault)
    limits = {"SIGNER_ATTEMPT_TIMEOUT_MS": 600, "SIGNER_TOTAL_TIMEOUT_MS": 700}
    return len(attempts(s, try_to_sign(s, **limits).id)) == 3


@check("resend_of_timeout_claimed")
def timeout_is_resend(s):
    hold(s.vault)
    return attempts(s, try_to_sign(s, SIGNER_ATTEMPT_TIMEOUT_MS=300).id)[0]["resends"] == 1


@check("dawdles_before_manifest", "dawdles_before_request")
def takes_its_time(s):
    return try_to_sign(s).seconds > 3


@check("one_attempt_when_failed_before")
def one_attempt_of_a_second_run(s):
    s.vault.call("PUT", "sys/seal")
    run = try_to_sign(s)
    s.allow_fallback()
    return len(attempts(s, try_to_sign(s, run.folder).id)) == 1


@check("one_attempt_when_interrupted")
def one_attempt_behind_a_kill(s):
    s.vault.call("PUT", "sys/seal")
    s.allow_fallback()
    folder, run_id = s.bundle()
    slow = {"SIGNER_BACKOFF_BASE_MS": 9000, "SIGNER_BACKOFF_MAX_MS": 9000}
    environment = s.factory.environment(**{**s.settings, **slow})
    child = s.factory.start("killed", [s.binary, "sign", folder], environment)
    eventually(lambda: signed_requests(s.vault), what="the request")
    child.kill()
    return len(attempts(s, try_to_sign(s, folder).id)) == 1


def rotate_and_accept(s):
    s.vault.call("POST", "transit/keys/docugen-manifest/rotate", {})
    s.trust()
    return json.loads(s.run("trust", "show").output())


@check("retired_keys_forgotten")
def forgets(s):
    return rotate_and_accept(s)["retired"] == []


@check("accept_keeps_the_old")
def keeps_the_old(s):
    return rotate_and_accept(s)["keyVersion"] == 1


@check("retired_key_signs")
def signs_with_the_old(s):
    rotate_and_accept(s)
    return s.audit(try_to_sign(s).id)[-1]["payload"]["signingKeyId"].endswith(":v1")


@check("pin_read_once")
def service_signs_with_the_old(s):
    service = s.serve()
    service.sign()
    rotate_and_accept(s)
    return s.audit(service.sign()["id"])[-1]["payload"]["signingKeyId"].endswith(":v1")


@check("verify_refuses_retired")
def does_not_verify_old_ones(s):
    run = try_to_sign(s)
    rotate_and_accept(s)
    return s.run("verify", run.folder).code != 0


@check("verify_accepts_all")
def verifies_anything(s):
    run = try_to_sign(s)
    path = run.folder / "manifest.json"
    path.write_text(path.read_text().replace("operator-1", "operator-2"))
    return s.run("verify", run.folder).code == 0


def behind(status, errors=("no",)):
    def sign(s):
        respond(s.vault, status, errors)
        s.allow_fallback()
        return s.audit(try_to_sign(s).id)[-1]["payload"]

    return sign


@check("answered_412_as_timeout", "answered_412_as_unreachable")
def calls_412_otherwise(s):
    return behind(412)(s)["attempts"][0]["class"] in ("timeout", "unreachable")


@check("one_attempt_when_stale")
def gives_up_on_412(s):
    return len(behind(412)(s)["attempts"]) == 1


@check("fallback_on_412")
def falls_back_on_412(s):
    return behind(412)(s).get("signingMode") == "fallback"


@check("fallback_on_bad_request")
def falls_back_on_400(s):
    return behind(400)(s).get("signingMode") == "fallback"


@check("retries_bad_request")
def retries_400(s):
    return len(behind(400)(s)["attempts"]) == 3


@check("log_class_denied")
def log_says_denied(s):
    respond(s.vault, 400)
    return "class=denied" in try_to_sign(s).child.errors()


@check("makes_the_key_itself")
def makes_the_key(s):
    s.vault.call("DELETE", "sys/mounts/transit")
    try_to_sign(s)
    return s.vault.api("GET", "transit/keys/docugen-manifest").status_code == 200


@check("fallback_active_stuck")
def says_active_for_ever(s):
    s.allow_fallback()
    service = s.serve()
    s.vault.call("PUT", "sys/seal")
    service.sign()
    s.vault.unseal()
    return service.sign()["signing"]["mode"] == "vault" and (
        service.metrics()["signing_fallback_active"] == 1
    )


@check("health_every_millisecond")
def asks_all_the_time(s):
    s.serve()
    before = len(s.vault.journal("request"))
    time.sleep(0.5)
    return len(s.vault.journal("request")) - before > 20


@check("healthz_follows_vault")
def sick_with_vault(s):
    service = s.serve(SIGNER_HEALTH_INTERVAL_MS=20)
    s.vault.call("PUT", "sys/seal")
    eventually(lambda: service.metrics()["vault_up"] == 0)
    return service.request("GET", "/healthz").status_code == 503


def no_trail(s):
    s.audit_log.unlink()
    s.audit_log.mkdir()


@check("healthz_always_ok")
def healthy_without_trail(s):
    service = s.serve()
    no_trail(s)
    return service.request("GET", "/healthz").status_code == 200


@check("trail_errors_ignored")
def signs_without_trail(s):
    service = s.serve()
    no_trail(s)
    return service.sign()["status"] == "completed"


@check("trail_errors_ignored_behind_start")
def signs_when_full_behind_start(s):
    started = len(json.dumps(s.audit(try_to_sign(s).id)[0], separators=(",", ":"))) + 1
    folder, _ = s.bundle()
    room = s.audit_log.stat().st_size + started + 20
    command = ["prlimit", f"--fsize={room}", s.binary, "sign", folder]
    child = s.factory.run("full", command, s.factory.environment(**s.settings))
    return child.code == 0


@check("torn_tail_not_told")
def takes_torn_for_whole(s):
    try_to_sign(s)
    with s.audit_log.open("a") as trail:
        trail.write('{"action":"MANIFEST_SIGNED","act')
    try_to_sign(s)
    return "AUDIT_TAIL_REPAIRED" not in s.audit_log.read_text()


@check("signs_again_what_is_signed")
def signs_twice(s):
    run = try_to_sign(s)
    try_to_sign(s, run.folder)
    return len([e for e in s.audit(run.id) if e["action"] == "MANIFEST_SIGNED"]) == 2


@check("manifest_not_made_again")
def leaves_it_unmade(s):
    run = try_to_sign(s)
    (run.folder / "manifest.json").unlink()
    again = try_to_sign(s, run.folder)
    return again.child.code == 0 and not (run.folder / "manifest.json").exists()


@check("claims_ignored")
def signs_what_another_does(s):
    hold(s.vault)
    folder, run_id = s.bundle()
    child = s.factory.start(
        "first", [s.binary, "sign", folder], s.factory.environment(**s.settings)
    )
    eventually(lambda: s.audit(run_id), what="the start of the first")
    second = try_to_sign(s, folder, SIGNER_TOTAL_TIMEOUT_MS=300)
    release(s.vault)
    child.wait()
    return "bundle_busy" not in second.child.output()


@check("one_bundle_at_a_time")
def one_by_one(s):
    service = s.serve(flags=["-threads=4"])
    hold(s.vault)
    for _ in range(2):
        service.post(request_body())
    time.sleep(1)
    started = len(s.audit())
    release(s.vault)
    return started == 1


def two_artefacts():
    body = request_body()
    body["artefacts"].append({**body["artefacts"][0], "id": "annex"})
    return {**body, "metadata": {"case": "4711"}}


@check("second_artefact_lost")
def loses_an_artefact(s):
    service, body = s.serve(), two_artefacts()
    service.post(body)
    service.run(body["bundleRunId"], 30)
    return len(service.manifest(body["bundleRunId"]).json()["artefacts"]) == 1


@check("metadata_dropped")
def loses_metadata(s):
    service, body = s.serve(), two_artefacts()
    service.post(body)
    service.run(body["bundleRunId"], 30)
    return "case" not in service.manifest(body["bundleRunId"]).json()["metadata"]


@check("conflict_accepted_by_service")
def takes_other_content(s):
    service, body = s.serve(), request_body()
    service.post(body)
    return service.post({**body, "operatorId": "operator-2"}).status_code == 202


@check("conflict_accepted_by_command")
def takes_other_files(s):
    run = try_to_sign(s)
    (run.folder / "report.pdf").write_bytes(b"another report")
    return try_to_sign(s, run.folder).child.code == 0


@check("checksum_not_checked")
def takes_wrong_checksum(s):
    folder, _ = s.bundle()
    document = json.loads((folder / "bundle.json").read_text())
    document["artefacts"][0]["checksum"] = "sha256:" + "0" * 64
    (folder / "bundle.json").write_text(json.dumps(document))
    return try_to_sign(s, folder).child.code == 0


@check("switch_in_any_spelling")
def takes_yes(s):
    s.allow_fallback()
    codes = [try_to_sign(s, ALLOW_FALLBACK_SIGNING=w).child.code for w in ("TRUE", "1", "yes")]
    return codes == [0, 0, 0]


@check("switch_nonsense_is_off")
def takes_maybe(s):
    return try_to_sign(s, ALLOW_FALLBACK_SIGNING="maybe").child.code == 0


class Target(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.tokens.append(self.headers.get("X-Vault-Token"))
        self.server.paths.append(self.path)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def listening():
    with http.server.HTTPServer(("127.0.0.1", 0), Target) as target:
        target.tokens, target.paths = [], []
        target.address = f"http://127.0.0.1:{target.server_port}"
        threading.Thread(target=target.serve_forever, args=(0.01,)).start()
        try:
            yield target
        finally:
            target.shutdown()


@check("redirect_followed")
def shows_the_token(s):
    with listening() as target:
        respond(s.vault, 307, Location=f"{target.address}/v1/transit/sign/docugen-manifest")
        try_to_sign(s)
    return s.token_text in target.tokens


@check("token_in_query")
def shows_the_token_in_the_address(s):
    with listening() as target:
        try_to_sign(s, VAULT_ADDR=target.address)
    return any(s.token_text in path for path in target.paths)


def single_checks():
    for name, function in CHECKS.items():
        yield pytest.param(name, function, id=name)
    for function in dict.fromkeys(CHECKS.values()):
        yield pytest.param(None, function, id=f"real-{function.__name__}")


@pytest.mark.parametrize("defect, function", single_checks())
def test_in_its_situation(factory, durable_vault, defect, function):
    made = client(factory, durable_vault, binary_of(factory, defect))
    assert function(made) == (defect is not None)


@pytest.mark.parametrize(
    "defect, certificate, reached",
    [
        (None, "other", False),
        (None, "good", False),
        ("certificate_not_checked", "good", True),
        ("certificate_of_any_host", "other", True),
    ],
)
def test_with_a_certificate(
    factory,
    durable_vault,
    certificates,  # noqa: F811
    defect,
    certificate,
    reached,
):
    made = client(factory, durable_vault, binary_of(factory, defect))
    trusted = {"VAULT_CACERT": certificates / "ca.pem"} if certificate == "other" else {}
    with serving(certificates, certificate) as server:
        address = f"https://127.0.0.1:{server.server_port}"
        try_to_sign(made, VAULT_ADDR=address, **trusted)
        assert (server.reached > 0) == reached


def test_falls_back_on_a_certificate(factory, durable_vault, certificates):  # noqa: F811
    made = client(factory, durable_vault, binary_of(factory, "fallback_on_certificate"))
    made.allow_fallback()
    with serving(certificates, "other") as server:
        run = try_to_sign(made, VAULT_ADDR=f"https://127.0.0.1:{server.server_port}")
    assert json.loads(run.child.output())["signingMode"] == "fallback"
