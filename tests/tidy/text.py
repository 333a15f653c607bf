"""text: what can be read off the sources: lengths, names, words, includes."""

import pathlib
import re

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
COLUMNS_MAX = 100
PROSE_COLUMNS_MAX = 120

C_SUFFIXES = {".c", ".h"}
CODE_SUFFIXES = C_SUFFIXES | {".py", ".sh"}
WORDED_SUFFIXES = CODE_SUFFIXES | {".md", ".cmake", ".yaml", ".yml", ".txt", ".json"}

# Split, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK|X" r"XX)\b")

# Folder of a source -> folders whose headers it may include. The longest matching folder counts.
# Arrows point one way (docs/architecture.md): base <- fakevault, base <- signer, base <- chaos.
MAY_INCLUDE = {
    "base": ["base"],
    "base/os": ["base"],
    "fakevault/core": ["base", "fakevault/core"],
    "fakevault/shell": ["base", "fakevault"],
    "signer/core": ["base", "signer/core"],
    "signer/shell": ["base", "signer"],
    "chaos/core": ["base", "chaos/core"],
    "chaos/shell": ["base", "chaos"],
    "tests": ["base", "fakevault", "signer", "chaos", "tests"],
}

# base/os touches the world: a core, and the rest of base, may not see it.
WORLD = "base/os"
SEES_WORLD = ["base/os", "fakevault/shell", "signer/shell", "chaos/shell", "tests"]

PROGRAMS = ["base", "fakevault", "signer", "chaos"]

# Third-party headers that do I/O or parse: at most one source file of each program includes them,
# never a header, so that the library can be replaced there. "core" where a core may, too.
ONE_FILE_EACH = {
    "microhttpd.h": "shell",
    "curl/curl.h": "shell",
    "sqlite3.h": "shell",
    "openssl/ssl.h": "shell",
    "yaml.h": "core",
}
SHELL_ONLY = ["uv.h", "sys/socket.h", "netinet/in.h", "sys/un.h", "poll.h", "sys/epoll.h"]


def check(root, names):
    findings = []
    for name in names:
        path = pathlib.PurePosixPath(name)
        if path.suffix not in WORDED_SUFFIXES or name.startswith("fixtures/"):
            continue
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        findings += unfinished(name, lines)
        if path.suffix in CODE_SUFFIXES:
            findings += lengths(name, lines)
        if path.suffix == ".md" and (name == "README.md" or within(name, ["docs"])):
            findings += wide_prose(name, lines)
        if path.suffix in C_SUFFIXES:
            findings += long_functions(name, lines)
            findings += forbidden_includes(root, name, lines)
            findings += header_guard(name, lines)
            findings += left_uninitialised(name, lines)
            findings += counted_by_hand(name, lines)
    findings += shared_stems(names)
    findings += spread_libraries(root, names)
    findings += circles(root, names)
    return findings


def unfinished(name, lines):
    return [
        f'{name}:{n}: "{match.group()}" says that something is unfinished, finish it'
        for n, line in enumerate(lines, 1)
        if (match := UNFINISHED.search(line))
    ]


def lengths(name, lines):
    findings = [
        f"{name}:{n}: {len(line)} columns, at most {COLUMNS_MAX}"
        for n, line in enumerate(lines, 1)
        if len(line) > COLUMNS_MAX
    ]
    if len(lines) > FILE_LINES_MAX:
        findings.append(
            f"{name}:1: {len(lines)} lines, at most {FILE_LINES_MAX}, split it by topic"
        )
    return findings


def wide_prose(name, lines):
    """Tables and what stands between fences are as wide as they must be."""
    findings, fenced = [], False
    for n, line in enumerate(lines, 1):
        if line.startswith("```"):
            fenced = not fenced
        elif len(line) > PROSE_COLUMNS_MAX and not fenced and not line.startswith("|"):
            findings.append(
                f"{name}:{n}: {len(line)} columns, at most {PROSE_COLUMNS_MAX}: re-wrap it"
            )
    return findings


def long_functions(name, lines):
    """clang-format puts the braces of a function, and of nothing else, alone into column one."""
    findings, start = [], None
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        elif line == "}" and start is not None:
            if n - start > FUNCTION_LINES_MAX:
                findings.append(
                    f"{name}:{start}: a function of {n - start} lines, at most {FUNCTION_LINES_MAX}"
                )
            start = None
    return findings


def left_uninitialised(name, lines):
    """A cleanup runs on every return behind the declaration, so its variable is set before one."""
    findings = []
    for n, line in enumerate(lines, 1):
        for variable in re.findall(r"(\w+) CLEANUP\(\w+\)(?=[;,])", line):
            touched = re.compile(rf"&{variable}\b|\b{variable}\s*=")
            for later in lines[n:]:
                if touched.search(later):
                    break
                if later == "}" or re.search(r"\breturn\b|\bTRY\(", later):
                    findings.append(f"{name}:{n}: {variable} is cleaned up before it is set")
                    break
    return findings


