"""hvac, a Vault client that we did not write, cannot tell fakevault from Vault."""

import base64

import hvac
import pytest
from harness import FakeVault
from hvac import exceptions

KEY = "docugen-manifest"
INPUT = base64.b64encode(b"the bytes of a manifest").decode()


@pytest.fixture
def fresh(factory):
    """A server that nobody has initialised."""
    return FakeVault.durable(factory)


def client_of(vault, token=None):
    return hvac.Client(url=vault.address, token=token or vault.token)


@pytest.fixture
def client(durable_vault):
    return client_of(durable_vault)


def test_init_unseal_and_status(fresh):
    client = client_of(fresh)
    assert not client.sys.is_initialized()
    made = client.sys.initialize(secret_shares=5, secret_threshold=3)
    assert len(made["keys"]) == len(made["keys_base64"]) == 5
    assert client.sys.is_initialized()
    assert client.sys.is_sealed()
    assert client.sys.submit_unseal_key(made["keys"][4])["progress"] == 1
    assert client.sys.submit_unseal_key(made["keys"][0])["progress"] == 2
    assert client.sys.is_sealed()
    state = client.sys.submit_unseal_key(made["keys"][2])
    assert (state["sealed"], state["t"], state["n"], state["progress"]) == (False, 3, 5, 0)
    client.token = made["root_token"]
    assert client.is_authenticated()
    assert client.lookup_token()["data"]["policies"] == ["root"]


def test_init_twice_is_refused(durable_vault, client):
    with pytest.raises(exceptions.InvalidRequest, match="already initialized"):
        client.sys.initialize(secret_shares=1, secret_threshold=1)


def test_unseal_starts_over_after_a_reset(durable_vault, client):
    client.sys.seal()
    assert client.sys.submit_unseal_key(durable_vault.keys[0])["progress"] == 1
    assert client.sys.submit_unseal_key(reset=True)["progress"] == 0
    assert client.sys.submit_unseal_keys(durable_vault.keys[:3])["sealed"] is False


def test_health(durable_vault, client):
    healthy = client.sys.read_health_status(method="GET")
    assert (healthy["initialized"], healthy["sealed"]) == (True, False)
    client.sys.seal()
    assert client.sys.read_health_status(method="GET").status_code == 503


def test_sign_and_verify(client):
    signed = client.secrets.transit.sign_data(name=KEY, hash_input=INPUT, hash_algorithm="sha2-256")
    signature = signed["data"]["signature"]
    assert signature.startswith("vault:v1:")

    def verify(data):
        answer = client.secrets.transit.verify_signed_data(
            name=KEY, hash_input=data, signature=signature, hash_algorithm="sha2-256"
        )
        return answer["data"]["valid"]

    assert verify(INPUT) is True
    assert verify(base64.b64encode(b"other bytes").decode()) is False


def test_keys_are_created_listed_read_and_rotated(client):
    client.secrets.transit.create_key(name="second", key_type="ecdsa-p256")
    assert client.secrets.transit.list_keys()["data"]["keys"] == [KEY, "second"]
    client.secrets.transit.rotate_key(name="second")
    key = client.secrets.transit.read_key(name="second")["data"]
    assert key["latest_version"] == 2
    assert sorted(key["keys"]) == ["1", "2"]
    assert key["keys"]["1"]["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert key["keys"]["1"]["public_key"] != key["keys"]["2"]["public_key"]


def test_a_key_is_deleted_only_when_that_is_allowed(client):
    transit = client.secrets.transit
    with pytest.raises(exceptions.InvalidRequest, match="deletion is not allowed"):
        transit.delete_key(name=KEY)
    transit.update_key_configuration(name=KEY, deletion_allowed=True)
    transit.delete_key(name=KEY)
    with pytest.raises(exceptions.InvalidPath):
        transit.read_key(name=KEY)


def test_sealing_stops_everything(client):
    client.sys.seal()
    assert client.sys.is_sealed()
    with pytest.raises(exceptions.VaultDown, match="Vault is sealed"):
        client.secrets.transit.sign_data(name=KEY, hash_input=INPUT)
    with pytest.raises(exceptions.VaultDown):
        client.secrets.transit.read_key(name=KEY)


def test_a_restart_comes_back_sealed_with_the_same_key(durable_vault, client):
    before = client.secrets.transit.read_key(name=KEY)["data"]["keys"]
    durable_vault.crash()
    with pytest.raises(OSError):
        client.secrets.transit.read_key(name=KEY)
    durable_vault.start()
    again = client_of(durable_vault)
    assert again.sys.is_sealed()
    again.sys.submit_unseal_keys(durable_vault.keys[1:4])
    assert again.secrets.transit.read_key(name=KEY)["data"]["keys"] == before


def test_a_wrong_token_is_forbidden(durable_vault):
    stranger = client_of(durable_vault, token="s.nobody")
    with pytest.raises(exceptions.Forbidden, match="permission denied"):
        stranger.secrets.transit.read_key(name=KEY)


def test_what_is_not_there_is_an_invalid_path(client):
    with pytest.raises(exceptions.InvalidPath):
        client.secrets.transit.read_key(name="nobody")
    with pytest.raises(exceptions.InvalidPath, match="no handler for route"):
        client.write_data("nowhere/at/all", data={"a": "b"})
    assert client.read("nowhere/at/all") is None


def test_bad_input_is_an_invalid_request(client):
    with pytest.raises(exceptions.InvalidRequest, match="illegal base64"):
        client.secrets.transit.sign_data(name=KEY, hash_input="%%%")
    with pytest.raises(exceptions.InvalidRequest, match="unknown key type"):
        client.write_data("transit/keys/odd", data={"type": "no-such-type"})


def test_kv_holds_versions(client):
    client.sys.enable_secrets_engine("kv", path="config", options={"version": "2"})
    kv = client.secrets.kv.v2
    kv.create_or_update_secret("app", {"colour": "red"}, mount_point="config")
    kv.create_or_update_secret("app", {"colour": "blue"}, mount_point="config")
    read = kv.read_secret_version("app", mount_point="config", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"colour": "blue"}
    assert read["data"]["metadata"]["version"] == 2
