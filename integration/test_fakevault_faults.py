"""Every fault of fakevault does on the wire what its name says, and no more."""

import base64
import concurrent.futures
import contextlib
import re
import socket
import threading
import time

import pytest
from harness import FakeVault, Raw, eventually

SIGN = "/v1/transit/sign/docugen-manifest"
INPUT = base64.b64encode(b"hello").decode()
BODY = b'{"input":"' + INPUT.encode() + b'"}'


@pytest.fixture
def vault(dev_vault):
    dev_vault.control("POST", "/reset")
    return dev_vault


@pytest.fixture
def connections(vault):
    """Opens raw connections that are closed with the test."""
    opened = []

    def connect():
        opened.append(Raw(vault.port))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def sign(connection, **headers):
    connection.request("POST", SIGN, BODY, X_Vault_Token=FakeVault.TOKEN, **headers)


def signed(vault):
    return vault.api("POST", "transit/sign/docugen-manifest", {"input": INPUT}).status_code


def held(vault, count):
    eventually(lambda: vault.state()["hold"]["held"] == count, what=f"{count} held requests")


def reply_of(vault, test):
    """The reply record of the request with this X-Fakevault-Test."""
    records = vault.journal()
    requests = [r for r in records if r["kind"] == "request" and r.get("test") == test]
    assert len(requests) == 1
    replies = [r for r in records if r["kind"] == "reply" and r["request"] == requests[0]["seq"]]
    return replies[0] if replies else None


# ---- refuse


def test_refuse_resets_a_pooled_connection_and_refuses_new_ones(vault, connections):
    pooled = connections()
    sign(pooled)
    assert pooled.answer()[0] == 200
    vault.ctl("refuse")
    with pytest.raises(ConnectionResetError):
        pooled.answer()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", vault.port))
    assert vault.state()["listener"]["accepting"] is False
    vault.ctl("accept")
    assert signed(vault) == 200
    assert "reset" in [r.get("how") for r in vault.journal("conn")]


CLOSINGS = {
    "refuse": ("POST", "/listener", {"accept": False}),
    "drain": ("POST", "/listener", {"accept": False, "drain": True}),
    "rule": ("POST", "/faults", {"id": "down", "effect": {"refuse": True}}),
}
OPENINGS = {
    "accept": ("POST", "/listener", {"accept": True}),
    "reset": ("POST", "/reset", None),
}


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("second", ["refuse", "drain"])
@pytest.mark.parametrize("first", CLOSINGS)
def test_a_listener_that_was_closed_twice_opens_again(vault, connections, first, second, opening):
    client = connections()
    assert vault.control(*CLOSINGS[first])[0] == 200
    if first == "rule":
        sign(client)
        with pytest.raises(ConnectionResetError):
            client.answer()
    assert vault.control(*CLOSINGS[second])[0] == 200
    vault.control("DELETE", "/faults")
    assert vault.state()["listener"]["accepting"] is False
    assert vault.control(*OPENINGS[opening])[0] == 200
    assert signed(vault) == 200


def test_a_refuse_rule_resets_the_request_that_it_took(vault, connections):
    other, taken = connections(), connections()
    assert other.call("GET", "/v1/sys/seal-status")[0] == 200
    rule = {"id": "down", "trigger": {"times": 1}, "effect": {"refuse": True}}
    assert vault.control("POST", "/faults", rule)[0] == 200
    sign(taken, X_Fakevault_Test="taken")
    for connection in (taken, other):
        with pytest.raises(ConnectionResetError):
            connection.answer()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", vault.port))
    reply = eventually(lambda: reply_of(vault, "taken"), what="its reply record")
    assert (reply["end"], reply["status"], reply["executed"]) == ("reset", 0, False)
    # a rule that goes takes along what it did
    assert vault.control("DELETE", "/faults/down")[0] == 200
    assert signed(vault) == 200


