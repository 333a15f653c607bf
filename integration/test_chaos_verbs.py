"""What single verbs do to a real Vault, and what they say when they cannot."""

import json
import signal
import time

import pytest
from harness import eventually

HEAD = """
version: 1
purpose: what a verb does
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "true", SIGNER_BACKOFF_BASE_MS: "10"}
steady_state:
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
method:
"""


def run(chaos, name, method, rollback=""):
    tail = f"rollback:\n{rollback}" if rollback else ""
    return chaos("run", chaos.scenario(name, HEAD + method + tail))


def requests_of(outcome, name):
    lines = (outcome.folder(name) / "ledgers" / "journal.ndjson").read_text(encoding="utf-8")
    records = [json.loads(line) for line in lines.splitlines()]
    return [r for r in records if r["kind"] == "request" and "/sign/" in r["path"]]


def test_resume_takes_back_the_rule_that_holds(chaos):
    outcome = run(
        chaos,
        "held",
        """
  - vault: {hang: at_request, after: 1}
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
  - sign: {via: api, as: held, background: true, expect: {mode: vault, attempts: 1}}
  - state: {held: 1, within_ms: 5000}
  - vault: resume
  - wait_for: {sign: held}
  - sign: {via: api, as: behind, expect: {mode: vault, attempts: 1}}
""",
    )
    assert outcome.code == 0, outcome
    held = [r["rule"] for r in requests_of(outcome, "held") if "rule" in r]
    assert held == ["step-2"]


def test_what_a_resume_does_not_take_back_goes_on(chaos):
    """A rule that answers is not one that holds."""
    outcome = run(
        chaos,
        "answered",
        """
  - vault: {respond: 503, errors: ["busy"]}
  - vault: {hang: at_request, path: "sys/nobody-asks"}
  - vault: resume
  - sign: {via: api, expect: {mode: fallback, reason: unavailable}}
""",
        "  - vault: reset\n",
    )
    result = outcome.result("answered")
    faults = {finding["rule"] for finding in result["findings"]}
    assert faults == {"fault"}, outcome  # nobody met the hang, as meant
    assert [r.get("rule") for r in requests_of(outcome, "answered")][1:4] == ["step-2"] * 3


def test_unseal_enters_the_next_keys(chaos):
    outcome = run(
        chaos,
        "keys",
        """
  - vault: seal
  - sign: {via: api, expect: {mode: fallback}}
  - vault: {unseal: 2}
  - state: {sealed: true}
  - vault: {unseal: 1}
  - state: {sealed: false}
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
  - vault: {unseal: 5}
""",
    )
    assert outcome.code == 0, outcome


CRASH = """
  - vault: {crash: at_request}
  - sign: {via: api, expect: {mode: fallback}}
"""
BACK = "  - vault: start\n  - vault: {unseal: 3}\n"


@pytest.mark.parametrize(
    ("method", "rollback", "words"),
    [
        (CRASH + "  - vault: rotate_key\n", BACK, "vault does not run"),
        (CRASH + "  - trust: accept\n", BACK, "vault does not run"),
        (CRASH + "  - vault: pause\n", BACK, "vault does not run"),
        (
            '  - vault: {crash: at_request, path: "sys/nobody-asks"}\n  - vault: start\n',
            "  - vault: reset\n",
            "vault runs already",
        ),
        (
            "  - vault: {seal: at_request}\n  - sign: {via: api, expect: {mode: fallback}}\n"
            "  - vault: delete_key\n",
            "  - vault: {unseal: 3}\n",
            "vault is sealed",
        ),
        (
            "  - vault: {refuse: at_request}\n  - sign: {via: api, expect: {mode: fallback}}\n"
            "  - vault: bootstrap\n",
            "  - vault: accept\n",
            "vault refuses connections",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_and_never_the_client_s(chaos, method, rollback, words):
    """Lint cannot tell whether a rule has met its request; the world can."""
    outcome = run(chaos, "refused", method, rollback)
    assert outcome.code == 70, outcome
    result = outcome.result("refused")
    assert "fail" not in result["flags"], outcome
    assert "internal" in result["flags"], outcome
    refused = [f for f in result["findings"] if f["rule"] == "refused"]
    assert len(refused) == 1, outcome
    assert words in refused[0]["text"]


def test_an_answer_without_a_body_can_be_asked_for(chaos):
    outcome = run(
        chaos,
        "empty",
        """
  - vault: {respond: 204, times: 1}
  - sign: {via: api, expect: {mode: vault, attempts: 2}}
""",
        "  - vault: reset\n",
    )
    assert outcome.code == 0, outcome
    assert requests_of(outcome, "empty")[1].get("rule") == "step-2"


def test_headers_up_to_the_limit_of_lint_reach_the_client(chaos):
    long = "x" * 4070
    outcome = run(
        chaos,
        "long",
        f"""
  - vault: {{respond: 503, headers: {{X-One: {long}, X-Two: {long}}}}}
  - sign: {{via: api, expect: {{mode: fallback, reason: unavailable}}}}
""",
        "  - vault: reset\n",
    )
    assert outcome.code == 0, outcome


def test_an_interrupt_ends_a_wait_for_requests(chaos):
    text = HEAD + (
        "  - vault: hang\n"
        "  - sign: {via: api, as: outage, background: true}\n"
        "  - wait_for: {sign: outage, requests: 50, within_ms: 60000}\n"
        "  - wait_for: {sign: outage}\n"
        "rollback:\n"
        "  - vault: resume\n"
    )
    child = chaos.start("run", "-v", chaos.scenario("waits", text))
    eventually(lambda: 'as "outage"' in child.output(), "the step before the wait")
    child.signal(signal.SIGINT)
    began = time.monotonic()
    assert child.wait() == 130, child.output() + child.errors()
    assert time.monotonic() - began < 30
