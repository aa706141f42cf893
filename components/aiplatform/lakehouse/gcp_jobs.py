"""Wait for BigQuery jobs, which the provider starts and does not wait for, and repeat statements that failed.

The provider's create of a `gcp.bigquery.Job` ends as soon as BigQuery knows the job (magic-modules,
mmv1/products/bigquery/Job.yaml: PollCheckForExistence), mostly while it runs; a job that fails is no error of
the resource, and its id is taken for good. So an update asks BigQuery itself, with the provider's credentials
and at its endpoint, and repeats the statements where they failed: principals that IAM knows for some seconds
only are unknown to BigQuery at first. The next update repairs what a longer error left.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final

import pulumi
import requests
from pulumi import Output
from pulumi_gcp import bigquery, organizations
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from aiplatform.lakehouse.gcp_context import Context

ENDPOINT: Final = "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"
"""The provider's own variable for another address of the API, as with Private Service Connect."""
_ADDRESS: Final = "https://bigquery.googleapis.com/bigquery/v2/"
_LONGEST: Final = 20 * 60.0
"""Seconds that an update waits for the statements of one table: as long as the provider waits for a
resource."""
_PAUSE: Final = 10.0
"""The longest pause between two questions, in seconds."""
_TIMEOUT: Final = 60.0
_REPETITIONS: Final = 2
"""How often an update repeats statements that failed."""
_SETTLING = 30.0
"""Seconds before each repetition: until BigQuery knows a principal that was just made."""
_LIMIT_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before a question is repeated that a rate limit refused."""
_LIMITS: Final = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded"})
"""Reasons of rate limits, which BigQuery answers with 403 ("Troubleshoot quota and limit errors")."""
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class StatementsError(RuntimeError):
    """Statements that failed, or that were not done in time; says which table's and why."""


class ExpiredError(StatementsError):
    """BigQuery does not take the access token, or takes it no more."""


def once_done(
    context: Context, where: str, name: Output[str], job: bigquery.Job, statements: Output[str]
) -> Output[str]:
    """The name, once the job is done without errors. A preview does not wait. An update raises
    StatementsError where the job fails, and fails again whenever its statements are repeated."""

    async def checked(parts: Sequence[Any]) -> str:
        known, statuses, job_id, text = parts
        if _succeeded(statuses):
            return str(known)
        if pulumi.runtime.is_dry_run():
            failed = _errors(statuses)
            if failed:
                pulumi.log.warn(f"{where}: {failed}; the next update repeats the statements", job)
            return str(known)
        try:
            await finished(job_id, text)
        except ExpiredError:
            await finished(job_id, text)
        return str(known)

    async def finished(job_id: Any, text: Any) -> None:
        # Used here and nowhere kept.
        jobs = Jobs(context.project, context.region, await _token(context))
        # The program goes on meanwhile: other tables wait at the same time.
        await asyncio.to_thread(finish, jobs, where, str(job_id), str(text))

    return Output.all(name, job.statuses, job.job_id, statements).apply(checked)


async def _token(context: Context) -> str:
    """The provider's access token, which it renews before it expires."""
    answer = organizations.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=context.parent))
    config: Any = await answer.future(with_unknowns=False)
    return config.access_token


def _succeeded(statuses: Sequence[Mapping[str, Any]] | None) -> bool:
    return bool(statuses) and all(each.get("state") == "DONE" for each in statuses) and not _errors(statuses)


def _errors(statuses: Sequence[Mapping[str, Any]] | None) -> str:
    faults: list[Mapping[str, Any]] = [
        fault for each in statuses or () for fault in each.get("error_results") or ()
    ]
    return "; ".join(str(fault.get("message")) for fault in faults)


