"""fakevault's control API and its client, and how the server starts and stops."""

import contextlib
import json
import os
import pathlib
import signal
import stat

import jsonschema
import pytest
import requests
from harness import FakeVault, Raw, eventually, limits


def test_stop_finishes_records_and_cleans_up(factory):
    port_file = factory.folder / "port"
    vault = FakeVault(factory, "-dev", "-dev-root-token-id=root", f"-port-file={port_file}")
    assert int(port_file.read_text()) == vault.port
    assert stat.S_IMODE(os.stat(vault.admin).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(vault.journal_file).st_mode) == 0o600
    with contextlib.closing(Raw(vault.port)) as idle, contextlib.closing(Raw(vault.port)) as held:
        assert idle.call("GET", "/v1/sys/seal-status")[0] == 200
        vault.ctl("hang")
        held.request("GET", "/v1/sys/seal-status")
        eventually(lambda: vault.state()["hold"]["held"] == 1, what="a held request")
        vault.process.signal(signal.SIGTERM)
        assert vault.process.wait() == 0
    assert not port_file.exists() and not pathlib.Path(vault.admin).exists()
    (start, stop) = vault.journal("process")
    assert (start["event"], stop["event"]) == ("start", "stop")
    assert stop["boot_id"] == vault.process.ready_line["boot_id"]
    assert [r["seq"] for r in vault.journal()] == list(range(1, len(vault.journal()) + 1))


def test_two_servers_on_one_journal_are_refused(factory, dev_vault):
    argv = [factory.binary("fakevault"), "server", "-listen=127.0.0.1:0"]
    child = factory.run("second", [*argv, f"-journal={dev_vault.journal_file}"])
    assert child.code == 69
    assert "is written by another process" in child.errors()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["-lissten=x"], 'flag "-lissten" is unknown, did you mean "-listen"?'),
        (["-storage=disk"], 'flag "-storage" is "disk", want inmem or file'),
        (["-storage=file"], 'flag "-storage=file" needs -path=FOLDER'),
        (["-dev", "-storage=file"], "a -dev server is in memory, leave -storage=file out"),
        (["-dev-root-token-id=x"], 'flag "-dev-root-token-id" needs -dev'),
        (["-ready-fd=77"], 'flag "-ready-fd" is 77, which is no open descriptor'),
        (["-seed=-5"], 'flag "-seed" is -5, want 0 or more'),
        (["stray"], '"stray" is no flag, see fakevault server -help'),
        (["-listen=127.0.0.1:0", "-admin=0.0.0.0:0"], "is not on the loopback interface"),
        (["-listen=127.0.0.1:0", "-admin=127.0.0.1:0"], "needs -admin-token-file=FILE"),
        (["-listen=127.0.0.1:0", "-admin=/" + "x" * 200], "a socket's path may have 107"),
    ],
)
def test_a_wrong_flag_is_one_sentence(factory, flags, message):
    child = factory.run("wrong", [factory.binary("fakevault"), "server", *flags])
    assert child.code in (64, 78)
    assert child.output() == ""
    (line,) = child.errors().splitlines()
    assert line.startswith("fakevault server: ") and message in line


def test_ctl_says_what_is_wrong(dev_vault, factory):
    binary, missing = factory.binary("fakevault"), factory.folder / "nothing.sock"
    rows = [
        (["seel"], 64, 'verb "seel" is unknown, did you mean "seal"?'),
        (["faults", "ad"], 64, "faults wants one of: list, add, set, rm"),
        (["unseal"], 64, "usage: fakevault ctl unseal FILE"),
        (["unseal", factory.folder / "no-file"], 66, f'"{factory.folder}/no-file"'),
        (["faults", "rm", "r9"], 66, 'there is no rule "r9"'),
        (["respond", "99"], 65, 'effect: respond: field "status" is 99, want 200..599'),
        (["respond", "503", "-times=0"], 65, 'trigger: field "times" is 0'),
        (["respond", "abc"], 64, 'respond wants an HTTP status, got "abc"'),
    ]
    for words, code, message in rows:
        child = factory.run("ctl", [binary, "ctl", f"-admin={dev_vault.admin}", *words])
        assert (child.code, message in child.errors()) == (code, True), child.errors()
    child = factory.run("ctl", [binary, "ctl", f"-admin={missing}", "status"])
    assert child.code == 69 and "no fakevault answers at" in child.errors()
    child = factory.run("ctl", [binary, "ctl", "status"])
    assert child.code == 64 and "FAKEVAULT_ADMIN" in child.errors()
    assert 'its greeting names the "Control address"' in child.errors()


def test_ctl_finds_the_only_server(factory):
    server = [factory.binary("fakevault"), "server", "-dev", "-dev-listen-address=127.0.0.1:0"]
    child = factory.start("server", server, ready=True)
    assert child.ready_line["admin"].endswith(f"/fakevault-{child.ready_line['port']}.sock")
    found = factory.run("ctl", [factory.binary("fakevault"), "ctl", "-json", "status"])
    assert json.loads(found.output())["boot_id"] == child.ready_line["boot_id"]


