"""A client whose own trouble keeps it from asking Vault: chaos believes it, and no other excuse."""

from harness import tracing

SCENARIO = """version: 1
purpose: own trouble is no outage
stack:
  environment: {ALLOW_FALLBACK_SIGNING: "true"}
steady_state:
  - sign: {via: cli, expect: {mode: vault}}
method:
  - sign:
      via: cli
      environment: {FAKEVAULT_TEST: broken}
      expect: {signed: false, class: internal, reason: internal, attempts: 1, exit: 1}
"""

# No socket for the request that the step is about; everything else is the signer's own.
CLIENT = """#!/bin/sh
if [ "$1" = sign ] && [ "$FAKEVAULT_TEST" = broken ]; then
    export ASAN_OPTIONS=exitcode=70:detect_leaks=0
    exec strace -f -o /dev/null -e inject=socket:error=EMFILE {program} "$@"
fi
exec {program} "$@"
"""


@tracing.needs_trace
def test_no_descriptor_passes_for_what_it_is(chaos):
    path = chaos.scenario("own", SCENARIO)
    client = chaos.folder / "client"
    client.write_text(CLIENT.format(program=chaos.factory.traceable("signer")))
    client.chmod(0o755)
    outcome = chaos("run", "--signer", client, path)
    assert outcome.code == 0, outcome
