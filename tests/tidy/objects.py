"""objects: what only the compiled code shows: what cores call, what is exported, headers alone."""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import subprocess

import purity

PROGRAM_FOLDERS = ("base/", "fakevault/", "signer/", "chaos/")
# Comments, then an include by path: nothing that a header could lean on stands before it.
FIRST_INCLUDE = re.compile(r'(?:\s|//[^\n]*\n|/\*.*?\*/)*#include "([^"\n]+)"', re.DOTALL)


def check(root, build, names):
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    sources = built_sources(root, build, commands)
    whole = symbols(sources)
    table = {n: found for n, found in whole.items() if n.startswith(PROGRAM_FOLDERS)}
    findings = impure_cores(table)
    findings += unnamed_exports(root, table)
    findings += unused_exports(table, whole)
    findings += headers_alone(root, commands, names, compiled_first(root, sources))
    return findings


def built_sources(root, build, commands):
    """Object file of each source, from the compile commands: a stale object is not among them."""
    sources = {}
    for command in commands:
        name = os.path.relpath(command["file"], root)
        sources[name] = build / re.search(r" -o (\S+)", command["command"]).group(1)
    return sources


def symbols(sources):
    """(name, kind) of each global symbol of each source's object; one nm reads them all."""
    table = {source: [] for source in sources}
    owner = {str(path): source for source, path in sources.items()}
    if not owner:
        return table
    output = subprocess.run(
        ["nm", "--no-sort", "-P", "-A", "-g", *owner], check=True, capture_output=True, text=True
    ).stdout
    for line in output.splitlines():
        path, _, symbol = line.rpartition(": ")
        name, kind = symbol.split()[:2]
        table[owner[path]].append((name, kind))
    return table


def defined(symbol):
    return symbol[1] not in "Uwv"


def is_core(name):
    return "/core/" in name or (name.startswith("base/") and not name.startswith("base/os/"))


def impure_cores(table):
    """A core may call itself, base, and what purity.py lists with a reason."""
    home = {}
    for source, found in table.items():
        for name, _ in filter(defined, found):
            home.setdefault(name, source)
    findings = []
    for source, found in table.items():
        if not is_core(source):
            continue
        for name, _ in itertools.filterfalse(defined, found):
            if name in home:
                findings += foreign_call(source, name, home[name])
            elif (reason := purity.refusal(source, name)) is not None:
                findings.append(f"{source}:1: calls {name}: {reason}")
    return findings


def foreign_call(source, name, definer):
    program = source.split("/")[0]
    if definer.startswith(("base/", f"{program}/")) and is_core(definer):
        return []
    return [f"{source}:1: calls {name} of {definer}, which is no part of this core"]


def carried_stems(root, source):
    """judge_probe.c may also carry "judge", when a header judge.h beside it, or in the folder that
    its own was split from, tells the topic."""
    path = pathlib.PurePosixPath(source)
    words = path.stem.split("_")
    yield path.stem
    for n in range(1, len(words)):
        topic = "_".join(words[:n])
        folders = (path.parent, path.parent.parent)
        if any((root / folder / f"{topic}.h").is_file() for folder in folders):
            yield topic


def carries_stem(root, source, name):
    stems = carried_stems(root, source)
    return any(name == stem or name.startswith(stem + "_") for stem in stems)


def exports(found):
    """What a source offers to others of its own will: no weak symbol, nothing of the compiler's."""
    return [
        name
        for name, kind in filter(defined, found)
        if kind not in "WVu" and name != "main" and not name.startswith("__")
    ]


def unused_exports(table, whole):
    """What no other file asks for, a test counts as one, is static or not there at all."""
    users = collections.defaultdict(set)
    for source, found in whole.items():
        for name, _ in itertools.filterfalse(defined, found):
            users[name].add(source)
    return [
        f"{source}:1: exports {name}, which no other file uses: make it static"
        for source, found in table.items()
        for name in exports(found)
        if not users[name]
    ]


def unnamed_exports(root, table):
    """Exports carry the stem of their file and are unique: two cores meet in one program."""
    findings, seen = [], {}
    for source, found in table.items():
        stem = pathlib.PurePosixPath(source).stem
        for name in exports(found):
            if not carries_stem(root, source, name):
                findings.append(f'{source}:1: exports {name}, want "{stem}_..." or static')
            other = seen.setdefault(name, source)
            if other != source:
                findings.append(f"{source}:1: exports {name}, which {other} exports, too")
    return findings


def include_flags(commands):
    """-I and -isystem of the whole build, so that third-party headers are found."""
    flags = set()
    for command in commands:
        flags.update(re.findall(r"-I\S+", command["command"]))
        flags.update(
            "-isystem" + path for path in re.findall(r"-isystem (\S+)", command["command"])
        )
    return sorted(flags)


def compiled_first(root, sources):
    """Headers that a built source includes before anything else: the build compiled them alone."""
    found = set()
    for source, path in sources.items():
        first = FIRST_INCLUDE.match((root / source).read_text(encoding="utf-8"))
        if first is None:
            continue
        header = root / first[1]
        if header.is_file() and path.is_file():
            newest = max(header.stat().st_mtime, (root / source).stat().st_mtime)
            if path.stat().st_mtime >= newest:
                found.add(first[1])
    return found


def headers_alone(root, commands, names, proven):
    flags = include_flags(commands)

    def compiles(name):
        command = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{root}"]
        command += [*flags, "-fsyntax-only", "-x", "c", "-"]
        # Included, not compiled as a main file, where "#pragma once" is a warning.
        result = subprocess.run(
            command, input=f'#include "{name}"\n', capture_output=True, text=True, cwd=root
        )
        if result.returncode == 0:
            return []
        first = next((line for line in result.stderr.splitlines() if "error" in line), "")
        return [f"{name}:1: does not compile alone: {first}"]

    headers = [name for name in names if name.endswith(".h") and "/fixtures/" not in name]
    headers = [name for name in headers if name not in proven]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [finding for result in pool.map(compiles, headers) for finding in result]
