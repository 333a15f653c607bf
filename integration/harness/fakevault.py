"""fakevault: one server, on a port that stays its own over crashes and restarts."""

import json
import socket

import requests

from . import limits
from .raw import Raw


def reserve_port():
    """A bound socket that never listens: the port is ours, and clients are refused meanwhile."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class FakeVault:
    TOKEN = "root"

    def __init__(self, factory, *flags, name="fakevault"):
        """Flags are those of `fakevault server`; the listen address and journal are added."""
        self.factory = factory
        self.name = name
        self.flags = flags
        self.folder = factory.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = factory.hold(reserve_port()).getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.journal_file = self.folder / "journal.ndjson"
        self.admin = self.folder / "admin.sock"
        self.token = self.TOKEN if "-dev" in flags else None
        self.keys = []
        self.process = None
        self.start()

    @classmethod
    def durable(cls, factory, name="fakevault"):
        return cls(factory, "-storage=file", f"-path={factory.folder / name / 'data'}", name=name)

    @classmethod
    def dev(cls, factory, name="fakevault"):
        return cls(factory, "-dev", f"-dev-root-token-id={cls.TOKEN}", name=name)

    def program(self):
        return self.factory.binary("fakevault")

    def start(self):
        listen = "-dev-listen-address" if "-dev" in self.flags else "-listen"
        argv = [
            self.program(),
            "server",
            *self.flags,
            f"{listen}=127.0.0.1:{self.port}",
            f"-admin={self.admin}",
            f"-journal={self.journal_file}",
        ]
        self.process = self.factory.start(self.name, argv, ready=True)
        assert self.process.ready_line["port"] == self.port
        self.admin = self.process.ready_line["admin"]

    def ctl(self, *words, expect=0):
        """`fakevault ctl`, against this server; returns what it printed."""
        argv = [self.factory.binary("fakevault"), "ctl", f"-admin={self.admin}", *words]
        child = self.factory.run(f"{self.name}-ctl", argv)
        assert child.code == expect, f"ctl {words}: exit {child.code}\n{child.errors()}"
        return child.output()

    def api(self, method, path, body=None, token=None, **options):
        """One request of Vault's API; returns the `requests` response."""
        headers = {"X-Vault-Token": token or self.token or ""}
        return requests.request(
            method,
            f"{self.address}/v1/{path}",
            json=body,
            headers=headers,
            timeout=options.pop("timeout", limits.EVENT),
            allow_redirects=False,
            **options,
        )

    def call(self, method, path, body=None):
        """The same for calls that must succeed; returns the body."""
        answer = self.api(method, path, body)
        assert answer.status_code in (200, 204), f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else {}

    def initialise(self, shares=5, threshold=3):
        """sys/init; keeps keys and root token."""
        made = self.call(
            "PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold}
        )
        self.keys, self.token = made["keys_base64"], made["root_token"]
        return made

    def unseal(self, count=3):
        """Gives `count` shares; returns the last answer."""
        state = {}
        for key in self.keys[:count]:
            state = self.call("PUT", "sys/unseal", {"key": key})
        return state

    def create_key(self, name="docugen-manifest", kind="ecdsa-p256"):
        """Mounts transit when it is not there, and makes a key."""
        if "transit/" not in self.call("GET", "sys/mounts")["data"]:
            self.call("POST", "sys/mounts/transit", {"type": "transit"})
        self.call("POST", f"transit/keys/{name}", {"type": kind})

    def control(self, method, path, value=None, deadline=limits.EVENT):
        """One call of the control API; returns (status, body)."""
        connection = Raw.unix(self.admin, deadline)
        try:
            return connection.call(method, path, value)
        finally:
            connection.close()

    def state(self):
        return self.control("GET", "/state")[1]

    def crash(self):
        """A real SIGKILL; returns when the process is gone."""
        self.ctl("crash")
        self.process.wait()

    def journal(self, kind=None):
        """The records so far; a torn last line would be an error, and shows."""
        lines = self.journal_file.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        return [record for record in records if kind in (None, record["kind"])]
