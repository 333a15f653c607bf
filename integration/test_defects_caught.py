"""Every defective client of tests/defects is caught, by one of the judges that its row names.

The scenarios are the shipped ones, which pass with the real signer.
"""

import json
import pathlib

import pytest
from harness.defects import binary_of

CATALOGUE = pathlib.Path(__file__).parent.parent / "tests" / "defects" / "catalogue.json"
ROWS = json.loads(CATALOGUE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_defective_client_is_caught(root, factory, chaos, row):
    scenario = row["scenario"]
    path = root / "fixtures" / "scenarios" / f"{scenario}.yaml"
    outcome = chaos("run", "--signer", binary_of(factory, row["name"]), path)
    found = {finding["rule"] for finding in outcome.result(scenario)["findings"]}
    assert outcome.code not in (0, 5), outcome
    assert found & set(row["caught_by"]), outcome
