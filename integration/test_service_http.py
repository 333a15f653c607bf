"""The services' HTTP: refusals explained, clients survived, metrics that a scraper reads."""

import contextlib
import re
import socket
import time
import uuid

import pytest
import requests
from harness import eventually, limits, request_body

SILENCE_S = 30  # after which the service hangs up on the slow ones (base/limits.h)
RUN_ID = "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"


@pytest.fixture
def service(signer):
    return signer.serve()


def error_of(answer):
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "requestId"}
    assert answer.headers["X-Request-Id"] == body["error"]["requestId"]
    assert answer.headers["Content-Type"] == "application/json"
    return body["error"]


REFUSED_BODIES = [
    ({"bundleRunId": None}, 'field "bundleRunId"'),
    ({"bundleRunId": "../../etc/passwd"}, '"bundleRunId" is "../../etc/passwd", not a UUID'),
    ({"bundleRunId": RUN_ID.upper()}, "not a UUID in lower case"),
    ({"artefacts": None}, 'field "artefacts"'),
    ({"artefacts": []}, "artefacts"),
    ({"operatorId": 7}, 'field "operatorId"'),
    ({"metadata": {"n": 1.5}}, "metadata"),
    ({"metadata": {"signing": {"mode": "vault"}}}, "signing"),
    ({"surprise": True}, 'field "surprise" is unknown'),
]


@pytest.mark.parametrize("change, words", REFUSED_BODIES)
def test_a_bad_bundle_is_refused_with_its_field(service, signer, change, words):
    body = {**request_body(RUN_ID), **change}
    answer = service.post({key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 400, answer.text
    error = error_of(answer)
    assert error["code"] == "invalid_request"
    assert words in error["message"]
    assert signer.audit() == []
    assert list((service.data / "runs").iterdir()) == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"checksum": "sha256:12"}, "checksum"),
        ({"checksum": None}, "checksum"),
        ({"storageKey": None}, "storageKey"),
        ({"path": "report.pdf"}, "path"),
    ],
)
def test_a_bad_artefact_is_refused_with_its_field(service, change, words):
    body = request_body()
    artefact = {**body["artefacts"][0], **change}
    body["artefacts"] = [{k: v for k, v in artefact.items() if v is not None}]
    answer = service.post(body)
    assert answer.status_code == 400, answer.text
    assert words in error_of(answer)["message"]
    assert "artefacts[0]" in error_of(answer)["message"]


@pytest.mark.parametrize(
    "method, path, status, code",
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/api/v1/bundles/", 404, "not_found"),
        ("GET", f"/api/v1/bundles/{RUN_ID}", 404, "not_found"),
        ("GET", "/api/v1/bundles/..%2f..%2fapi", 404, "not_found"),
        ("GET", f"/api/v1/bundles/{RUN_ID}/manifest", 404, "not_found"),
        ("POST", f"/api/v1/bundles/{RUN_ID}/retry", 404, "not_found"),
        ("GET", "/api/v1/bundles", 405, "method_not_allowed"),
        ("DELETE", f"/api/v1/bundles/{RUN_ID}", 405, "method_not_allowed"),
        ("POST", "/metrics", 405, "method_not_allowed"),
    ],
)
def test_every_refusal_has_the_same_shape(service, method, path, status, code):
    answer = service.request(method, path)
    assert answer.status_code == status
    assert error_of(answer)["code"] == code
    assert ("Allow" in answer.headers) == (status == 405)


def test_a_body_of_another_type_or_size_is_refused(service):
    url = f"{service.address}/api/v1/bundles"
    form = requests.post(url, data={"a": "b"}, timeout=limits.EVENT)
    assert (form.status_code, error_of(form)["code"]) == (415, "unsupported_media_type")
    bare = requests.post(url, data=b"{}", timeout=limits.EVENT)
    assert (bare.status_code, error_of(bare)["code"]) == (415, "unsupported_media_type")
    json_type = {"Content-Type": "application/json"}
    big = requests.post(url, data=b" " * (2 << 20), headers=json_type, timeout=limits.EVENT)
    assert (big.status_code, error_of(big)["code"]) == (413, "too_large")
    deep = requests.post(url, data=b"[" * 1000, headers=json_type, timeout=limits.EVENT)
    assert deep.status_code == 400 and "nested deeper than" in error_of(deep)["message"]