def test_unseal_wants_real_shares(durable_vault, factory):
    shares = factory.folder / "shares"
    durable_vault.ctl("seal")
    shares.write_text("\n".join(durable_vault.keys[:2]))
    assert "2 of 3 shares given" in durable_vault.ctl("unseal", shares)
    assert durable_vault.state()["vault"]["sealed"] is True
    shares.write_text(json.dumps({"keys": durable_vault.keys[2:3]}))
    assert "unsealed" in durable_vault.ctl("unseal", shares)
    shares.write_text("bm8gc2hhcmU=")
    durable_vault.ctl("seal")
    durable_vault.ctl("unseal", shares, expect=65)
    assert durable_vault.state()["vault"]["sealed"] is True


def test_a_restart_is_sealed_and_has_its_keys(durable_vault):
    boot = durable_vault.state()["boot_id"]
    durable_vault.crash()
    durable_vault.start()
    state = durable_vault.state()
    assert state["boot_id"] != boot
    assert state["vault"]["sealed"] is True and state["vault"]["initialized"] is True
    durable_vault.unseal()
    key = durable_vault.call("GET", "transit/keys/docugen-manifest")
    assert key["data"]["latest_version"] == 1
    assert len({r["boot_id"] for r in durable_vault.journal("process")}) == 2


def test_generation_grows_by_one_with_each_change(dev_vault):
    before = dev_vault.state()["generation"]
    calls = [("POST", "/seal", None), ("POST", "/hold", {"hold": True}), ("POST", "/reset", None)]
    for step, (method, path, body) in enumerate(calls, start=1):
        assert dev_vault.control(method, path, body)[1]["generation"] == before + step
    for _ in range(3):
        assert dev_vault.state()["generation"] == before + 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/nothing", None, 404, "there is no such path"),
        ("GET", "/seal", None, 405, "this path does not take this method"),
        ("POST", "/hold", None, 400, "the body is missing, want JSON"),
        ("POST", "/hold", {"hold": 1}, 400, 'field "hold" is an integer, want true or false'),
        ("POST", "/listener", {"acept": True}, 400, 'field "acept" is unknown'),
        ("POST", "/unseal", {"shares": []}, 400, 'field "shares" is not a list'),
        ("PUT", "/faults", {"rules": 7}, 400, 'field "rules" is an integer, want an array'),
        ("PATCH", "/faults/r9", {}, 404, 'there is no rule "r9"'),
    ],
)
def test_a_wrong_call_gets_an_error_with_the_head(dev_vault, method, path, body, status, message):
    got, answer = dev_vault.control(method, path, body)
    assert got == status and message in answer["error"]["message"]
    assert {"generation", "boot_id"} <= set(answer)


def test_the_rules_are_swapped_at_once(dev_vault):
    rules = [{"id": "a", "effect": {"hold": True}}, {"id": "b", "effect": {"seal": True}}]
    assert dev_vault.control("PUT", "/faults", rules)[0] == 200
    status, answer = dev_vault.control(
        "PUT", "/faults", [{"effect": {"hold": True}}, {"effect": 1}]
    )
    assert status == 400 and answer["error"]["message"].startswith("rules[1]: ")
    assert [r["id"] for r in dev_vault.control("GET", "/faults")[1]["rules"]] == ["a", "b"]


def test_there_may_be_ten_thousand_rules(dev_vault):
    respond = {"respond": {"status": 503, "errors": ["one of many"]}}
    rules = [{"match": {"key": f"key-{n}"}, "effect": respond} for n in range(10_000)]
    assert dev_vault.control("PUT", "/faults", rules)[0] == 200
    status, answer = dev_vault.control("POST", "/faults", {"effect": {"hold": True}})
    assert (status, answer["error"]["message"]) == (400, "there are 10000 rules already")
    answer = dev_vault.api("POST", "transit/sign/key-9999", {"input": ""})
    assert (answer.status_code, answer.json()["errors"]) == (503, ["one of many"])
    hits = [r["id"] for r in dev_vault.state()["rules"] if r["hits"]]
    assert hits == ["r10000"]
    assert dev_vault.control("POST", "/reset")[0] == 200
    assert dev_vault.state()["rules"] == []


def test_the_journal_is_followed_live(dev_vault, factory):
    follower = Raw.unix(dev_vault.admin)
    follower.send(b"GET /journal?follow=true HTTP/1.0\r\n\r\n")
    stream = follower.socket.makefile("r", encoding="utf-8")
    while stream.readline().strip():
        continue
    dev_vault.api("GET", "sys/health")
    records = (json.loads(line) for line in stream)
    assert next(r for r in records if r["kind"] == "request" and "sys/health" in r["path"])
    stream.close()
    follower.close()
    lines = dev_vault.ctl("journal", "-since=2").splitlines()
    assert json.loads(lines[0])["seq"] == 3


