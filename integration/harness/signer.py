"""signer: the command and its services, with a folder that holds pin, audit trail and keys."""

import base64
import json
import os
import uuid

import requests


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

    def serve(self, name="api", **environment):
        return Service(self, name, environment)


class Service:
    """`signer serve`, on a port of its own choice."""

    def __init__(self, signer, name, environment):
        data = signer.folder / f"{name}-data"
        argv = [signer.binary, "serve", "-name", name, "-listen=127.0.0.1:0", f"-data={data}"]
        settings = signer.factory.environment(**{**signer.settings, **environment})
        self.process = signer.factory.start(name, argv, settings, ready=True)
        self.address = f"http://127.0.0.1:{self.process.ready_line['port']}"

    def request(self, method, path, body=None, **headers):
        return requests.request(
            method, f"{self.address}{path}", json=body, headers=headers, timeout=60
        )

    def sign(self, artefacts=None, wait=30):
        """Posts a bundle and waits for its end; returns the run."""
        checksum = "sha256:" + "0" * 64
        artefact = {
            "id": "report",
            "type": "pdf",
            "checksum": checksum,
            "storageKey": "report.pdf",
            "renderVersion": "1",
        }
        body = {
            "bundleRunId": str(uuid.uuid4()),
            "operatorId": "operator-1",
            "metadata": {},
            "artefacts": artefacts or [artefact],
        }
        posted = self.request("POST", "/api/v1/bundles", body)
        assert posted.status_code == 202, posted.text
        run = posted.json()
        path = f"/api/v1/bundles/{run['id']}"
        return self.request("GET", path, Prefer=f"wait={wait}").json()
