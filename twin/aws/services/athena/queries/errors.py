"""A query that fails, in Athena's words."""

from __future__ import annotations

from typing import Any, Final

USER: Final = 2
"""Athena error catalog, "Error category": 1 system, 2 user, 3 other."""

# Athena error catalog, "Error type reference".
LAKE_FORMATION: Final = 234
RESULTS_NOT_WRITTEN: Final = 401
USER_ERROR: Final = 1000
DATA: Final = 1001
DDL: Final = 1003
SCHEMA: Final = 1004
SYNTAX: Final = 1006
CANCELLED: Final = 1011


class QueryFailed(Exception):  # noqa: N818 - Athena's word for it
    """Why a query ends, as its StateChangeReason reports it. state: FAILED or CANCELLED."""

    def __init__(self, reason: str, kind: int = USER_ERROR, *, state: str = "FAILED") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.state = state

    def reported(self) -> dict[str, Any]:
        """As GetQueryExecution reports it in AthenaError."""
        return {
            "ErrorCategory": USER,
            "ErrorType": self.kind,
            "Retryable": False,
            "ErrorMessage": self.reason,
        }


def untranslated(what: str) -> QueryFailed:
    """What Athena may well run and the twin does not."""
    return QueryFailed(f"NOT_SUPPORTED: the twin's Athena does not translate this: {what}")