def test_metrics_tell_the_state(dev_vault):
    dev_vault.ctl("seal")
    with contextlib.closing(Raw.unix(dev_vault.admin)) as connection:
        connection.request("GET", "/metrics")
        status, headers, body = connection.answer()
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4")
    lines = body.decode().splitlines()
    assert "fakevault_sealed 1" in lines and "fakevault_accepting 1" in lines
    assert f"fakevault_requests_total {dev_vault.state()['counters']['requests']}" in lines


class TestOverTcp:
    @pytest.fixture
    def url(self, factory):
        token = factory.folder / "token"
        token.write_text("a-token-of-some-length\n")
        token.chmod(0o600)
        argv = [factory.binary("fakevault"), "server", "-dev", "-listen=127.0.0.1:0"]
        argv += ["-admin=127.0.0.1:0", f"-admin-token-file={token}"]
        child = factory.start("server", argv, ready=True)
        return f"http://{child.ready_line['admin']}"

    GOOD = {"Authorization": "Bearer a-token-of-some-length"}

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "a-token-of-some-length"}, 401),
            ({**GOOD, "Origin": "http://evil.example"}, 403),
            ({**GOOD, "Host": "evil.example"}, 403),
            ({**GOOD, "Host": "localhost.evil.example"}, 403),
            (GOOD, 200),
        ],
    )
    def test_only_who_has_the_token_and_is_no_web_page(self, url, headers, status):
        answer = requests.post(f"{url}/seal", headers=headers, timeout=limits.EVENT)
        assert answer.status_code == status
        sealed = requests.get(f"{url}/state", headers=self.GOOD, timeout=limits.EVENT)
        assert sealed.json()["vault"]["sealed"] is (status == 200)

    def test_ctl_sends_the_token(self, url, factory):
        token = factory.folder / "token"
        words = [factory.binary("fakevault"), "ctl", f"-admin={url.removeprefix('http://')}"]
        assert factory.run("ctl", [*words, f"-token-file={token}", "seal"]).code == 0
        denied = factory.folder / "other"
        denied.write_text("another-token-of-some-length")
        assert factory.run("ctl", [*words, f"-token-file={denied}", "seal"]).code == 77
        assert factory.run("ctl", [*words, "seal"]).code == 64

    def test_a_token_file_that_others_can_read_is_refused(self, factory):
        token = factory.folder / "token"
        token.write_text("a-token-of-some-length")
        token.chmod(0o644)
        argv = [factory.binary("fakevault"), "server", "-listen=127.0.0.1:0"]
        child = factory.run("server", [*argv, "-admin=127.0.0.1:0", f"-admin-token-file={token}"])
        assert child.code == 64 and "can be read by others: chmod 600" in child.errors()


GOOD_RULES = [
    {"effect": {"respond": {"status": 503, "errors": ["Vault is sealed"]}}},
    {"id": "a-1", "effect": {"hold": True}, "lease_ms": 60000},
    {
        "match": {"method": "POST", "path": "*", "key": "k"},
        "effect": {"refuse": True},
        "trigger": {"after": 1000},
    },
    {
        "trigger": {"times": 2, "every": 3, "ppm": 0, "from_ms": 1, "to_ms": 9},
        "effect": {"seal": True},
    },
    {"effect": {"respond": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"any": [1]}}}},
    {"match": None, "trigger": None, "effect": {"respond": {"status": 200, "body": "<html>"}}},
]
BROKEN_RULES = [
    {},
    {"effect": {}},
    {"effect": {"hold": False}},
    {"effect": {"hold": True, "seal": True}},
    {"effect": {"explode": True}},
    {"effect": {"respond": {}}},
    {"effect": {"respond": {"status": 99}}},
    {"effect": {"respond": {"status": "503"}}},
    {"effect": {"respond": {"status": 503, "errors": "sealed"}}},
    {"effect": {"respond": {"status": 503, "headers": {"a b": "1"}}}},
    {"effect": {"respond": {"status": 503, "headers": {"A": 1}}}},
    {"effect": {"seal": True}, "id": "a/b"},
    {"effect": {"seal": True}, "id": "x" * 64},
    {"effect": {"seal": True}, "match": {"path": ""}},
    {"effect": {"seal": True}, "match": {"verb": "GET"}},
    {"effect": {"seal": True}, "trigger": {"times": 0}},
    {"effect": {"seal": True}, "trigger": {"ppm": 1000001}},
    {"effect": {"seal": True}, "lease_ms": -1},
    {"effect": {"seal": True}, "lease": 1},
]


@pytest.mark.parametrize("rule", GOOD_RULES + BROKEN_RULES, ids=json.dumps)
def test_the_schema_and_the_server_agree_on_a_rule(dev_vault, rule):
    status, schema = dev_vault.control("GET", "/schema")
    assert status == 200
    jsonschema.Draft202012Validator.check_schema(schema)
    fits = jsonschema.Draft202012Validator(schema).is_valid(rule)
    status, _ = dev_vault.control("POST", "/faults", rule)
    assert (fits, status < 300) == (rule in GOOD_RULES, rule in GOOD_RULES)