class Jobs:
    """BigQuery's jobs of one project in one location. Raises requests.RequestException where BigQuery does
    not answer, after repetitions, or refuses: with BigQuery's own words."""

    def __init__(self, project: str, location: str, token: str) -> None:
        self._location = location
        self._project = project
        self._url = f"{os.environ.get(ENDPOINT) or _ADDRESS}projects/{project}/jobs"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        # Without it the quota of a person's credentials is that of another project, or of none.
        self._session.headers["X-Goog-User-Project"] = project
        # With an id of its own an insert can be repeated, too.
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
        answer = self._ask("GET", f"/{job_id}", params={"location": self._location})
        if answer.status_code == _NOT_FOUND:
            return None
        status: Mapping[str, Any] = _accepted(answer).json()["status"]
        return status

    def start(self, job_id: str, statements: str) -> None:
        """Run statements as a job of this id, which may have been started before."""
        reference = {"projectId": self._project, "jobId": job_id, "location": self._location}
        query = {"query": statements, "useLegacySql": False}
        body = {"jobReference": reference, "configuration": {"query": query}}
        answer = self._ask("POST", "", json=body)
        if answer.status_code != _CONFLICT:
            _accepted(answer)

    def cancel(self, job_id: str) -> None:
        """Ask BigQuery to stop a job; does not wait until it has stopped."""
        _accepted(self._ask("POST", f"/{job_id}/cancel", params={"location": self._location}))

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One question, repeated where a rate limit refused it."""
        for pause in _LIMIT_PAUSES:
            answer = self._session.request(method, self._url + path, timeout=_TIMEOUT, **more)
            if not _limited(answer):
                return answer
            time.sleep(pause)
        return self._session.request(method, self._url + path, timeout=_TIMEOUT, **more)

    def error_of(self, job_id: str, seconds: float) -> str | None:
        """Wait until a job is done: its error, or None where it has none. Raises TimeoutError."""
        end = time.monotonic() + seconds
        pause = 0.5
        while True:
            status = self.get(job_id) or {}
            if status.get("state") == "DONE":
                error = status.get("errorResult")
                return str(error.get("message") or error) if error else None
            if time.monotonic() + pause > end:
                raise TimeoutError(f"job {job_id} is still {status.get('state')} after {seconds:.0f} seconds")
            time.sleep(pause)
            pause = min(2 * pause, _PAUSE)


def _fault(answer: requests.Response) -> Mapping[str, Any]:
    """The error that BigQuery answered; empty where something else answered."""
    try:
        return {**answer.json()["error"]}
    except (ValueError, LookupError, TypeError):
        return {}


def _limited(answer: requests.Response) -> bool:
    return answer.status_code == _FORBIDDEN and any(
        each.get("reason") in _LIMITS for each in _fault(answer).get("errors") or ()
    )


def _accepted(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        said = _fault(answer).get("message") or answer.reason
        raise requests.HTTPError(f"{said} (HTTP {answer.status_code})", response=answer)
    return answer


def finish(jobs: Jobs, where: str, job_id: str, statements: str, seconds: float = _LONGEST) -> None:
    """Wait until a job, or a repetition of it, is done without errors; repeats it twice at most, and cancels
    what is not done in time. Raises StatementsError, and ExpiredError where the token is not taken.

    Repetitions have the job's id and a number, so that a later update finds the one that succeeded.
    """
    failed = ""
    raised = StatementsError
    repeated = 0
    end = time.monotonic() + seconds
    asked = job_id
    try:
        for number in count():
            asked = f"{job_id}-{number}" if number else job_id
            if jobs.get(asked) is None:
                if repeated == _REPETITIONS or time.monotonic() + _SETTLING > end:
                    break
                repeated += 1
                time.sleep(_SETTLING)
                jobs.start(asked, statements)
            error = jobs.error_of(asked, max(end - time.monotonic(), 0))
            if error is None:
                return
            failed = error
    except TimeoutError as error:
        failed = str(error)
        # The next update repeats it, where it would wait for it again otherwise.
        with suppress(requests.RequestException):
            jobs.cancel(asked)
    except requests.RequestException as error:
        failed = str(error)
        if error.response is not None and error.response.status_code == _UNAUTHORIZED:
            raised = ExpiredError
    raise raised(
        f"{where}: BigQuery could not apply its columns and policies, so no granted principal can read it; "
        f"the next update repeats the statements: {failed}"
    )
