"""What Google answers instead of doing it: its own code, status, reason and words.

Two families of APIs word the same refusal differently: the old ones (compute, dns, storage) answer
`errors[].reason`, the gRPC ones (container, iam, cloudkms...) a canonical `status` and `details`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

OLD_STYLE: Final = frozenset({"compute", "dns", "storage", "bigquery", "sqladmin"})
"""APIs whose errors carry `errors[].reason`; all others answer as gRPC services do."""

_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
_REASON: Final = {
    "INVALID_ARGUMENT": "invalid",
    "UNAUTHENTICATED": "required",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "ALREADY_EXISTS": "alreadyExists",
    "FAILED_PRECONDITION": "failedPrecondition",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "ABORTED": "conflict",
    "INTERNAL": "backendError",
    "UNIMPLEMENTED": "notImplemented",
    "UNAVAILABLE": "backendError",
}
_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"


class GoogleError(Exception):
    """A refusal.

    code: the HTTP status. status: the canonical code (`INVALID_ARGUMENT`), by default what the HTTP status
    means. message: Google's words. reason: `errors[].reason` of the old APIs (`notFound`,
    `resourceInUseByAnotherResource`), by default what the status means. details: typed details, each with
    its `@type`.
    """

    def __init__(
        self,
        code: int,
        status: str = "",
        message: str = "",
        reason: str = "",
        details: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or _STATUS.get(code, "UNKNOWN")
        self.message = message
        self.reason = reason or _REASON.get(self.status, "invalid")
        self.details = list(details)

    def body(self, api: str) -> dict[str, Any]:
        """The answer's JSON in the style of that API."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if api in OLD_STYLE:
            error["errors"] = [{"message": self.message, "domain": "global", "reason": self.reason}]
        else:
            error["status"] = self.status
        if self.details:
            error["details"] = self.details
        return {"error": error}


def invalid(message: str, *, reason: str = "invalid", details: Sequence[dict[str, Any]] = ()) -> GoogleError:
    """400 INVALID_ARGUMENT."""
    return GoogleError(400, "INVALID_ARGUMENT", message, reason, details)


def bad_field(path: str, got: Any, right: str) -> GoogleError:
    """400 for a value, as Compute words it: `Invalid value for field 'resource.x': '...'. Why.`"""
    return invalid(f"Invalid value for field '{path}': '{_brief(got)}'. {right}")


def not_found(message: str) -> GoogleError:
    """404 NOT_FOUND."""
    return GoogleError(404, "NOT_FOUND", message, "notFound")


def exists(message: str) -> GoogleError:
    """409 ALREADY_EXISTS."""
    return GoogleError(409, "ALREADY_EXISTS", message, "alreadyExists")


def in_use(message: str) -> GoogleError:
    """400 for a resource that others are on, as Compute answers a delete."""
    return GoogleError(400, "FAILED_PRECONDITION", message, "resourceInUseByAnotherResource")


def precondition(message: str) -> GoogleError:
    """400 FAILED_PRECONDITION, as the gRPC services answer what the state of things forbids."""
    return GoogleError(400, "FAILED_PRECONDITION", message, "failedPrecondition")


def stale(message: str) -> GoogleError:
    """412 for a fingerprint that is not the current one."""
    return GoogleError(412, "FAILED_PRECONDITION", message, "conditionNotMet")


def concurrent(message: str) -> GoogleError:
    """409 ABORTED for an etag of an IAM policy that is not the current one."""
    return GoogleError(409, "ABORTED", message, "conflict")


def quota(message: str) -> GoogleError:
    """403 quotaExceeded, as Compute answers; the gRPC services say RESOURCE_EXHAUSTED."""
    return GoogleError(403, "RESOURCE_EXHAUSTED", message, "quotaExceeded")


def denied(message: str, *, reason: str = "forbidden", info: str = "", **metadata: str) -> GoogleError:
    """403 PERMISSION_DENIED. info: the reason of the ErrorInfo detail (`SERVICE_DISABLED`)."""
    detail = {"@type": _INFO, "reason": info, "domain": "googleapis.com", "metadata": metadata}
    return GoogleError(403, "PERMISSION_DENIED", message, reason, [detail] if info else [])


def _brief(got: Any) -> str:
    text = got if isinstance(got, str) else repr(got)
    return text if len(text) <= 200 else text[:197] + "..."
