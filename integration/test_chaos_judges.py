"""What once fooled the judge, what it once blamed on the client, what made it wait for ever."""

import pytest

HEAD = """
version: 1
purpose: p
stack:
  services: [api]
  environment: {{ALLOW_FALLBACK_SIGNING: "true"{more}}}
steady_state:
  - sign: {{via: {via}, expect: {{mode: vault, attempts: 1}}}}
method:
"""
HASTY = HEAD.format(
    more=', SIGNER_BACKOFF_BASE_MS: "10", SIGNER_ATTEMPT_TIMEOUT_MS: "300"', via="cli"
)
PATIENT = HEAD.format(more="", via="cli")

BROKEN = """
  - sign: {via: cli, environment: {X_BREAK: "1"}, expect: {mode: fallback}}
rollback:
  - vault: reset
"""


@pytest.fixture
def broken(factory):
    """A signer that cannot reach Vault in the calls whose environment has X_BREAK."""
    path = factory.folder / "broken"
    path.write_text(
        f"""#!/bin/sh
if [ "$1" = sign ] && [ -n "$X_BREAK" ]; then VAULT_ADDR=http://127.0.0.1:1; export VAULT_ADDR; fi
exec {factory.binary("signer")} "$@"
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


OVER = {
    "pause-stop-start": """
  - vault: pause
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: stop
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: start
  - vault: {unseal: 3}""",
    "restart": """
  - vault: restart
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: {unseal: 3}""",
    "wipe": """
  - vault: {restart: wipe}
  - vault: bootstrap
  - trust: accept
  - sign: {via: cli, expect: {mode: vault}}""",
    "pause-kill-restart": """
  - vault: pause
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: kill
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: restart
  - vault: {unseal: 1}
  - vault: {unseal: 2}""",
    "seal-and-crash-at-request": """
  - vault: {crash: at_request, after: 1}
  - vault: {seal: at_request}
  - sign: {via: cli, expect: {mode: fallback}}
  - vault: start
  - vault: {unseal: 3}
  - sign: {via: cli, expect: {mode: vault}}""",
}


@pytest.mark.parametrize("name", OVER)
def test_a_client_that_is_broken_behind_an_outage_is_seen(chaos, broken, name):
    outcome = chaos(
        "run", "--signer", broken, chaos.scenario(name, HASTY + OVER[name].lstrip("\n") + BROKEN)
    )
    assert outcome.code == 1, outcome
    assert "recovery: expected mode vault while no fault lasts, found fallback" in outcome.stdout, (
        outcome
    )


@pytest.mark.parametrize("name", OVER)
def test_a_client_that_is_not_broken_passes_there(chaos, name):
    healthy = BROKEN.replace("mode: fallback", "mode: vault, attempts: 1")
    outcome = chaos("run", chaos.scenario(name, HASTY + OVER[name].lstrip("\n") + healthy))
    assert outcome.code == 0, outcome


def test_a_newline_in_a_value_is_no_second_variable(chaos):
    text = """
version: 1
purpose: p
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "false", X_NOTE: "a\\nALLOW_FALLBACK_SIGNING=true"}
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - environment: {service: api, name: ALLOW_FALLBACK_SIGNING, equals: "false"}
"""
    outcome = chaos("run", chaos.scenario("newline", text))
    assert outcome.code == 0, outcome
    calls = outcome.result("newline")["calls"]
    assert [call["fallback_allowed"] for call in calls] == [False] * len(calls)


NOT_THE_CLIENTS = {
    "blocked-by-trust": """
  - service: {restart: api, environment: {TRUST_FILE: /nonexistent/trust.json}}
  - sign: {via: api, expect: {signed: false, status: blocked}}
""",
    "hang-at-request": """
  - vault: {hang: at_request, after: 1}
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
  - sign: {via: api, as: x, background: true, expect: {mode: vault, attempts: 1}}
  - wait_for: {sign: x, requests: 1}
  - vault: resume
  - wait_for: {sign: x}
""",
    "retry-while-being-signed": """
  - vault: {respond: 503, times: 2}
  - sign: {via: api, as: one, background: true, expect: {mode: vault, attempts: 3}}
  - wait_for: {sign: one, requests: 1}
  - sign: {via: api, retry: one, as: again, expect: {attempts: 3}}
  - wait_for: {sign: one}
rollback:
  - vault: reset
""",
    "same-bundle-at-once": """
  - vault: {respond: 503, times: 1}
  - sign: {via: cli, as: one, background: true, expect: {mode: vault, attempts: 2}}
  - wait_for: {sign: one, requests: 1}
  - sign: {via: cli, retry: one, as: two, expect: {exit: 1}}
  - wait_for: {sign: one}
rollback:
  - vault: reset
expect:
  - journal: {of: one, executed: 1}
""",
    "signing-key-not-pinned": """
  - sign: {via: cli, environment: {SIGNING_KEY: another-key}, expect: {signed: false, exit: 1}}
""",
    "trust-file-missing": """
  - sign:
      via: cli
      environment: {TRUST_FILE: /nonexistent/trust.json}
      expect: {signed: false, exit: 1}
""",
}


@pytest.mark.parametrize("name", NOT_THE_CLIENTS)
def test_what_is_not_the_clients_fault_passes(chaos, name):
    outcome = chaos("run", chaos.scenario(name, PATIENT + NOT_THE_CLIENTS[name].lstrip("\n")))
    assert outcome.code == 0, outcome


NONSENSE = {
    "pause-twice": ("  - vault: pause\n  - vault: pause\n", "vault is paused here (since line"),
    "unpause": ("  - vault: unpause\n", "vault is not paused here: pause it first"),
    "seal-dead": ("  - vault: kill\n  - vault: seal\n", "vault does not run here"),
    "unseal-dead": ("  - vault: stop\n  - vault: {unseal: 3}\n", "vault does not run here"),
    "start-running": ("  - vault: start\n", "vault runs already: stop or kill it first"),
    "service-unpause": ("  - service: {unpause: api}\n", "api is not paused here: pause it first"),
    "service-pause-twice": (
        "  - service: {pause: api}\n  - service: {pause: api}\n",
        "api is paused here",
    ),
    "audit-class": (
        "  - vault: seal\n  - sign: {via: api, as: x}\n  - vault: {unseal: 3}\n"
        "expect:\n  - audit: {of: x, class: unavailable, fallback: 1}\n",
        "it filters nothing",
    ),
    "header": (
        "  - vault: {respond: 503, headers: {Content-Length: '5'}}\n",
        "is set by the server",
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_makes_no_sense_is_told_before_anything_is_started(chaos, name):
    text, words = NONSENSE[name]
    outcome = chaos("run", chaos.scenario(name, PATIENT + text))
    assert outcome.code == 65, outcome
    assert words in outcome.stderr + outcome.stdout, outcome
    assert "nothing was started" in outcome.stderr + outcome.stdout, outcome