def test_a_refuse_rule_that_went_while_its_request_was_held_closes_nothing(vault, connections):
    client = connections()
    vault.ctl("hang")
    vault.control("POST", "/faults", {"id": "down", "effect": {"refuse": True}})
    sign(client, X_Fakevault_Test="late")
    held(vault, 1)
    vault.control("DELETE", "/faults/down")
    vault.ctl("resume")
    with pytest.raises((EOFError, ConnectionResetError)):
        client.answer()
    assert vault.state()["listener"]["accepting"] is True
    assert signed(vault) == 200


def test_drain_lets_the_held_request_finish(vault, connections):
    busy, idle = connections(), connections()
    assert idle.call("GET", "/v1/sys/seal-status")[0] == 200
    vault.ctl("hang")
    sign(busy)
    held(vault, 1)
    status, answer = vault.control("POST", "/listener", {"accept": False, "drain": True})
    assert (status, answer["reset"], answer["draining"]) == (200, 1, 1)
    with pytest.raises(ConnectionResetError):
        idle.answer()
    vault.ctl("resume")
    status, headers, _ = busy.answer()
    assert (status, headers["connection"]) == (200, "close")
    with pytest.raises(EOFError):
        busy.answer()


# ---- hold


def test_hang_holds_and_resume_executes(vault, connections):
    clients = [connections() for _ in range(5)]
    vault.ctl("hang")
    for number, client in enumerate(clients):
        sign(client, X_Fakevault_Test=f"held-{number}")
    held(vault, 5)
    assert not any(reply_of(vault, f"held-{number}") for number in range(5))
    vault.ctl("resume")
    for client in clients:
        assert client.answer()[0] == 200
    for number in range(5):
        reply = eventually(lambda n=number: reply_of(vault, f"held-{n}"), what="a reply record")
        assert (reply["executed"], reply["key_version"]) == (True, 1)


def test_a_client_that_hangs_up_while_held_is_not_served(vault, connections):
    leaver, stayer = connections(), connections()
    vault.ctl("hang")
    sign(leaver, X_Fakevault_Test="left")
    sign(stayer, X_Fakevault_Test="stayed")
    held(vault, 2)
    leaver.close()
    held(vault, 1)
    reply = eventually(lambda: reply_of(vault, "left"), what="its reply record")
    assert (reply["end"], reply["executed"]) == ("dropped", False)
    vault.ctl("resume")
    assert stayer.answer()[0] == 200


def test_what_has_hung_up_is_not_executed_when_resume_follows_at_once(vault, connections):
    clients = [connections() for _ in range(100)]
    vault.ctl("hang")
    with contextlib.closing(Raw.unix(vault.admin)) as admin:
        for number, client in enumerate(clients):
            sign(client, X_Fakevault_Test=f"gone-{number}")
        held(vault, len(clients))
        for client in clients:
            client.close()
        admin.request("POST", "/hold", b'{"hold":false}')
        assert admin.answer()[0] == 200
    for number in range(len(clients)):
        reply = eventually(lambda n=number: reply_of(vault, f"gone-{n}"), what="a reply record")
        assert (reply["end"], reply["executed"]) == ("dropped", False)


def test_a_held_request_meets_the_vault_as_it_is_on_resume(vault, connections):
    client = connections()
    vault.ctl("hang")
    sign(client)
    held(vault, 1)
    vault.ctl("seal")
    vault.ctl("resume")
    status, _, body = client.answer()
    assert (status, body) == (503, b'{"errors":["Vault is sealed"]}\n')


def test_a_hold_rule_lets_go_when_its_lease_ends(vault, connections):
    client = connections()
    begun = time.monotonic()
    vault.control("POST", "/faults", {"lease_ms": 300, "effect": {"hold": True}})
    sign(client)
    assert client.answer()[0] == 200
    assert time.monotonic() - begun >= 0.3
    assert vault.state()["rules"] == []
    assert "expire" in [r["verb"] for r in vault.journal("control")]


