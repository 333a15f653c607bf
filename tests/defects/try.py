#!/usr/bin/env python3
"""try: what does chaos say to each defective signer?

    try.py                              every defect of the catalogue, its smallest scenario
    try.py --all two_attempts           one defect, every scenario of fixtures/scenarios
    try.py --scenario my.yaml NAME...   other scenarios
    try.py --signer-dir DIR             the clients that are in another folder
    try.py --readme                     writes the table of README.md anew

A defect is *caught* when a run fails, *missed* when it did what it does wrong and the run passed,
and *not shown* when it had no occasion to. What needs a circumstance that no scenario has is left
out, unless scenarios are given. Exit: 0 none was missed, 1 some were, 2 wrong use, 130 interrupted.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCENARIOS = ROOT / "fixtures" / "scenarios"
PREFIX = "signer_defect_"
README = HERE / "README.md"
MARKS = ("<!-- table -->\n", "<!-- end of table -->\n")


def catalogue():
    """The defects, in order: dicts of name, kind, says, and scenario or needs."""
    return json.loads((HERE / "catalogue.json").read_text())


class Trials:
    """Runs of chaos, several at a time; stop() ends those that were started here."""

    def __init__(self, chaos, folder, limit_s, keep):
        self.chaos = chaos
        self.folder = folder
        self.limit_s = limit_s
        self.keep = keep
        self.lock = threading.Lock()
        self.children = set()
        self.stopped = False

    def start(self, command):
        with self.lock:
            if self.stopped:
                return None
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.children.add(child)
            return child

    def stop(self):
        with self.lock:
            self.stopped = True
            for child in self.children:
                child.send_signal(signal.SIGINT)

    def run(self, client, scenario):
        """One defect, one scenario: a row of the results; None when it was interrupted."""
        name = client.name.removeprefix(PREFIX)
        place = self.folder / f"{name}.{scenario.stem}"
        place.mkdir()
        try:
            return self.judge(name, client, scenario, place)
        finally:
            if not self.keep:
                shutil.rmtree(place, ignore_errors=True)

    def judge(self, name, client, scenario, place):
        program = place / client.name
        os.link(client, program)
        mark = program.with_name(program.name + ".acted")
        mark.touch()
        command = [self.chaos, "run", "--json", "--runs", place / "runs", "--signer", program]
        child = self.start([*command, scenario])
        if child is None:
            return None
        try:
            out, err = child.communicate(timeout=self.limit_s)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
            out, err = child.communicate()
        with self.lock:
            self.children.discard(child)
            if self.stopped:
                return None
        row = {"defect": name, "scenario": scenario.stem, "acted": mark.stat().st_size > 0}
        return row | verdict(child.returncode, out, err)


def verdict(code, out, err):
    try:
        result = json.loads(out)["scenarios"][0]["result"]
    except (ValueError, LookupError):
        return {"verdict": f"exit {code}", "findings": [], "error": err.decode()[-400:]}
    findings = [f for f in result["findings"] if f["verdict"] == "fail"]
    return {"verdict": result["verdict"], "findings": findings}


def outcome(row):
    if row["verdict"] == "fail":
        return "caught"
    if row["verdict"] == "pass":
        return "missed" if row["acted"] else "not shown"
    return row["verdict"]


def rules(row):
    """The rules that failed, each once, in order."""
    return list(dict.fromkeys(f["rule"] for f in row["findings"]))


def summary(defect, kind, rows):
    """One line of the table: what caught the defect, and where it was missed."""
    by = {}
    for row in rows:
        if outcome(row) == "caught":
            by.setdefault(",".join(rules(row)), []).append(row["scenario"])
    missed = [r["scenario"] for r in rows if outcome(r) == "missed"]
    odd = [f"{r['scenario']}: {outcome(r)}" for r in rows if outcome(r) not in OUTCOMES]
    caught = "; ".join(f"{names} ({' '.join(where)})" for names, where in by.items())
    if not caught and not missed and not odd:
        missed = ["not shown"]
    return [defect, kind, caught or "-", " ".join(missed) or "-", " ".join(odd)]


OUTCOMES = ("caught", "missed", "not shown")


def print_table(lines):
    head = ["defect", "kind", "caught by", "missed in", ""]
    lines = [head, *lines]
    widths = [max(len(line[i]) for line in lines) for i in range(2)]
    for line in lines:
        start = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        print(f"{start}  {line[2]} | {line[3]} {line[4]}".rstrip())


def plan(arguments, known):
    """(client, scenario) for all that is to be run."""
    clients = {path.name: path for path in sorted(arguments.signer_dir.iterdir())}
    every = sorted(SCENARIOS.glob("*.yaml"))
    names = arguments.defects or [
        name.removeprefix(PREFIX) for name in clients if name.startswith(PREFIX)
    ]
    for name in names:
        client = clients.get(PREFIX + name) or clients.get(name)
        if client is None:
            sys.exit(f'try: there is no defect "{name}" in {arguments.signer_dir}; build defects')
        smallest = known.get(name, {}).get("scenario")
        if arguments.scenario:
            chosen = arguments.scenario
        elif arguments.all or name not in known:
            chosen = every
        else:
            chosen = [SCENARIOS / f"{smallest}.yaml"] if smallest else []
        yield from ((client, scenario) for scenario in chosen)


def run_all(trials, pairs, jobs, quiet):
    rows = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(trials.run, *pair) for pair in pairs]
        try:
            for done in concurrent.futures.as_completed(futures):
                row = done.result()
                if row is None:
                    continue
                rows.append(row)
                if not quiet:
                    text = f"[{len(rows)}/{len(futures)}] {row['defect']} {row['scenario']}"
                    print(f"{text}: {outcome(row)}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            trials.stop()
            return rows, True
    return rows, False


def readme_table():
    lines = ["| kind | defect | what is wrong | shown by | caught by |", "|---|---|---|---|---|"]
    for defect in catalogue():
        shown = f"`{defect['scenario']}`" if "scenario" in defect else f"*needs* {defect['needs']}"
        row = (defect["kind"], f"`{defect['name']}`", defect["says"], shown)
        lines.append(f"| {' | '.join(row)} | {', '.join(defect.get('caught_by', []))} |")
    return "\n".join(lines) + "\n"


def write_readme():
    before, _, rest = README.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    README.write_text(before + MARKS[0] + readme_table() + MARKS[1] + after)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("defects", nargs="*", metavar="DEFECT")
    binaries = ROOT / "build" / "dev"
    parser.add_argument("--signer-dir", type=pathlib.Path, default=binaries / "bin-test")
    parser.add_argument("--chaos", type=pathlib.Path, default=binaries / "bin" / "chaos")
    parser.add_argument("--scenario", type=pathlib.Path, action="append", metavar="FILE")
    parser.add_argument("--all", action="store_true", help="every scenario of fixtures/scenarios")
    parser.add_argument("-j", type=int, default=2 * (os.cpu_count() or 1), metavar="N")
    parser.add_argument("--limit", type=int, default=300, metavar="S", help="seconds for a run")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the runs")
    parser.add_argument("-q", action="store_true", help="do not tell of each run")
    parser.add_argument("--readme", action="store_true", help="write README.md's table, run none")
    return parser.parse_args()


def report(arguments, known, rows):
    order = {name: i for i, name in enumerate(known)}
    rows.sort(key=lambda row: (order.get(row["defect"], 0), row["defect"], row["scenario"]))
    if arguments.json:
        json.dump(
            [row | {"outcome": outcome(row), "rules": rules(row)} for row in rows], sys.stdout
        )
        print()
        return
    groups = {}
    for row in rows:
        groups.setdefault(row["defect"], []).append(row)
    print_table(
        summary(name, known.get(name, {}).get("kind", "?"), group) for name, group in groups.items()
    )
    counts = {
        word: sum(any(outcome(r) == word for r in g) for g in groups.values()) for word in OUTCOMES
    }
    caught = counts["caught"]
    missed = sum(
        any(outcome(r) == "missed" for r in g) and not any(outcome(r) == "caught" for r in g)
        for g in groups.values()
    )
    print(f"{len(groups)} defects: {caught} caught, {missed} missed, the others not shown")


def main():
    arguments = parse()
    if arguments.readme:
        write_readme()
        return 0
    known = {defect["name"]: defect for defect in catalogue()}
    pairs = list(plan(arguments, known))
    # Beside the programs, since a hard link cannot lead to another file system.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="try-", dir=arguments.signer_dir))
    trials = Trials(arguments.chaos, folder, arguments.limit, arguments.keep)
    try:
        rows, interrupted = run_all(trials, pairs, arguments.j, arguments.q)
        with contextlib.suppress(BrokenPipeError):
            report(arguments, known, rows)
    finally:
        if arguments.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if interrupted:
        return 130
    return 1 if any(outcome(row) == "missed" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
