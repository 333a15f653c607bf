"""A service killed at each call that makes something durable, and the order of those calls.

Whatever it was doing: what it acknowledged is there, and after one more start each run is
completed, signed once.
"""

import contextlib
import re

import pytest
import requests
from harness import eventually, request_body
from harness.tracing import NO_LEAK_CHECK, needs_trace

pytestmark = needs_trace


def serve_traced(signer, trace, *options):
    return signer.serve(
        under=["strace", "-f", "-y", "-s", "200", "-o", trace, *options],
        flags=["-threads=1"],
        binary=signer.factory.traceable("signer"),
        **NO_LEAK_CHECK,
    )


def live_until_killed(signer, trace, call, number, body):
    """Returns whether the run was accepted, and whether it came to its end."""
    inject = f"inject={call}:signal=KILL:when={number}"
    accepted = completed = False
    # dies before it is ready, before it answers, or while somebody waits
    with contextlib.suppress(AssertionError, requests.RequestException):
        service = serve_traced(signer, trace, "-e", f"trace={call}", "-e", inject)
        accepted = service.post(body).status_code == 202
        completed = service.run(body["bundleRunId"], wait=30)["status"] == "completed"
        service.process.kill()
    return accepted, completed


def check_healed(signer, body, accepted):
    run_id = body["bundleRunId"]
    service = signer.serve()
    if accepted:
        assert service.run(run_id)["id"] == run_id, "acknowledged, then lost"
    assert service.post(body).status_code == 202
    assert service.run(run_id, wait=30)["status"] == "completed"
    actions = [entry["action"] for entry in signer.audit(run_id)]
    assert actions.count("MANIFEST_SIGNED") == 1, actions
    ends = actions.count("MANIFEST_SIGNED") + actions.count("MANIFEST_SIGNING_FAILED")
    assert actions.count("MANIFEST_SIGNING_STARTED") == ends, actions
    manifest = signer.folder / "healed.json"
    manifest.write_bytes(service.manifest(run_id).content)
    assert signer.run("verify", manifest).code == 0
    assert service.process.stop() == 0
    names = [p.name for kind in ("runs", "manifests") for p in (service.data / kind).iterdir()]
    assert all(name.endswith(".json") and name[0] != "." for name in names), names


@pytest.mark.slow
@pytest.mark.parametrize("call", ["fsync", "rename", "link", "unlink", "flock"])
def test_killed_at_each_call(signer, call):
    """The nth such call of a thread is where it dies, for n = 1, 2, ... until none is left."""
    trace = signer.factory.folder / "kill.trace"
    for number in range(1, 60):
        body = request_body()
        accepted, completed = live_until_killed(signer, trace, call, number, body)
        check_healed(signer, body, accepted)
        if completed:
            break
    else:
        pytest.fail(f"never got through {call}")
    assert number > 1, f"{call} was never called"


def steps_of(trace, named):
    """The calls that a name is known for, in their order."""
    steps = []
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        steps += [name for name, pattern in named if re.search(pattern, line)]
    return steps


def test_each_state_is_durable_before_it_is_told(signer):
    """SIGKILL does not show a missing fsync; the order of the calls does."""
    trace = signer.factory.folder / "order.trace"
    body = request_body()
    run_id = body["bundleRunId"]
    calls = "trace=fsync,rename,link,sendto,sendmsg,writev,write"
    service = serve_traced(signer, trace, "-e", calls)
    assert service.post(body).status_code == 202
    assert service.run(run_id, wait=30)["status"] == "completed"
    service.process.kill()
    runs = re.escape(str(service.data / "runs"))
    named = [
        ("write run", rf"fsync\(\d+<{runs}/{run_id}\.json\.\w+>"),
        ("create", rf'link\("{runs}/{run_id}\.json\.\w+", "{runs}/{run_id}\.json"'),
        ("replace", rf'rename\("{runs}/{run_id}\.json\.\w+", "{runs}/{run_id}\.json"'),
        ("sync folder", rf"fsync\(\d+<{runs}>"),
        ("tell 202", r'"HTTP/1\.1 202 Accepted'),
        ("tell completed", r'"status\\":\\"completed\\"'),
    ]
    eventually(lambda: "tell completed" in steps_of(trace, named), what="the whole trace")
    steps = steps_of(trace, named)
    created = ["write run", "create", "sync folder"]
    assert steps[:3] == created
    assert steps.index("tell 202") > 2
    steps.remove("tell 202")  # the thread may have gone on meanwhile
    saved = ["write run", "replace", "sync folder"]
    assert steps == [*created, *saved, *saved, "tell completed"]