def test_control_answers_while_two_hundred_requests_are_held(vault, connections):
    clients = [connections() for _ in range(200)]
    vault.ctl("hang")
    for client in clients:
        sign(client)
    held(vault, 200)
    calls = [
        ("GET", "/state", None),
        ("POST", "/faults", {"id": "a", "effect": {"hold": True}}),
        ("GET", "/faults", None),
        ("DELETE", "/faults/a", None),
        ("POST", "/seal", None),
        ("POST", "/hold", {"hold": True}),
        ("GET", "/healthz", None),
    ]
    for method, path, body in calls:
        assert vault.control(method, path, body)[0] == 200
    status, answer = vault.control("POST", "/reset")
    assert (status, answer["released"]) == (200, 200)
    assert {client.answer()[0] for client in clients} == {503}  # it was sealed meanwhile


# ---- respond


def test_respond_k_times_is_exact_under_eight_clients(vault):
    wanted, each = 13, 10
    vault.ctl("respond", "503", f"-times={wanted}", "-error=Vault is sealed")

    def client(_):
        connection = Raw(vault.port)
        try:
            statuses = []
            for _ in range(each):
                sign(connection)
                statuses.append(connection.answer()[0])
            return statuses
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = [status for part in pool.map(client, range(8)) for status in part]
    assert (statuses.count(503), statuses.count(200)) == (wanted, 8 * each - wanted)
    (rule,) = vault.state()["rules"]
    assert (rule["hits"], rule["matched"]) == (wanted, 8 * each)
    taken = [r for r in vault.journal("request") if "rule" in r]
    assert len(taken) == wanted
    assert vault.journal("request") != [] and signed(vault) == 200


def test_respond_says_what_it_was_told(vault, connections):
    client = connections()
    rule = {
        "match": {"path": "*"},
        "trigger": {"times": 1},
        "effect": {
            "respond": {"status": 429, "body": "<slow>", "headers": {"Retry-After": "7"}},
        },
    }
    vault.control("POST", "/faults", rule)
    client.request("GET", "/v1/sys/health")
    status, headers, body = client.answer()
    assert (status, headers["retry-after"], body) == (429, "7", b"<slow>")
    assert headers["cache-control"] == "no-store"
    client.request("GET", "/v1/sys/health")
    assert client.answer()[0] == 200


def test_a_health_poller_does_not_eat_a_rule(vault, connections):
    client = connections()
    vault.ctl("respond", "500", "-times=1")
    for _ in range(5):
        client.request("GET", "/v1/sys/health")
        assert client.answer()[0] == 200
    assert [signed(vault), signed(vault)] == [500, 200]


def test_an_injected_answer_is_not_executed(vault, connections):
    client = connections()
    vault.ctl("respond", "500", "-times=1")
    sign(client, X_Fakevault_Test="t", X_Signer_Attempt="2")
    assert client.answer()[0] == 500
    reply = eventually(lambda: reply_of(vault, "t"), what="its reply record")
    assert (reply["executed"], reply["status"], reply["end"]) == (False, 500, "sent")
    (request,) = [r for r in vault.journal("request") if r.get("test") == "t"]
    assert (request["attempt"], request["key"]) == (2, "docugen-manifest")


# ---- seal, crash


def test_a_seal_rule_seals_and_the_request_meets_it(vault, connections):
    client = connections()
    vault.control("POST", "/faults", {"effect": {"seal": True}, "trigger": {"times": 1}})
    sign(client)
    status, _, body = client.answer()
    assert (status, body) == (503, b'{"errors":["Vault is sealed"]}\n')
    assert vault.state()["vault"]["sealed"] is True


def test_crash_delivers_its_answer_and_is_a_sigkill(vault):
    status, answer = vault.control("POST", "/crash")
    assert status == 202 and answer["boot_id"] == vault.process.ready_line["boot_id"]
    assert vault.process.wait() == -9
    assert vault.journal("control")[-1]["verb"] == "crash"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", vault.port))


def test_a_crash_rule_kills_before_the_request_is_executed(vault, connections):
    client = connections()
    vault.control("POST", "/faults", {"effect": {"crash": True}})
    sign(client, X_Fakevault_Test="fatal")
    with pytest.raises((EOFError, ConnectionResetError)):
        client.answer()
    assert vault.process.wait() == -9
    assert reply_of(vault, "fatal") is None
    assert vault.journal("control")[-1]["detail"] == {"rule": "r1"}


