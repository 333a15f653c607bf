"""process: children that never outlive a test.

Each child has a process group and a folder of its own, dies with its parent, and says when it is
ready through a pipe. When a test fails, everything that its children wrote is shown.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import termios
import time

from . import limits, surroundings

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

# What a sanitizer's report ends our programs with (base/os/sanitizer_exit.c).
SANITIZER_EXIT = 70


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def rule_terminal():
    """What is typed at standard input is ours to hear, Ctrl-C too."""
    die_with_parent()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Process:
    """One child. `name` says who it is in a failure's output."""

    def __init__(self, name, argv, folder, environment, ready=False, terminal=None):
        """`terminal` is a descriptor that the child has for its terminal, and no log then."""
        self.name = name
        self.argv = [str(word) for word in argv]
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stdout = self.folder / "stdout"
        self.stderr = self.folder / "stderr"
        self.ready_line = None
        read_end = write_end = None
        if ready:
            read_end, write_end = os.pipe()
            self.argv.append(f"-ready-fd={write_end}")
        with open(self.stdout, "ab") as out, open(self.stderr, "ab") as err:
            self.popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=out if terminal is None else terminal,
                stderr=err if terminal is None else terminal,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
                pass_fds=[write_end] if ready else [],
                preexec_fn=die_with_parent if terminal is None else rule_terminal,
            )
        if ready:
            os.close(write_end)
            self._await_ready(read_end)

    @property
    def pid(self):
        return self.popen.pid

    def _await_ready(self, read_end, deadline=limits.EVENT):
        """One line of JSON, or the end of the file when the start failed."""
        text, end = b"", time.monotonic() + deadline
        try:
            while not text.endswith(b"\n"):
                left = end - time.monotonic()
                if left <= 0 or not select.select([read_end], [], [], left)[0]:
                    raise AssertionError(f"{self.name} was not ready within {deadline} s")
                chunk = os.read(read_end, 4096)
                if not chunk:
                    code = self.popen.wait(limits.EVENT)
                    raise AssertionError(f"{self.name} ended with {code}: {self.errors()}")
                text += chunk
        except AssertionError:
            self.kill()
            raise
        finally:
            os.close(read_end)
        self.ready_line = json.loads(text)

    def output(self):
        return self.stdout.read_text(encoding="utf-8", errors="replace")

    def errors(self):
        return self.stderr.read_text(encoding="utf-8", errors="replace")

    def wait(self, deadline=limits.EVENT):
        return self.popen.wait(deadline)

    def signal(self, number):
        """To the child alone, as an operator does it."""
        self.popen.send_signal(number)

    def frozen(self):
        """Stopped by a signal. SIGCONT to one that is not takes the leak check's SIGSTOP away from
        it while it ends, and it hangs for ever."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "T"

    def _signal_group(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self):
        """SIGKILL to the whole group; returns the exit code."""
        self._signal_group(signal.SIGKILL)
        return self.popen.wait(limits.EVENT)

    def stop(self, deadline=limits.EVENT):
        """SIGTERM, then SIGKILL for whatever is left. Returns the child's exit code."""
        if self.popen.poll() is None:
            if self.frozen():
                self.signal(signal.SIGCONT)  # it could not hear the other
            self.signal(signal.SIGTERM)
        try:
            code = self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} ignored SIGTERM for {deadline} s") from None
        self._signal_group(signal.SIGKILL)
        return code


class ProcessFactory:
    """Starts children for one test and ends them with it."""

    def __init__(self, binaries, folder):
        self.binaries = pathlib.Path(binaries)
        self.folder = pathlib.Path(folder)
        self.children = []
        self.held = []

    def hold(self, closeable):
        """Keeps something open until the test ends."""
        self.held.append(closeable)
        return closeable

    def binary(self, name):
        path = self.binaries / name
        assert path.is_file(), f"{path} is missing: run `make test`, or set HARNESS_BIN"
        return path

    def traceable(self, name):
        """The program without what keeps an ordinary user's strace from reading its memory."""
        return self.binary(f"../bin-test/{name}_traceable")

    def environment(self, **extra):
        """What a child sees: nothing of the caller's but what it needs to run."""
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = {
            "PATH": f"{self.binaries}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "TMPDIR": str(runtime),
            **surroundings.GIVEN,
        }
        environment.update({key: str(value) for key, value in extra.items()})
        return environment

    def start(self, name, argv, environment=None, ready=False, folder=None, terminal=None):
        folder = folder or self.folder / f"{len(self.children):02}-{name}"
        child = Process(name, argv, folder, environment or self.environment(), ready, terminal)
        self.children.append(child)
        return child

    def run(self, name, argv, environment=None, folder=None, deadline=limits.WORK):
        """Runs a child to its end."""
        child = self.start(name, argv, environment, folder=folder)
        child.code = child.wait(deadline)
        return child

    def stop_all(self):
        """Ends what still runs, newest first; returns what went wrong on the way."""
        troubles = []
        for child in reversed(self.children):
            if child.popen.poll() is not None:
                continue
            try:
                code = child.stop()
            except AssertionError as trouble:
                troubles.append(str(trouble))
                continue
            if code == SANITIZER_EXIT:
                troubles.append(f"{child.name}: sanitizer report\n{child.errors()}")
        for held in self.held:
            held.close()
        return troubles

    def transcript(self):
        """All that the children wrote, for a failed test."""
        parts = []
        for child in self.children:
            code = child.popen.poll()
            parts.append(f"--- {child.name} (pid {child.pid}, exit {code}): {child.argv}")
            parts += [child.output(), child.errors()]
        return "\n".join(part for part in parts if part)


def descendants(pid):
    """Pids below `pid`, from /proc."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


if sys.platform != "linux":
    raise ImportError("the harness runs on Linux only: it needs /proc and prctl")
