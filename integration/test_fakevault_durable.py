"""What the durable server acknowledged is there after any kill, once, and was on the disk first."""

import contextlib
import itertools
import os
import random
import re
import threading

import pytest
from harness import FakeVault, Raw, limits
from harness.tracing import NO_LEAK_CHECK, needs_trace

KILL_ROUNDS = int(os.environ.get("HARNESS_KILL_ROUNDS", "25"))
KILL_WITHIN_S = 0.08  # of the first request of a round
SEED = int(os.environ.get("HARNESS_SEED", "1"))


class Writer(threading.Thread):
    """Makes and rotates keys and writes secrets until the server is gone; knows what was
    acknowledged.

    For each thing that can grow it keeps `acked` (versions that were acknowledged) and `asked`
    (versions that were asked for); the truth must lie between the two.
    """

    def __init__(self, vault, round_number, ledger):
        super().__init__()
        self.vault, self.round, self.ledger = vault, round_number, ledger
        self.token = vault.token
        self.ready = threading.Event()
        self.trouble = None

    def run(self):
        try:
            with contextlib.closing(Raw(self.vault.port)) as connection:
                for number in itertools.count():
                    self._step(connection, number)
                    self.ready.set()
        except (OSError, EOFError):
            pass  # the server was killed
        except Exception as trouble:  # shown by the test
            self.trouble = trouble
        self.ready.set()

    def _step(self, connection, number):
        key = f"k-{self.round}-{number // 3}"
        if number % 3 == 0:
            self._ask(
                connection, ("key", key), "POST", f"transit/keys/{key}", {"type": "ecdsa-p256"}
            )
        elif number % 3 == 1:
            self._ask(connection, ("key", key), "POST", f"transit/keys/{key}/rotate", {})
        else:
            name = f"s-{self.round % 5}"
            version = self.ledger["asked"].get(("secret", name), 0) + 1
            body = {"data": {"version": version}}
            self._ask(connection, ("secret", name), "POST", f"secret/data/{name}", body)

    def _ask(self, connection, thing, method, path, body):
        test = f"{self.round}:{len(self.ledger['tests'])}"
        asked, acked = self.ledger["asked"], self.ledger["acked"]
        asked[thing] = asked.get(thing, 0) + 1
        headers = {"X_Vault_Token": self.token, "X_Fakevault_Test": test}
        status, answer = connection.call(method, f"/v1/{path}", body, **headers)
        assert status in (200, 204), answer
        acked[thing] = acked.get(thing, 0) + 1
        self.ledger["tests"].append(test)


def version_of(vault, thing):
    kind, name = thing
    if kind == "key":
        answer = vault.api("GET", f"transit/keys/{name}")
        return answer.json()["data"]["latest_version"] if answer.status_code == 200 else 0
    answer = vault.api("GET", f"secret/data/{name}")
    if answer.status_code != 200:
        return 0
    data = answer.json()["data"]
    assert data["data"] == {"version": data["metadata"]["version"]}
    return data["metadata"]["version"]


def check(vault, ledger, things):
    """Every acknowledged version is there, and none that was not asked for."""
    for thing in things:
        found, acked, asked = (
            version_of(vault, thing),
            ledger["acked"].get(thing, 0),
            ledger["asked"][thing],
        )
        assert acked <= found <= asked, (
            f"{thing}: {acked} acknowledged, {asked} asked, {found} found"
        )
        # what was asked for and not acknowledged has been decided by now
        ledger["acked"][thing] = ledger["asked"][thing] = found


@pytest.mark.slow
@pytest.mark.timeout(limits.TEST + limits.seconds(30) * KILL_ROUNDS)
def test_nothing_acknowledged_is_lost_over_kill_9(durable_vault):
    vault, randomness = durable_vault, random.Random(SEED)
    vault.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    ledger = {"acked": {}, "asked": {}, "tests": []}
    for round_number in range(KILL_ROUNDS):
        before = dict(ledger["asked"])
        writer = Writer(vault, round_number, ledger)
        writer.start()
        assert writer.ready.wait(limits.EVENT)
        threading.Event().wait(
            randomness.uniform(0, KILL_WITHIN_S)
        )  # the moment is the test's input
        vault.process.kill()
        writer.join(limits.EVENT)
        assert writer.trouble is None and not writer.is_alive(), writer.trouble
        vault.start()
        assert vault.state()["vault"]["sealed"] is True
        vault.unseal()
        touched = [t for t in ledger["asked"] if ledger["asked"][t] != before.get(t)]
        check(vault, ledger, touched)
    check(vault, ledger, list(ledger["asked"]))
    check_journal(vault, ledger)
    print(f"{KILL_ROUNDS} kills, {len(ledger['tests'])} acknowledged writes, seed {SEED}")


