"""Whether a request was signed by who it says, by botocore's own signer (Signature Version 4)."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, HTTPHeaders
from botocore.credentials import Credentials

from twin.aws.api_server.request import Call, Refusal

_PARTS: Final = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SKEW: Final = 300
"""Seconds that a clock may be wrong."""


def verify(call: Call, secret: str) -> None:
    """Refuse a request whose signature, in its header, is not that of its key over what was sent."""
    match = _PARTS.search(call.environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    names = match[1].split(";")
    if "host" not in names or "x-amz-date" not in names:
        raise Refusal(_code(call), "'Host' and 'X-Amz-Date' must be signed headers", 403)
    stamp = _header(call, "x-amz-date")
    _fresh(call, stamp)
    request = AWSRequest(
        method=call.method,
        url=f"http://{call.environ.get('HTTP_HOST', '')}{call.environ.get('RAW_URI', call.path)}",
        headers={name: _header(call, name) for name in names},
        data=call.body,
    )
    context: Any = request.context
    context["timestamp"] = stamp
    kind: Any = _S3Signer if call.service == "s3" else _Signer
    signer = kind(Credentials(call.access_key, secret), call.service, call.region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    if not _whole(call, names) or not hmac.compare_digest(signer.signature(text, request), match[2]):
        raise Refusal(
            _code(call),
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method. Consult the service documentation for details.",
            403,
        )


def _whole(call: Call, names: list[str]) -> bool:
    """Whether the body is the one that was signed; S3 takes unsigned and streamed ones too."""
    content_hash = _header(call, "x-amz-content-sha256") if "x-amz-content-sha256" in names else ""
    if call.service == "s3" and (content_hash == "UNSIGNED-PAYLOAD" or content_hash.startswith("STREAMING-")):
        return True
    return content_hash in ("", hashlib.sha256(call.body).hexdigest())


def _code(call: Call) -> str:
    return "SignatureDoesNotMatch" if call.service in ("s3", "sts", "iam") else "InvalidSignatureException"


class _Signer(SigV4Auth):
    def headers_to_sign(self, request: Any) -> HTTPHeaders:
        """Those that were signed, and no others."""
        headers: Any = HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers


class _S3Signer(_Signer):
    def _normalize_url_path(self, path: str) -> str:
        """S3's paths are signed as they are sent."""
        return path


def _fresh(call: Call, stamp: str) -> None:
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(_code(call), f"X-Amz-Date is no date: {stamp}", 403) from None
    if abs((datetime.now(UTC) - at).total_seconds()) > _SKEW:
        raise Refusal(
            _code(call), f"Signature expired: {stamp} is more than 5 min from the current time", 403
        )


def _header(call: Call, name: str) -> str:
    if name == "content-type":
        return str(call.environ.get("CONTENT_TYPE", ""))
    if name == "content-length":
        return str(len(call.body))
    return str(call.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))
