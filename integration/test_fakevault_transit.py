"""What is done with transit keys, asked by hvac and checked by the openssl command."""

import base64
import shutil
import subprocess

import hvac
import pytest
from harness import FakeVault
from hvac import exceptions

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

MESSAGE = b"the bytes of a manifest"
CONTEXT = base64.b64encode(b"tenant 7").decode()
CIPHERS = ["aes256-gcm96", "chacha20-poly1305"]  # of which hvac knows


def b64(data):
    return base64.b64encode(data).decode()


@pytest.fixture
def vault(factory):
    made = FakeVault.dev(factory)
    made.call("POST", "sys/mounts/transit", {"type": "transit"})
    return made


@pytest.fixture
def transit(vault):
    return hvac.Client(url=vault.address, token=vault.token).secrets.transit


@pytest.mark.parametrize("kind", [*CIPHERS, "rsa-2048"])
def test_what_is_encrypted_is_decrypted(transit, kind):
    transit.create_key(name="k", key_type=kind)
    sealed = transit.encrypt_data(name="k", plaintext=b64(MESSAGE))["data"]["ciphertext"]
    assert sealed.startswith("vault:v1:")
    assert transit.decrypt_data(name="k", ciphertext=sealed)["data"]["plaintext"] == b64(MESSAGE)
    transit.rotate_key(name="k")
    moved = transit.rewrap_data(name="k", ciphertext=sealed)["data"]["ciphertext"]
    assert moved.startswith("vault:v2:")
    assert transit.decrypt_data(name="k", ciphertext=moved)["data"]["plaintext"] == b64(MESSAGE)


def test_what_was_changed_does_not_decrypt(transit):
    transit.create_key(name="k")
    sealed = transit.encrypt_data(name="k", plaintext=b64(MESSAGE))["data"]["ciphertext"]
    raw = bytearray(base64.b64decode(sealed.removeprefix("vault:v1:")))
    raw[-1] ^= 1
    with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
        transit.decrypt_data(name="k", ciphertext="vault:v1:" + b64(bytes(raw)))


def test_encrypting_makes_the_key_that_is_not_there(transit):
    transit.encrypt_data(name="new", plaintext=b64(MESSAGE), context=CONTEXT)
    made = transit.read_key(name="new")["data"]
    assert (made["type"], made["derived"]) == ("aes256-gcm96", True)


@pytest.mark.parametrize("kind", CIPHERS)
def test_a_convergent_key_gives_one_text_for_one_context(transit, kind):
    transit.create_key(name="k", key_type=kind, derived=True, convergent_encryption=True)

    def encrypt(context):
        answer = transit.encrypt_data(name="k", plaintext=b64(MESSAGE), context=context)
        return answer["data"]["ciphertext"]

    assert encrypt(CONTEXT) == encrypt(CONTEXT)
    assert encrypt(CONTEXT) != encrypt(b64(b"tenant 8"))


def test_a_data_key_comes_plain_and_wrapped(transit):
    transit.create_key(name="k")
    plain = transit.generate_data_key(name="k", key_type="plaintext", bits=512)["data"]
    assert len(base64.b64decode(plain["plaintext"])) == 64
    opened = transit.decrypt_data(name="k", ciphertext=plain["ciphertext"])
    assert opened["data"]["plaintext"] == plain["plaintext"]
    assert "plaintext" not in transit.generate_data_key(name="k", key_type="wrapped")["data"]


def test_a_batch_fails_in_part(vault, transit):
    transit.create_key(name="k")
    batch = {"batch_input": [{"plaintext": b64(MESSAGE), "reference": "a"}, {"plaintext": "@"}]}
    answer = vault.api("POST", "transit/encrypt/k", batch)
    good, bad = answer.json()["data"]["batch_results"]
    assert (answer.status_code, good["reference"]) == (400, "a")
    assert bad == {"error": "illegal base64 data at input byte 0", "reference": ""}
    partial = {**batch, "partial_failure_response_code": 207}
    assert vault.api("POST", "transit/encrypt/k", partial).status_code == 207


def test_an_hmac_is_verified(transit):
    transit.create_key(name="k")
    made = transit.generate_hmac(name="k", hash_input=b64(MESSAGE), algorithm="sha2-256")
    for data, valid in ((MESSAGE, True), (b"else", False)):
        answer = transit.verify_signed_data(
            name="k", hash_input=b64(data), hmac=made["data"]["hmac"]
        )
        assert answer["data"]["valid"] is valid


@needs_openssl
@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        ("pkcs1v15", []),
        ("pss", ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]),
    ],
)
def test_openssl_accepts_an_rsa_signature(transit, tmp_path, algorithm, options):
    transit.create_key(name="k", key_type="rsa-2048")
    pem = transit.read_key(name="k")["data"]["keys"]["1"]["public_key"]
    signed = transit.sign_data(
        name="k",
        hash_input=b64(MESSAGE),
        hash_algorithm="sha2-256",
        signature_algorithm=algorithm,
        salt_length="hash",
    )
    (tmp_path / "pem").write_text(pem)
    raw = base64.b64decode(signed["data"]["signature"].removeprefix("vault:v1:"))
    (tmp_path / "signature").write_bytes(raw)

    def verify(data):
        words = ["dgst", "-sha256", "-verify", "pem", "-signature", "signature", *options]
        return subprocess.run(["openssl", *words], input=data, cwd=tmp_path, capture_output=True)

    assert verify(MESSAGE).returncode == 0
    assert verify(b"else").returncode != 0
