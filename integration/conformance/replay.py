#!/usr/bin/env python3
"""Record or replay Vault HTTP API transcripts.

A *case* is a list of HTTP steps that starts on a fresh, uninitialised server.
`record` runs the cases against a reference server and stores the masked answers;
`check` runs the same cases against another server and compares, step by step.

    replay.py check  --start 'CMD with {port}' transcripts/*.json [-k SUBSTRING] [--only FILE] [-v]
                     [--junit F]
    replay.py record --start 'CMD with {port}' cases/*.json --out DIR --reference NAME

CMD must start an empty, uninitialised, in-memory server on 127.0.0.1:{port}, in the foreground;
{folder} is an empty folder of its own, which is removed afterwards.
--only FILE checks the cases that FILE names, one a line, and fails when one is in no transcript.
Only the Python standard library is used.  Exit status: 0 all agree, 1 some differ, 2 could not run.

A case file is a JSON list of cases:
    {"case": "name", "boot": "none|dev", "steps": [STEP, ...]}
  boot dev   init (1 share, threshold 1), unseal, mount transit/ (transit) and secret/ (kv v2).
             ${root} is the root token, ${key} the unseal key (hex), ${key_b64} the same in base64.
  STEP  {"do": "METHOD path?query", "body": JSON | "raw": "text",
         "token": "${root}" (default) | null,
         "headers": {...}, "save": {"name": "data.path.0"}, "loose": ["data.path", ...],
         "only": ["status"] to compare just those}
  ${name} in a path, body, raw or header is replaced by what an earlier step saved; ${b64:text} by
  base64.
Masking: see mask(); values that differ from run to run (ids, times, ciphertexts, keys) compare by
shape.
"""

import argparse
import base64
import glob
import http.client
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from xml.sax.saxutils import escape, quoteattr

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))

import limits

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
VAULT = re.compile(r"^vault:v(\d+):([A-Za-z0-9+/=_-]+)$")
TOKEN = re.compile(r"^(hvs|s|b|hvb)\.[A-Za-z0-9_-]+$")
SECRET_KEYS = {
    "accessor",
    "uuid",
    "cluster_id",
    "cluster_name",
    "version",
    "build_date",
    "server_time_utc",
    "nonce",
    "hmac_key",
    "plaintext_random",
    "random_bytes",
    "backup",
    "wrapping_key",
    "creation_time",
    "expire_time",
    "issue_time",
    "term",
    "install_time",
    "running_plugin_version",
    "plugin_version",
    "creation_ttl_now",
    "ttl",
    "running_sha256",
    "encryptions",
    "last_wal",
}
HEADERS = ("content-type", "cache-control")


def alphabet(text):
    """Which base64 this is; short of a telling character the two cannot be told apart ("any")."""
    return (
        "b64"
        if re.search(r"[+/=]", text)
        else "url"
        if re.search(r"[-_]", text) or len(text) % 4
        else "any"
    )


def mask(v, key=""):
    """Replace what differs from run to run by its shape, keep everything else."""
    if isinstance(v, dict):
        return {k: mask(x, k) for k, x in sorted(v.items())}
    if isinstance(v, list):
        return [mask(x, key) for x in v]
    if isinstance(v, bool) or v is None:
        return v
    if key in SECRET_KEYS:
        return "" if v == "" else f"<{'number' if isinstance(v, (int, float)) else 'string'} {key}>"
    if isinstance(v, (int, float)):
        return "<unix time>" if 1_500_000_000 < v < 4_000_000_000 else v
    if UUID.match(v):
        return "<uuid>"
    if TIME.match(v):
        return "<time>"
    m = VAULT.match(v)
    if m:
        return f"vault:v{m[1]}:<{alphabet(m[2])}>"
    if TOKEN.match(v):
        return "<token>"
    if v.startswith("-----BEGIN "):
        return "<pem {}>".format(v.split("-----")[1][6:])
    if (
        key in ("keys", "keys_base64", "public_key", "ciphertext", "plaintext_key", "key")
        and len(v) >= 40
    ):
        return f"<{key}>"
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", v)


def drop(v, path):
    """Blank the values at a dotted path ('*' is any key or index)."""
    head, _, rest = path.partition(".")
    keys = (
        (list(v) if head == "*" else [head])
        if isinstance(v, dict)
        else (range(len(v)) if head == "*" else [int(head)])
        if isinstance(v, list)
        else []
    )
    for k in keys:
        try:
            if rest:
                drop(v[k], rest)
            else:
                v[k] = "<any>"
        except (KeyError, IndexError, TypeError):
            pass


