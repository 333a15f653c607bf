"""What whoever starts the tests brings along does not reach the programs under test."""

import os
import pathlib
import resource
import signal
import subprocess
import sys

import pytest
from harness import eventually, limits

# 32 and 33 are the C library's own: its posix_spawn, which make uses, ignores them for a child.
LIBRARYS = 1 << 31 | 1 << 32
HARD_SIZE = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
HERE = pathlib.Path(__file__).resolve().parent

# Resets itself, then shows what a child of its has, and that it still ignores what it ignored.
CODE = """
import os, signal, subprocess, sys
from harness import surroundings
surroundings.reset()
shown = "umask; env; grep Sig /proc/self/status; ulimit -f; ulimit -c; exit 3"
done = subprocess.run(["sh", "-c", shown], stdout=sys.stdout)
os.kill(os.getpid(), signal.SIGINT)
sys.exit(done.returncode)
"""

NONSENSE = {
    "VAULT_ADDR": "http://127.0.0.1:1",
    "VAULT_TOKEN": "nonsense",
    "http_proxy": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "GIT_DIR": "/proc",
    "ASAN_OPTIONS": "exitcode=0",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Asia/Kathmandu",
}


def burden():
    """What a script that starts the tests in the background may have done."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGALRM})
    os.umask(0o777)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, HARD_SIZE))


@pytest.fixture
def reported():
    """The lines that the child of a burdened, then reset process shows."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=HERE,
        env={**os.environ, **NONSENSE},
        preexec_fn=burden,
        capture_output=True,
        text=True,
        timeout=limits.EVENT,
    )
    assert done.returncode == 3, done.stderr  # also: an ignored SIGCHLD would have lost it
    return done.stdout.splitlines()


def test_signals_modes_and_limits_are_reset(reported):
    signals = dict(line.split(":\t") for line in reported if line.startswith("Sig"))
    assert int(signals["SigIgn"], 16) & ~LIBRARYS == 0
    assert int(signals["SigBlk"], 16) == 0
    assert reported[0] == "0022"
    size, core = reported[-2:]
    blocks = "unlimited" if HARD_SIZE == resource.RLIM_INFINITY else str(HARD_SIZE // 512)
    assert (size, core) == (blocks, "0")


def test_variables_are_reset(reported):
    variables = dict(line.split("=", 1) for line in reported if "=" in line)
    assert {name: variables.get(name) for name in NONSENSE} == {
        **dict.fromkeys(NONSENSE),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    assert variables["PATH"] == os.environ["PATH"]


def test_children_of_the_harness_see_still_less(factory):
    child = factory.run("env", ["sh", "-c", "env"])
    variables = dict(line.split("=", 1) for line in child.output().splitlines())
    assert variables["HOME"] == str(factory.folder)
    assert set(variables) <= {*factory.environment(), "PWD", "OLDPWD", "SHLVL", "_"}


def test_a_frozen_child_is_stopped(factory):
    child = factory.start(
        "sleeper", ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.01; done"]
    )
    assert not child.frozen()
    child.signal(signal.SIGSTOP)
    eventually(child.frozen, "the stop")
    assert child.stop() in (3, -signal.SIGTERM)  # the trap may not have been set yet


@pytest.mark.parametrize(("patience", "wanted"), [("1", "60.0"), ("2.5", "150.0")])
def test_all_limits_grow_with_patience(patience, wanted):
    done = subprocess.run(
        [sys.executable, "-c", "from harness import eventually, limits; print(limits.EVENT)"],
        cwd=HERE,
        env={**os.environ, "HARNESS_PATIENCE": patience},
        capture_output=True,
        text=True,
        timeout=limits.EVENT,
    )
    assert done.stdout.strip() == wanted, done.stderr
