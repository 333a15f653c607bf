"""hvac changes the keys of a real process, which is then killed: the disk must hold all of it."""

import base64

import hvac
import pytest
from hvac import exceptions


def client_of(vault, token=None):
    return hvac.Client(url=vault.address, token=token or vault.token)


@pytest.fixture
def client(durable_vault):
    return client_of(durable_vault)


def rekey(client, keys, **options):
    nonce = client.sys.start_rekey(secret_shares=3, secret_threshold=2, **options)["nonce"]
    for key in keys[:2]:
        assert client.sys.rekey(key=key, nonce=nonce)["started"]
    return client.sys.rekey(key=keys[2], nonce=nonce)


def test_rekey_is_on_the_disk_when_it_is_answered(durable_vault, client):
    made = rekey(client, durable_vault.keys)
    assert made["complete"]
    assert len(made["keys"]) == 3
    durable_vault.crash()
    durable_vault.start()
    client = client_of(durable_vault)
    with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
        client.sys.submit_unseal_keys(durable_vault.keys[:2])
    assert client.sys.is_sealed()
    client.sys.submit_unseal_keys([made["keys"][0], made["keys"][2]])
    assert not client.sys.is_sealed()
    assert client.secrets.transit.list_keys()["data"]["keys"]


def test_rekey_that_was_not_verified_is_none_after_a_crash(durable_vault, client):
    rekey(client, durable_vault.keys, require_verification=True)
    durable_vault.crash()
    durable_vault.start()
    client = client_of(durable_vault)
    client.sys.submit_unseal_keys(durable_vault.keys[:3])
    assert not client.sys.is_sealed()
    assert client.sys.read_rekey_progress()["started"] is False


def test_generate_root_makes_a_token_that_works(durable_vault, client):
    started = client.sys.start_root_token_generation()
    otp, nonce = started["otp"], started["nonce"]
    with pytest.raises(exceptions.InvalidRequest, match="incorrect nonce"):
        client.sys.generate_root(key=durable_vault.keys[0], nonce="x")
    for key in durable_vault.keys[:3]:
        told = client.sys.generate_root(key=key, nonce=nonce)
    assert told["complete"]
    encoded = told["encoded_token"]
    bytes_ = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    token = bytes(a ^ ord(b) for a, b in zip(bytes_, otp, strict=True)).decode()
    assert client_of(durable_vault, token).lookup_token()["data"]["policies"] == ["root"]


def test_moving_a_mount_is_on_the_disk_when_it_is_answered(durable_vault, client):
    names = client.secrets.transit.list_keys()["data"]["keys"]
    client.sys.tune_mount_configuration("transit", default_lease_ttl="1h", description="moved")
    client.sys.move_backend("transit", "deep/down")
    durable_vault.crash()
    durable_vault.start()
    client = client_of(durable_vault)
    client.sys.submit_unseal_keys(durable_vault.keys[:3])
    moved = client.sys.list_mounted_secrets_engines()["data"]["deep/down/"]
    assert (moved["description"], moved["config"]["default_lease_ttl"]) == ("moved", 3600)
    assert client.secrets.transit.list_keys(mount_point="deep/down")["data"]["keys"] == names
