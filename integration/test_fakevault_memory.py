"""Sealed means gone: no key that the server ever worked with is left in its memory."""

import base64
import pathlib
import re

import pytest
from harness import FakeVault

ENCRYPTING = ("aes128-gcm96", "aes256-gcm96", "chacha20-poly1305")
SIGNING = ("ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048")
LARGEST_REGION = 4 << 30  # a sanitizer's shadow is larger, and holds no data of ours
BLOCK = 1 << 16


class Traceable(FakeVault):
    """The server without what keeps others from reading its memory."""

    def program(self):
        return self.factory.traceable("fakevault")


def without_zeros(data):
    """The blocks that hold something: of 370 MB these are 10."""
    blocks = (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
    return b"".join(block for block in blocks if block.count(0) < len(block))


def memory(pid):
    """Yields (address, bytes) of each region that the process can write to, without zeros."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as source:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None or "[vvar" in line:
                continue
            start, end = (int(word, 16) for word in found.groups())
            if end - start > LARGEST_REGION:
                continue
            try:
                source.seek(start)
                yield start, without_zeros(source.read(end - start))
            except OSError:
                pass  # unmapped meanwhile


def der_elements(der):
    """The contents of a SEQUENCE's elements."""

    def element(at):
        size, at = der[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(der[at : at + count], "big"), at + count
        return at, size

    at, size = element(0)
    end = at + size
    while at < end:
        start, size = element(at)
        yield der[start : start + size]
        at = start + size


def numbers_of(kind, exported):
    """What is secret in an exported key, as bytes."""
    if not exported.startswith("-----"):
        return [base64.b64decode(exported)[:32]]  # an Ed25519 key has its public half behind that
    der = base64.b64decode("".join(exported.splitlines()[1:-1]))
    elements = list(der_elements(der))
    if kind.startswith("ecdsa"):
        return [elements[1]]
    return [number.lstrip(b"\0") for number in elements[3:9]]  # d, p, q and what follows from them


def needles(kind, exported):
    """Name and bytes of every form that a key may lie in memory in: as it is, as a number of
    OpenSSL's (little-endian), as text."""
    for index, number in enumerate(numbers_of(kind, exported)):
        yield f"{kind}[{index}]", number
        stripped = number.lstrip(b"\0")
        yield f"{kind}[{index}] little-endian", stripped[::-1]
    body = exported.splitlines()
    yield f"{kind} as text", (body[2] if len(body) > 2 else body[0]).encode()


def found_in(pid, wanted):
    """The names of the needles that the process holds, and the region of each."""
    hits = {}
    for address, data in memory(pid):
        for name, needle in wanted:
            if needle in data:
                hits.setdefault(name, hex(address))
    return hits


def use(vault, kind):
    """Works with the key, so that it is loaded wherever the server loads it."""
    text = base64.b64encode(b"x" * 40).decode()
    if kind in SIGNING:
        vault.call("POST", f"transit/sign/{kind}", {"input": text})
    vault.api("POST", f"transit/hmac/{kind}", {"input": text})
    vault.api("POST", f"transit/encrypt/{kind}", {"plaintext": text})


def make_keys(vault):
    """Makes, uses and exports a key of each type; returns what must not be found later."""
    wanted = []
    for kind in (*ENCRYPTING, *SIGNING, "hmac"):
        spec = {"type": kind, "exportable": True, "allow_plaintext_backup": True}
        if kind == "hmac":
            spec["key_size"] = 48
        vault.call("POST", f"transit/keys/{kind}", spec)
        use(vault, kind)
        what = "signing" if kind in SIGNING else "hmac" if kind == "hmac" else "encryption"
        for export in {what, "hmac"}:
            got = vault.call("GET", f"transit/export/{export}-key/{kind}")["data"]["keys"]["1"]
            wanted += [(f"{export} key {name}", needle) for name, needle in needles(kind, got)]
        vault.call("GET", f"transit/backup/{kind}")
    return wanted


@pytest.mark.slow
def test_sealing_leaves_no_key_in_memory(factory):
    vault = Traceable.dev(factory)
    vault.call("POST", "sys/mounts/transit", {"type": "transit"})
    wanted = make_keys(vault)
    try:
        before = found_in(vault.process.pid, wanted)
    except PermissionError:
        pytest.skip("the memory of another process cannot be read here")
    loaded = [name for name, _ in wanted if name.startswith("encryption key") and "]" in name[-2:]]
    assert set(loaded) <= set(before), "the scan does not see what is there"
    assert any("little-endian" in name for name in before), "no key is loaded"

    vault.call("PUT", "sys/seal")

    after = found_in(vault.process.pid, wanted)
    assert after == {}