def test_a_page_of_another_site_cannot_have_bundles_signed(service, signer):
    """Its Origin betrays it, and after DNS rebinding its Host; nothing is accepted."""
    ours = f"127.0.0.1:{service.port}"
    for refused, code, headers in (
        (403, "forbidden", {"Origin": "https://evil.example"}),
        (403, "forbidden", {"Origin": "null"}),
        (403, "forbidden", {"Origin": f"http://localhost:{service.port}"}),
        (421, "misdirected", {"Host": "evil.example"}),
        (
            421,
            "misdirected",
            {"Host": f"evil.example:{service.port}", "Origin": "http://evil.example"},
        ),
        (421, "misdirected", {"Host": "10.0.0.1"}),
    ):
        answer = service.request("POST", "/api/v1/bundles", request_body(), **headers)
        assert (answer.status_code, error_of(answer)["code"]) == (refused, code), headers
    assert list((service.data / "runs").iterdir()) == []
    for headers in ({"Host": ours, "Origin": f"http://{ours}"}, {"Host": "localhost"}):
        answer = service.request("POST", "/api/v1/bundles", request_body(), **headers)
        assert answer.status_code == 202, answer.text
    assert service.request("GET", "/healthz", Host="probe.example").status_code == 200


def test_a_service_has_the_names_that_it_is_given(signer):
    service = signer.serve(flags=["-host=signer.internal,docugen"])
    for name in ("signer.internal", f"DocuGen:{service.port}"):
        answer = service.request("POST", "/api/v1/bundles", request_body(), Host=name)
        assert answer.status_code == 202, answer.text
    answer = service.request("POST", "/api/v1/bundles", request_body(), Host="signer")
    assert answer.status_code == 421


def raw(service, data, linger=0.0):
    """Sends bytes as they are, and leaves, whatever the answer."""
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(data)
        if linger:
            client.settimeout(linger)
            try:
                return client.recv(65536)
            except TimeoutError:
                return b""
    return b""