# ---- bytes that are no request


POST = b"POST /v1/x HTTP/1.1\r\nHost: x\r\n"
HOSTILE = {
    "garbage": b"\x00\xff\x16\x03\x01 nonsense\r\n\r\n",
    "endless line": b"GET /" + b"a" * (1 << 20),
    "endless header": b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nX: " + b"b" * (1 << 20),
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 9\r\n\r\n",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "half a request": POST + b"Content-Length: 100\r\n\r\n{",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_harm_nobody_else(vault, connections, name):
    attackers = [connections() for _ in range(4)]
    for attacker in attackers:
        try:
            attacker.send(HOSTILE[name])
            attacker.socket.shutdown(socket.SHUT_WR)
        except OSError:
            continue  # it was hung up on already
    assert signed(vault) == 200
    assert vault.state()["vault"]["sealed"] is False


def test_slow_clients_do_not_keep_others_waiting(vault, connections):
    slow = [connections() for _ in range(64)]
    for client in slow:
        client.send(b"POST /v1/transit/sign/docugen-manifest HTTP/1.1\r\nHos")
    assert signed(vault) == 200
    for client in slow:
        client.send(b"t: x\r\nX-Vault-Token: root\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
    assert {client.answer()[0] for client in slow} == {200}


def test_a_body_over_the_limit_is_read_and_refused(vault, connections):
    client = connections()
    size = (32 << 20) + 1
    client.send(
        b"POST /v1/transit/sign/docugen-manifest HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n"
        b"Content-Length: %d\r\n\r\n" % size
    )
    client.send(b"x" * size)
    assert client.answer()[0] in (400, 413)
    assert signed(vault) == 200


# ---- all at once


def hammer(vault, stop):
    """Signs on one connection after another until told to stop; faults are expected."""
    statuses = set()
    while not stop.is_set():
        try:
            with contextlib.closing(Raw(vault.port)) as connection:
                while not stop.is_set():
                    sign(connection)
                    statuses.add(connection.answer()[0])
        except (OSError, EOFError):
            continue
    return statuses


def test_every_control_under_load_leaves_a_whole_ledger(dev_vault):
    vault, stop = dev_vault, threading.Event()
    unseal_key = re.search(r"Unseal Key: (\S+)", vault.process.output())[1]
    rules = [{"trigger": {"ppm": 300000}, "effect": {"respond": {"status": 500, "errors": []}}}]
    controls = [
        ("PUT", "/faults", rules),
        ("POST", "/seal", None),
        ("POST", "/listener", {"accept": False}),
        ("POST", "/unseal", {"shares": [unseal_key]}),
        ("POST", "/listener", {"accept": True}),
        ("POST", "/hold", {"hold": True}),
        ("GET", "/state", None),
        ("POST", "/listener", {"accept": False, "drain": True}),
        ("POST", "/hold", {"hold": False}),
        ("POST", "/listener", {"accept": True}),
        ("POST", "/faults", {"lease_ms": 5, "effect": {"hold": True}}),
        ("POST", "/faults", {"trigger": {"times": 1}, "effect": {"refuse": True}, "lease_ms": 20}),
        ("POST", "/reset", None),
    ]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(hammer, vault, stop) for _ in range(8)]
        try:
            for _ in range(6):
                for method, path, body in controls:
                    assert vault.control(method, path, body)[0] == 200
            assert signed(vault) == 200
        finally:
            vault.control("POST", "/reset")
            stop.set()
        statuses = set().union(*(client.result() for client in clients))
    assert {200, 503} <= statuses <= {200, 500, 503}
    assert vault.process.stop() == 0
    records = vault.journal()
    requests = [r["seq"] for r in records if r["kind"] == "request"]
    assert sorted(r["request"] for r in records if r["kind"] == "reply") == requests
    opened = [r["conn"] for r in records if r["kind"] == "conn" and r["event"] == "accepted"]
    closed = [r["conn"] for r in records if r["kind"] == "conn" and r["event"] == "closed"]
    assert sorted(closed) == opened
