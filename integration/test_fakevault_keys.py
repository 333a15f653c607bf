"""Keys that move: between this server, a real Vault (recorded) and the openssl command."""

import base64
import json
import os
import shutil
import subprocess

import pytest
from harness import FakeVault, limits

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

MESSAGE = b"hello"
MESSAGE_TEXT = base64.b64encode(MESSAGE).decode()
PKCS8 = {
    "ed25519": ["-algorithm", "ED25519"],
    "ecdsa-p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ecdsa-p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ecdsa-p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa-2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}
BYTES = {"aes128-gcm96": 16, "aes256-gcm96": 32, "chacha20-poly1305": 32, "hmac": 48}


@pytest.fixture
def vault(factory):
    made = FakeVault.dev(factory)
    made.call("POST", "sys/mounts/transit", {"type": "transit"})
    return made


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *words], input=data, capture_output=True)
    assert done.returncode == 0, f"openssl {words}: {done.stderr.decode()}"
    return done.stdout


def recorded(root):
    return json.loads((root / "fixtures/vectors/vault_keys.json").read_text(encoding="utf-8"))


def exports(vault, name, kinds):
    return {
        kind: vault.call("GET", f"transit/export/{kind}/{name}")["data"]["keys"] for kind in kinds
    }


def test_a_backup_of_a_real_vault_restores(vault, root):
    for kind, key in recorded(root).items():
        vault.call("POST", f"transit/restore/{kind}", {"backup": key["backup"]})
        assert exports(vault, kind, key["exports"]) == key["exports"]
        for signature in key["made"].get("signature", []):
            body = {"input": MESSAGE_TEXT, "signature": signature}
            assert vault.call("POST", f"transit/verify/{kind}", body)["data"]["valid"], kind


def test_a_backup_restores_to_the_same_key(vault, root):
    """Down to the JSON inside, but for when it was backed up and restored."""
    for kind, key in recorded(root).items():
        vault.call("POST", f"transit/restore/{kind}", {"backup": key["backup"]})
        again = vault.call("GET", f"transit/backup/{kind}")["data"]["backup"]
        ours, theirs = (json.loads(base64.b64decode(text)) for text in (again, key["backup"]))
        for one in (ours, theirs):
            for name in ("name", "backup_info", "restore_info"):
                one["policy"].pop(name)
        assert ours == theirs, kind


def test_a_damaged_backup_is_refused(vault, root):
    backup = json.loads(base64.b64decode(recorded(root)["ecdsa-p256"]["backup"]))
    backup["policy"]["keys"]["2"]["ec_d"] = 0
    text = base64.b64encode(json.dumps(backup).encode()).decode()
    answer = vault.api("POST", "transit/restore/k", {"backup": text})
    assert answer.status_code == 500
    assert vault.api("GET", "transit/keys/k").status_code == 404


def wrapping_key(vault):
    """Made on the first request, which takes seconds."""
    answer = vault.api("GET", "transit/wrapping_key", timeout=limits.WORK)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["public_key"]


def wrap(vault, folder, material, digest="sha256"):
    """What an import takes: an AES key under the mount's RSA key, and the material under that."""
    wrapping = folder / "wrapping.pem"
    wrapping.write_text(wrapping_key(vault))
    inner = folder / "material"
    inner.write_bytes(material)
    key = os.urandom(32)
    options = ["rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}"]
    options = [word for option in options for word in ("-pkeyopt", option)]
    outer = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", str(wrapping), *options, data=key)
    wrapped = openssl(
        *["enc", "-id-aes256-wrap-pad", "-K", key.hex(), "-iv", "A65959A6", "-in", str(inner)]
    )
    return base64.b64encode(outer + wrapped).decode()


def new_pair(kind):
    """PKCS#8 and its public half in PEM."""
    pem = openssl("genpkey", *PKCS8[kind])
    private = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=pem)
    return private, openssl("pkey", "-pubout", data=pem).decode()


