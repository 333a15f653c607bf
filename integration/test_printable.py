"""Foreign text (names, log lines, paths) never reaches a terminal as it is."""

import json

import pytest

EVIL = "\x1b[2J\x1b]0;owned\x07"
SHOWN = "\\u001b[2J\\u001b]0;owned\\u0007"
SCENARIO = f"""version: 1
purpose: {json.dumps("looks " + EVIL + " fine")}
stack: {{services: [api]}}
steady_state:
  - sign: {{via: api, expect: {{mode: vault}}}}
method:
  - vault: seal
"""


def check(*texts):
    for text in texts:
        assert "\x1b" not in text and "\x07" not in text, repr(text)


def test_lint_shows_names_as_they_are_written(chaos):
    broken = SCENARIO.replace("vault: seal", json.dumps(EVIL) + ": seal")
    outcome = chaos("lint", chaos.scenario(f"a{EVIL}b", broken))
    assert outcome.code == 65, outcome
    check(outcome.stdout, outcome.stderr)
    assert f'"{SHOWN}" is unknown' in outcome.stderr and f"a{SHOWN}b.yaml:" in outcome.stderr


@pytest.mark.parametrize("words", [["list"], ["plan"], ["list", "--json"]])
def test_what_is_listed_is_printable(chaos, words):
    outcome = chaos(*words, chaos.scenario("listed", SCENARIO))
    assert outcome.code == 0, outcome
    check(outcome.stdout, outcome.stderr)
    if words[-1] == "--json":
        assert json.loads(outcome.stdout)[0]["purpose"] == f"looks {EVIL} fine"


def test_the_last_words_of_a_subject_are_printable(chaos):
    """A client that dies with escape sequences on its lips, told by everything that people read."""
    path = chaos.scenario("dies", SCENARIO)
    client = chaos.folder / "client"
    client.write_text("#!/bin/sh\nprintf '\\033[2Jits last words\\n' >&2\nexit 1\n")
    client.chmod(0o755)
    outcome = chaos("run", "--signer", client, path)
    assert outcome.code != 0
    folder = outcome.folder("dies")
    files = [(folder / name).read_text() for name in ("timeline.txt", "findings.txt")]
    check(outcome.stdout, outcome.stderr, *files)
    assert f"looks {SHOWN} fine" in outcome.stdout
    assert "\\u001b[2Jits last words" in outcome.stdout + outcome.stderr


def test_the_signer_shows_a_path_as_it_is_written(signer):
    child = signer.run("sign", f"/no/{EVIL}")
    assert child.code == 2
    check(child.errors())
    assert f'cannot open the folder "/no/{SHOWN}"' in child.errors()


def test_a_log_line_is_printable(signer, durable_vault):
    """What Vault says is foreign, too."""
    folder, _ = signer.bundle()
    effect = {"respond": {"status": 403, "errors": [f"no{EVIL}"]}}
    durable_vault.control("POST", "/faults", {"effect": effect})
    child = signer.run("sign", folder)
    assert child.code == 1
    check(child.errors(), child.output())
    assert 'message="status 403: no' in child.errors()
