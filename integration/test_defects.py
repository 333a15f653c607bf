"""chaos sees a client that misbehaves: what it expected, what it saw, and where that stands.

Each defective signer (tests/defects/) does one thing wrong. The same scenario passes with the real
one, so that it is the defect that fails it.
"""

import re

import pytest

SEALED = """
version: 1
purpose: a sealed Vault makes the signer fall back, and unsealing brings it back
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "true"}
steady_state:
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
method:
  - vault: seal
  - sign: {via: api, as: outage, expect: {mode: fallback, attempts: 3, reason: sealed}}
  - vault: {unseal: 3}
  - sign: {via: api, expect: {mode: vault, attempts: 1}}
expect:
  - audit: {fallback: 1}
  - backoff: {of: outage, waits: 2}
  - manifest: {of: outage, verifies: true, mode: fallback}
"""

OFF = """
version: 1
purpose: without the switch nothing is signed while Vault is sealed
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "false"}
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - vault: seal
  - sign: {via: api, as: outage, expect: {signed: false, status: blocked, reason: fallback_off}}
rollback:
  - vault: {unseal: 3}
expect:
  - audit: {fallback: 0, failed: 1}
"""

REFUSED_TOKEN = """
version: 1
purpose: a refused token is no outage, the local key stays untouched
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "true"}
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - vault: {respond: 403, errors: [permission denied]}
  - sign: {via: api, as: refused, expect: {signed: false, attempts: 1, class: denied}}
rollback:
  - vault: reset
expect:
  - audit: {fallback: 0, failed: 1}
"""

# The worker's timeouts are real, so that the fault was met, whatever the api does.
HANG = """
version: 1
purpose: a Vault that never answers makes both services fall back
stack:
  services: [api, worker]
  environment: {ALLOW_FALLBACK_SIGNING: "true", SIGNER_ATTEMPT_TIMEOUT_MS: "1000"}
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - vault: hang
  - sign: {via: worker, expect: {mode: fallback, reason: timeout}}
  - sign: {via: api, expect: {mode: fallback, reason: timeout}}
rollback:
  - vault: resume
"""

RATE_LIMIT = """
version: 1
purpose: a rate limit is no outage, the local key stays untouched
stack:
  services: [api]
  environment: {ALLOW_FALLBACK_SIGNING: "true"}
steady_state:
  - sign: {via: api, expect: {mode: vault}}
method:
  - vault: {respond: 429, errors: [rate limit quota exceeded]}
  - sign: {via: api, expect: {signed: false, attempts: 3, class: rate_limited}}
rollback:
  - vault: reset
"""

SCENARIOS = {
    "sealed": SEALED,
    "off": OFF,
    "refused_token": REFUSED_TOKEN,
    "hang": HANG,
    "rate_limit": RATE_LIMIT,
}

# defect -> scenario, and the sentence that names expected, actual and the line of the ledger.
DEFECTS = {
    "four_attempts": (
        "sealed",
        r"expected at most 3 attempts, the trail has 4 \(audit.ndjson:\d+\)",
    ),
    "no_backoff": (
        "sealed",
        r"expected a wait of 125..250 ms before attempt 2, asked for were 0 \(audit.ndjson:\d+\)",
    ),
    "audit_entry_missing": (
        "sealed",
        r"expected an entry MANIFEST_SIGNED for bundle [0-9a-f-]{36}, which the caller was told "
        r"is signed, audit.ndjson has none",
    ),
    "wrong_signing_mode": (
        "sealed",
        r"expected mode vault as the trail says \(audit.ndjson:\d+\), the key that verifies is "
        r"fallback",
    ),
    "fallback_although_off": (
        "off",
        r"expected no fallback, since ALLOW_FALLBACK_SIGNING is not true for api, found a "
        r"fallback signature \(audit.ndjson:\d+\)",
    ),
    "fallback_on_403": (
        "refused_token",
        r"expected no fallback behind a refusal, Vault answered 403 \(journal.ndjson:\d+\), found "
        r"a fallback signature \(audit.ndjson:\d+\)",
    ),
    "stuck_in_fallback": (
        "sealed",
        r"expected mode vault while no fault lasts, found fallback \(audit.ndjson:\d+\)",
    ),
    "other_operator": (
        "sealed",
        r"expected operatorId of bundle [0-9a-f-]{36} as it was asked for, its signed manifest "
        r"has something else \(audit.ndjson:\d+\)",
    ),
    "never_asks": (
        "hang",
        r"expected a request of attempt 1, which ended timeout while Vault could be reached "
        r"\(audit.ndjson:\d+\), journal.ndjson has none",
    ),
    "waits_only_written": (
        "sealed",
        r"expected attempt 2 to begin before Vault had its request \(journal.ndjson:\d+\), the "
        r"trail has it \d+ ms later \(audit.ndjson:\d+\)",
    ),
    "rate_limit_as_outage": (
        "rate_limit",
        r"expected a class that status 429 can have, attempt 1 is called unavailable "
        r"\(audit.ndjson:\d+\)",
    ),
    "signature_by_another_key": (
        "sealed",
        r"expected a signature of mode fallback that verifies \(audit.ndjson:\d+\), it does not",
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_signer_passes(chaos, name):
    outcome = chaos("run", chaos.scenario(name, SCENARIOS[name]))
    assert outcome.code == 0, outcome


@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_are_seen(factory, chaos, defect):
    scenario, sentence = DEFECTS[defect]
    signer = factory.binaries.parent / "bin-test" / f"signer_defect_{defect}"
    outcome = chaos("run", "--signer", signer, chaos.scenario(scenario, SCENARIOS[scenario]))
    assert outcome.code == 1, outcome
    assert re.search(f"fail: .*{sentence}", outcome.stdout), outcome
