"""What RDS has before a PostgreSQL: TLS, without which nobody talks, and IAM's tokens for who has rds_iam.

PostgreSQL from PyPI has no TLS, and none anywhere knows IAM. The door ends TLS, checks tokens as RDS does
(signature, host, user, age, and whether IAM allows rds-db:connect), and hands the connection on.
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
_GIVEN: Final = (
    "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
    "JOIN pg_roles g ON g.oid = m.roleid "
    "WHERE g.rolname = 'rds_iam' AND m.inherit_option AND r.rolname = $${user}$$"
)

Secrets = Callable[[str], Credentials | None]
"""An access key -> its credentials, where the cloud gave them."""
Allowed = Callable[[Credentials, str], bool]
"""Whether IAM lets who has these credentials connect as a database user."""


@dataclass
class Door:
    """The door of one instance. host: what clients call it. region: of the tokens."""

    postgres: Postgres
    host: str
    region: str
    certificate: Path
    key: Path
    secrets: Secrets
    allowed: Allowed
    port: int = 0
    refused: list[str] = field(default_factory=list[str])
    """Why somebody was not let in."""
    entered: list[str] = field(default_factory=list[str])
    """Who came in by a token."""

    def open(self) -> None:
        """Listen on loopback, in a thread of its own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self._tls = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Listen no more, and drop who is inside."""
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
            await self._let_in(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await self._encrypted(reader, writer)
        if startup is None:
            return
        words = startup[8:].rstrip(b"\0").split(b"\0")
        told = {words[i].decode(): words[i + 1].decode() for i in range(0, len(words) - 1, 2)}
        user = told.get("user", "")
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
        """The startup message, once the connection is encrypted; None where it never is."""
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
        """Whether the role has rds_iam as its own, not as one that it may give away."""
        return self.postgres.sql(_GIVEN.format(user=user.replace("$", ""))) != "0"

    def _wrong(self, user: str, token: str) -> str | None:
        """What is wrong with a token, or None (RDS user guide, "IAM database authentication")."""
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
            return "credentials that the cloud did not give"
        if not _signed(parts.netloc, query, credentials, self.region):
            return "a signature that is another's"
        return None if self.allowed(credentials, user) else f"IAM does not allow rds-db:connect as {user}"


def _signed(netloc: str, query: dict[str, str], credentials: Credentials, region: str) -> bool:
    """Whether the signature of a presigned request is the one that these credentials give."""
    # Any: the types leave out what signs at a time of one's own.
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
