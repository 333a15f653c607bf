"""Each verdict of chaos has its exit code, and says what it rests on."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

HEAD = """
version: 1
purpose: {purpose}
stack:
  services: [api]
  environment: {{ALLOW_FALLBACK_SIGNING: "true"}}
steady_state:
  - sign: {{via: api, expect: {{mode: vault}}}}
"""

PASS = (
    HEAD.format(purpose="nothing happens")
    + """
method:
  - sign: {via: cli, expect: {mode: vault}}
"""
)

FAIL = (
    HEAD.format(purpose="expects what does not happen")
    + """
method:
  - vault: {respond: 503, errors: ["busy"]}
  - sign: {via: api, as: outage, expect: {mode: vault}}
rollback:
  - vault: reset
"""
)

NOT_EXERCISED = (
    HEAD.format(purpose="a fault that nobody meets")
    + """
method:
  - vault: {respond: 503, errors: ["busy"], path: "transit/sign/another-key"}
  - sign: {via: api, expect: {mode: vault}}
rollback:
  - vault: reset
"""
)

DIRTY = (
    HEAD.format(purpose="the rollback leaves Vault sealed and the signer in fallback")
    + """
method:
  - vault: seal
  - sign: {via: api, expect: {mode: fallback}}
rollback:
  - vault: {unseal: 1}
"""
)

# The retry is answered with what became of the run, and does not take the first call's answer.
TWO_CALLS = (
    HEAD.format(purpose="a bundle is asked for again while it is being signed")
    + """
method:
  - vault: {respond: 503, times: 2}
  - sign: {via: api, as: one, background: true, expect: {mode: vault, attempts: 3}}
  - wait_for: {sign: one, requests: 1}
  - sign: {via: api, retry: one, as: again, expect: {mode: vault, attempts: 3}}
  - wait_for: {sign: one}
rollback:
  - vault: reset
"""
)

HASTY = """
version: 1
purpose: time-outs of the scenario are not for set-up
stack: {services: [api], environment: {SIGNER_ATTEMPT_TIMEOUT_MS: "1700", SIGNER_ATTEMPTS: "2"}}
steady_state:
  - status: {online: true}
method:
  - sign: {via: cli, expect: {mode: vault}}
"""

NOT_STARTED = """
version: 1
purpose: the steady state does not hold to begin with
stack: {services: [api]}
steady_state:
  - sign: {via: api, expect: {mode: fallback}}
method:
  - vault: seal
rollback:
  - vault: {unseal: 3}
"""


def elsewhere(factory, word):
    """A fakevault that keeps its journal where nobody looks."""
    path = factory.folder / "elsewhere"
    path.write_text(
        f"""#!/bin/sh
for a; do
    shift
    case $a in {word}=*) a={word}={factory.folder}/elsewhere.ndjson ;; esac
    set -- "$@" "$a"
done
exec {factory.binary("fakevault")} "$@"
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "text", "code", "verdict", "words"),
    [
        ("passes", PASS, 0, "pass", []),
        ("twice", TWO_CALLS, 0, "pass", []),
        ("fails", FAIL, 1, "fail", ["expected mode vault", "fallback", "audit.ndjson:"]),
        ("unmet", NOT_EXERCISED, 5, "not exercised", ["rule", "journal.ndjson"]),
        ("dirty", DIRTY, 4, "dirty", ["expected mode vault", "fallback"]),
        ("unsteady", NOT_STARTED, 3, "not started", ["expected mode fallback"]),
    ],
)
def test_verdict_and_exit_code(chaos, name, text, code, verdict, words):
    outcome = chaos("run", chaos.scenario(name, text))
    assert outcome.code == code, outcome
    assert outcome.result(name)["verdict"] == verdict
    for word in words:
        assert word in outcome.stdout, outcome


def test_evidence_that_is_missing_is_unknown(factory, chaos):
    vault = elsewhere(factory, "-journal")
    outcome = chaos("run", "--fakevault", vault, chaos.scenario("blind", PASS))
    assert outcome.code == 2, outcome
    assert outcome.result("blind")["verdict"] == "unknown"
    assert "journal.ndjson" in outcome.stdout, outcome


