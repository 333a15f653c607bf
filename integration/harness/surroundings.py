"""surroundings: makes whoever runs the tests the same for all who start them.

What a process inherits would reach the programs under test through it: variables that name a Vault
or a proxy, signals that are ignored because somebody started it in the background, a mask of file
modes, a time zone, limits. Children that the harness starts see still less (process.py).
"""

import os
import resource
import signal
import threading
import time

# What the tests, pytest and the tools that they call are told by. All else goes.
KEPT = ("PATH", "HOME", "USER", "TERM", "COLUMNS", "LINES", "CI", "TMPDIR", "VAULT_BINARY")
KEPT_PREFIXES = ("HARNESS_", "SIGNER_KILL_", "PYTEST_", "PYTHON", "NO_COLOR", "FORCE_COLOR")
GIVEN = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}

UMASK = 0o022
OPEN_FILES = 4096


def reset():
    reset_environment()
    reset_signals()
    reset_limits()
    os.umask(UMASK)


def reset_environment():
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(GIVEN)
    time.tzset()


def still_ignored(_number, _frame):
    """Ignores like SIG_IGN, which a child would inherit; a handler it does not."""


def reset_signals():
    """Children start with default actions and nothing blocked.

    What our caller ignores is still ignored here: who started the tests in the background does not
    want them to end at a Ctrl-C. Python itself ignores SIGPIPE and SIGXFSZ, and gives them back to
    its children. Nobody can ignore SIGCHLD and wait for the exit codes of children.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # a worker of xdist whose parent did all this
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pythons = {signal.SIGPIPE, signal.SIGXFSZ}
    for number in signal.valid_signals() - pythons:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, still_ignored)


def reset_limits():
    """As high as we may; no core files beside the tests' own."""
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_AS):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (hard, hard))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
