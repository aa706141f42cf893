"""Run a command that reaches a twin's registry by its host name: `python -m twin.registry.hosts COMMAND...`.

For clients of registries, which use the host of an image's name over HTTPS. The command runs in the twin's
environment (`aiplatform twin run`) with a proxy on loopback, where the registries of the twin's cloud are the
twin under a certificate of its authority (`SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`). Other hosts are reached
directly.
"""

from __future__ import annotations

import os
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from twin.instances import Instance, load
from twin.kubernetes import certificates

_HOSTS: Final = {
    "aws": re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com"),
    "gcp": re.compile(r"[a-z0-9-]+-docker\.pkg\.dev"),
}
_CHUNK: Final = 1 << 16
_SECONDS: Final = 60


class RegistryHosts:
    """The proxy, while the context lasts."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._folder = instance.folder / "registry"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._pki = certificates.ensure(instance.folder / "kubernetes" / "pki")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> RegistryHosts:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def variables(self) -> dict[str, str]:
        """What a command needs to use the proxy, and to trust the twin's authority in addition to others."""
        proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{self.port}")
        trusted = str(self._authorities())
        return {**proxy, "REQUESTS_CA_BUNDLE": trusted, "SSL_CERT_FILE": trusted}

    def _authorities(self) -> Path:
        import certifi

        file = self._folder / "authorities.pem"
        file.write_bytes(self._pki.certificate("ca").read_bytes() + Path(certifi.where()).read_bytes())
        return file

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_SECONDS)
        with client, suppress(OSError):
            method, target = _request(client)
            host, _, port = target.rpartition(":")
            if method != "CONNECT" or not port.isdigit():
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            if not _HOSTS[self._instance.cloud].fullmatch(host):
                with socket.create_connection((host.strip("[]"), int(port)), _SECONDS) as server:
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    _relay(client, server)
                return
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with (
                self._context(host).wrap_socket(client, server_side=True) as plain,
                socket.create_connection(("127.0.0.1", self._instance.ports["cloud"]), _SECONDS) as server,
            ):
                _relay(plain, server)

    def _context(self, host: str) -> ssl.SSLContext:
        certificate, key = self._folder / f"{host}.crt", self._folder / f"{host}.key"
        with self._lock:
            if not key.exists() or not certificate.exists():
                certificates.issue(self._pki, [host], certificate, key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        return context


def _request(client: socket.socket) -> tuple[str, str]:
    """Return method and target of a request to a proxy (RFC 9110, 9.3.6)."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = client.recv(_CHUNK)
        if not received:
            raise OSError("closed before a request")
        head += received
    method, _, rest = head.decode("latin-1").partition(" ")
    return method, rest.partition(" ")[0]


def _relay(near: socket.socket, far: socket.socket) -> None:
    """Copy bytes both ways until one side is done."""
    other = {near: far, far: near}
    while True:
        # TLS may have decrypted more than was read.
        pending = [near] if isinstance(near, ssl.SSLSocket) and near.pending() else []
        readable = pending or select.select([near, far], [], [], _SECONDS)[0]
        if not readable:
            return
        for side in readable:
            received = side.recv(_CHUNK)
            if not received:
                return
            other[side].sendall(received)


def main(command: list[str]) -> int:
    """Run a command; return its exit code."""
    instance = load(os.environ.get("AIPLATFORM_TWIN", ""))
    if instance is None or not command:
        sys.stderr.write(
            "usage: aiplatform twin run --name aws-dev -- python -m twin.registry.hosts COMMAND...\n"
            "expected a command, in the environment of a twin\n"
        )
        return 2
    with RegistryHosts(instance) as hosts:
        return subprocess.run(command, env={**os.environ, **hosts.variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