def test_garbage_and_slow_clients_hurt_nobody(service):
    head = (
        b"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(50)]
    for client in slow:
        client.sendall(head + b"{")
    for data in (
        b"\x00" * 4096,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
        b"POST /api/v1/bundles HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ):
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            raw(service, data, linger=0.2)
    began = time.monotonic()
    assert service.request("GET", "/healthz").status_code == 200
    assert service.sign()["status"] == "completed"
    assert time.monotonic() - began < SILENCE_S
    for client in slow:
        client.close()
    assert service.process.stop() == 0


def test_head_tells_what_get_would(service):
    answer = service.request("HEAD", "/healthz")
    assert answer.status_code == 200 and answer.content == b""


SAMPLE = re.compile(
    r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"\})? '
    r"(NaN|[+-]Inf|-?[0-9.eE+-]+)$"
)


def parse_metrics(text):
    """Reads the exposition format strictly; returns family -> (type, samples)."""
    assert text.endswith("\n")
    families, current = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in families, f"{current} is described twice"
            families[current] = [None, {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current
            families[name][0] = kind
        else:
            found = SAMPLE.match(line)
            assert found, f"no sample: {line!r}"
            name = found.group(1)
            kind = families[current][0]
            ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert name in [current + end for end in ends], line
            series = name + (found.group(2) or "")
            assert series not in families[current][1], f"{series} twice"
            families[current][1][series] = float(found.group(3))
    return families


def test_metrics_are_what_a_scraper_reads(service):
    service.sign()
    answer = service.request("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = parse_metrics(answer.text)
    assert families["vault_up"] == ["gauge", {"vault_up": 1.0}]
    assert families["signing_total"][1]['signing_total{mode="vault"}'] == 1
    assert families["signing_attempts_total"][1]['signing_attempts_total{class="ok"}'] == 1
    kind, backoff = families["signing_backoff_seconds"]
    assert kind == "histogram"
    counts = [v for k, v in backoff.items() if "_bucket" in k]
    assert counts == sorted(counts)
    assert counts[-1] == backoff["signing_backoff_seconds_count"]


def test_vault_up_follows_the_seal(signer, durable_vault):
    service = signer.serve(SIGNER_HEALTH_INTERVAL_MS=20)
    assert service.metrics()["vault_up"] == 1
    durable_vault.call("PUT", "sys/seal")
    eventually(lambda: service.metrics()["vault_up"] == 0, what="vault_up 0")
    health = service.request("GET", "/healthz").json()
    assert health["vault"] == {"up": False, "reason": "sealed"}
    assert health["status"] == "ok"  # the service is; Vault is not
    durable_vault.unseal()
    eventually(lambda: service.metrics()["vault_up"] == 1, what="vault_up 1")


def test_health_says_when_nothing_can_be_recorded(service, signer):
    assert service.request("GET", "/healthz").json()["audit"] == {"writable": True}
    signer.audit_log.unlink()
    answer = service.request("GET", "/healthz")
    assert answer.status_code == 503
    assert answer.json()["audit"] == {"writable": False}
    assert answer.json()["status"] == "degraded"


def test_a_restart_without_new_environment_keeps_the_mode(signer):
    """The environment is read once: what changes around a running service changes nothing."""
    signer.allow_fallback()
    service = signer.serve()
    assert "ALLOW_FALLBACK_SIGNING=true" in service.process.errors()
    health = service.request("GET", "/healthz").json()
    assert health["fallback"] == {"allowed": True, "active": False, "seconds": 0}
    assert service.process.stop() == 0
    again = signer.serve()
    assert again.request("GET", "/healthz").json()["fallback"]["allowed"] is True


def test_no_secret_reaches_the_log(service, signer):
    service.sign()
    assert service.process.stop() == 0
    log = service.process.errors()
    assert str(signer.settings["VAULT_TOKEN"]) not in log
    assert "key=sha256:" in log
    assert "signing_mode=vault" in log


@pytest.mark.parametrize(
    "flags, environment, words",
    [
        (["-name=cook"], {}, "signer serve: -name=cook is unknown, want api or worker"),
        ([], {}, "signer serve: -name is missing, want api or worker"),
        (["-name=api", "-thread=1"], {}, "did you mean"),
        (["-name=api", "-threads=0"], {}, "signer serve: -threads=0 is not in 1..32"),
        (["-name=api", "-listen=here"], {}, 'listen address "here" is not HOST:PORT'),
        (["-name=api"], {"ALLOW_FALLBACK_SIGNING": "True"}, 'ALLOW_FALLBACK_SIGNING is "True"'),
        (["-name=api"], {"SIGNER_HEALTH_INTERVAL_MS": "x"}, 'SIGNER_HEALTH_INTERVAL_MS is "x"'),
    ],
)
def test_a_bad_start_says_why_and_starts_nothing(signer, flags, environment, words):
    data = signer.folder / "never"
    child = signer.run("serve", f"-data={data}", *flags, **environment)
    assert child.code == 2, child.errors()
    assert words in child.errors()
    assert child.errors().count("\n") == 1
    assert not (data / "runs").exists() or list((data / "runs").iterdir()) == []


def test_one_folder_serves_one_service_of_a_name(signer, service):
    child = signer.run("serve", "-name=api", "-listen=127.0.0.1:0", f"-data={service.data}")
    assert child.code == 1
    assert "another process serves there" in child.errors()
    unknown = service.request("GET", f"/api/v1/bundles/{uuid.uuid4()}")
    assert unknown.status_code == 404