@needs_openssl
def test_bytes_are_imported(vault, factory):
    for kind, size in BYTES.items():
        material = os.urandom(size)
        body = {"type": kind, "exportable": True, "hash_function": "SHA384"}
        body["ciphertext"] = wrap(vault, factory.folder, material, "sha384")
        vault.call("POST", f"transit/keys/{kind}/import", body)
        what = "hmac-key" if kind == "hmac" else "encryption-key"
        got = exports(vault, kind, [what])[what]
        assert got == {"1": base64.b64encode(material).decode()}


@needs_openssl
def test_pairs_are_imported_and_complete_a_public_key(vault, factory):
    for kind in PKCS8:
        private, public = new_pair(kind)
        body = {"type": kind, "exportable": True, "public_key": public}
        vault.call("POST", f"transit/keys/{kind}/import", body)
        refused = vault.api("POST", f"transit/sign/{kind}", {"input": MESSAGE_TEXT})
        assert "does not contain a private part" in refused.text
        ciphertext = wrap(vault, factory.folder, private)
        vault.call("POST", f"transit/keys/{kind}/import_version", {"ciphertext": ciphertext})
        data = vault.call("GET", f"transit/keys/{kind}")["data"]
        assert (data["latest_version"], data["imported_key"]) == (1, True)
        check_signature(vault, kind, public, factory.folder)


@needs_openssl
def test_what_was_tampered_with_is_not_imported(vault, factory):
    ciphertext = bytearray(base64.b64decode(wrap(vault, factory.folder, os.urandom(32))))
    for at in (5, -1):
        ciphertext[at] ^= 1
        body = {"ciphertext": base64.b64encode(ciphertext).decode()}
        assert vault.api("POST", "transit/keys/k/import", body).status_code == 500
        ciphertext[at] ^= 1
    assert vault.api("GET", "transit/keys/k").status_code == 404


def check_signature(vault, kind, public, folder):
    """OpenSSL believes what the key signed, and not when the message is another."""
    body = {"input": MESSAGE_TEXT, "signature_algorithm": "pkcs1v15"}
    text = vault.call("POST", f"transit/sign/{kind}", body)["data"]["signature"]
    files = {name: folder / name for name in ("public.pem", "signature", "message", "other")}
    files["public.pem"].write_text(public)
    files["signature"].write_bytes(base64.b64decode(text.split(":")[2]))
    files["message"].write_bytes(MESSAGE)
    files["other"].write_bytes(MESSAGE + b"!")
    for name, valid in (("message", True), ("other", False)):
        words = ["pkeyutl", "-verify", "-pubin", "-inkey", files["public.pem"], "-rawin"]
        words += ["-sigfile", files["signature"], "-in", files[name]]
        if kind != "ed25519":
            words += ["-digest", "sha256"]
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True)
        assert (done.returncode == 0) == valid, f"{kind} {name}: {done.stdout} {done.stderr}"


@needs_openssl
def test_openssl_verifies_with_exported_public_keys(vault, factory):
    for kind in PKCS8:
        vault.call("POST", f"transit/keys/{kind}", {"type": kind})
        public = vault.call("GET", f"transit/export/public-key/{kind}")["data"]["keys"]["1"]
        if kind == "ed25519":
            spki = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(public)
            public = openssl("pkey", "-pubin", "-inform", "DER", "-pubout", data=spki).decode()
        check_signature(vault, kind, public, factory.folder)


@pytest.mark.slow
@needs_openssl
def test_keys_travel_wrapped_from_one_server_to_another(factory):
    one, other = (FakeVault.dev(factory, name) for name in ("one", "other"))
    for vault in (one, other):
        vault.call("POST", "sys/mounts/transit", {"type": "transit"})
    body = {"type": "rsa-4096", "public_key": wrapping_key(other)}
    one.call("POST", "transit/keys/w/import", body)
    for kind in ("aes256-gcm96", "ed25519", "ecdsa-p521", "rsa-2048"):
        one.call("POST", f"transit/keys/{kind}", {"type": kind, "exportable": True})
        wrapped = one.call("GET", f"transit/byok-export/w/{kind}")["data"]["keys"]["1"]
        body = {"type": kind, "ciphertext": wrapped, "exportable": True}
        other.call("POST", f"transit/keys/{kind}/import", body)
        what = "encryption-key" if kind == "aes256-gcm96" else "signing-key"
        assert exports(one, kind, [what]) == exports(other, kind, [what])
