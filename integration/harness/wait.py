"""wait: for the few states that no event announces."""

import time

from . import limits


def eventually(predicate, what="the condition", deadline=limits.EVENT):
    """Returns the first true value of predicate(), or fails when the time is over.

    Only where there is no event to wait for: a pipe, an exit, an answer come first.
    """
    end = time.monotonic() + deadline
    pause = 0.005
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {deadline} s")
        time.sleep(pause)
        pause = min(pause * 2, 0.1)
