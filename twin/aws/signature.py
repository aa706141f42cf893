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

from twin.aws.call import Call, Refusal

_PARTS: Final = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SKEW: Final = 300
"""Seconds that a clock may be wrong."""
_CODE: Final = "InvalidSignatureException"


def verify(call: Call, secret: str) -> None:
    """Refuse a request whose signature is not that of its key over what was sent."""
    found = _PARTS.search(call.environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    names = found[1].split(";")
    if "host" not in names or "x-amz-date" not in names:
        raise Refusal(_CODE, "'Host' and 'X-Amz-Date' must be signed headers", 403)
    stamp = _header(call, "x-amz-date")
    _fresh(stamp)
    request = AWSRequest(
        method=call.method,
        url=f"http://{call.environ.get('HTTP_HOST', '')}{call.environ.get('RAW_URI', call.path)}",
        headers={name: _header(call, name) for name in names},
        data=call.body,
    )
    context: Any = request.context
    context["timestamp"] = stamp
    signer: Any = _Signer(Credentials(call.access_key, secret), call.service, call.region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    given = _header(call, "x-amz-content-sha256") if "x-amz-content-sha256" in names else ""
    whole = given in ("", hashlib.sha256(call.body).hexdigest())
    if not whole or not hmac.compare_digest(signer.signature(text, request), found[2]):
        raise Refusal(
            _CODE,
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method. Consult the service documentation for details.",
            403,
        )


class _Signer(SigV4Auth):
    def headers_to_sign(self, request: Any) -> HTTPHeaders:
        """Those that were signed, and no others."""
        found: Any = HTTPHeaders()
        for name, value in request.headers.items():
            found[name.lower()] = value
        return found


def _fresh(stamp: str) -> None:
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(_CODE, f"X-Amz-Date is no date: {stamp}", 403) from None
    if abs((datetime.now(UTC) - at).total_seconds()) > _SKEW:
        raise Refusal(_CODE, f"Signature expired: {stamp} is more than 5 min from the current time", 403)


def _header(call: Call, name: str) -> str:
    if name == "content-type":
        return str(call.environ.get("CONTENT_TYPE", ""))
    if name == "content-length":
        return str(len(call.body))
    return str(call.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))
