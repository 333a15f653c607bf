"""The vault command where recordings do not reach: terminals, files, TLS, retries, other servers.

What it prints is compared with Vault's own by integration/conformance/cli.py.
"""

import contextlib
import http.server
import pathlib
import signal
import socket
import subprocess
import threading

import pytest
from harness import FakeVault, Terminal, limits


@pytest.fixture
def vault(factory):
    return FakeVault.dev(factory)


class Command:
    """Runs the command against one address, with a home folder of its own."""

    def __init__(self, factory, address, token="root"):
        self.factory = factory
        self.program = factory.binary("vault")
        self.home = factory.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.environment = factory.environment(HOME=self.home, VAULT_ADDR=address)
        if token is not None:
            self.environment["VAULT_TOKEN"] = token

    def __call__(self, *words, expect=0, text="", **environment):
        done = subprocess.run(
            [self.program, *words],
            env={**self.environment, **environment},
            cwd=self.home,
            input=text,
            capture_output=True,
            text=True,
            timeout=limits.EVENT,
            check=False,
        )
        assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stderr}"
        return done

    def asked_at_a_terminal(self, *words):
        """Starts it at a terminal, and waits until it asks."""
        made = Terminal(self.factory, "vault", [self.program, *words], self.environment)
        made.await_text("hidden")
        return made

    def at_a_terminal(self, *words, typed):
        """Types a line when asked; returns the exit code and all that the terminal showed."""
        terminal = self.asked_at_a_terminal(*words)
        terminal.type(typed + "\n")
        return terminal.finish()

    def interrupted_at_a_terminal(self, *words):
        """Presses Ctrl-C when asked; returns how it ended, and whether the terminal echoes."""
        terminal = self.asked_at_a_terminal(*words)
        assert not terminal.echoes()
        terminal.type("\x03")
        return terminal.child.wait(), terminal.echoes()


@pytest.fixture
def command(factory, vault):
    return Command(factory, vault.address)


def test_a_login_writes_a_file_that_nobody_else_can_read(factory, vault):
    command = Command(factory, vault.address, token=None)
    command("login", "-", text="root\n")
    stored = command.home / ".vault-token"
    assert (stored.read_text(), stored.stat().st_mode & 0o777) == ("root", 0o600)
    assert "secret/" in command("secrets", "list").stdout
    assert command("print", "token", VAULT_TOKEN="other").stdout == "other\n"


def test_a_login_that_fails_leaves_the_file(factory, vault):
    command = Command(factory, vault.address, token=None)
    command("login", "root")
    command("login", "wrong", expect=2)
    assert (command.home / ".vault-token").read_text() == "root"


def test_a_token_is_not_shown_while_it_is_typed(factory, vault):
    command = Command(factory, vault.address, token=None)
    code, shown = command.at_a_terminal("login", "-no-print", typed="root")
    assert code == 0
    assert "Token (will be hidden)" in shown
    assert "root" not in shown


def test_an_unseal_key_is_not_shown_while_it_is_typed(factory):
    vault = FakeVault(factory)
    vault.initialise(1, 1)
    command = Command(factory, vault.address, token=None)
    code, shown = command.at_a_terminal("operator", "unseal", typed=vault.keys[0])
    assert code == 0
    assert vault.keys[0] not in shown
    assert command("status").returncode == 0


def test_nobody_is_asked_without_a_terminal(factory, vault):
    command = Command(factory, vault.address, token=None)
    assert "not a terminal" in command("login", expect=2).stderr
    assert "not a terminal" in command("operator", "unseal", expect=1).stderr


def test_the_token_comes_in_a_header_and_not_in_the_ledger(command, vault):
    made = command("token", "create", "-policy=default", "-field=token").stdout
    command("token", "lookup", VAULT_TOKEN=made)
    assert made.startswith("hvs.")
    assert made not in vault.journal_file.read_text()
    assert made not in vault.process.output() + vault.process.errors()


def test_a_field_has_no_newline_unless_somebody_looks(command):
    command("kv", "put", "secret/a", "k=v")
    assert command("kv", "get", "-field=k", "secret/a").stdout == "v"