def dig(v, path):
    for p in path.split("."):
        v = v[int(p)] if isinstance(v, list) else v[p]
    return v


def fill(x, env):
    if isinstance(x, dict):
        return {fill(k, env): fill(v, env) for k, v in x.items()}
    if isinstance(x, list):
        return [fill(v, env) for v in x]
    if not isinstance(x, str):
        return x
    whole = re.fullmatch(r"\$\{([a-z0-9_]+)\}", x)
    if whole and whole[1] in env:
        return env[whole[1]]
    x = re.sub(r"\$\{b64:([^}]*)\}", lambda m: base64.b64encode(m[1].encode()).decode(), x)
    return re.sub(r"\$\{([a-z0-9_]+)\}", lambda m: str(env.get(m[1], m[0])), x)


class Server:
    def __init__(self, template):
        # bound and never listening: the port is nobody else's while the server is not there yet
        self.held = socket.socket()
        self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.bind(("127.0.0.1", 0))
        self.port = self.held.getsockname()[1]
        self.folder = tempfile.mkdtemp(prefix="replay-")
        self.proc = subprocess.Popen(
            shlex.split(template.format(port=self.port, folder=self.folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + limits.EVENT
        while True:
            try:
                self.call("GET", "sys/seal-status")
                return
            except OSError:
                if time.monotonic() > end or self.proc.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"server did not start: {template}") from None
                time.sleep(0.02)

    def call(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limits.EVENT)
        try:
            c.putrequest(
                method,
                "/v1/" + path if not path.startswith("/") else path,
                skip_accept_encoding=True,
            )
            data = body.encode() if isinstance(body, str) else body
            for k, v in (headers or {}).items():
                c.putheader(k, v)
            if data is not None or method in ("POST", "PUT"):
                c.putheader("Content-Length", str(len(data or b"")))
            c.endheaders(data)
            r = c.getresponse()
            text = r.read()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, text
        finally:
            c.close()

    def stop(self):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
        self.proc.wait()
        self.held.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_step(srv, step, env):
    method, path = step["do"].split(" ", 1)
    headers = dict(fill(step.get("headers", {}), env))
    token = fill(step.get("token", "${root}"), env)
    if token and not str(token).startswith("${"):
        headers.setdefault("X-Vault-Token", token)
    body = (
        fill(step["raw"], env)
        if "raw" in step
        else json.dumps(fill(step["body"], env))
        if "body" in step
        else None
    )
    status, got_headers, text = srv.call(method, fill(path, env), body, headers)
    try:
        parsed = json.loads(text) if text.strip() else None
    except ValueError:
        parsed = {"<text>": text.decode("utf-8", "replace")[:400]}
    for name, where in step.get("save", {}).items():
        try:
            env[name] = dig(parsed, where)
        except (KeyError, IndexError, TypeError, ValueError):
            env[name] = f"<unsaved {name}>"
    out = {"status": status, "headers": {h: got_headers[h] for h in HEADERS if h in got_headers}}
    if parsed is not None:
        out["body"] = mask(parsed)
        for p in step.get("loose", []):
            drop(out["body"], p)
    only = step.get("only")
    return {k: v for k, v in out.items() if k in only} if only else out


BOOT = [
    ("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}),
    ("PUT", "sys/unseal", None),
    ("POST", "sys/mounts/transit", {"type": "transit"}),
    ("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}),
]


def run_case(case, template):
    srv, env = Server(template), {}
    try:
        if case.get("boot", "dev") == "dev":
            for method, path, body in BOOT:
                h = {"X-Vault-Token": env["root"]} if "root" in env else {}
                body = {"key": env["key"]} if path == "sys/unseal" else body
                status, _, text = srv.call(method, path, json.dumps(body), h)
                if status >= 300:
                    raise RuntimeError(f"boot: {method} {path}: {status} {text[:200]}")
                if path == "sys/init":
                    d = json.loads(text)
                    env.update(root=d["root_token"], key=d["keys"][0], key_b64=d["keys_base64"][0])
            end = time.monotonic() + limits.EVENT  # kv v2 upgrades itself just after it is mounted
            while srv.call("GET", "secret/config", None, {"X-Vault-Token": env["root"]})[0] != 200:
                if time.monotonic() > end:
                    raise RuntimeError("boot: secret/ is not ready")
                time.sleep(0.02)
        answers = []
        for step in case["steps"]:
            if "sleep" in step:
                time.sleep(step["sleep"])
                answers.append({})
            else:
                answers.append(run_step(srv, step, env))
        return answers
    finally:
        srv.stop()


def alike(want, got):
    """Two masked values of which one was too short of telling characters to name its alphabet."""
    shape = [re.sub(r":<(b64|url|any)>$", ":<>", str(x)) for x in (want, got)]
    return shape[0] == shape[1] and any(str(x).endswith(":<any>") for x in (want, got))


def differ(want, got, path=""):
    """Lines that tell where two masked answers differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for k in sorted(set(want) | set(got)):
            if k not in got:
                yield f"{path}.{k}: missing, want {json.dumps(want[k])}"
            elif k not in want:
                yield f"{path}.{k}: not in the reference, got {json.dumps(got[k])}"
            else:
                yield from differ(want[k], got[k], f"{path}.{k}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, (w, g) in enumerate(zip(want, got, strict=False)):
            yield from differ(w, g, f"{path}.{i}")
    elif want != got and "<any>" not in (want, got) and not alike(want, got):
        yield f"{path}: want {json.dumps(want)}, got {json.dumps(got)}"


def names_in(path):
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("verb", choices=["record", "check"])
    ap.add_argument("files", nargs="+")
    ap.add_argument("--start", required=True)
    ap.add_argument("--out")
    ap.add_argument("--reference", default="unnamed")
    ap.add_argument("--junit")
    ap.add_argument("-k", default="")
    ap.add_argument("--only")
    ap.add_argument("-v", action="store_true")
    a = ap.parse_args()
    passed = failed = 0
    suites = []
    wanted = names_in(a.only) if a.only else None
    seen = set()
    for f in sorted(x for g in a.files for x in (glob.glob(g) or [g])):
        doc = json.loads(pathlib.Path(f).read_text(encoding="utf-8"))
        cases = doc["cases"] if isinstance(doc, dict) else doc
        for case in cases:
            if a.k not in case["case"] or (wanted is not None and case["case"] not in wanted):
                continue
            seen.add(case["case"])
            try:
                answers = run_case(case, a.start)
            except (RuntimeError, OSError) as e:
                if a.verb == "record":
                    sys.exit(f"{case['case']}: {e}")
                answers, lines = None, [str(e)]
            if a.verb == "record":
                for step, ans in zip(case["steps"], answers, strict=True):
                    if ans:
                        step["want"] = ans
                passed += 1
                continue
            if answers is not None:
                lines = [
                    f"step {i + 1} {s.get('do', '')}{d}"
                    for i, (s, got) in enumerate(zip(case["steps"], answers, strict=True))
                    if "want" in s
                    for d in differ(s["want"], got, "")
                ]
            suites.append((case["case"], lines))
            if lines:
                failed += 1
                print(f"FAIL {case['case']}")
                for line in lines[: None if a.v else 6]:
                    print("     " + line[:400])
            else:
                passed += 1
                if a.v:
                    print(f"ok   {case['case']}")
        if a.verb == "record":
            os.makedirs(a.out, exist_ok=True)
            dest = os.path.join(a.out, os.path.basename(f))
            text = json.dumps({"reference": a.reference, "cases": cases}, indent=1, sort_keys=True)
            pathlib.Path(dest).write_text(text + "\n", encoding="utf-8")
    if a.junit:
        with open(a.junit, "w") as o:
            o.write(f'<testsuite name="conformance" tests="{len(suites)}" failures="{failed}">\n')
            for name, lines in suites:
                o.write(
                    f"<testcase name={quoteattr(name)}>"
                    + (f"<failure>{escape(chr(10).join(lines))}</failure>" if lines else "")
                    + "</testcase>\n"
                )
            o.write("</testsuite>\n")
    print(f"{passed} passed, {failed} failed")
    missing = sorted((wanted or set()) - seen) if not a.k else []
    if missing:
        print(f"in no transcript: {', '.join(missing)}")
    if passed + failed == 0:
        print("no case was run")
        return 2
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
