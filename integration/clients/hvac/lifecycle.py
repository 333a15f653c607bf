"""Walks through the life of a Vault with hvac, as an application would, and checks what its caller
sees: values, and the client's own exceptions. VAULT_ADDR names a server that nobody has
initialised. Prints a line for each step that holds."""

import base64
import sys
import traceback

import hvac
from hvac import exceptions

client = hvac.Client()
transit = client.secrets.transit
known = {}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def refused(kind, text, call, *arguments, **named):
    """The client's own exception, with that text in what Vault says."""
    try:
        call(*arguments, **named)
    except kind as error:
        assert text in str(error), f'want "{text}" in "{error}"'
        return error
    raise AssertionError(f"want {kind.__name__}, nothing was raised")


def init():
    assert not client.sys.is_initialized()
    made = client.sys.initialize(secret_shares=5, secret_threshold=3)
    assert len(made["keys"]) == len(made["keys_base64"]) == 5
    known.update(keys=made["keys_base64"], root=made["root_token"])
    client.token = known["root"]
    refused(
        exceptions.InvalidRequest,
        "Vault is already initialized",
        client.sys.initialize,
        secret_shares=5,
        secret_threshold=3,
    )


def sealed():
    refused(exceptions.VaultDown, "Vault is sealed", client.sys.list_mounted_secrets_engines)
    assert client.sys.is_sealed()
    assert client.sys.read_health_status(method="GET").status_code == 503


def unseal():
    for i, key in enumerate(known["keys"][:3]):
        state = client.sys.submit_unseal_key(key)
        assert (state["sealed"], state["progress"]) == (i < 2, (i + 1) % 3)
    state = client.sys.read_seal_status()
    assert (state["sealed"], state["t"], state["n"]) == (False, 3, 5)
    assert client.sys.read_leader_status()["ha_enabled"] is False
    assert client.ha_status["ha_enabled"] is False


def mount():
    client.sys.enable_secrets_engine("transit", description="for signing")
    taken = "path is already in use at transit/"
    refused(exceptions.InvalidRequest, taken, client.sys.enable_secrets_engine, "transit")
    odd = "plugin not found in the catalog: nonsense"
    refused(exceptions.InvalidRequest, odd, client.sys.enable_secrets_engine, "nonsense")
    mounts = client.sys.list_mounted_secrets_engines()
    assert mounts["data"]["transit/"]["description"] == "for signing"
    client.sys.tune_mount_configuration("transit", default_lease_ttl="1h")
    assert client.sys.read_mount_configuration("transit")["data"]["default_lease_ttl"] == 3600


def make_keys():
    transit.create_key(name="signing", key_type="ecdsa-p256")
    transit.create_key(name="boxes", key_type="aes256-gcm96")
    assert transit.list_keys()["data"]["keys"] == ["boxes", "signing"]
    assert transit.read_key(name="signing")["data"]["type"] == "ecdsa-p256"
    refused(exceptions.InvalidPath, "", transit.read_key, name="nobody")
    assert client.read("transit/keys/nobody") is None


def sign():
    signature = transit.sign_data(name="signing", hash_input=encoded("a manifest"))
    signature = signature["data"]["signature"]
    assert signature.startswith("vault:v1:")
    for text, valid in (("a manifest", True), ("another", False)):
        verified = transit.verify_signed_data(
            name="signing", hash_input=encoded(text), signature=signature
        )
        assert verified["data"]["valid"] is valid
    odd = "unable to decode input as base64"
    refused(exceptions.InvalidRequest, odd, transit.sign_data, name="signing", hash_input="%%%")
    missing = "signing key not found"
    refused(exceptions.InvalidRequest, missing, transit.sign_data, name="nobody", hash_input="eA==")


def encrypt():
    first = transit.encrypt_data(name="boxes", plaintext=encoded("secret"))["data"]["ciphertext"]
    assert first.startswith("vault:v1:")
    transit.rotate_key(name="boxes")
    again = transit.rewrap_data(name="boxes", ciphertext=first)["data"]["ciphertext"]
    assert again.startswith("vault:v2:")
    for ciphertext in (first, again):
        opened = transit.decrypt_data(name="boxes", ciphertext=ciphertext)
        assert opened["data"]["plaintext"] == encoded("secret")
    odd = "invalid ciphertext: no prefix"
    refused(exceptions.InvalidRequest, odd, transit.decrypt_data, name="boxes", ciphertext="odd")
    mac = transit.generate_hmac(name="boxes", hash_input=encoded("x"))["data"]["hmac"]
    assert transit.verify_signed_data(name="boxes", hash_input=encoded("x"), hmac=mac)["data"][
        "valid"
    ]
    assert len(transit.hash_data(encoded("x"), algorithm="sha2-256")["data"]["sum"]) == 64
    assert len(transit.generate_random_bytes(n_bytes=16)["data"]["random_bytes"]) == 24
    made = transit.generate_data_key(name="boxes", key_type="plaintext")["data"]
    opened = transit.decrypt_data(name="boxes", ciphertext=made["ciphertext"])
    assert opened["data"]["plaintext"] == made["plaintext"]


