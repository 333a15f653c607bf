"""Clients that we did not write walk through the life of a Vault, as they would with the real one.

Each is a program in clients/ that prints a line for each step that holds; .ci/deps.sh builds them.
VAULT_BINARY=PATH runs the same against a real Vault, whose answers these programs were written to.
"""

import os
import re
import shutil
import subprocess

import pytest
import requests
from harness import FakeVault, eventually, limits
from harness.fakevault import reserve_port

STEPS = (
    *("init", "sealed", "unseal", "mount", "keys", "sign", "encrypt", "batch"),
    *("tokens", "policies", "wrapping", "kv", "refusals", "seal"),
)


def hvac_command(root):
    return [root / "build/venv/bin/python", root / "integration/clients/hvac/lifecycle.py"], {}


def node_command(root):
    modules = root / "build/clients/node-vault/node_modules"
    script = root / "integration/clients/node-vault/lifecycle.js"
    return [shutil.which("node") or "node", script], {"NODE_PATH": modules}


def go_command(root):
    return [root / "build/clients/go-api/lifecycle"], {}


CLIENTS = {"hvac": hvac_command, "node-vault": node_command, "go-api": go_command}


def start_real(factory, binary):
    """A real Vault in memory that nobody has initialised; returns its address."""
    with reserve_port() as held:
        port = held.getsockname()[1]
    folder = factory.folder / "vault"
    folder.mkdir()
    settings = folder / "vault.hcl"
    settings.write_text(
        'storage "inmem" {}\ndisable_mlock = true\n'
        f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}\n'
        f'api_addr = "http://127.0.0.1:{port}"\n',
        encoding="utf-8",
    )
    argv = [binary, "server", f"-config={settings}"]
    factory.start("vault", argv, factory.environment(HOME=folder))
    address = f"http://127.0.0.1:{port}"

    def serves():
        try:
            return requests.get(f"{address}/v1/sys/init", timeout=limits.EVENT).ok
        except requests.ConnectionError:
            return False

    eventually(serves, "the real Vault")
    return address


@pytest.fixture
def fresh_address(factory):
    real = os.environ.get("VAULT_BINARY")
    if real:
        return start_real(factory, real)
    return FakeVault(factory, "-storage=inmem").address


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_cannot_tell(factory, root, fresh_address, name):
    command, extra = CLIENTS[name](root)
    assert all(os.path.exists(word) for word in command), "run .ci/deps.sh test"
    environment = factory.environment(VAULT_ADDR=fresh_address, **extra)
    child = factory.run(name, command, environment)
    said = child.output()
    assert re.findall(r"^ok (\w+)$", said, re.MULTILINE) == list(STEPS), said + child.errors()
    assert child.code == 0


def test_a_client_complains_of_what_does_not_hold(factory, root, dev_vault):
    """The negative: a server that is initialised already is not what the programs expect."""
    for name, command in CLIENTS.items():
        argv, extra = command(root)
        environment = factory.environment(VAULT_ADDR=dev_vault.address, **extra)
        child = factory.run(f"{name}-complains", argv, environment)
        assert child.code == 1
        assert child.output().startswith("failed init"), child.output()


def test_the_locks_name_no_registry(root):
    """A lock says which packages, not where somebody got them."""
    listed = subprocess.run(
        ["git", "ls-files", "integration/clients"], cwd=root, capture_output=True, text=True
    )
    assert listed.returncode == 0 and "integration/clients/go-api/go.sum" in listed.stdout
    lock = (root / "integration/clients/node-vault/package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in lock and '"resolved"' not in lock
