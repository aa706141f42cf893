"""One request to the AWS API server, understood once: which service, operation and parameters."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qs, unquote_to_bytes

from werkzeug.exceptions import HTTPException

from twin.aws.services import facts
from twin.web import Answer

Environ = dict[str, Any]

READS: Final = re.compile(
    r"(Describe|List|Get|Head|BatchGet|BatchDescribe|Query|Scan|Search|Lookup|Select|Simulate|Preview|Estimate"
    r"|Validate|Verify|Filter|TransactGet|Check|Test|Decode)(?![a-z])"
)
"""Operations that change nothing, by the first word of their name."""

_FACTS: Final = facts(__name__)
WRITES_NAMED_LIKE_READS: Final = frozenset(_FACTS["writes"])
_MODEL_NAMES: Final[dict[str, str]] = _FACTS["model_names"]
_OTHER: Final = "rest-json"
_SCOPE: Final = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]*)/([^/,\s]+)/aws4_request")
_KEPT: Final = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI", "CONTENT_TYPE", "REMOTE_ADDR")
_PRESERVED: Final = "moto.preserved_header_names"
INTENT_HEADER: Final = "HTTP_X_TWIN_INTENT"


class Refusal(Exception):  # noqa: N818 - the cloud refuses; it is not that something broke
    """What AWS answers instead of doing it: its own code and words."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


@dataclass
class Call:
    """A request: the parts of a WSGI environ that mean something, and the body."""

    environ: Environ
    body: bytes
    service: str = ""
    region: str = ""
    access_key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def of(environ: Environ) -> Call:
        """Understand a WSGI request; its body is read to the end."""
        return Call.restored({**_meaningful(environ), "SERVER": _host(environ)}, _read(environ))

    @staticmethod
    def restored(environ: Environ, body: bytes) -> Call:
        """The call that `to_json()` described."""
        call = Call(environ, body)
        scope = _SCOPE.search(call.environ.get("HTTP_AUTHORIZATION", "")) or _SCOPE.search(
            "Credential=" + _first(call.query, "X-Amz-Credential")
        )
        if scope:
            call.access_key, _, call.region, call.service = scope.groups()
        elif call.form.get("Action", [""])[0].startswith("AssumeRoleWith"):
            call.service = "sts"
        else:
            call.service = "s3"  # unsigned requests that mean anything here are S3's
        return call

    def to_json(self) -> str:
        """What must be remembered to make the same call again, as JSON."""
        return json.dumps(self.environ, separators=(",", ":"))

    @property
    def method(self) -> str:
        """GET, POST..."""
        return self.environ["REQUEST_METHOD"]

    @property
    def path(self) -> str:
        """The decoded path."""
        return self.environ["PATH_INFO"]

    @property
    def intent(self) -> str:
        """The caller's intent: calls with the same intent, operation and body are one call."""
        return self.environ.get(INTENT_HEADER, "")

    @property
    def key(self) -> str | None:
        """intent + operation + digest of what is asked for, or None without an intent."""
        if not self.intent:
            return None
        digest = hashlib.sha256(self.body)
        digest.update(f"{self.method} {self.environ.get('RAW_URI', self.path)}".encode())
        return f"{self.intent}|{self.service}:{self.operation}|{digest.hexdigest()}"

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query string's parameters."""
        return parse_qs(self.environ.get("QUERY_STRING", ""), keep_blank_values=True)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The form's fields; empty where the body is none."""
        if not self.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    @property
    def model_name(self) -> str:
        """The name of botocore's service model."""
        return _MODEL_NAMES.get(self.service, self.service)

    @cached_property
    def operation(self) -> str:
        """The operation's name, or "" where neither form, header nor path reports."""
        named = _first(self.form, "Action") or (_first(self.query, "Action") if self.service != "s3" else "")
        target = self.environ.get("HTTP_X_AMZ_TARGET", "")
        if named or target:
            return named or target.rsplit(".", 1)[-1]
        match = self._match
        return match[0].name if match else ""

    @cached_property
    def mutating(self) -> bool:
        """Whether this may change what the cloud holds."""
        if f"{self.service}:{self.operation}" in WRITES_NAMED_LIKE_READS:
            return True
        if self.method in ("GET", "HEAD", "OPTIONS") and not _first(self.query, "Action"):
            return False
        return not READS.match(self.operation)

    @cached_property
    def protocol(self) -> str:
        """ec2, query, json, rest-json or rest-xml."""
        from moto.core.request import determine_request_protocol

        model = self.model
        try:
            return determine_request_protocol(model, self.environ.get("CONTENT_TYPE")) if model else _OTHER
        except NotImplementedError:
            return _OTHER  # no call of the service's API, such as those of Glue's Iceberg REST endpoint

    @cached_property
    def model(self) -> Any:
        """botocore's service model as moto loads it, or None."""
        from botocore.exceptions import UnknownServiceError
        from moto.core.utils import get_service_model

        try:
            return get_service_model(self.model_name)
        except (UnknownServiceError, ValueError):
            return None

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters by botocore's names. Empty where the operation is unknown."""
        from botocore.model import OperationNotFoundError
        from moto.core.parse import PROTOCOL_PARSERS, RequestParserError

        if not self.model or not self.operation:
            return {}
        request = self._request()
        try:
            operation = self.model.operation_model(self.operation)
            parser: Any = PROTOCOL_PARSERS[self.protocol](operation, map_type=dict)
            return dict(
                parser.parse(
                    {
                        "method": request.method,
                        "values": request.values,
                        "headers": request.headers,
                        "body": request.data if self.protocol not in ("query", "ec2") else b"",
                        "url_path": request.path,
                        "url_params": self._match[1] if self._match else {},
                    }
                )
            )
        except (OperationNotFoundError, RequestParserError, KeyError, ValueError, TypeError):
            return {}

    def wsgi(self) -> Environ:
        """A fresh WSGI environ of this call."""
        host, _, port = self.environ.get("SERVER", "127.0.0.1:80").partition(":")
        environ: Environ = {name: value for name, value in self.environ.items() if name != "SERVER"}
        environ.update(
            {
                "SCRIPT_NAME": "",
                "SERVER_NAME": host,
                "SERVER_PORT": port or "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REQUEST_URI": self.environ.get("RAW_URI", self.path),
                "CONTENT_LENGTH": str(len(self.body)),
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(self.body),
                "wsgi.errors": io.StringIO(),
                "wsgi.multithread": True,
                "wsgi.multiprocess": False,
                "wsgi.run_once": False,
            }
        )
        return environ

    def _request(self) -> Any:
        from moto.core.request import Request

        return Request(self.wsgi())

    @cached_property
    def _match(self) -> tuple[Any, dict[str, Any]] | None:
        from botocore.exceptions import UnknownServiceError
        from moto.core.routing import get_service_router

        try:
            return get_service_router(self.model_name).match(self._request())
        except (HTTPException, NotImplementedError, UnknownServiceError, KeyError, ValueError):
            return None


