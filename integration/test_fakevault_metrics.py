"""sys/metrics of a dev server: for everybody, also while sealed."""

import re

import pytest
import requests
from harness import FakeVault, limits


@pytest.fixture
def vault(factory):
    return FakeVault.dev(factory)


def scrape(vault, accept=None):
    headers = {"Accept": accept} if accept else {}
    query = "" if accept else "?format=prometheus"
    answer = requests.get(
        f"{vault.address}/v1/sys/metrics{query}", headers=headers, timeout=limits.EVENT
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    rows = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def unsealed(samples):
    return {v for name, v in samples.items() if re.match(r'vault_core_unsealed{cluster="v', name)}


def test_what_is_done_is_counted(vault):
    vault.call("GET", "sys/mounts")
    before = scrape(vault)
    for _ in range(3):
        vault.call("GET", "secret/config")
    assert vault.api("GET", "secret/data/none").status_code == 404
    after = scrape(vault, accept="application/openmetrics-text; version=1.0.0")
    assert after["vault_core_handle_request_count"] == before["vault_core_handle_request_count"] + 4
    assert after["vault_route_read_secret__count"] == 4
    assert after["vault_route_read_secret__sum"] > 0
    assert unsealed(after) == {1.0}


def test_a_sealed_server_still_says_so(vault):
    vault.ctl("seal")
    assert unsealed(scrape(vault)) == {0.0}
    assert vault.api("GET", "secret/config").status_code == 503


def test_other_forms(vault):
    view = requests.get(f"{vault.address}/v1/sys/metrics", timeout=limits.EVENT).json()
    assert set(view) == {"Timestamp", "Gauges", "Points", "Counters", "Samples"}
    wrong = requests.get(f"{vault.address}/v1/sys/metrics?format=zzz", timeout=limits.EVENT)
    assert (wrong.status_code, wrong.text) == (400, 'metric response format "zzz" unknown')
    assert wrong.headers["Content-Type"] == "text/plain"
    assert requests.post(f"{vault.address}/v1/sys/metrics", timeout=limits.EVENT).status_code == 405
