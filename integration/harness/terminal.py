"""terminal: a child that believes that a person sits before it."""

import os
import pty
import select
import termios
import time

from . import limits


class Terminal:
    """A child at a terminal of its own. Every read has a deadline."""

    def __init__(self, factory, name, argv, environment=None):
        self.master, self.slave = pty.openpty()
        factory.hold(self)
        self.shown = b""
        self.child = factory.start(name, argv, environment, terminal=self.slave)

    def _more(self, end):
        """Reads what is there; false when nobody has the terminal open any more."""
        left = end - time.monotonic()
        if left <= 0 or not select.select([self.master], [], [], left)[0]:
            raise AssertionError(f"the terminal is silent, it shows {self.shown!r}")
        try:
            chunk = os.read(self.master, 4096)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.shown += chunk
        return bool(chunk)

    def await_text(self, text):
        end = time.monotonic() + limits.EVENT
        while text.encode() not in self.shown:
            assert self._more(end), f"no {text!r} in {self.shown!r}"

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def finish(self):
        """Reads to the end; returns the exit code and all that was shown."""
        os.close(self.slave)
        self.slave = None
        end = time.monotonic() + limits.EVENT
        while self._more(end):
            continue
        return self.child.wait(), self.shown.decode()

    def close(self):
        for descriptor in (self.slave, self.master):
            if descriptor is not None:
                os.close(descriptor)
        self.slave = self.master = None