def refusal(call: Call, error: Refusal) -> Answer:
    """The refusal in the words of the call's protocol."""
    kind = call.protocol
    request_id = hashlib.sha256(repr((error.code, error.message)).encode()).hexdigest()
    request_id = (
        f"{request_id[:8]}-{request_id[8:12]}-{request_id[12:16]}-{request_id[16:20]}-{request_id[20:32]}"
    )
    code, text = _escape(error.code), _escape(error.message)
    if kind == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif kind == "query":
        side = "Sender" if error.status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{text}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    elif kind == "rest-xml":
        body = (
            f"<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{request_id}</RequestId></Error>"
        )
    else:
        body = json.dumps({"__type": error.code, "message": error.message, **error.members})
    headers = [
        ("Content-Type", "text/xml" if body.startswith("<") else "application/json"),
        ("x-amzn-requestid", request_id),
        ("x-amzn-errortype", error.code),
    ]
    return Answer(error.status, headers, body.encode())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _meaningful(environ: Environ) -> Environ:
    values = {name: environ[name] for name in _KEPT if isinstance(environ.get(name), str)}
    values.update(
        (name, value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")
    )
    if environ.get(_PRESERVED):
        values[_PRESERVED] = environ[_PRESERVED]
    return values


def _host(environ: Environ) -> str:
    return f"{environ.get('SERVER_NAME', '127.0.0.1')}:{environ.get('SERVER_PORT', '80')}"


def _read(environ: Environ) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return stream.read()
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return stream.read(length) if length else b""


def environ_of(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> Environ:
    """The WSGI environ of a request made in this process."""
    path, _, query = url.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": url,
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
