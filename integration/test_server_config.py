"""What starts Vault starts fakevault: configuration files, environment, flags, greeting."""

import json
import os
import re
import signal
import subprocess

import pytest
import requests
from harness import eventually, limits
from harness.fakevault import reserve_port

INMEM = 'storage "inmem" {}\n'


def listener(port, more="tls_disable = true"):
    return f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  {more}\n}}\n'


@pytest.fixture
def port(factory):
    return factory.hold(reserve_port()).getsockname()[1]


@pytest.fixture
def home(factory):
    folder = factory.folder / "home"
    folder.mkdir()
    return folder


def seal_status(port):
    return requests.get(f"http://127.0.0.1:{port}/v1/sys/seal-status", timeout=limits.EVENT).json()


class Server:
    """`vault server` or `fakevault server`, waited for by what people wait for: its greeting."""

    def __init__(self, factory, port, *words, program="vault", environment=None):
        self.port = port
        self.child = factory.start(
            program, [factory.binary(program), *words], factory.environment(**environment or {})
        )
        eventually(self.greets, "the greeting")

    def greets(self):
        greeted = "server started!" in self.child.output()
        assert greeted or self.child.popen.poll() is None, self.child.errors()
        return greeted

    def stop(self):
        self.child.signal(signal.SIGTERM)
        return self.child.wait()


def refused(factory, home, text, program="vault", name="c.hcl", words=()):
    """Starts with a configuration that cannot be served; returns exit code and complaint."""
    (home / name).write_text(text)
    argv = [factory.binary(program), "server", f"-config={home / name}", *words]
    child = factory.run(program, argv)
    return child.code, child.errors()


def test_a_file_in_hcl(factory, home, port):
    (home / "c.hcl").write_text(
        INMEM + listener(port) + 'api_addr = "http://vault:8200"\nui = true\n'
    )
    server = Server(factory, port, "server", f"-config={home / 'c.hcl'}")
    assert seal_status(port)["initialized"] is False
    assert "Api Address: http://vault:8200" in server.child.output()
    assert "==> Vault server started!" in server.child.output()
    assert server.stop() == 0


def test_what_dockers_entry_point_starts(factory, home, port):
    """A folder, JSON, lists where HCL has blocks, and dev flags without a value."""
    config = home / "config"
    config.mkdir()
    (config / "local.json").write_text(
        json.dumps(
            {
                "storage": {"file": {"path": str(home / "data")}},
                "listener": [{"tcp": {"address": f"127.0.0.1:{port}", "tls_disable": True}}],
                "default_lease_ttl": "168h",
                "max_lease_ttl": "720h",
                "ui": True,
            }
        )
    )
    (config / "notes.txt").write_text("no configuration {{{")
    words = ["server", f"-config={config}", "-dev-root-token-id=", "-dev-listen-address=0.0.0.0:1"]
    server = Server(factory, port, *words, "-log-level=debug")
    made = requests.put(
        f"http://127.0.0.1:{port}/v1/sys/init",
        json={"secret_shares": 1, "secret_threshold": 1},
        timeout=limits.EVENT,
    )
    assert made.status_code == 200
    assert server.stop() == 0
    again = Server(factory, port, *words)
    status = seal_status(port)
    assert (status["initialized"], status["sealed"]) == (True, True)
    assert again.stop() == 0


def test_a_later_file_wins_and_flags_win_over_files(factory, home, port):
    (home / "a.hcl").write_text(INMEM + listener(1))
    (home / "b.hcl").write_text('pid_file = "' + str(home / "pid") + '"\n')
    files = [f"-config={home / name}" for name in ("a.hcl", "b.hcl")]
    server = Server(factory, port, "server", *files, f"-listen=127.0.0.1:{port}")
    assert (home / "pid").read_text() == str(server.child.pid)
    assert server.stop() == 0
    assert not (home / "pid").exists()


@pytest.mark.parametrize("kind", ["raft", "consul"])
def test_other_storages_are_kept_in_a_folder(factory, home, port, kind):
    (home / "c.hcl").write_text(
        f'storage "{kind}" {{\n  path = "{home / "data"}"\n  node_id = "one"\n'
        '  address = "127.0.0.1:8500"\n}\n' + listener(port)
    )
    server = Server(factory, port, "server", f"-config={home / 'c.hcl'}")
    assert f'storage \\"{kind}\\" is kept in a folder' in server.child.errors()
    folder = home / "data" if kind == "raft" else server.child.folder / "vault-consul"
    assert (folder / "vault.db").exists()
    assert server.stop() == 0


