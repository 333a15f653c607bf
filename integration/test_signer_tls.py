"""A peer that cannot prove who it is gets no request, and its failure is never an outage."""

import contextlib
import http.server
import json
import shutil
import socketserver
import ssl
import subprocess
import threading

import pytest
from harness import limits

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(factory):
    """A CA; a good certificate of it for 127.0.0.1; one for another name; one that is over."""
    folder = factory.folder / "tls"
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority = ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"]
    openssl(folder, *authority, "-days", "2")
    for name, alternative, days in [
        ("good", "IP:127.0.0.1", "2"),
        ("other", "DNS:elsewhere.example", "2"),
        ("over", "IP:127.0.0.1", "-1"),
    ]:
        request = ["req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl(folder, *request, "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        sign = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"]
        serial = ["-CAcreateserial", "-days", days, "-extfile", f"{name}.ext"]
        openssl(folder, *sign, *serial, "-out", f"{name}.pem")
    return folder


class Sealed(http.server.BaseHTTPRequestHandler):
    """Vault, sealed; remembers that somebody got through to it."""

    def do_POST(self):
        self.server.reached += 1
        body = b'{"errors":["Vault is sealed"]}\n'
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that refuses us is what is tested."""


@contextlib.contextmanager
def serving(folder=None, name=None):
    with Server(("127.0.0.1", 0), Sealed) as server:
        server.reached = 0
        if name is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(limits.EVENT)


def sign_at(signer, server, **environment):
    """Signs with fallback allowed; returns the printed result and the classes of the attempts."""
    signer.allow_fallback()
    folder, run_id = signer.bundle()
    address = f"https://127.0.0.1:{server.server_port}"
    child = signer.run("sign", folder, VAULT_ADDR=address, **environment)
    attempts = signer.audit(run_id)[-1]["payload"]["attempts"]
    return json.loads(child.output()), [attempt["class"] for attempt in attempts]


def test_a_good_certificate_is_talked_to(signer, certificates):
    with serving(certificates, "good") as server:
        result, classes = sign_at(signer, server, VAULT_CACERT=certificates / "ca.pem")
        assert classes == ["sealed"] * 3
        assert result["signingMode"] == "fallback"
        assert server.reached == 3


@pytest.mark.parametrize("name", ["other", "over"])
def test_a_bad_certificate_ends_it_at_once(signer, certificates, name):
    with serving(certificates, name) as server:
        result, classes = sign_at(signer, server, VAULT_CACERT=certificates / "ca.pem")
        assert classes == ["certificate"]
        assert (result["status"], result["reason"]) == ("failed", "refused")
        assert server.reached == 0


def test_an_unknown_authority_ends_it_at_once(signer, certificates):
    with serving(certificates, "good") as server:
        result, classes = sign_at(signer, server)
        assert (result["status"], classes) == ("failed", ["certificate"])
        assert server.reached == 0


def test_a_peer_that_speaks_no_tls_is_a_mistake_of_the_configuration(signer):
    with serving() as server:
        result, classes = sign_at(signer, server)
        assert (result["status"], classes) == ("failed", ["certificate"])
        assert server.reached == 0
