"""TLS on the data port: who is served, who is not, and that nothing else changes by it."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
import requests
from harness import FakeVault, eventually, limits

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificate(folder, name, authority=None):
    """A certificate for 127.0.0.1, of the authority or of itself: NAME.pem and NAME.key."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    out = ["-keyout", f"{name}.key", "-subj", f"/CN={name}"]
    if authority is None:
        words = ["-x509", "-out", f"{name}.pem", "-days", "2"]
        openssl(folder, "req", *key, *out, *words, "-addext", "subjectAltName=IP:127.0.0.1")
        return
    openssl(folder, "req", *key, *out, "-out", f"{name}.csr")
    sign = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial"]
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.pem")


@pytest.fixture
def folder(factory):
    made = factory.folder / "certificates"
    made.mkdir()
    make_certificate(made, "server")
    return made


def start(factory, folder, *flags):
    files = [f"-tls-cert={folder}/server.pem", f"-tls-key={folder}/server.key"]
    vault = FakeVault(factory, "-dev", "-dev-root-token-id=root", *files, *flags)
    vault.address = f"https://127.0.0.1:{vault.port}"
    return vault


@pytest.fixture
def vault(factory, folder):
    return start(factory, folder)


@pytest.fixture
def trust(folder):
    return str(folder / "server.pem")


def peer_certificate(vault):
    return ssl.get_server_certificate(("127.0.0.1", vault.port), timeout=limits.EVENT)


def handshake(vault, context):
    """Connects, and returns the TLS socket."""
    raw = socket.create_connection(("127.0.0.1", vault.port))
    return context.wrap_socket(raw, server_hostname="127.0.0.1")


def trusting_anybody():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_requests_are_served_and_the_handshake_is_recorded(vault, trust):
    answer = vault.api("GET", "sys/health", verify=trust)
    assert answer.status_code == 200
    number = next(r["conn"] for r in vault.journal("request"))
    events = [r["event"] for r in vault.journal("conn") if r["conn"] == number]
    assert events[:2] == ["accepted", "handshake"]


def test_a_client_that_does_not_trust_the_certificate_gets_nothing(vault):
    with pytest.raises(requests.exceptions.SSLError):
        vault.api("GET", "sys/health")
    assert vault.journal("request") == []


def test_plain_http_is_told_so(vault):
    with socket.create_connection(("127.0.0.1", vault.port)) as plain:
        plain.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: plain.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    assert not [r for r in vault.journal("conn") if r["event"] == "handshake"]


def test_garbage_is_closed_and_the_next_one_is_served(vault, trust):
    with socket.create_connection(("127.0.0.1", vault.port)) as broken:
        broken.sendall(b"\x16\x03\x01\xff\xff" + b"x" * 600)
        with contextlib.suppress(ConnectionResetError):
            while broken.recv(4096):
                pass
    assert vault.api("GET", "sys/health", verify=trust).status_code == 200


def test_only_http_1_1_is_agreed_on(vault):
    context = trusting_anybody()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with handshake(vault, context) as secured:
        assert secured.selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_1_is_too_old(vault):
    context = trusting_anybody()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(vault, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(vault, version):
    context = trusting_anybody()
    context.minimum_version = context.maximum_version = version
    with handshake(vault, context) as secured:
        secured.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_large_bodies_pass_in_both_directions(vault, trust):
    text = "x" * 700_000
    written = vault.api("PUT", "secret/data/large", {"data": {"k": text}}, verify=trust)
    assert written.status_code == 200
    read = vault.api("GET", "secret/data/large", verify=trust).json()
    assert read["data"]["data"]["k"] == text


def test_many_clients_at_once(vault, trust):
    def ask(_):
        with requests.Session() as session:
            url = f"{vault.address}/v1/sys/health"
            options = {"verify": trust, "timeout": limits.EVENT}
            return [session.get(url, **options).status_code for _ in range(10)]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for statuses in pool.map(ask, range(32)):
            assert statuses == [200] * 10


def test_refuse_resets_open_tls_connections(vault):
    with handshake(vault, trusting_anybody()) as secured:
        secured.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(4096)
        vault.ctl("refuse")
        with (
            socket.socket(fileno=os.dup(secured.fileno())) as raw,
            pytest.raises(ConnectionResetError),
        ):
            while raw.recv(4096):
                pass
    vault.ctl("accept")
    assert [r["how"] for r in vault.journal("conn") if r["event"] == "closed"] == ["reset"]


def test_a_held_request_whose_client_leaves_is_not_executed(vault):
    vault.ctl("hang")
    with handshake(vault, trusting_anybody()) as secured:
        secured.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: vault.journal("request"))
    eventually(lambda: vault.journal("reply"))
    assert [(r["end"], r["executed"]) for r in vault.journal("reply")] == [("dropped", False)]


def test_a_hang_up_signal_reads_the_certificate_anew(vault, folder):
    before = peer_certificate(vault)
    make_certificate(folder, "server")
    assert peer_certificate(vault) == before
    vault.process.signal(signal.SIGHUP)
    eventually(lambda: "event=reloaded" in vault.process.errors())
    assert peer_certificate(vault) == (folder / "server.pem").read_text()


def test_a_broken_certificate_leaves_the_old_one(vault, folder):
    before = peer_certificate(vault)
    (folder / "server.pem").write_text("no certificate\n")
    vault.process.signal(signal.SIGHUP)
    eventually(lambda: "event=not_reloaded" in vault.process.errors())
    assert peer_certificate(vault) == before


def test_client_certificates_on_demand(factory, folder, trust):
    make_certificate(folder, "authority")
    make_certificate(folder, "good", "authority")
    make_certificate(folder, "stranger")
    vault = start(factory, folder, f"-tls-client-ca={folder}/authority.pem")

    def ask(name):
        pair = (str(folder / f"{name}.pem"), str(folder / f"{name}.key")) if name else None
        return vault.api("GET", "sys/health", verify=trust, cert=pair)

    assert ask("good").status_code == 200
    for name in (None, "stranger"):
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(name)


def test_a_stop_ends_connections_in_every_stage(vault):
    """A handshake that never ends, a connection that is silent, a request that is held."""
    with (
        socket.create_connection(("127.0.0.1", vault.port)) as silent,
        handshake(vault, trusting_anybody()) as idle,
        handshake(vault, trusting_anybody()) as held,
    ):
        vault.ctl("hang")
        held.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: vault.journal("request"))
        vault.process.signal(signal.SIGTERM)
        assert vault.process.wait() == 0
        assert silent.recv(1) == b""
        assert idle.recv(1) == b""
    hows = {r["conn"]: r["how"] for r in vault.journal("conn") if r["event"] == "closed"}
    assert len(hows) == 3


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["-tls-cert=a.pem"], 64, "need each other"),
        (["-tls-client-ca=a.pem"], 64, "needs -tls-cert"),
        (["-tls-cert=none.pem", "-tls-key=none.key"], 78, "open none.pem: no such file"),
    ],
)
def test_wrong_flags(factory, flags, code, message):
    argv = [factory.binary("fakevault"), "server", "-dev", "-listen=127.0.0.1:0", *flags]
    child = factory.run("server", argv)
    assert child.code == code
    assert message in child.errors()