def counted_by_hand(name, lines):
    """base/count.h has COUNT, whose argument is written once and so cannot be two."""
    if name == "base/count.h":
        return []
    return [
        f"{name}:{n}: counts elements by hand, say COUNT(array)"
        for n, line in enumerate(lines, 1)
        if re.search(r"\bsizeof\b[^;,/]*/ *sizeof\b", line)
    ]


def header_guard(name, lines):
    if name.endswith(".h") and "#pragma once" not in lines:
        return [f'{name}:1: no "#pragma once"']
    return []


def includes(lines):
    for n, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if match:
            yield n, match.group(1) == '"', match.group(2)


def within(name, folders):
    return any(name.startswith(folder + "/") for folder in folders)


def folder_rule(name):
    folders = [folder for folder in MAY_INCLUDE if within(name, [folder])]
    return MAY_INCLUDE[max(folders, key=len)] if folders else []


def forbidden_includes(root, name, lines):
    findings = []
    for n, ours, target in includes(lines):
        if not ours:
            if target in SHELL_ONLY and "/core/" in name and not name.startswith("tests/"):
                findings.append(f"{name}:{n}: <{target}> in a core, it belongs into a shell")
        elif not (root / target).is_file():
            findings.append(f'{name}:{n}: "{target}" is no path from the root of the repository')
        elif not within(target, folder_rule(name)):
            findings.append(f'{name}:{n}: "{target}" is on the wrong side of an arrow')
        elif within(target, [WORLD]) and not within(name, SEES_WORLD):
            findings.append(f'{name}:{n}: "{target}" touches the world, use a port')
    return findings


def shared_stems(names):
    """Two files with one stem could define the same symbols, and people confuse them."""
    seen, findings = {}, []
    for name in names:
        path = pathlib.PurePosixPath(name)
        if path.suffix not in C_SUFFIXES or path.name == "main.c":
            continue
        other = seen.setdefault((path.stem, path.suffix), name)
        if other != name:
            findings.append(f"{name}:1: has the stem of {other}, rename one")
        pair = seen.get((path.stem, ".h" if path.suffix == ".c" else ".c"))
        if pair and pathlib.PurePosixPath(pair).parent != path.parent:
            findings.append(f"{name}:1: has the stem of {pair} in another folder, rename one")
    return findings


def spread_libraries(root, names):
    users, findings = {}, []
    for name in names:
        if not name.endswith((".c", ".h")) or not within(name, PROGRAMS):
            continue
        for n, ours, target in includes((root / name).read_text(encoding="utf-8").splitlines()):
            side = ONE_FILE_EACH.get(target)
            if ours or side is None:
                continue
            if name.endswith(".h"):
                findings.append(f"{name}:{n}: <{target}> in a header, hide it in one .c")
            elif side == "shell" and "/shell/" not in name:
                findings.append(f"{name}:{n}: <{target}> outside of a shell")
            first = users.setdefault((name.split("/")[0], target), name)
            if first != name:
                findings.append(f"{name}:{n}: <{target}> is used by {first} already, keep it there")
    return findings


def module(name):
    return str(pathlib.PurePosixPath(name).with_suffix(""))


def module_includes(root, names):
    """Module (a .c and its .h) -> the modules whose headers it includes -> where."""
    graph = {}
    for name in names:
        if not name.endswith((".c", ".h")):
            continue
        seen = graph.setdefault(module(name), {})
        for n, ours, target in includes((root / name).read_text(encoding="utf-8").splitlines()):
            if ours and module(target) != module(name):
                seen.setdefault(module(target), f"{name}:{n}")
    return graph


def way_back(graph, start):
    """The shortest way from a module to itself, or None."""
    came_from, ahead = {}, [start]
    while ahead:
        at = ahead.pop(0)
        for target in sorted(graph[at]):
            if target == start:
                way = [at, start]
                while way[0] != start:
                    way.insert(0, came_from[way[0]])
                return way
            if target in graph and target not in came_from:
                came_from[target] = at
                ahead.append(target)
    return None


def circles(root, names):
    """Modules that include each other can only be understood, tested and moved together."""
    graph = module_includes(root, names)
    leaves = True
    while leaves:  # what only includes leaves is in no circle
        leaves = [m for m in graph if not any(target in graph for target in graph[m])]
        for leaf in leaves:
            del graph[leaf]
    findings, told = [], set()
    for start in sorted(graph):
        way = way_back(graph, start)
        if way and not told.intersection(way):
            told.update(way)
            findings.append(
                f"{graph[start][way[1]]}: a circle of includes, {' -> '.join(way)}: move what both "
                "need into a header below them"
            )
    return findings
