"""Requests to a control plane that may be away for minutes, as it is while it is upgraded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_exponential,
)
from urllib3.exceptions import HTTPError

TIMEOUT: Final = (5, 60)
"""Limits of a request, seconds: of the connection, and of each wait for data."""
TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request can succeed later."""
PATIENCE: Final = 900
"""How long a request is repeated, seconds: a zonal control plane of GKE is away for minutes."""
_PAUSE: Final = 30


@dataclass
class Requests:
    """Sends requests of a client with a time limit, and repeats those that failed for a time.

    send: of the client. patience: how long a request is repeated, seconds. A request that creates something
    is not repeated: the object may exist though the answer was lost, and a refused eviction is 429, too.
    """

    send: Callable[..., Any]
    report: Callable[[str], None]
    patience: float = 0
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, method: str, url: str, **options: Any) -> Any:
        """Return the answer, whose body is read. Raises HTTPError where there is none."""
        options["_request_timeout"] = options.get("_request_timeout") or TIMEOUT
        if method == "POST" or not self.patience:
            return self._send(method, url, **options)
        attempts = Retrying(
            retry=retry_if_exception_type(HTTPError)
            | retry_if_result(lambda answer: answer.status in TRANSIENT),
            wait=wait_exponential(max=_PAUSE),
            stop=stop_after_delay(self.patience),
            sleep=self.sleep,
            before_sleep=self._report,
            retry_error_callback=_last,
        )
        return attempts(self._send, method, url, **options)

    def _send(self, method: str, url: str, **options: Any) -> Any:
        answer = self.send(method, url, **options)
        # Here, so that a connection that breaks meanwhile is an error of this request.
        answer.read()
        return answer

    def _report(self, state: RetryCallState) -> None:
        if state.attempt_number == 1:
            self.report(f"the API server does not answer ({_reason(state)}); trying again")


def _reason(state: RetryCallState) -> str:
    outcome = state.outcome
    if outcome is None:
        return ""
    return str(outcome.exception()) if outcome.failed else f"status {outcome.result().status}"


def _last(state: RetryCallState) -> Any:
    """Return the last answer, or raise the last error."""
    return state.outcome.result() if state.outcome else None
