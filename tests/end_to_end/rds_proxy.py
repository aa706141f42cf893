"""What RDS adds to PostgreSQL: mandatory TLS, and IAM's tokens for users with the role rds_iam.

PostgreSQL from PyPI has no TLS, and PostgreSQL itself has no IAM authentication. The proxy terminates TLS,
checks tokens as RDS does (signature, host, user, age, and whether IAM allows rds-db:connect), and forwards
the connection.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.end_to_end.postgres import Postgres

_SSL_REQUEST: Final = 80877103
_GSS_REQUEST: Final = 80877104
_LIFETIME: Final = timedelta(minutes=15)
_HAS_RDS_IAM: Final = (
    "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
    "JOIN pg_roles g ON g.oid = m.roleid "
    "WHERE g.rolname = 'rds_iam' AND m.inherit_option AND r.rolname = $${user}$$"
)

Secrets = Callable[[str], Credentials | None]
"""An access key -> its credentials; None where the cloud did not issue it."""
Allowed = Callable[[Credentials, str], bool]
"""Whether IAM allows the principal of these credentials to connect as a database user."""


@dataclass
class RdsProxy:
    """The proxy of one instance. host: its name for clients. region: that of the tokens."""

    postgres: Postgres
    host: str
    region: str
    certificate: Path
    key: Path
    secrets: Secrets
    allowed: Allowed
    port: int = 0
    refused: list[str] = field(default_factory=list[str])
    """The reason of each connection that was refused."""
    entered: list[str] = field(default_factory=list[str])
    """Users that connected with a token."""

    def open(self) -> None:
        """Listen on loopback, in a separate thread."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self._tls = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Stop listening, and close all connections."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._authenticate(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _authenticate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await self._encrypted(reader, writer)
        if startup is None:
            return
        words = startup[8:].rstrip(b"\0").split(b"\0")
        parameters = {words[i].decode(): words[i + 1].decode() for i in range(0, len(words) - 1, 2)}
        user = parameters.get("user", "")
        if await asyncio.to_thread(self._by_iam, user):
            writer.write(b"R" + struct.pack("!ii", 8, 3))
            await writer.drain()
            kind, length = struct.unpack("!ci", await reader.readexactly(5))
            token = (await reader.readexactly(length - 4)).rstrip(b"\0").decode()
            reason = await asyncio.to_thread(self._wrong, user, token if kind == b"p" else "")
            if reason:
                self.refused.append(f"{user}: {reason}")
                await _refuse(writer, "28000", f'PAM authentication failed for user "{user}"')
                return
            self.entered.append(user)
            path = str(self.postgres.sockets / f".s.PGSQL.{self.postgres.port}")
            inner = await asyncio.open_unix_connection(path)
        else:
            inner = await asyncio.open_connection("127.0.0.1", self.postgres.port)
        inner[1].write(startup)
        try:
            await asyncio.gather(_pump(reader, inner[1]), _pump(inner[0], writer))
        finally:
            inner[1].close()

    async def _encrypted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Return the startup message, once the connection is encrypted; None where it is not encrypted."""
        while True:
            head = await reader.readexactly(8)
            length, code = struct.unpack("!ii", head)
            if code == _GSS_REQUEST:
                writer.write(b"N")
            elif code == _SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._tls)
            else:
                startup = head + await reader.readexactly(length - 8)
                if writer.get_extra_info("ssl_object") is not None:
                    return startup
                self.refused.append("no TLS")
                await _refuse(writer, "28000", "no pg_hba.conf entry for host 127.0.0.1, no encryption")
                return None

    def _by_iam(self, user: str) -> bool:
        """Return whether a user has the privileges of rds_iam, rather than only the right to grant it."""
        return self.postgres.sql(_HAS_RDS_IAM.format(user=user.replace("$", ""))) != "0"

    def _wrong(self, user: str, token: str) -> str | None:
        """Return the problem of a token, or None (RDS user guide, "IAM database authentication")."""
        parts = urlsplit("https://" + token)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.netloc != f"{self.host}:{self.port}" or query.get("Action") != "connect":
            return f"a token for {parts.netloc or 'nothing'}, not for {self.host}:{self.port}"
        if query.get("DBUser") != user:
            return f"a token for {query.get('DBUser')}"
        at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not timedelta(minutes=-5) <= datetime.now(UTC) - at <= _LIFETIME:
            return "a token that is too old"
        credentials = self.secrets(query["X-Amz-Credential"].partition("/")[0])
        if credentials is None:
            return "credentials that the cloud did not issue"
        if not _signed(parts.netloc, query, credentials, self.region):
            return "a signature of other credentials"
        return None if self.allowed(credentials, user) else f"IAM does not allow rds-db:connect as {user}"


def _signed(netloc: str, query: dict[str, str], credentials: Credentials, region: str) -> bool:
    """Return whether the signature of a presigned request is that of these credentials."""
    # Any: the types lack the methods that sign for a given time.
    auth: Any = SigV4QueryAuth(credentials, "rds-db", region, expires=int(query["X-Amz-Expires"]))
    url = f"https://{netloc}/?Action={query['Action']}&DBUser={query['DBUser']}"
    request = AWSRequest(method="GET", url=url)
    request.context["timestamp"] = query["X-Amz-Date"]
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    expected = auth.signature(auth.string_to_sign(request, canonical), request)
    return expected == query["X-Amz-Signature"]


async def _refuse(writer: asyncio.StreamWriter, code: str, message: str) -> None:
    fields = b"".join(
        name + value.encode() + b"\0"
        for name, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", message))
    )
    writer.write(b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0")
    await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
