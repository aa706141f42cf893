"""Wait for BigQuery jobs, which the provider starts and does not wait for, and repeat statements that failed.

The provider's create of a `gcp.bigquery.Job` ends as soon as BigQuery knows the job (magic-modules,
mmv1/products/bigquery/Job.yaml: PollCheckForExistence), mostly while it runs; a job that fails is no error of
the resource, and its id cannot be used again. So an update queries BigQuery itself, with the provider's
credentials and at its endpoint, and repeats the statements where they failed: principals that were just
created are unknown to BigQuery for some seconds. The next update repairs what a longer error left.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
)
from urllib3.util import Retry

ENDPOINT: Final = "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"
"""The provider's own variable for another address of the API, as with Private Service Connect."""
_ADDRESS: Final = "https://bigquery.googleapis.com/bigquery/v2/"
_LONGEST: Final = 20 * 60.0
"""Seconds that an update waits for the statements of one table: the provider's timeout of a resource."""
_PAUSE: Final = 10.0
"""The longest pause between two requests, in seconds."""
_TIMEOUT: Final = 60.0
_REPETITIONS: Final = 2
"""How often an update repeats statements that failed."""
_SETTLING = 30.0
"""Seconds before each repetition: until BigQuery knows a principal that was just created."""
_LIMIT_ATTEMPTS: Final = 7
"""Attempts of a request that a rate limit refuses: after 1, 2, 4 seconds and so on."""
_LIMITS: Final = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded"})
"""Reasons of rate limits, for which BigQuery returns 403 ("Troubleshoot quota and limit errors")."""
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class StatementsError(RuntimeError):
    """Statements that failed or exceeded the time; states the table and the reason."""


class ExpiredError(StatementsError):
    """BigQuery does not accept the access token, or no longer."""


class Jobs:
    """BigQuery's jobs of one project in one location. Raises requests.RequestException where BigQuery does
    not answer, after repetitions, or refuses: with BigQuery's message."""

    def __init__(self, project: str, location: str, token: str) -> None:
        self._location = location
        self._project = project
        self._url = f"{os.environ.get(ENDPOINT) or _ADDRESS}projects/{project}/jobs"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        # Without it requests with a user's credentials are charged to another project, or to none.
        self._session.headers["X-Goog-User-Project"] = project
        # An insert can be repeated, too, as its job has an id.
        retries = Retry(
            total=8,
            backoff_factor=0.5,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=None,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def get(self, job_id: str) -> Mapping[str, Any] | None:
        """A job's status; None where there is no such job."""
        answer = self._request("GET", f"/{job_id}", params={"location": self._location})
        if answer.status_code == _NOT_FOUND:
            return None
        status: Mapping[str, Any] = _accepted(answer).json()["status"]
        return status

    def start(self, job_id: str, statements: str) -> None:
        """Run statements as a job of this id, which may have been started before."""
        reference = {"projectId": self._project, "jobId": job_id, "location": self._location}
        query = {"query": statements, "useLegacySql": False}
        body = {"jobReference": reference, "configuration": {"query": query}}
        answer = self._request("POST", "", json=body)
        if answer.status_code != _CONFLICT:
            _accepted(answer)

    def cancel(self, job_id: str) -> None:
        """Cancel a job; does not wait until it has stopped."""
        _accepted(self._request("POST", f"/{job_id}/cancel", params={"location": self._location}))

    def _request(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request, repeated where a rate limit refused it."""
        unlimited = Retrying(
            retry=retry_if_result(_limited),
            wait=wait_exponential(multiplier=1),
            stop=stop_after_attempt(_LIMIT_ATTEMPTS),
            retry_error_callback=_last,
        )
        return unlimited(self._session.request, method, self._url + path, timeout=_TIMEOUT, **more)

    def error_of(self, job_id: str, seconds: float) -> str | None:
        """Wait until a job is done: its error, or None where it has none. Raises TimeoutError."""
        done = Retrying(
            retry=retry_if_result(_unfinished),
            wait=wait_exponential(multiplier=0.5, max=_PAUSE),
            stop=stop_before_delay(seconds),
        )
        try:
            status = done(self.get, job_id)
        except RetryError as error:
            last: Any = error.last_attempt.result() or {}
            state = last.get("state")
            raise TimeoutError(f"job {job_id} is still {state} after {seconds:.0f} seconds") from None
        problem = (status or {}).get("errorResult")
        return str(problem.get("message") or problem) if problem else None


def _unfinished(status: Mapping[str, Any] | None) -> bool:
    return (status or {}).get("state") != "DONE"


def _last(attempts: RetryCallState) -> Any:
    """The answer to the last attempt."""
    return attempts.outcome.result() if attempts.outcome is not None else None


def _problem(answer: requests.Response) -> Mapping[str, Any]:
    """Return the error that BigQuery sent; empty where it sent none, as a proxy would."""
    try:
        return {**answer.json()["error"]}
    except (ValueError, LookupError, TypeError):
        return {}


def _limited(answer: requests.Response) -> bool:
    return answer.status_code == _FORBIDDEN and any(
        error.get("reason") in _LIMITS for error in _problem(answer).get("errors") or ()
    )


def _accepted(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        message = _problem(answer).get("message") or answer.reason
        raise requests.HTTPError(f"{message} (HTTP {answer.status_code})", response=answer)
    return answer


def finish(jobs: Jobs, where: str, job_id: str, statements: str, seconds: float = _LONGEST) -> None:
    """Wait until a job, or a repetition of it, is done without errors; repeats it twice at most, and cancels
    what exceeds the time. Raises StatementsError, and ExpiredError where the token is not accepted.

    Repetitions have the job's id and a number, so that a later update finds the one that succeeded.
    """
    reason = ""
    error_type = StatementsError
    repeated = 0
    end = time.monotonic() + seconds
    current = job_id
    try:
        for number in count():
            current = f"{job_id}-{number}" if number else job_id
            if jobs.get(current) is None:
                if repeated == _REPETITIONS or time.monotonic() + _SETTLING > end:
                    break
                repeated += 1
                time.sleep(_SETTLING)
                jobs.start(current, statements)
            error = jobs.error_of(current, max(end - time.monotonic(), 0))
            if error is None:
                return
            reason = error
    except TimeoutError as error:
        reason = str(error)
        # So that the next update repeats it instead of waiting for it again.
        with suppress(requests.RequestException):
            jobs.cancel(current)
    except requests.RequestException as error:
        reason = str(error)
        if error.response is not None and error.response.status_code == _UNAUTHORIZED:
            error_type = ExpiredError
    raise error_type(
        f"{where}: BigQuery could not apply its columns and policies, so no granted principal can read it; "
        f"the next update repeats the statements: {reason}"
    )