def test_an_internal_error_of_a_program_is_no_verdict(factory, chaos):
    """A sanitizer's report, say, of a service that had answered everything as expected."""
    path = factory.folder / "signer"
    path.write_text(
        f"""#!/bin/sh
real={factory.binary("signer")}
[ "$1" = serve ] || exec $real "$@"
$real "$@" &
exec 3>&-
trap 'kill -TERM $!; wait $!; exit 70' TERM
wait $!
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    outcome = chaos("run", "--signer", path, chaos.scenario("reports", PASS))
    assert outcome.code == 70, outcome
    assert "api exited with code 70, an internal error" in outcome.stdout
    assert outcome.result("reports")["verdict"] == "internal"


def test_set_up_does_not_get_the_time_outs_of_the_scenario(factory, chaos):
    path = factory.folder / "signer"
    path.write_text(
        f"""#!/bin/sh
case $1 in
sign|serve) [ "$SIGNER_ATTEMPTS" = 2 ] && [ "$SIGNER_ATTEMPT_TIMEOUT_MS" = 1700 ] ;;
*) [ -z "$SIGNER_ATTEMPTS" ] && [ "$SIGNER_ATTEMPT_TIMEOUT_MS" != 1700 ] ;;
esac || exit 1
exec {factory.binary("signer")} "$@"
""",
        encoding="utf-8",
    )
    path.chmod(0o755)
    outcome = chaos("run", "--signer", path, chaos.scenario("hasty", HASTY))
    assert outcome.code == 0, outcome


def test_the_worst_of_several_decides(chaos):
    files = [
        chaos.scenario("passes", PASS),
        chaos.scenario("unmet", NOT_EXERCISED),
        chaos.scenario("dirty", DIRTY),
    ]
    outcome = chaos("run", *files)
    assert outcome.code == 4, outcome
    assert chaos("run", *files[:2]).code == 5


def test_a_broken_file_starts_nothing(chaos):
    good = chaos.scenario("good", PASS)
    broken = chaos.scenario("broken", PASS.replace("mode: vault", "mode: vualt"))
    outcome = chaos("run", good, broken)
    assert outcome.code == 65, outcome
    assert f"{broken}:" in outcome.stderr
    assert "vualt" in outcome.stderr
    assert outcome.stderr.endswith("chaos: nothing was started\n")
    assert not outcome.runs.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "chaos: no command given; chaos --help lists them\n"),
        (["rn"], 'chaos: command "rn" is unknown, did you mean "run"?\n'),
        (["zzz"], 'chaos: command "zzz" is unknown, see chaos --help\n'),
        (["run"], "chaos: no scenario given; name a file or a folder\n"),
        (["run", "--sed", "1", "x.yaml"], "seed"),
        (["run", "--seed", "one", "x.yaml"], '"one"'),
        (["run", "--seed", "-2", "x.yaml"], "-2"),
        (["run", "-j", "0", "x.yaml"], "-j 0 is not in 1..64"),
        (["run", "-q", "-v", "x.yaml"], "-q and -v contradict each other"),
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["schema", "extra"], '"extra"'),
    ],
)
def test_bad_usage_is_one_line_and_starts_nothing(chaos, words, message):
    outcome = chaos(*words)
    assert outcome.code == 64, outcome
    assert message in outcome.stderr, outcome
    assert outcome.stderr.count("\n") == 1
    assert outcome.stdout == ""
    assert not outcome.runs.exists()


def test_a_program_that_is_not_there_starts_nothing(factory, chaos):
    nowhere = factory.folder / "nowhere" / "signer"
    outcome = chaos("run", "--signer", nowhere, chaos.scenario("good", PASS))
    assert outcome.code == 64, outcome
    assert outcome.stderr == (
        f'chaos: there is no program "{nowhere}"; build it, or name it with --signer\n'
    )
    assert not outcome.runs.exists()


def test_tags_select_and_nothing_selected_is_skipped(chaos):
    tagged = chaos.scenario("tagged", PASS.replace("stack:", "tags: [one]\nstack:"))
    other = chaos.scenario("other", PASS.replace("stack:", "tags: [two]\nstack:"))
    assert chaos("run", "--tags", "three", tagged, other).code == 77
    outcome = chaos("run", "--tags", "one,three", tagged, other)
    assert outcome.code == 0, outcome
    assert "1 pass" in outcome.stdout
    assert "1 skipped" in outcome.stdout
    assert not (outcome.runs / "other").exists()


def test_results_for_people_and_machines(chaos):
    files = [chaos.scenario("passes", PASS), chaos.scenario("unmet", NOT_EXERCISED)]
    outcome = chaos("run", "--json", "--seed", "7", "--junit", "all.xml", *files)
    summary = json.loads(outcome.stdout)
    assert outcome.code == summary["exit"] == 5
    assert [s["verdict"] for s in summary["scenarios"]] == ["pass", "not exercised"]
    assert summary["scenarios"][0]["result"] == outcome.result("passes")
    folder = outcome.folder("passes")
    assert folder.name.endswith("-7")
    names = {path.name for path in folder.iterdir()}
    expected = {"result.json", "history.ndjson", "junit.xml", "timeline.txt", "repro.sh", "logs"}
    assert expected <= names
    assert "private" not in names
    for line in (folder / "history.ndjson").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    suites = ElementTree.parse(chaos.folder / "all.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["passes", "unmet"]
    text = (chaos.folder / "all.xml").read_text(encoding="utf-8")
    for name in ["passes", "unmet"]:  # each stands there as in its own document
        own = (outcome.folder(name) / "junit.xml").read_text(encoding="utf-8")
        assert own[own.index("<testsuite ") : own.index("</testsuites>")] in text


def test_the_recipe_runs_it_again(factory, chaos):
    path = chaos.scenario("passes", PASS)
    first = chaos("run", "--seed", "11", path)
    recipe = first.folder("passes") / "repro.sh"
    assert (recipe.parent / "passes.yaml").read_text(encoding="utf-8") == PASS
    path.unlink()  # what was run is what is run again
    again = factory.run("repro", [recipe, "--json"], folder=chaos.folder)
    assert again.code == 0, again.errors()
    said = again.output()
    summary = json.loads(said[said.index('{"version"') :])
    assert summary["seed"] == 11
    runs = [path for path in (chaos.folder / "runs" / "passes").iterdir() if path.is_dir()]
    assert len(runs) == 3  # two runs, and the link to the last one


def test_private_files_stay_only_when_asked(chaos):
    outcome = chaos("run", "--keep", chaos.scenario("passes", PASS))
    private = outcome.folder("passes") / "private"
    assert private.stat().st_mode & 0o777 == 0o700
    token = (private / "root-token").read_text(encoding="utf-8")
    assert (private / "root-token").stat().st_mode & 0o777 == 0o600
    for path in outcome.folder("passes").rglob("*"):
        if path.is_file() and private not in path.parents and "vault" not in path.parts:
            assert token not in path.read_text(encoding="utf-8", errors="replace"), path


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--junit", "nowhere/all.xml"], 'cannot create a file beside "nowhere/all.xml"'),
        (["--junit", "."], '"." is a folder'),
        (["--runs", "/proc"], 'cannot write results into "/proc"'),
        (["--runs", "passes.yaml"], 'cannot make the folder "passes.yaml"'),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_starts(chaos, words, complaint):
    outcome = chaos("run", *words, chaos.scenario("passes", PASS))
    assert outcome.code == 64, outcome
    assert outcome.stderr.startswith(f"chaos: {complaint}"), outcome
    assert outcome.stdout == "" and not (outcome.runs / "passes").exists()


def test_a_tag_that_no_scenario_has_is_named(chaos):
    text = PASS.replace("purpose:", "tags: [smoke, sealed]\npurpose:", 1)
    outcome = chaos("run", "--tags", "smoek", chaos.scenario("tagged", text))
    assert outcome.code == 77
    assert 'no scenario has a tag of "smoek"; they have: smoke, sealed' in outcome.stderr


def test_what_is_no_file_is_wrong_usage(chaos):
    outcome = chaos("lint", "/dev/null")
    assert outcome.code == 64
    assert outcome.stderr == 'chaos: "/dev/null" is neither a file nor a folder\n'