def check_journal(vault, ledger):
    """Each acknowledged request once; each boot begins with a start and counts from one."""
    records = vault.journal()
    tests = [r["test"] for r in records if r["kind"] == "request" and "test" in r]
    assert len(tests) == len(set(tests))
    assert set(ledger["tests"]) <= set(tests)
    boots = [r for r in records if r["kind"] == "process" and r["event"] == "start"]
    assert len(boots) == KILL_ROUNDS + 1
    expected = 0
    for record in records:
        expected = 1 if record["kind"] == "process" and record["event"] == "start" else expected + 1
        assert record["seq"] == expected


# ---- the order of system calls, which a SIGKILL cannot show


class TracedVault(FakeVault):
    """Runs under strace. Descriptors are shown with their paths."""

    CALLS = "trace=fsync,fdatasync,write,pwrite64,writev,sendto,sendmsg,recvfrom,rename,ftruncate"

    def start(self):
        self.trace = self.folder / "trace"
        tracer = ["strace", "-f", "-y", "-s", "4096", "-e", self.CALLS, "-o", str(self.trace)]
        start, self.factory.start = self.factory.start, self._start(tracer, self.factory.start)
        try:
            super().start()
        finally:
            self.factory.start = start

    def _start(self, tracer, start):
        def traced(name, argv, ready=False):
            argv = [*tracer, self.factory.traceable("fakevault"), *argv[1:]]
            return start(name, argv, self.factory.environment(**NO_LEAK_CHECK), ready)

        return traced

    def calls(self):
        """(name, first descriptor's path, text) of each call, in the order in which they ended."""
        begun = {}
        for line in self.trace.read_text(errors="replace").splitlines():
            thread, _, text = line.partition(" ")
            text = text.strip()
            if text.endswith("<unfinished ...>"):
                begun[thread] = text.removesuffix("<unfinished ...>")
                continue
            if text.startswith("<... "):
                text = begun.pop(thread, "") + text.partition("resumed>")[2]
            found = re.match(r"(\w+)\(\d+<([^>]*)>", text)
            if found:
                yield found[1], found[2], text


@needs_trace
def test_no_reply_leaves_before_the_store_is_synced(factory):
    data = factory.folder / "data"
    vault = TracedVault(factory, "-storage=file", f"-path={data}")
    vault.initialise(1, 1)
    vault.unseal(1)
    vault.create_key("k")
    vault.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    with contextlib.closing(Raw(vault.port)) as connection:
        for number in range(20):
            body = {"data": {"n": number}}
            headers = {"X_Vault_Token": vault.token, "X_Fakevault_Test": f"write-{number}"}
            assert connection.call("POST", "/v1/secret/data/s", body, **headers)[0] == 200
            headers["X_Fakevault_Test"] = f"rotate-{number}"
            status, _ = connection.call("POST", "/v1/transit/keys/k/rotate", {}, **headers)
            assert status in (200, 204)
    vault.process.kill()
    checked = 0
    pending = written = synced = recorded = None
    for name, path, text in vault.calls():
        arrived = re.search(r"X-Fakevault-Test: ((?:write|rotate)-\d+)", text)
        if name == "recvfrom" and arrived:
            pending, written, synced, recorded = arrived[1], False, False, False
        elif pending is None:
            continue
        elif (
            name == "write"
            and path.endswith("journal.ndjson")
            and f'"{pending}' in text.replace('\\"', '"')
        ):
            recorded = True
        elif name == "pwrite64" and "vault.db" in path:
            written, synced = True, False
        elif name in ("fsync", "fdatasync") and "vault.db" in path:
            synced = written
        elif name in ("sendto", "sendmsg", "writev") and "HTTP/1.1 20" in text:
            assert recorded, f"{pending}: answered before its record was written"
            assert written, f"{pending}: answered without a write to the store"
            assert synced, f"{pending}: answered before the store was synced"
            checked += 1
            pending = None
    assert checked == 40
