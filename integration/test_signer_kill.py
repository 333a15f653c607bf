"""`signer sign` killed at any moment: nothing that was acknowledged is lost, nothing is doubled.

Two ways to die: at random moments (SIGNER_KILL_ROUNDS kills, 25 unless told otherwise), and at
every single system call that makes something durable, one after the other (strace puts the
SIGKILL there).
"""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
from harness.tracing import NO_LEAK_CHECK, needs_trace

ROUNDS = int(os.environ.get("SIGNER_KILL_ROUNDS", "25"))
SEED = int(os.environ.get("SIGNER_KILL_SEED", "20261124"))
DURABLE = [
    pytest.param("openat", marks=pytest.mark.slow),
    "write",
    "fsync",
    "rename",
    "sendto",
    "flock",
]


def entries_of(signer, run_id):
    """The whole entries of a bundle; a torn tail counts as not there."""
    found = []
    for line in signer.audit_log.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["bundleRunId"] == run_id:
            found.append(entry)
    return found


def check_chain(signer):
    previous, torn = "0" * 64, False
    data = signer.audit_log.read_bytes()
    assert data.endswith(b"\n")
    for line in data.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            torn = True
        else:
            assert entry["payload"]["previous"] == previous
            assert (entry["action"] == "AUDIT_TAIL_REPAIRED") == torn
            torn = False
        previous = hashlib.sha256(line).hexdigest()
    assert not torn


def check_healed(signer, folder, run_id, acknowledged):
    """After one more, undisturbed run: one signature, published, and each start has its end."""
    before = entries_of(signer, run_id) if signer.audit_log.exists() else []
    published = folder / "manifest.json"
    manifest = published.read_bytes() if published.exists() else None
    result = signer.sign(folder)
    entries = entries_of(signer, run_id)
    actions = [entry["action"] for entry in entries]
    assert entries[: len(before)] == before, "an entry was lost or changed"
    assert actions.count("MANIFEST_SIGNED") == 1
    ends = actions.count("MANIFEST_SIGNED") + actions.count("MANIFEST_SIGNING_FAILED")
    assert actions.count("MANIFEST_SIGNING_STARTED") == ends
    was_signed = any(entry["action"] == "MANIFEST_SIGNED" for entry in before)
    assert result["already"] == was_signed
    if manifest is not None:
        assert was_signed, "published before it was recorded"
        assert published.read_bytes() == manifest, "published twice"
    if acknowledged:
        assert was_signed and manifest is not None, "acknowledged, then lost"
    signature = json.loads(published.read_bytes())["signature"]
    signed = next(e for e in entries if e["action"] == "MANIFEST_SIGNED")
    assert signed["payload"]["signature"] == signature
    assert sorted(p.name for p in folder.iterdir()) == [
        "bundle.json",
        "manifest.json",
        "report.pdf",
    ]
    return hashlib.sha256(signature.encode()).hexdigest()


def check_ledger(vault, published):
    """Each published signature was executed once; the others that Vault made are orphans."""
    replies = [r for r in vault.journal("reply") if r.get("executed")]
    executed = [h for r in replies for h in r.get("signature_sha256", [])]
    assert len(executed) == len(set(executed))
    assert set(published) <= set(executed)
    assert len(published) == len(set(published))
    return len(executed) - len(published)


def time_of_a_run(signer):
    """The shortest of three, so that most of the moments drawn from it come before the end."""
    times = []
    for _ in range(3):
        folder, _ = signer.bundle()
        start = time.monotonic()
        signer.sign(folder)
        times.append(time.monotonic() - start)
    return min(times), len(times)


@pytest.mark.slow
def test_killed_at_random_moments(signer, durable_vault):
    whole, others = time_of_a_run(signer)
    chance = random.Random(SEED)
    published, killed, acknowledged_count = [], 0, 0
    while killed < ROUNDS:
        number = len(published)
        assert number < 10 * ROUNDS, f"only {killed} of {number} runs were killed in time"
        folder, run_id = signer.bundle(f"round {number}".encode())
        settings = signer.factory.environment(**signer.settings)
        child = signer.factory.start(f"round-{number}", [signer.binary, "sign", folder], settings)
        try:
            child.popen.wait(chance.uniform(0.0, whole))
        except subprocess.TimeoutExpired:
            child.signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
        acknowledged = '"status":"completed"' in child.output()
        acknowledged_count += acknowledged
        published.append(check_healed(signer, folder, run_id, acknowledged))
    check_chain(signer)
    orphans = check_ledger(durable_vault, published) - others
    runs = len(published)
    print(f"{runs} runs: {killed} killed, {acknowledged_count} acknowledged, {orphans} orphans")
    assert 0 <= orphans <= killed


