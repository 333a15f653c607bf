"""Mutated requests through the socket: nothing that is sent harms the server or anybody else."""

import contextlib
import os
import random
import socket

import pytest
from harness import FakeVault, limits

ROUNDS = int(os.environ.get("HARNESS_MUTATIONS", "400"))
SEED = int(os.environ.get("HARNESS_SEED", "1"))

TOKEN = FakeVault.TOKEN.encode()
HEAD = b"Host: localhost\r\nX-Vault-Token: " + TOKEN + b"\r\n"


def post(path, body, kind=b"application/json"):
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return (
        b"POST /v1/"
        + path
        + b" HTTP/1.1\r\n"
        + HEAD
        + b"Content-Type: "
        + kind
        + b"\r\n"
        + length
        + body
    )


# What is mutated: a line each for the parts that read something of a client's.
REQUESTS = [
    b"GET /v1/sys/health?standbyok=true&sealedcode=299 HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"LIST /v1/transit/keys HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"GET /v1/sys/mounts?list=true&help=1 HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"HEAD /v1/sys/health HTTP/1.0\r\n\r\n",
    post(b"transit/sign/docugen-manifest", b'{"input":"aGVsbG8=","hash_algorithm":"sha2-256"}'),
    post(b"transit/sign/docugen-manifest", b'{"batch_input":[{"input":"YQ=="},{"input":"%%"}]}'),
    post(b"transit/encrypt/upsert", b'{"plaintext":"YQ==","context":"YQ==","key_version":1}'),
    post(b"sys/policies/acl/p", b'{"policy":"path \\"a/*\\" { capabilities = [\\"read\\"] }"}'),
    post(b"auth/token/create", b'{"policies":["default"],"ttl":"1h","meta":{"a":"b"}}'),
    post(b"sys/wrapping/wrap", b"a=1&b=%20c", b"application/x-www-form-urlencoded"),
    post(b"secret/data/a/b", b'{"data":{"k":1.5e300},"options":{"cas":0}}'),
    b"POST /v1/sys/unseal HTTP/1.1\r\n"
    + HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n10\r\n"
    + b'{"key":"AAAAAA"}'
    + b"\r\n0\r\n\r\n",
]
PIECES = [
    *(b"\x00", b"\xff", b"%00", b"%2e%2e/", b"//", b"\r\n", b"\n", b" "),
    *(b"{", b"[" * 100, b'"', b"\\u0000", b"-1", b"99999999999999999999", b"1e999"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"),
    *(b"X-Vault-Wrap-TTL: 60\r\n", b"X-Vault-Namespace: x\r\n"),
]


def mutate(dice, request):
    """Changes, drops, doubles or puts in something, a few times."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(request) + 1)
        to = min(len(request), at + dice.randint(0, 12))
        what = dice.randrange(5)
        if what == 0:
            request = request[:at] + bytes([dice.randrange(256)]) + request[at + 1 :]
        elif what == 1:
            request = request[:at] + request[to:]
        elif what == 2:
            request = request[:to] + request[at:to] + request[to:]
        elif what == 3:
            request = request[:at] + dice.choice(PIECES) + request[at:]
        else:
            request = request[:at]
    return request


def send(port, request, half_close):
    """Sends and reads until the server has said what it says, or is silent: both are fine."""
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        contextlib.suppress(OSError),
    ):
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.05)
        while connection.recv(65536):
            pass


@pytest.mark.slow
@pytest.mark.timeout(limits.TEST + limits.seconds(1) * ROUNDS)
def test_mutated_requests_harm_nobody(dev_vault):
    dice = random.Random(SEED)
    for number in range(ROUNDS):
        request = mutate(dice, dice.choice(REQUESTS))
        if dice.random() < 0.2:
            request += dice.choice(REQUESTS)  # pipelined behind it
        try:
            send(dev_vault.port, request, dice.random() < 0.5)
        except OSError as why:
            raise AssertionError(f"seed {SEED}, request {number}: {request!r}: {why}") from why
        if number % 50 == 0:
            assert dev_vault.api("GET", "sys/health").status_code in (200, 503)
    assert dev_vault.process.popen.poll() is None, "the server is gone"
    assert dev_vault.api("GET", "auth/token/lookup-self").status_code in (200, 503)
