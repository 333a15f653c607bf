"""signer: the command and its services, with a folder that holds pin, audit trail and keys."""

import base64
import json
import os
import uuid

import requests

from . import limits


class Signer:
    def __init__(self, factory, vault_addr, token, binary=None, name="signer", **environment):
        self.factory = factory
        self.name = name
        self.binary = binary or factory.binary("signer")
        self.folder = factory.folder / name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.audit_log = self.folder / "audit.ndjson"
        self.fallback_key = self.folder / "fallback.json"
        self.settings = {
            "VAULT_ADDR": vault_addr,
            "VAULT_TOKEN": token,
            "TRUST_FILE": self.folder / "trust.json",
            "AUDIT_LOG": self.audit_log,
            "SIGNER_BACKOFF_BASE_MS": 20,
            "SIGNER_BACKOFF_MAX_MS": 100,
            **environment,
        }

    def allow_fallback(self):
        """Makes a local key, readable by us alone, and turns the switch on."""
        seed = base64.b64encode(os.urandom(32)).decode()
        self.fallback_key.touch(mode=0o600)
        self.fallback_key.write_text(json.dumps({"signingKey": seed}), encoding="utf-8")
        self.settings["ALLOW_FALLBACK_SIGNING"] = "true"
        self.settings["FALLBACK_KEY_FILE"] = self.fallback_key

    def run(self, *words, **environment):
        """Any command; returns the ended child with its `code`."""
        settings = self.factory.environment(**{**self.settings, **environment})
        return self.factory.run(f"{self.name}-{words[0]}", [self.binary, *words], settings)

    def trust(self):
        child = self.run("trust", "accept")
        assert child.code == 0, child.errors()

    def bundle(self, content=b"report"):
        """A folder that can be signed; returns its path and run id."""
        run_id = str(uuid.uuid4())
        folder = self.folder / "bundles" / run_id
        folder.mkdir(parents=True)
        (folder / "report.pdf").write_bytes(content)
        artefact = {
            "id": "report",
            "type": "pdf",
            "path": "report.pdf",
            "storageKey": f"bundles/{run_id}/report.pdf",
            "renderVersion": "1",
        }
        document = {
            "bundleRunId": run_id,
            "operatorId": "operator-1",
            "metadata": {},
            "artefacts": [artefact],
        }
        (folder / "bundle.json").write_text(json.dumps(document), encoding="utf-8")
        return folder, run_id

    def sign(self, folder, expect=0, **environment):
        """Signs; returns the printed result, or the error text when a failure is expected."""
        child = self.run("sign", folder, **environment)
        assert child.code == expect, f"exit {child.code}: {child.errors()}"
        return json.loads(child.output()) if expect == 0 else child.errors()

    def audit(self, run_id=None):
        """The entries of the trail."""
        if not self.audit_log.exists():
            return []
        entries = [json.loads(line) for line in self.audit_log.read_text().splitlines()]
        return [e for e in entries if run_id in (None, e.get("bundleRunId"))]

    def serve(self, name="api", flags=(), under=(), binary=None, **environment):
        """Starts a service; `under` is a command that runs it, like strace with its options."""
        command = [*under, binary or self.binary]
        return Service(self, name, command, flags, environment)


def request_body(run_id=None, **fields):
    """What POST /api/v1/bundles takes: one artefact, unless told otherwise."""
    artefact = {
        "id": "report",
        "type": "pdf",
        "checksum": "sha256:" + "0" * 64,
        "storageKey": "report.pdf",
        "renderVersion": "1",
    }
    return {
        "bundleRunId": run_id or str(uuid.uuid4()),
        "operatorId": "operator-1",
        "metadata": {},
        "artefacts": [artefact],
        **fields,
    }


class Service:
    """`signer serve`, on a port of its own choice."""

    def __init__(self, signer, name, command, flags, environment):
        self.data = signer.folder / f"{name}-data"
        argv = [*command, "serve", "-name", name, "-listen=127.0.0.1:0", *flags]
        argv.append(f"-data={self.data}")
        settings = signer.factory.environment(**{**signer.settings, **environment})
        self.process = signer.factory.start(name, argv, settings, ready=True)
        self.port = self.process.ready_line["port"]
        self.address = f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, timeout=limits.EVENT, **headers):
        return requests.request(
            method, f"{self.address}{path}", json=body, headers=headers, timeout=timeout
        )

    def post(self, body):
        return self.request("POST", "/api/v1/bundles", body)

    def run(self, run_id, wait=None):
        """The run; with `wait`, once it is settled or the seconds are over."""
        headers = {} if wait is None else {"Prefer": f"wait={wait}"}
        answer = self.request("GET", f"/api/v1/bundles/{run_id}", **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sign(self, artefacts=None, wait=30):
        """Posts a bundle and waits for its end; returns the run."""
        posted = self.post(request_body(**({"artefacts": artefacts} if artefacts else {})))
        assert posted.status_code == 202, posted.text
        return self.run(posted.json()["id"], wait)

    def retry(self, run_id):
        return self.request("POST", f"/api/v1/bundles/{run_id}/retry")

    def manifest(self, run_id):
        return self.request("GET", f"/api/v1/bundles/{run_id}/manifest")

    def metrics(self):
        """Value of each series, by its text: 'signing_total{mode="vault"}'."""
        lines = self.request("GET", "/metrics").text.splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in samples}