def test_keys_that_nobody_knows_are_noted(factory, home, port):
    (home / "c.hcl").write_text(
        INMEM + listener(port, "tls_disable = 1\n  nosuch = 2") + "what = 1\n"
    )
    server = Server(factory, port, "server", f"-config={home / 'c.hcl'}")
    for place in (
        "nosuch found in configuration at {}:5:3",
        "what found in configuration at {}:7:1",
    ):
        assert (
            f"unknown or unsupported field {place.format(home / 'c.hcl')}" in server.child.errors()
        )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('storage "inmem" {', "At 1:19: object expected closing RBRACE got: EOF"),
        ("storage = 5\n", "At 1:11: error parsing 'storage': not an object type"),
        (listener(1), "A storage backend must be specified"),
        (INMEM + listener(1, ""), "error loading TLS cert"),
        (INMEM + 'listener "udp" {}\n', 'unsupported listener type "udp"'),
        (INMEM + 'storage "file" { path = "x" }\n', 'only one "storage" block is permitted'),
        ('storage "mysql" {}\n', "At 1:17: Unknown storage type mysql"),
        (INMEM + 'seal "awskms" { region = "x" }\n', 'seal "awskms" is not supported'),
        ('storage "file" {}\n' + listener(1), "'path' must be set"),
        (INMEM + listener(1, 'tls_disable = "perhaps"'), '"tls_disable" is "perhaps"'),
        (INMEM + 'default_lease_ttl = "long"\n', 'At 2:21: "default_lease_ttl": time: invalid'),
    ],
)
def test_what_cannot_be_served_is_said(factory, home, text, complaint):
    code, errors = refused(factory, home, text)
    assert code == 1
    assert complaint in errors


def test_a_seal_that_is_switched_off_is_no_matter(factory, home, port):
    seal = 'seal "awskms" {\n  disabled = "true"\n}\nseal "shamir" {}\n'
    (home / "c.hcl").write_text(INMEM + listener(port) + seal)
    assert Server(factory, port, "server", f"-config={home / 'c.hcl'}").stop() == 0


def test_the_other_name_has_its_own_exit_codes(factory, home):
    code, errors = refused(factory, home, "storage = 5\n", program="fakevault")
    assert (code, errors.startswith("fakevault server: error loading configuration")) == (78, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Must specify at least one config path using -config"),
        (["-config=nosuch.hcl"], "stat nosuch.hcl: no such file or directory"),
        (["-dev", "-dev-ha"], 'flag "-dev-ha" is not supported: there is one server'),
        (["-dev", "-dev-tls"], 'flag "-dev-tls" is not supported'),
    ],
)
def test_flags_that_cannot_be_served(factory, words, complaint):
    child = factory.run("vault", [factory.binary("vault"), "server", *words])
    assert child.code == 1
    assert complaint in child.errors()


@pytest.mark.parametrize("program", ["vault", "fakevault"])
@pytest.mark.parametrize("words", [["-help"], ["-storage=file", "--help"], ["-h"]])
def test_help_needs_no_other_flag(factory, program, words):
    child = factory.run("help", [factory.binary(program), "server", *words])
    assert (child.code, child.errors()) == (0, "")
    assert "-config=FILE|FOLDER" in child.output()


def test_the_dev_server_as_scripts_know_it(factory, port):
    environment = {
        "VAULT_DEV_ROOT_TOKEN_ID": "root",
        "VAULT_DEV_LISTEN_ADDRESS": f"127.0.0.1:{port}",
    }
    server = Server(factory, port, "server", "-dev", environment=environment)
    output = server.child.output()
    assert "WARNING! dev mode is enabled!" in output
    assert f"export VAULT_ADDR='http://127.0.0.1:{port}'" in output
    assert re.search(r"^Unseal Key: \S{44}$", output, re.MULTILINE)
    assert re.search(r"^Root Token: root$", output, re.MULTILINE)
    stored = factory.folder / ".vault-token"
    assert (stored.read_text(), stored.stat().st_mode & 0o777) == ("root", 0o600)
    listed = subprocess.run(
        [factory.binary("vault"), "secrets", "list"],
        env=factory.environment(VAULT_ADDR=f"http://127.0.0.1:{port}"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cubbyhole/" in listed.stdout


@pytest.mark.parametrize(
    ("program", "words"), [("vault", ["-dev-no-store-token"]), ("fakevault", [])]
)
def test_the_token_file_is_left_alone(factory, port, program, words):
    flags = ["-dev", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{port}"]
    Server(factory, port, "server", *flags, *words, program=program)
    assert not (factory.folder / ".vault-token").exists()


def test_an_address_that_others_can_reach_is_warned_of(factory, port):
    words = ["server", "-dev", f"-listen=0.0.0.0:{port}"]
    server = Server(factory, port, *words, program="fakevault")
    assert "event=not_loopback" in server.child.errors()


def test_loopback_is_not_warned_of(factory, port):
    server = Server(
        factory, port, "server", "-dev", f"-listen=127.0.0.1:{port}", program="fakevault"
    )
    assert "not_loopback" not in server.child.errors()
    assert os.fspath(server.child.folder)
