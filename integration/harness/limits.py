"""limits: how long anything may take before a test gives up. One place, one factor.

A limit ends what would never end; it does not judge speed. So it is far above what the thing takes
on a machine with twenty others at work, and costs nothing where all is well. On a slower one, set
HARNESS_PATIENCE=2, or whatever fits: all limits grow by it.
"""

import os

PATIENCE = float(os.environ.get("HARNESS_PATIENCE", "1"))


def seconds(number):
    return number * PATIENCE


# What takes milliseconds where nothing else runs: an answer, a line in a log, a start, an end.
EVENT = seconds(60)

# A program that does its whole work: chaos over its scenarios, a signer through all its attempts.
WORK = seconds(300)

# A test, with all that it starts.
TEST = seconds(600)