def traced(signer, name, folder, *options):
    """Runs `signer sign` under strace; returns the child and the path of the trace."""
    trace = signer.factory.folder / f"{name}.trace"
    settings = signer.factory.environment(**{**signer.settings, **NO_LEAK_CHECK})
    command = ["strace", "-f", "-y", "-s", "64", "-o", trace, *options]
    program = signer.factory.traceable("signer")
    child = signer.factory.run(name, [*command, program, "sign", folder], settings)
    return child, trace


@needs_trace
@pytest.mark.parametrize("call", DURABLE)
def test_killed_at_each_call(signer, durable_vault, call):
    """The nth such call is where it dies, for n = 1, 2, ... until it gets through."""
    published = []
    for number in range(1, 200):
        folder, run_id = signer.bundle(f"{call} {number}".encode())
        option = f"inject={call}:signal=KILL:when={number}"
        child, _ = traced(signer, f"{call}-{number}", folder, "-e", f"trace={call}", "-e", option)
        published.append(
            check_healed(signer, folder, run_id, '"status":"completed"' in child.output())
        )
        if child.code == 0:
            break
    else:
        pytest.fail(f"never got through {call}")
    assert number > 1, f"{call} was never called"
    check_chain(signer)
    check_ledger(durable_vault, published)


def steps_of(trace, folder, audit_log):
    """The durable steps in their order, each by a name."""
    named = [
        ("audit-write", rf'write\(\d+<{audit_log}>, "\{{\\"action\\":\\"(MANIFEST_\w+)'),
        ("audit-fsync", rf"fsync\(\d+<{audit_log}>\)"),
        ("send", r'sendto\(\d+<[^>]*>, "POST /v1/transit/sign'),
        ("manifest-fsync", rf"fsync\(\d+<{folder}/\.manifest\.json\.signing>\)"),
        ("rename", rf'rename\("{folder}/\.manifest\.json\.signing", "{folder}/manifest\.json"\)'),
        ("folder-fsync", rf"fsync\(\d+<{folder}>\)"),
    ]
    steps = []
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        for name, pattern in named:
            found = re.search(pattern, line)
            if found:
                steps.append(":".join([name, *found.groups()]))
    return steps


@needs_trace
def test_each_step_is_durable_before_the_next(signer, durable_vault):
    """SIGKILL does not show a missing fsync; the order of the calls does."""
    first, _ = signer.bundle()
    signer.sign(first)
    folder, _ = signer.bundle(b"traced")
    calls = "trace=write,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg"
    child, trace = traced(signer, "order", folder, "-e", calls)
    assert child.code == 0, child.errors()
    audit_log = re.escape(str(signer.audit_log))
    assert steps_of(trace, re.escape(str(folder)), audit_log) == [
        "audit-write:MANIFEST_SIGNING_STARTED",
        "audit-fsync",
        "send",
        "audit-write:MANIFEST_SIGNED",
        "audit-fsync",
        "manifest-fsync",
        "rename",
        "folder-fsync",
    ]


def test_a_manifest_that_a_crash_kept_back_is_written_from_the_trail(signer, durable_vault):
    folder, run_id = signer.bundle()
    signer.sign(folder)
    manifest = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").rename(folder / ".manifest.json.signing")
    durable_vault.process.kill()
    result = signer.sign(folder)
    assert result["already"] and result["signingMode"] == "vault"
    assert (folder / "manifest.json").read_bytes() == manifest
    assert [e["action"] for e in entries_of(signer, run_id)].count("MANIFEST_SIGNED") == 1


def test_a_start_without_an_end_is_ended_as_interrupted(signer, durable_vault):
    folder, run_id = signer.bundle()
    signer.sign(folder)
    lines = signer.audit_log.read_bytes().splitlines(keepends=True)
    signer.audit_log.write_bytes(lines[0] + lines[1][:40])
    (folder / "manifest.json").unlink()
    signer.sign(folder)
    entries = entries_of(signer, run_id)
    assert [entry["action"] for entry in entries] == [
        "MANIFEST_SIGNING_STARTED",
        "MANIFEST_SIGNING_FAILED",
        "MANIFEST_SIGNING_STARTED",
        "MANIFEST_SIGNED",
    ]
    payload = entries[1]["payload"]
    assert (payload["class"], payload["reason"]) == ("interrupted", "interrupted")
    assert entries[0]["id"] in payload["message"]
    check_chain(signer)


def test_two_at_once_sign_once(signer, durable_vault):
    folder, run_id = signer.bundle()
    settings = signer.factory.environment(**signer.settings)
    argv = [signer.binary, "sign", folder]
    children = [signer.factory.start(f"racer-{i}", argv, settings) for i in range(4)]
    codes = [child.wait() for child in children]
    assert 0 in codes
    for code, child in zip(codes, children, strict=True):
        result = json.loads(child.output())
        assert code == 0 or result["error"]["code"] == "bundle_busy"
    actions = [entry["action"] for entry in entries_of(signer, run_id)]
    assert actions == ["MANIFEST_SIGNING_STARTED", "MANIFEST_SIGNED"]
    check_chain(signer)
