"""Tokens, cubbyholes and wrapped answers, through hvac and over kill -9."""

import hvac
import pytest
from hvac import exceptions


def client_of(vault, token=None):
    return hvac.Client(url=vault.address, token=token or vault.token)


@pytest.fixture
def client(durable_vault):
    return client_of(durable_vault)


def test_a_token_lives_is_renewed_and_revoked(durable_vault, client):
    made = client.auth.token.create(policies=["default"], ttl="1h", meta={"who": "test"})["auth"]
    child = client_of(durable_vault, made["client_token"])
    looked = child.lookup_token()["data"]
    assert looked["policies"] == ["default"]
    assert looked["meta"] == {"who": "test"}
    assert looked["renewable"] and 3590 < looked["ttl"] <= 3600
    renewed = child.auth.token.renew_self(increment="2h")["auth"]
    assert renewed["lease_duration"] == 7200
    assert made["accessor"] in client.auth.token.list_accessors()["data"]["keys"]
    with pytest.raises(exceptions.Forbidden):
        child.auth.token.list_accessors()
    client.auth.token.revoke_accessor(made["accessor"])
    assert not child.is_authenticated()


def test_a_role_gives_what_it_allows(client):
    client.auth.token.create_or_update_role("r", allowed_policies=["a", "b"], orphan=True)
    assert client.auth.token.list_roles()["data"]["keys"] == ["r"]
    assert client.auth.token.create(role_name="r")["auth"]["policies"] == ["a", "b", "default"]
    with pytest.raises(exceptions.InvalidRequest, match="must be subset of the role's allowed"):
        client.auth.token.create(role_name="r", policies=["c"])


def test_tokens_and_cubbyholes_survive_kill_9(durable_vault, client):
    made = client.auth.token.create(policies=["default"], num_uses=5)["auth"]
    owner = client_of(durable_vault, made["client_token"])
    owner.write("cubbyhole/note", text="mine")
    durable_vault.crash()
    durable_vault.start()
    durable_vault.unseal()
    assert owner.read("cubbyhole/note")["data"] == {"text": "mine"}
    assert owner.lookup_token()["data"]["num_uses"] == 2
    assert client.read("cubbyhole/note") is None


def test_a_wrapped_answer_is_fetched_once(durable_vault, client):
    wrapped = client.auth.token.create(policies=["default"], wrap_ttl="1m")["wrap_info"]
    assert wrapped["creation_path"] == "auth/token/create"
    other = client_of(durable_vault, wrapped["token"])
    made = other.sys.unwrap()["auth"]
    assert made["accessor"] == wrapped["wrapped_accessor"]
    assert client_of(durable_vault, made["client_token"]).is_authenticated()
    with pytest.raises(exceptions.InvalidRequest, match="wrapping token is not valid"):
        other.sys.unwrap()
