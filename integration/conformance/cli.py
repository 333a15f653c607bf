#!/usr/bin/env python3
"""Record or check what the `vault` command prints and how it exits.

    cli.py check  --start 'CMD with {port}' --vault PATH cli/*.json [-k SUBSTRING] [-v]
    cli.py record --start 'CMD with {port}' --vault PATH cli/*.json --reference NAME

--start is as for replay.py: a fresh, uninitialised, in-memory server on 127.0.0.1:{port}; --vault
is the command under test.
A case: {"case": NAME, "boot": "none|dev", "steps": [{"run": ["status"], "env": {...},
"stdin": TEXT, "files": {NAME: TEXT}, "save": {"name": REGEX with one group, searched in stdout},
"only": ["exit", "stdout", "stderr"]}]}.
${name} in an argument is replaced; ${root}, ${key} are there after boot "dev". The command runs in
an empty home folder, where "files" are written.
`record` writes each step's "want" into the file. Tables compare with runs of blanks and dashes
squeezed. Exit status: 0 all agree, 1 some differ, 2 could not run.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from replay import BOOT, Server, limits

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CLOCK = r"\d\d:\d\d:\d\d(\.\d+)?"
SHARE = r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}[A-Za-z0-9+/=](?![A-Za-z0-9+/=])"
MASKS = [
    (r"hvs\.[A-Za-z0-9_-]+|\bs\.[A-Za-z0-9]{20,}", "<token>"),
    (UUID, "<uuid>"),
    (rf"\d{{4}}-\d\d-\d\d[T ]{CLOCK}( ?(Z|[+-]\d\d:?\d\d))?( UTC)?", "<time>"),
    (r"vault:v(\d+):[A-Za-z0-9+/=_-]+", r"vault:v\1:<b64>"),
    (SHARE, "<share>"),
    (r"\b[0-9a-f]{64,66}\b", "<share>"),
    (r"-----BEGIN ([A-Z ]+)-----[^-]*-----END [A-Z ]+-----", r"<pem \1>"),
    (r"127\.0\.0\.1:\d+", "<addr>"),
    (r"vault-cluster-[0-9a-f]+", "<cluster>"),
    (r"_[0-9a-f]{8}\b", "_<id>"),
    (r"\b1[5-9]\d{8}\b", "<unix time>"),
    (r"\b\d\d [A-Z][a-z][a-z] \d\d \d\d:\d\d UTC\b", "<day>"),
    (r"(Encryption Count|\"encryptions\":) *\d+", r"\1 <count>"),
    (r"\b[A-Za-z0-9]{24}\b", "<accessor>"),
    (r"(Version|version\W+|Build Date|build_date\W+)[^\n]*", r"\1<any>"),
    (r"(v|\+builtin\.?v?)\d+\.\d+\.\d+(\+builtin)?", "<version>"),
]


def squeeze(line):
    return re.sub(r"-{3,}", "---", re.sub(r"[ \t]+", " ", line)).rstrip()


def mask(text):
    for pattern, name in MASKS:
        text = re.sub(pattern, name, text)
    return "\n".join(squeeze(line) for line in text.strip().splitlines())


def fill(text, env):
    return re.sub(r"\$\{([a-z0-9_]+)\}", lambda m: env.get(m[1], m[0]), text)


def boot(srv, env):
    for method, path, body in BOOT:
        body = {"key": env["key"]} if path == "sys/unseal" else body
        headers = {"X-Vault-Token": env["root"]} if env else {}
        _, _, text = srv.call(method, path, json.dumps(body), headers)
        if path == "sys/init":
            answer = json.loads(text)
            env.update(root=answer["root_token"], key=answer["keys_base64"][0])


def environment(step, srv, env, home):
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "VAULT_ADDR": f"http://127.0.0.1:{srv.port}",
        **({"VAULT_TOKEN": env["root"]} if "root" in env else {}),
        **step.get("env", {}),
    }
    return {name: fill(value, env) for name, value in variables.items() if value is not None}


def run_step(step, srv, env, home, vault):
    for name, text in step.get("files", {}).items():
        pathlib.Path(home, name).write_text(fill(text, env), encoding="utf-8")
    done = subprocess.run(
        [vault, *(fill(arg, env) for arg in step["run"])],
        env=environment(step, srv, env, home),
        cwd=home,
        text=True,
        timeout=limits.EVENT,
        input=fill(step.get("stdin", ""), env),
        capture_output=True,
        check=False,
    )
    for name, pattern in step.get("save", {}).items():
        found = re.search(pattern, done.stdout)
        env[name] = found[1] if found else f"<unsaved {name}>"
    out = {"exit": done.returncode, "stdout": mask(done.stdout), "stderr": mask(done.stderr)}
    return {key: value for key, value in out.items() if key in step.get("only", out)}


def run_case(case, template, vault):
    srv, env = Server(template), {}
    try:
        if case.get("boot") == "dev":
            boot(srv, env)
        with tempfile.TemporaryDirectory() as home:
            return [run_step(step, srv, env, home, vault) for step in case["steps"]]
    finally:
        srv.stop()


def differences(case, got):
    return [
        f"     step {i} vault {' '.join(step['run'])}\n"
        f"       {key}: want {step['want'][key]!r}\n       {key}: got  {answer[key]!r}"
        for i, (step, answer) in enumerate(zip(case["steps"], got, strict=True), 1)
        for key in answer
        if step["want"][key] != answer[key]
    ]


def check_case(case, arguments, vault):
    lines = differences(case, run_case(case, arguments.start, vault))
    if lines or arguments.v:
        print(("FAIL " if lines else "ok   ") + case["case"], *lines, sep="\n")
    return not lines


def record_case(case, arguments, vault):
    for step, want in zip(case["steps"], run_case(case, arguments.start, vault), strict=True):
        step["want"] = want
    return True


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["record", "check"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--start", required=True)
    parser.add_argument("--vault", required=True)
    parser.add_argument("--reference", default="unnamed")
    parser.add_argument("-k", default="")
    parser.add_argument("-v", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    vault = os.path.abspath(arguments.vault)
    do = record_case if arguments.verb == "record" else check_case
    results = {}
    for path in map(pathlib.Path, arguments.files):
        doc = json.loads(path.read_text(encoding="utf-8"))
        for case in doc["cases"]:
            if arguments.k in case["case"]:
                results[case["case"]] = do(case, arguments, vault)
        if arguments.verb == "record":
            doc["reference"] = arguments.reference
            path.write_text(json.dumps(doc, indent=1) + "\n", encoding="utf-8")
    passed = sum(results.values())
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
