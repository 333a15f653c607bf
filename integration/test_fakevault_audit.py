"""Audit devices in real files: what is written, and what becomes of a request that cannot be."""

import concurrent.futures
import json
import os
import signal
import stat

import pytest
import requests
from harness import FakeVault, eventually, limits


@pytest.fixture
def vault(factory):
    return FakeVault.dev(factory)


def enable(vault, path, name="file", **options):
    body = {"type": "file", "options": {"file_path": str(path), **options}}
    return vault.api("PUT", f"sys/audit/{name}", body)


def entries(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_are_whole_private_and_without_secrets(vault, factory):
    log = factory.folder / "deep" / "audit.log"
    assert enable(vault, log).status_code == 204
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = [{"data": {"pin": f"secret-{i}" * 50}} for i in range(64)]
        answers = list(
            pool.map(lambda b: vault.api("POST", "secret/data/a", b).status_code, bodies)
        )
    assert answers == [200] * 64
    lines = entries(log)  # none is torn
    assert sum(line["type"] == "request" for line in lines[2:]) == 64
    assert sum(line["type"] == "response" for line in lines[2:]) == 64
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
    text = log.read_text(encoding="utf-8")
    assert "secret-" not in text and '"root"' in text and "remote_port" in text


def test_headers_are_written_when_they_are_asked_for(vault, factory):
    log = factory.folder / "audit.log"
    assert enable(vault, log).status_code == 204
    vault.call("PUT", "sys/config/auditing/request-headers/X-Shown")
    vault.call("PUT", "sys/config/auditing/request-headers/X-Hashed", {"hmac": True})
    headers = {"X-Vault-Token": "root", "x-shown": "here", "X-Hashed": "not here", "X-Other": "no"}
    requests.get(f"{vault.address}/v1/secret/config", headers=headers, timeout=limits.EVENT)
    (line,) = [e for e in entries(log)[-2:] if e["type"] == "request"]
    written = line["request"]["headers"]
    assert set(written) == {"x-shown", "x-hashed"} and written["x-shown"] == ["here"]
    assert written["x-hashed"][0].startswith("hmac-sha256:")


def test_a_file_that_was_moved_away_is_made_anew_on_a_hang_up_signal(vault, factory):
    log, old = factory.folder / "audit.log", factory.folder / "audit.log.1"
    assert enable(vault, log).status_code == 204
    log.rename(old)
    vault.call("GET", "secret/config")
    before = len(entries(old))
    vault.process.signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in vault.process.errors(), what="a line about the signal")
    vault.call("GET", "secret/config")
    assert [e["type"] for e in entries(log)] == ["request", "response"]
    assert len(entries(old)) == before


def test_a_full_disk_fails_requests_and_nothing_is_done(vault):
    answer = enable(vault, "/dev/full")
    assert answer.status_code == 400
    assert "failed test message" in answer.json()["errors"][0]
    assert enable(vault, "/dev/full", skip_test="true").status_code == 500  # enabled all the same
    answer = vault.api("POST", "secret/data/a", {"data": {"x": 1}})
    assert (answer.status_code, answer.json()) == (500, {"errors": ["internal error"]})
    assert vault.api("GET", "sys/health").status_code == 200
    (asked,) = [r for r in vault.journal("request") if r["path"] == "/v1/secret/data/a"]
    (record,) = [r for r in vault.journal("reply") if r["request"] == asked["seq"]]
    assert record["status"] == 500 and record["executed"] is False


def test_a_device_that_blocks_blocks_requests_but_not_control(vault, factory):
    fifo = factory.folder / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert enable(vault, fifo).status_code == 204
    os.close(reader)  # from here on nobody reads, and the file cannot be opened anew
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        held = [pool.submit(vault.api, "GET", "secret/config") for _ in range(4)]
        with pytest.raises(requests.exceptions.ReadTimeout):
            vault.api("GET", "secret/config", timeout=0.3)
        assert vault.api("GET", "sys/health").status_code == 200
        assert vault.state()["vault"]["sealed"] is False
        assert not any(f.done() for f in held)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            codes = sorted(f.result().status_code for f in held)
            assert codes[:3] == [200] * 3 and codes[3] in (200, 500)  # one met the broken pipe
        finally:
            os.close(reader)


def test_a_stop_does_not_wait_for_a_reader(vault, factory):
    fifo = factory.folder / "fifo"
    os.mkfifo(fifo)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        held = pool.submit(enable, vault, fifo)
        eventually(
            lambda: any(r["path"] == "/v1/sys/audit/file" for r in vault.journal("request")),
            what="a request that waits for the FIFO",
        )
        vault.process.stop()
        with pytest.raises((requests.exceptions.RequestException, AssertionError)):
            assert held.result().status_code == 204
