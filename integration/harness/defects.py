"""defects: the defective signers of tests/defects, and what is needed to see them misbehave."""

import datetime
import time
import types

from .signer import Signer


def binary_of(factory, defect):
    if defect is None:
        return factory.binary("signer")
    return factory.binary(f"../bin-test/signer_defect_{defect}")


def client(factory, vault, binary, **environment):
    made = Signer(factory, vault.address, vault.token, binary, **environment)
    made.trust()
    made.vault = vault
    made.token_text = vault.token
    return made


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def off(text, seconds=60):
    """True when the time is not about now."""
    age = datetime.datetime.now(datetime.UTC) - moment(text)
    return abs(age.total_seconds()) > seconds


def respond(vault, status, errors=("no",), **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    effect = {"respond": {"status": status, "errors": list(errors), "headers": names}}
    assert vault.control("POST", "/faults", {"effect": effect})[0] == 200


def hold(vault):
    assert vault.control("POST", "/hold", {"hold": True})[0] == 200


def release(vault):
    assert vault.control("POST", "/hold", {"hold": False})[0] == 200


def signed_requests(vault):
    return [r for r in vault.journal("request") if "/sign/" in r["path"]]


def attempts(s, run_id):
    return s.audit(run_id)[-1]["payload"]["attempts"]


def try_to_sign(s, folder=None, **environment):
    """Signs a bundle whatever comes of it: its id, exit code and seconds."""
    folder, run_id = (folder, folder.name) if folder else s.bundle()
    began = time.monotonic()
    child = s.run("sign", folder, **environment)
    seconds = time.monotonic() - began
    return types.SimpleNamespace(id=run_id, folder=folder, child=child, seconds=seconds)
