"""Fixtures. What they hand out is in harness/; harness/surroundings.py says what is reset first."""

import os
import pathlib
import shutil
import socket
import tempfile

import pytest
from harness import Chaos, FakeVault, ProcessFactory, Signer, limits, surroundings

surroundings.reset()
socket.setdefaulttimeout(limits.EVENT)  # of whoever names none

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARIES = pathlib.Path(os.environ.get("HARNESS_BIN", ROOT / "build" / "dev" / "bin"))


def pytest_report_header():
    return f"programs: {BINARIES}"


def pytest_configure(config):
    """A limit for each test, unless the command line has one."""
    if config.getoption("timeout", None) is None:
        config.option.timeout = limits.TEST


def pytest_collection_modifyitems(items):
    """The long ones first: begun last, they would run alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keeps the report, so that the factory knows whether to show what its children wrote."""
    report = yield
    setattr(item, f"report_{report.when}", report)
    if report.failed and "factory" in getattr(item, "funcargs", {}):
        report.sections.append(("children", item.funcargs["factory"].transcript()))
    return report


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def factory(request):
    """Starts children; all are gone when the test ends. A failed test's folder stays, and is named.

    The folder's name is short: the path of a Unix socket has room for 107 bytes.
    """
    parent = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="harness-", dir=parent if len(parent) < 30 else "/tmp")
    made = ProcessFactory(BINARIES, folder)
    yield made
    troubles = made.stop_all()
    called = getattr(request.node, "report_call", None)
    if called is not None and called.passed and not troubles:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"kept: {folder}")
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def durable_vault(factory):
    """Storage that survives a crash; initialised (5 shares, 3 needed), unsealed, with a key."""
    vault = FakeVault.durable(factory)
    vault.initialise()
    vault.unseal()
    vault.create_key()
    return vault


@pytest.fixture
def dev_vault(factory):
    """In memory, unsealed, with a key; a restart loses all."""
    vault = FakeVault.dev(factory)
    vault.create_key()
    return vault


@pytest.fixture
def signer(factory, durable_vault):
    """Trusts durable_vault's key; fallback is off."""
    made = Signer(factory, durable_vault.address, durable_vault.token)
    made.trust()
    return made


@pytest.fixture
def chaos(factory):
    return Chaos(factory)
