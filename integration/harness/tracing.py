"""tracing: system calls of our programs, as strace shows them."""

import shutil
import subprocess

import pytest


def can_trace():
    """False without strace, and where ptrace is denied (some containers)."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    probe = subprocess.run([strace, "-f", "-o", "/dev/null", "true"], capture_output=True)
    return probe.returncode == 0


needs_trace = pytest.mark.skipif(not can_trace(), reason="strace cannot trace here")

# The leak check traces the process itself, which nobody can while strace does.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "exitcode=70:detect_leaks=0"}
