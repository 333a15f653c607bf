"""The services' runs: signed once, whatever clients and crashes do."""

import contextlib
import os
import random
import signal
import socket
import threading
import uuid

import pytest
import requests
from harness import eventually, request_body

KILL_ROUNDS = int(os.environ.get("HARNESS_KILL_ROUNDS", "10"))


def actions(signer, run_id):
    return [entry["action"] for entry in signer.audit(run_id)]


def signatures_made(vault):
    """Sign operations that the server executed, whatever it told its client."""
    asked = {r["seq"] for r in vault.journal("request") if "/sign/" in r["path"]}
    return [r for r in vault.journal("reply") if r["request"] in asked and r["executed"]]


def verify(signer, service, run_id):
    """The manifest that the service hands out holds under the pin."""
    path = signer.folder / f"{run_id}.manifest.json"
    answer = service.manifest(run_id)
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    child = signer.run("verify", path)
    assert child.code == 0, child.errors()
    return answer.json()


def at_once(count, call):
    """Calls from `count` threads that start together; returns the results."""
    barrier = threading.Barrier(count)
    results, errors = [], []

    def go():
        barrier.wait()
        try:
            results.append(call())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=go) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return results


@pytest.fixture
def deaf_vault():
    """Takes connections and never answers: a Vault that hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_run_is_signed_and_told(signer, durable_vault):
    service = signer.serve()
    body = request_body()
    posted = service.post(body)
    assert posted.status_code == 202
    assert posted.headers["Location"] == f"/api/v1/bundles/{body['bundleRunId']}"
    run = service.run(body["bundleRunId"], wait=30)
    assert run["status"] == "completed"
    assert run["signing"] == {"mode": "vault", "attempts": 1}
    assert [e["type"] for e in run["events"]] == [
        "RUN_STARTED",
        "MANIFEST_SIGNED",
        "RUN_COMPLETED",
    ]
    manifest = verify(signer, service, run["id"])
    assert manifest["bundleRunId"] == run["id"]
    assert manifest["metadata"]["signing"]["mode"] == "vault"
    actors = {(e["actor"]["type"], e["actor"]["id"]) for e in signer.audit(run["id"])}
    assert actors == {("automation", "api")}
    assert len(signatures_made(durable_vault)) == 1


def test_fifty_equal_requests_make_one_signature(signer, durable_vault):
    service = signer.serve()
    body = request_body()
    answers = at_once(50, lambda: service.post(body))
    assert {a.status_code for a in answers} == {202}
    assert {a.json()["id"] for a in answers} == {body["bundleRunId"]}
    assert service.run(body["bundleRunId"], wait=30)["status"] == "completed"
    assert actions(signer, body["bundleRunId"]) == ["MANIFEST_SIGNING_STARTED", "MANIFEST_SIGNED"]
    assert len(signatures_made(durable_vault)) == 1
    assert service.metrics()['signing_total{mode="vault"}'] == 1


def test_fifty_who_wait_are_all_told(signer):
    service = signer.serve()
    body = request_body()
    service.post(body)
    runs = at_once(50, lambda: service.run(body["bundleRunId"], wait=30))
    assert {run["status"] for run in runs} == {"completed"}


def test_the_same_id_with_other_content_is_a_conflict(signer):
    service = signer.serve()
    body = request_body()
    run_id = body["bundleRunId"]
    assert service.post(body).status_code == 202
    refused = service.post({**body, "operatorId": "somebody-else"})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "conflict"
    assert run_id in refused.json()["error"]["message"]
    del body["metadata"]  # its default
    assert service.post(body).status_code == 202
    assert service.run(run_id, wait=30)["status"] == "completed"
    assert service.post(body).json()["status"] == "completed"


def test_a_blocked_run_is_retried_until_vault_is_back(signer, durable_vault):
    service = signer.serve()
    durable_vault.call("PUT", "sys/seal")
    run = service.sign()
    assert run["status"] == "blocked"
    assert run["error"]["code"] == "vault_unavailable"
    assert "signing" not in run
    assert service.manifest(run["id"]).status_code == 404
    assert service.retry(run["id"]).status_code == 202
    assert service.run(run["id"], wait=30)["status"] == "blocked"
    durable_vault.unseal()
    assert service.retry(run["id"]).status_code == 202
    run = service.run(run["id"], wait=30)
    assert run["status"] == "completed"
    assert run["signing"]["mode"] == "vault"
    assert "error" not in run
    again = service.retry(run["id"])
    assert again.status_code == 409
    assert again.json()["error"]["message"] == f'cannot retry run "{run["id"]}": it is completed'
    assert actions(signer, run["id"]) == [
        "MANIFEST_SIGNING_STARTED",
        "MANIFEST_SIGNING_FAILED",
    ] * 2 + ["MANIFEST_SIGNING_STARTED", "MANIFEST_SIGNED"]
    verify(signer, service, run["id"])


def test_a_blocked_run_is_taken_up_by_the_next_start(signer, durable_vault):
    service = signer.serve()
    durable_vault.call("PUT", "sys/seal")
    run = service.sign()
    assert run["status"] == "blocked"
    assert service.process.stop() == 0
    durable_vault.unseal()
    service = signer.serve()
    assert service.run(run["id"], wait=30)["status"] == "completed"
    assert "event=run_taken_up" in service.process.errors()


def test_the_worker_signs_under_its_own_name(signer):
    worker = signer.serve("worker")
    run = worker.sign()
    assert run["status"] == "completed"
    assert {e["actor"]["id"] for e in signer.audit(run["id"])} == {"worker"}


def test_two_services_do_not_sign_one_bundle_twice(signer, durable_vault):
    services = [signer.serve("api"), signer.serve("worker")]
    body = request_body()
    for service in services:
        assert service.post(body).status_code == 202
    states = {s.run(body["bundleRunId"], wait=30)["status"] for s in services}
    # whoever came second may have been told that the other is at it
    assert "completed" in states and states <= {"completed", "blocked"}
    for service in services:
        if service.run(body["bundleRunId"])["status"] == "blocked":
            assert service.retry(body["bundleRunId"]).status_code == 202
            assert service.run(body["bundleRunId"], wait=30)["status"] == "completed"
    assert actions(signer, body["bundleRunId"]).count("MANIFEST_SIGNED") == 1
    manifests = {s.manifest(body["bundleRunId"]).content for s in services}
    assert len(manifests) == 1


def test_fallback_is_told_counted_and_warned_of(signer, durable_vault):
    signer.allow_fallback()
    service = signer.serve()
    assert "ALLOW_FALLBACK_SIGNING=true" in service.process.errors()
    assert "event=fallback_on" in service.process.errors()
    durable_vault.call("PUT", "sys/seal")
    run = service.sign()
    assert run["status"] == "completed"
    assert run["signing"] == {"mode": "fallback", "reason": "sealed", "attempts": 3}
    metrics = service.metrics()
    assert metrics["signing_fallback_active"] == 1
    assert metrics['signing_total{mode="fallback"}'] == 1
    assert metrics['signing_attempts_total{class="sealed"}'] == 3
    assert metrics["signing_backoff_seconds_count"] == 2
    assert service.request("GET", "/healthz").json()["fallback"]["active"] is True
    durable_vault.unseal()
    assert service.sign()["signing"]["mode"] == "vault"
    assert service.metrics()["signing_fallback_active"] == 0


def test_a_hanging_vault_holds_up_nothing_but_its_runs(signer, deaf_vault):
    service = signer.serve(
        flags=["-threads=1", "-queue=1"],
        VAULT_ADDR=deaf_vault,
        SIGNER_ATTEMPT_TIMEOUT_MS=60000,
        SIGNER_TOTAL_TIMEOUT_MS=60000,
    )
    first = service.post(request_body()).json()["id"]
    eventually(lambda: service.run(first)["status"] == "running", what="the first run")
    second = service.post(request_body())
    assert second.status_code == 202
    assert service.request("GET", "/healthz").json()["runs"]["queued"] == 1
    refused = service.post(request_body())
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"]["message"] == "1 runs wait already, try again later"
    waited = service.run(first, wait=1)
    assert waited["status"] == "running"
    service.process.kill()


def test_a_stop_waits_for_what_runs_and_keeps_the_rest(signer, deaf_vault):
    service = signer.serve(
        flags=["-threads=1"],
        VAULT_ADDR=deaf_vault,
        SIGNER_ATTEMPTS=1,
        SIGNER_ATTEMPT_TIMEOUT_MS=3000,
        SIGNER_TOTAL_TIMEOUT_MS=4000,
    )
    first = service.post(request_body()).json()["id"]
    eventually(lambda: service.run(first)["status"] == "running", what="the first run")
    second = service.post(request_body()).json()["id"]
    with socket.create_connection(("127.0.0.1", service.port)) as waiter:
        request = (
            f"GET /api/v1/bundles/{first} HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=30\r\n\r\n"
        )
        waiter.sendall(request.encode())
        service.run(second)  # answered after the waiting request was read
        service.process.signal(signal.SIGTERM)
        told = waiter.makefile("rb").read()
    assert b'"status":"blocked"' in told
    assert service.process.wait() == 0
    service = signer.serve()  # with the Vault that works
    for run_id in (first, second):
        assert service.run(run_id, wait=30)["status"] == "completed"


def test_a_second_signal_puts_what_runs_back_to_pending(signer, deaf_vault):
    service = signer.serve(
        flags=["-threads=8"],  # those that are idle are not unfinished, woken up or not
        VAULT_ADDR=deaf_vault,
        SIGNER_ATTEMPT_TIMEOUT_MS=60000,
        SIGNER_TOTAL_TIMEOUT_MS=60000,
    )
    run_id = service.post(request_body()).json()["id"]
    eventually(lambda: service.run(run_id)["status"] == "running", what="the run")
    service.process.signal(signal.SIGINT)
    eventually(lambda: "event=stopping" in service.process.errors(), what="the stop")
    service.process.signal(signal.SIGINT)
    assert service.process.wait() == 0
    assert "event=stopped unfinished=1" in service.process.errors()
    stored = (service.data / "runs" / f"{run_id}.json").read_text()
    assert '"status":"pending"' in stored
    assert signer.serve().run(run_id, wait=30)["status"] == "completed"


def post_until_killed(service, bodies, accepted):
    for body in bodies:
        with contextlib.suppress(requests.RequestException):
            if service.post(body).status_code == 202:
                accepted.append(body["bundleRunId"])


def test_eight_clients_through_seal_and_unseal(signer, durable_vault):
    """Some ask for the same; whatever the seal does meanwhile, each bundle is signed once."""
    service = signer.serve()
    bodies = [request_body() for _ in range(24)]
    statuses = set()

    def client(number):
        order = random.Random(number).sample(bodies, 12)
        for body in order:
            answer = service.post(body)
            statuses.add(answer.status_code)
            if answer.status_code == 202:
                service.run(body["bundleRunId"], wait=30)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in clients:
        thread.start()
    while any(thread.is_alive() for thread in clients):
        durable_vault.call("PUT", "sys/seal")
        clients[0].join(0.05)
        durable_vault.unseal()
        clients[-1].join(0.05)
    assert statuses <= {202, 503}
    for body in bodies:
        run_id = body["bundleRunId"]
        assert service.post(body).status_code == 202
        if service.run(run_id, wait=30)["status"] == "blocked":
            assert service.retry(run_id).status_code == 202
        assert service.run(run_id, wait=30)["status"] == "completed"
        assert actions(signer, run_id).count("MANIFEST_SIGNED") == 1
    assert service.process.stop() == 0


@pytest.mark.slow
def test_kill_9_loses_no_run_and_signs_none_twice(signer, durable_vault):
    """Killed at a random moment while it takes and signs runs; each ends completed, once."""
    rng = random.Random(os.environ.get("HARNESS_SEED", "1"))
    everything = []
    for round_number in range(KILL_ROUNDS):
        service = signer.serve()
        bodies = [request_body() for _ in range(6)]
        accepted = []
        poster = threading.Thread(target=post_until_killed, args=(service, bodies, accepted))
        poster.start()
        poster.join(rng.uniform(0, 0.25))
        service.process.kill()
        poster.join()
        everything += [(round_number, run_id) for run_id in accepted]
    service = signer.serve()
    for round_number, run_id in everything:
        run = service.run(run_id, wait=30)
        assert run["status"] == "completed", (round_number, run)
        assert actions(signer, run_id).count("MANIFEST_SIGNED") == 1, (round_number, run_id)
        verify(signer, service, run_id)
    assert service.process.stop() == 0
    left = [p.name for p in service.data.rglob("*.json.*")]
    assert left == []


def test_a_damaged_run_is_left_alone_and_told(signer):
    service = signer.serve()
    good = service.sign()["id"]
    service.process.kill()
    bad = str(uuid.uuid4())
    (service.data / "runs" / f"{bad}.json").write_text('{"version":1')
    service = signer.serve()
    assert service.run(good)["status"] == "completed"
    answer = service.request("GET", f"/api/v1/bundles/{bad}")
    assert answer.status_code == 500
    assert f"{bad}.json" in service.process.errors()
    assert (service.data / "runs" / f"{bad}.json").read_text() == '{"version":1'