def test_a_drill_of_seal_and_unseal(factory):
    vault = FakeVault.durable(factory)
    command = Command(factory, vault.address, token=None)
    assert command("status", expect=2).stdout.startswith("Key                Value\n")
    made = command("operator", "init", "-key-shares=3", "-key-threshold=2").stdout
    keys = [line.split(": ")[1] for line in made.splitlines() if line.startswith("Unseal Key")]
    root = next(line.split(": ")[1] for line in made.splitlines() if line.startswith("Initial"))
    for key in keys[:2]:
        command("operator", "unseal", key)
    command("secrets", "enable", "transit", VAULT_TOKEN=root)
    command("write", "-f", "transit/keys/k", "type=ed25519", VAULT_TOKEN=root)
    command("operator", "seal", VAULT_TOKEN=root)
    sealed = command("write", "transit/sign/k", "input=aGk=", expect=2, VAULT_TOKEN=root)
    assert "Code: 503. Errors:\n\n* Vault is sealed" in sealed.stderr
    for key in keys[1:]:
        command("operator", "unseal", key)
    signed = command("write", "-field=signature", "transit/sign/k", "input=aGk=", VAULT_TOKEN=root)
    assert signed.stdout.startswith("vault:v1:")


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with what the test has laid out, and keeps what was asked."""

    def answer(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.script.pop(0)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def scripted():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.seen, server.script = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scripted_command(factory, scripted):
    return Command(factory, f"http://127.0.0.1:{scripted.server_port}")


DATA = (200, {}, b'{"data":{"k":"v"}}')


def test_it_tries_again_when_it_is_told_to(scripted, scripted_command):
    busy = (503, {"Retry-After": "1"}, b'{"errors":["busy"]}')
    scripted.script = [busy]
    scripted_command("read", "a", expect=2)
    scripted.script = [busy, DATA]
    scripted_command("read", "a", VAULT_MAX_RETRIES="1")
    assert len(scripted.seen) == 3


def test_one_redirect_is_followed(scripted, scripted_command):
    away = (307, {"Location": "/v1/b"}, b"")
    scripted.script = [away, DATA]
    assert scripted_command("read", "-field=k", "a").stdout == "v"
    assert [path for _, path, _ in scripted.seen] == ["/v1/a", "/v1/b"]
    scripted.script = [away]
    scripted_command("read", "-disable-redirects", "a", expect=2)


def test_the_headers_are_those_of_vaults_client(scripted, scripted_command):
    scripted.script = [DATA]
    flags = ["-namespace=team", "-wrap-ttl=90s", "-header=X-Test=1"]
    scripted_command("read", *flags, "a//b/../c d", "list=x y")
    method, path, headers = scripted.seen[0]
    assert (method, path) == ("GET", "/v1/a/c%20d?list=x+y".replace("+", "%20"))
    wanted = {
        "X-Vault-Request": "true",
        "X-Vault-Token": "root",
        "X-Vault-Namespace": "team/",
        "X-Vault-Wrap-TTL": "1m30s",
        "X-Test": "1",
    }
    assert wanted.items() <= headers.items()
    assert "Content-Type" not in headers


def test_what_is_no_json_is_shown_as_it_is(scripted, scripted_command):
    scripted.script = [(502, {}, b"<html>bad gateway</html>")]
    shown = scripted_command("read", "a", expect=2).stderr
    assert shown.endswith("Code: 502. Raw Message:\n\n<html>bad gateway</html>\n")


def test_it_waits_no_longer_than_it_may(vault, factory):
    vault.ctl("hang")
    slow = Command(factory, vault.address)
    shown = slow("status", expect=1, VAULT_CLIENT_TIMEOUT="1s").stderr
    assert "context deadline exceeded" in shown


@pytest.fixture
def plain_server():
    """Answers the first bytes in plain HTTP, whatever they are: a hello of TLS need not have the
    end of a line that servers look for. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with server.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    peer.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join(limits.EVENT)


def test_a_server_of_plain_http_is_named(factory, plain_server):
    command = Command(factory, f"https://127.0.0.1:{plain_server}")
    shown = command("status", expect=1).stderr
    assert "http: server gave HTTP response to HTTPS client" in shown


def test_help_names_every_flag(command):
    shown = command("secrets", "enable", "-h").stdout
    assert "Usage: vault secrets enable [flags] TYPE" in shown
    assert all(flag in shown for flag in ("-path=", "-version=", "-address=", "-tls-skip-verify"))
    assert "unseal" in command("operator", expect=1).stderr
    assert "does not have this command" in command("agent", expect=1).stderr


def test_the_name_decides_what_the_program_is(factory):
    program = pathlib.Path(factory.binary("vault"))
    assert program.is_symlink()
    done = factory.run("version", [factory.binary("fakevault"), "version"])
    assert done.output().startswith("fakevault ")


def test_an_interrupted_question_leaves_the_terminal_as_it_was(command):
    del command.environment["VAULT_TOKEN"]
    assert command.interrupted_at_a_terminal("login") == (-signal.SIGINT, True)
