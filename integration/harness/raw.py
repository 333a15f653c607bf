"""raw: HTTP as bytes on a socket of one's own, for what no client library lets one see."""

import json
import socket

from . import limits


class Raw:
    """One connection. Every read has a deadline."""

    def __init__(self, port, deadline=limits.EVENT):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=deadline)
        self.socket.settimeout(deadline)
        self.rest = b""

    @classmethod
    def unix(cls, path, deadline=limits.EVENT):
        made = cls.__new__(cls)
        made.socket = socket.socket(socket.AF_UNIX)
        made.socket.settimeout(deadline)
        made.socket.connect(str(path))
        made.rest = b""
        return made

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def request(self, method, path, body=b"", **headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError(f"the connection ended after {self.rest[:200]!r}")
        self.rest += chunk

    def answer(self):
        """Returns (status, headers, body); the body has a Content-Length or is chunked."""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            return int(first.split()[1]), headers, self._chunks()
        return int(first.split()[1]), headers, self._exactly(int(headers.get("content-length", 0)))

    def _exactly(self, size):
        while len(self.rest) < size:
            self._more()
        body, self.rest = self.rest[:size], self.rest[size:]
        return body

    def _chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.rest:
                self._more()
            size, _, self.rest = self.rest.partition(b"\r\n")
            body += self._exactly(int(size, 16))
            self._exactly(2)
            if int(size, 16) == 0:
                return body

    def call(self, method, path, value=None, **headers):
        """One request and its answer; returns (status, parsed body)."""
        self.request(method, path, b"" if value is None else json.dumps(value).encode(), **headers)
        status, _, body = self.answer()
        return status, json.loads(body) if body else None

    def close(self):
        self.socket.close()