def batch():
    items = [{"plaintext": encoded(text)} for text in ("one", "two")]
    results = transit.encrypt_data(name="boxes", plaintext=None, batch_input=items)
    results = results["data"]["batch_results"]
    opened = transit.decrypt_data(name="boxes", ciphertext=None, batch_input=results)
    texts = [item["plaintext"] for item in opened["data"]["batch_results"]]
    assert texts == [encoded("one"), encoded("two")]
    items = [{"input": encoded("one"), "reference": "a"}, {"input": encoded("two")}]
    signed = transit.sign_data(name="signing", batch_input=items)["data"]["batch_results"]
    assert signed[0]["reference"] == "a" and signed[1]["signature"].startswith("vault:v1:")
    mixed = [results[0], {"ciphertext": "nonsense"}]
    refused(
        exceptions.InvalidRequest,
        "",
        transit.decrypt_data,
        name="boxes",
        ciphertext=None,
        batch_input=mixed,
    )


def tokens():
    child = client.auth.token.create(policies=["default"], ttl="1h", meta={"who": "hvac"})["auth"]
    assert (child["renewable"], child["lease_duration"]) == (True, 3600)
    about = client.auth.token.lookup(child["client_token"])["data"]
    assert (about["policies"], about["meta"]) == (["default"], {"who": "hvac"})
    client.token = child["client_token"]
    refused(
        exceptions.Forbidden,
        "permission denied",
        transit.sign_data,
        name="signing",
        hash_input="eA==",
    )
    client.auth.token.renew_self(increment="2h")
    client.auth.token.revoke_self()
    refused(exceptions.Forbidden, "permission denied", client.auth.token.lookup_self)
    assert not client.is_authenticated()
    client.token = known["root"]
    assert client.is_authenticated()
    assert len(client.auth.token.list_accessors()["data"]["keys"]) == 1


def policies():
    rules = 'path "transit/sign/*" { capabilities = ["update"] }'
    client.sys.create_or_update_policy("signer", rules)
    assert client.sys.list_policies()["data"]["policies"] == ["default", "signer", "root"]
    assert client.sys.read_policy("signer")["data"]["rules"] == rules
    child = client.auth.token.create(policies=["signer"])["auth"]["client_token"]
    can = client.sys.get_capabilities(["transit/sign/signing"], token=child)
    assert can["data"]["transit/sign/signing"] == ["update"]
    client.token = child
    transit.sign_data(name="signing", hash_input=encoded("allowed"))
    refused(exceptions.Forbidden, "permission denied", transit.read_key, name="signing")
    client.token = known["root"]
    client.sys.delete_policy("signer")


def wrapping():
    wrapped = client.adapter.get("/v1/transit/keys/signing", wrap_ttl="1m")
    assert wrapped["wrap_info"]["ttl"] == 60
    token = wrapped["wrap_info"]["token"]
    assert client.sys.unwrap(token)["data"]["type"] == "ecdsa-p256"
    gone = "wrapping token is not valid or does not exist"
    refused(exceptions.InvalidRequest, gone, client.sys.unwrap, token)
    info = client.sys.wrap({"a": "b"}, ttl=60)["wrap_info"]
    assert client.sys.unwrap(info["token"])["data"] == {"a": "b"}


def key_value():
    client.sys.enable_secrets_engine("kv", path="config", options={"version": "2"})
    kv = client.secrets.kv.v2
    for colour in ("red", "blue"):
        kv.create_or_update_secret("app", {"colour": colour}, mount_point="config")
    read = kv.read_secret_version("app", mount_point="config", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"colour": "blue"}
    assert read["data"]["metadata"]["version"] == 2
    assert kv.list_secrets("", mount_point="config")["data"]["keys"] == ["app"]
    kv.patch("app", {"size": "big"}, mount_point="config")
    read = kv.read_secret_version("app", mount_point="config", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"colour": "blue", "size": "big"}
    refused(
        exceptions.InvalidRequest,
        "check-and-set parameter did not match the current version",
        kv.create_or_update_secret,
        "app",
        {},
        cas=1,
        mount_point="config",
    )
    kv.delete_latest_version_of_secret("app", mount_point="config")
    refused(
        exceptions.InvalidPath,
        "",
        kv.read_secret_version,
        "app",
        mount_point="config",
        raise_on_deleted_version=True,
    )


def refusals():
    client.token = "s.nobody"
    refused(exceptions.Forbidden, "permission denied", transit.read_key, name="signing")
    client.token = known["root"]
    route = "no handler for route"
    refused(exceptions.InvalidPath, route, client.write_data, "nowhere/at/all", data={"a": "b"})
    kept = "deletion is not allowed for this key"
    refused(exceptions.InvalidRequest, kept, transit.delete_key, name="signing")
    client.sys.disable_secrets_engine("config")


def seal():
    client.sys.seal()
    refused(
        exceptions.VaultDown,
        "Vault is sealed",
        transit.sign_data,
        name="signing",
        hash_input="eA==",
    )
    assert client.sys.submit_unseal_key(reset=True)["progress"] == 0


STEPS = {
    "init": init,
    "sealed": sealed,
    "unseal": unseal,
    "mount": mount,
    "keys": make_keys,
    "sign": sign,
    "encrypt": encrypt,
    "batch": batch,
    "tokens": tokens,
    "policies": policies,
    "wrapping": wrapping,
    "kv": key_value,
    "refusals": refusals,
    "seal": seal,
}


def main():
    failed = False
    for name, run in STEPS.items():
        try:
            run()
            print("ok", name, flush=True)
        except Exception:
            failed = True
            print("failed", f"{name}:", traceback.format_exc(), flush=True)
            client.token = known.get("root")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
