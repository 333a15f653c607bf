"""However chaos ends, nothing that it started outlives it."""

import json
import pathlib
import signal

import pytest
from harness import eventually

SLOW = """
version: 1
purpose: a caller that waits for a Vault that hangs
stack:
  services: [api, worker]
  environment:
    ALLOW_FALLBACK_SIGNING: "true"
    SIGNER_ATTEMPT_TIMEOUT_MS: "20000"
    SIGNER_TOTAL_TIMEOUT_MS: "60000"
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - vault: hang
  - sign: {via: api, as: outage}
rollback:
  - vault: resume
  - sign: {via: cli, expect: {mode: vault}}
"""

# Its rollback hangs as well: only the second interrupt ends it.
STUCK = SLOW.replace("  - vault: resume\n", "")


def survivors(factory, besides=()):
    """Processes whose command line speaks of the test's folder."""
    marker = str(factory.folder).encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in besides:
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marker in command and state != "Z":
            found.append(command.replace(b"\0", b" ").decode())
    return found


def leftovers(factory):
    """Temporary folders and sockets."""
    return [str(path) for path in (factory.folder / "run").rglob("*")]


def start_and_wait(chaos, name, text, *words):
    """Starts a run; returns it once the hanging request has reached Vault."""
    child = chaos.start("run", *words, chaos.scenario(name, text))
    folder = chaos.folder / "runs" / name

    def is_hanging():
        assert child.popen.poll() is None, child.output() + child.errors()
        journals = list(folder.glob("*/ledgers/journal.ndjson"))
        if not journals:
            return False
        lines = journals[0].read_text(encoding="utf-8").splitlines()
        return sum('"request"' in line and "/sign/" in line for line in lines) >= 2

    eventually(is_hanging, "a hanging sign request")
    return child


def test_the_marker_finds_processes(factory, chaos):
    child = start_and_wait(chaos, "slow", SLOW)
    assert len(survivors(factory)) >= 6  # chaos, guard, runner, vault, api, worker
    assert leftovers(factory)
    child.signal(signal.SIGKILL)
    child.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_rolls_back_and_leaves_nothing(factory, chaos, number):
    child = start_and_wait(chaos, "slow", SLOW)
    child.signal(number)
    assert child.wait() == 130, child.output() + child.errors()
    assert survivors(factory) == []
    assert leftovers(factory) == []
    latest = chaos.folder / "runs" / "slow" / "latest"
    result = (latest / "result.json").read_text(encoding="utf-8")
    assert '"verdict":"interrupted"' in result.replace(" ", "")
    assert json.loads(result)["flags"] == ["interrupted"]  # who stops it has not seen it fail
    assert "resume" in (latest / "timeline.txt").read_text(encoding="utf-8")
    assert not (latest / "private").exists()
    assert "rolling back" in child.output()


def test_a_second_interrupt_ends_it_at_once(factory, chaos):
    child = start_and_wait(chaos, "stuck", STUCK)
    child.signal(signal.SIGINT)
    eventually(lambda: "rolling back" in child.output(), "the first interrupt")
    child.signal(signal.SIGINT)
    assert child.wait() == 130, child.output() + child.errors()
    assert survivors(factory) == []
    assert leftovers(factory) == []


def test_kill_9_leaves_no_process_and_no_secret(factory, chaos):
    child = start_and_wait(chaos, "slow", SLOW)
    child.signal(signal.SIGKILL)
    child.wait()
    eventually(lambda: survivors(factory) == [], "the end of all processes")
    assert leftovers(factory) == []
    assert list(chaos.folder.rglob("private")) == []


def test_several_at_a_time_end_together(factory, chaos):
    files = [chaos.scenario(f"slow{i}", SLOW) for i in range(3)]
    child = chaos.start("run", "-j", "3", *files)
    eventually(
        lambda: len(list(chaos.folder.glob("runs/*/*/ledgers/audit.ndjson"))) == 3,
        "three audit trails",
    )
    child.signal(signal.SIGINT)
    assert child.wait() == 130, child.output() + child.errors()
    assert survivors(factory) == []
    assert leftovers(factory) == []
