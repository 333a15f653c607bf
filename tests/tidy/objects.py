"""objects: what only the compiled code shows: what cores call, what is exported, headers alone."""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess

import purity

PROGRAM_FOLDERS = ("base/", "fakevault/", "signer/", "chaos/")
Symbol = collections.namedtuple("Symbol", "name kind source")


def check(root, build, names):
    sources = built_sources(root, build)
    findings = impure_cores(sources)
    findings += unnamed_exports(root, sources)
    findings += headers_alone(root, build, names)
    return findings


def built_sources(root, build):
    """Object file of each source, from the compile commands: a stale object is not among them."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    sources = {}
    for command in commands:
        name = os.path.relpath(command["file"], root)
        if name.startswith(PROGRAM_FOLDERS):
            sources[name] = build / re.search(r" -o (\S+)", command["command"]).group(1)
    return sources


def symbols(path, *flags):
    output = subprocess.run(
        ["nm", "--no-sort", "-P", *flags, path], check=True, capture_output=True, text=True
    ).stdout
    for line in output.splitlines():
        fields = line.split()
        if len(fields) >= 2:
            yield fields[0], fields[1]


def is_core(name):
    return "/core/" in name or (name.startswith("base/") and not name.startswith("base/os/"))


def impure_cores(sources):
    """A core may call itself, base, and what purity.py lists with a reason."""
    home = {}
    for source, path in sources.items():
        for name, _ in symbols(path, "-g", "--defined-only"):
            home.setdefault(name, source)
    findings = []
    for source, path in sources.items():
        if not is_core(source):
            continue
        for name, _ in symbols(path, "-u"):
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


def unnamed_exports(root, sources):
    """Exports carry the stem of their file and are unique: two cores meet in one program."""
    findings, seen = [], {}
    for source, path in sources.items():
        stem = pathlib.PurePosixPath(source).stem
        for name, kind in symbols(path, "-g", "--defined-only"):
            if kind in "wWvVu" or name == "main" or name.startswith("__"):
                continue
            if not carries_stem(root, source, name):
                findings.append(f'{source}:1: exports {name}, want "{stem}_..." or static')
            other = seen.setdefault(name, source)
            if other != source:
                findings.append(f"{source}:1: exports {name}, which {other} exports, too")
    return findings


def include_flags(build):
    """-I and -isystem of the whole build, so that third-party headers are found."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    flags = set()
    for command in commands:
        flags.update(re.findall(r"-I\S+", command["command"]))
        flags.update(
            "-isystem" + path for path in re.findall(r"-isystem (\S+)", command["command"])
        )
    return sorted(flags)


def headers_alone(root, build, names):
    flags = include_flags(build)

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
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [finding for result in pool.map(compiles, headers) for finding in result]
