#!/usr/bin/env python3
"""tidy: is the code what docs/architecture.md and the headers say it is?

    tidy.py --build build/dev      everything (ctest runs this)
    tidy.py --text-only            only what needs no build

Prints one line per finding, `FILE:LINE: what is wrong, what to do`, and exits 1 when there is one.
test_tidy.py plants each violation and sees it caught.
"""

import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import objects
import text

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(root):
    """Files that git knows or would add; what is built or left behind is nobody's source."""
    git = ["git", "-c", "safe.directory=*", "-C", root]  # whoever owns it; we only read
    command = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in sorted(set(names)) if name and (root / name).is_file()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--text-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.text_only and arguments.build is None:
        parser.error("--build or --text-only is needed")

    names = tracked(arguments.root)
    findings = text.check(arguments.root, names)
    if not arguments.text_only:
        findings += objects.check(arguments.root, arguments.build.resolve(), names)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(names)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
