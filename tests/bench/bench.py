#!/usr/bin/env python3
"""Measure fakevault: signatures a second, latency, memory, time to the first healthy answer.

    bench.py BINARY [--connections N] [--seconds S] [--total N] [--json]

What it prints are figures of this machine at this moment; only the ratios to `openssl speed`,
which is measured in the same run, are worth comparing. It never judges: exit status 0, or 2 when
it could not measure. Loopback only. Needs wrk and openssl (make bench installs them).
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOKEN = "bench-root-token"
BODY = json.dumps({"input": base64.b64encode(bytes(range(256)) * 2).decode()})
KEYS = {"ecdsa-p256": "ecdsap256", "ed25519": "ed25519"}  # Vault's name, openssl speed's name
DEADLINE_S = 10


class Trouble(Exception):
    """Something could not be measured."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, "/v1/" + path, text, {"X-Vault-Token": TOKEN})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


class Server:
    """A dev server, its journal on disk; `ready_s`: from exec to the first 200 of sys/health."""

    def __init__(self, binary, folder):
        self.port = free_port()
        self.journal = os.path.join(folder, "journal.ndjson")
        command = [binary, "server", "-dev", f"-dev-root-token-id={TOKEN}",
                   f"-dev-listen-address=127.0.0.1:{self.port}",
                   f"-admin={folder}/admin.sock", f"-journal={self.journal}"]  # fmt: skip
        start = time.monotonic()
        self.log = pathlib.Path(folder, "server.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        while not self.healthy():
            if self.process.poll() is not None or time.monotonic() - start > DEADLINE_S:
                self.stop()
                raise Trouble(f"the server did not become healthy: {self.log.read_text()[-400:]}")
        self.ready_s = time.monotonic() - start

    def healthy(self):
        try:
            return call(self.port, "GET", "sys/health") == 200
        except OSError:
            return False

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def cpu_s(self):
        """CPU time used so far, user and system."""
        fields = (
            pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_S)


def openssl_per_s(name, seconds):
    """Signatures a second of one core, by `openssl speed`."""
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", str(seconds), name],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    # a second: "+F4:3:256:SIGNATURES:VERIFICATIONS", "+F6:0:253:Ed25519:SIGNATURES:VERIFICATIONS"
    match = re.search(r"^\+F[46]:\d+:\d+:(?:[A-Z]\w+:)?([0-9.]+)", done.stdout, re.M)
    if match is None:
        raise Trouble(f"openssl speed {name} printed no figure: {done.stdout[-200:]}")
    return float(match[1])


def load(server, key, connections, seconds):
    """Runs wrk for a while; returns its figures."""
    environment = dict(os.environ, BENCH_TOKEN=TOKEN, BENCH_BODY=BODY)
    url = f"http://127.0.0.1:{server.port}/v1/transit/sign/{key}"
    script = str(HERE / "sign.lua")
    done = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    match = re.search(r"^BENCH (\{.*\})$", done.stdout, re.M)
    if match is None:
        raise Trouble(f"wrk printed no figures: {done.stdout[-200:]}{done.stderr[-200:]}")
    return json.loads(match[1])


def measure_key(server, key, options):
    before = server.cpu_s()
    figures = load(server, key, options.connections, options.seconds)
    used = server.cpu_s() - before
    speed = openssl_per_s(KEYS[key], options.seconds)
    rate = figures["requests"] / figures["seconds"]
    return {
        "key": key,
        "per_s": round(rate),
        "p50_us": figures["p50_us"],
        "p99_us": figures["p99_us"],
        "failed": figures["failed"],
        "openssl_per_s": round(speed),
        "ratio": round(rate / speed, 3),
        "server_cpu_us_each": round(used * 1e6 / figures["requests"], 2),
    }


def grow(server, options):
    """Sends signing requests until `total` were sent in all; returns how many."""
    sent = 0
    while sent < options.total:
        sent += load(server, "ecdsa-p256", options.connections, options.seconds)["requests"]
    return sent


def measure(options):
    folder = tempfile.mkdtemp(prefix="bench-")
    try:
        server = Server(options.binary, folder)
        try:
            if call(server.port, "POST", "sys/mounts/transit", {"type": "transit"}) >= 300:
                raise Trouble("cannot mount transit")
            for key in KEYS:
                call(server.port, "POST", f"transit/keys/{key}", {"type": key})
            first = server.resident_kib()
            rows = [measure_key(server, key, options) for key in KEYS]
            sent = grow(server, options)
            return {"ready_ms": round(server.ready_s * 1000, 1), "signing": rows,
                    "resident_kib": {"idle": first, "after": server.resident_kib()},
                    "requests_between": sent}  # fmt: skip
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show(result):
    print(f"ready after {result['ready_ms']} ms")
    for row in result["signing"]:
        print(
            f"{row['key']:<11} {row['per_s']:>7} signatures/s, "
            f"p50 {row['p50_us']} us, p99 {row['p99_us']} us, {row['failed']} failed; "
            f"{row['ratio']} of openssl speed ({row['openssl_per_s']}/s on one core); "
            f"{row['server_cpu_us_each']} us of CPU each"
        )
    memory = result["resident_kib"]
    print(
        f"resident {memory['idle']} KiB idle, {memory['after']} KiB "
        f"after {result['requests_between']} more requests"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument(
        "--total", type=int, default=1_000_000, help="requests before memory is read again"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        result = measure(options)
    except (Trouble, OSError, subprocess.SubprocessError) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(json.dumps(result)) if options.json else show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
