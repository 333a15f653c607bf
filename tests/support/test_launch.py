"""test_launch.py LAUNCH: what burdens the caller does not reach a launched test."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import unittest

LAUNCH = sys.argv.pop()

# 32 and 33 are the C library's own: its posix_spawn, which make uses, ignores them for a child.
LIBRARYS = 1 << 31 | 1 << 32

NONSENSE = {
    "VAULT_ADDR": "http://127.0.0.1:1",
    "HOME": "/proc",
    "TMPDIR": "/proc",
    "http_proxy": "http://127.0.0.1:1",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Asia/Kathmandu",
}


def burden():
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGALRM})
    os.umask(0o777)
    os.dup2(0, 77)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))


def launched(script, before=burden):
    return subprocess.run(
        [LAUNCH, "sh", "-c", script],
        env={**os.environ, **NONSENSE},
        preexec_fn=before,
        restore_signals=False,
        capture_output=True,
        text=True,
    )


class TestLaunch(unittest.TestCase):
    def test_signals_are_reset(self):
        lines = launched("grep Sig /proc/self/status").stdout.splitlines()
        signals = dict(line.split(":\t") for line in lines)
        self.assertEqual(int(signals["SigIgn"], 16) & ~LIBRARYS, 0)
        self.assertEqual(int(signals["SigBlk"], 16), 0)

    def test_modes_limits_and_descriptors_are_reset(self):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        size = "unlimited" if hard == resource.RLIM_INFINITY else str(hard // 512)
        done = launched("umask; ulimit -f; ulimit -c; ls /proc/$$/fd")
        self.assertEqual(done.stdout.split(), ["0022", size, "0", "0", "1", "2"])

    def test_variables_are_reset(self):
        variables = dict(line.split("=", 1) for line in launched("env").stdout.splitlines())
        folder = variables["PWD"]
        self.assertRegex(folder, "^/tmp/test-......$")
        for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR"):
            self.assertEqual(variables[name], folder)
        self.assertEqual((variables["LC_ALL"], variables["TZ"]), ("C.UTF-8", "UTC"))
        self.assertEqual(variables["PATH"], os.environ["PATH"])
        self.assertFalse(variables.keys() & {"VAULT_ADDR", "http_proxy"})

    def test_a_folder_is_new_and_goes_with_a_test_that_passes(self):
        done = launched("ls -A; pwd; mkdir -p a/b; echo >a/b/c; ln -s / a/root")
        (folder,) = done.stdout.split()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(pathlib.Path(folder).exists())

    def test_a_failed_tests_folder_stays_and_is_named(self):
        done = launched("echo why >log; pwd; exit 7")
        folder = pathlib.Path(done.stdout.strip())
        self.assertEqual((done.returncode, done.stderr), (7, f"launch: kept: {folder}\n"))
        self.assertEqual((folder / "log").read_text(), "why\n")
        (folder / "log").unlink()
        folder.rmdir()

    def test_a_signal_that_ends_the_test_ends_the_launcher(self):
        done = launched("rmdir $PWD; kill -SEGV $$")
        self.assertEqual(done.returncode, -signal.SIGSEGV)

    def test_a_program_that_is_not_there_is_no_pass(self):
        done = subprocess.run([LAUNCH, "./no-such-program"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 125)
        pathlib.Path(done.stderr.split()[-1]).rmdir()


if __name__ == "__main__":
    unittest.main()
