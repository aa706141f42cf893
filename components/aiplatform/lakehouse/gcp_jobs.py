"""Wait for BigQuery jobs, which the provider starts and does not wait for, and repeat statements that failed.

The provider's create of a `gcp.bigquery.Job` ends as soon as BigQuery knows the job (magic-modules,
mmv1/products/bigquery/Job.yaml: PollCheckForExistence), mostly while it runs; a job that fails is no error of
the resource, and its id is taken for good. So an update asks BigQuery itself, with the provider's credentials
and at its endpoint, and repeats the statements once where they failed: the next update repairs what a passing
error left.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
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
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class StatementsError(RuntimeError):
    """Statements that failed, or that were not done in time; says which table's and why."""


def once_done(
    context: Context, where: str, name: Output[str], job: bigquery.Job, statements: Output[str]
) -> Output[str]:
    """The name, once the job is done without errors. A preview does not wait. An update raises
    StatementsError where the job fails, and fails again when its statements are repeated."""

    async def checked(parts: Sequence[Any]) -> str:
        known, statuses, job_id, text = parts
        if _succeeded(statuses):
            return str(known)
        if pulumi.runtime.is_dry_run():
            failed = _errors(statuses)
            if failed:
                pulumi.log.warn(f"{where}: {failed}; the next update repeats the statements", job)
            return str(known)
        answer = organizations.get_client_config_output(
            opts=pulumi.InvokeOutputOptions(parent=context.parent)
        )
        # Used here and nowhere kept.
        config: Any = await answer.future(with_unknowns=False)
        jobs = Jobs(context.project, context.region, config.access_token)
        # The program goes on meanwhile: other tables wait at the same time.
        await asyncio.to_thread(finish, jobs, where, str(job_id), str(text))
        return str(known)

    return Output.all(name, job.statuses, job.job_id, statements).apply(checked)


def _succeeded(statuses: Sequence[Mapping[str, Any]] | None) -> bool:
    return bool(statuses) and all(each.get("state") == "DONE" for each in statuses) and not _errors(statuses)


def _errors(statuses: Sequence[Mapping[str, Any]] | None) -> str:
    faults: list[Mapping[str, Any]] = [
        fault for each in statuses or () for fault in each.get("error_results") or ()
    ]
    return "; ".join(str(fault.get("message")) for fault in faults)


class Jobs:
    """BigQuery's jobs of one project in one location. Raises requests.RequestException where BigQuery does
    not answer, after repetitions, or refuses."""

    def __init__(self, project: str, location: str, token: str) -> None:
        self._location = location
        self._project = project
        self._url = f"{os.environ.get(ENDPOINT) or _ADDRESS}projects/{project}/jobs"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        # With an id of its own an insert can be repeated, too.
        retries = Retry(
            total=8, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def get(self, job_id: str) -> Mapping[str, Any] | None:
        """A job's status; None where there is no such job."""
        answer = self._session.get(
            f"{self._url}/{job_id}", params={"location": self._location}, timeout=_TIMEOUT
        )
        if answer.status_code == _NOT_FOUND:
            return None
        answer.raise_for_status()
        status: Mapping[str, Any] = answer.json()["status"]
        return status

    def start(self, job_id: str, statements: str) -> None:
        """Run statements as a job of this id, which may have been started before."""
        reference = {"projectId": self._project, "jobId": job_id, "location": self._location}
        query = {"query": statements, "useLegacySql": False}
        body = {"jobReference": reference, "configuration": {"query": query}}
        answer = self._session.post(self._url, json=body, timeout=_TIMEOUT)
        if answer.status_code != _CONFLICT:
            answer.raise_for_status()

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


def finish(jobs: Jobs, where: str, job_id: str, statements: str, seconds: float = _LONGEST) -> None:
    """Wait until a job, or a repetition of it, is done without errors. Repeats it once. Raises
    StatementsError.

    Repetitions have the job's id and a number, so that a later update finds the one that succeeded.
    """
    failed = ""
    repeated = False
    try:
        for number in count():
            asked = f"{job_id}-{number}" if number else job_id
            if jobs.get(asked) is None:
                if repeated:
                    break
                repeated = True
                jobs.start(asked, statements)
            error = jobs.error_of(asked, seconds)
            if error is None:
                return
            failed = error
    except (requests.RequestException, TimeoutError) as error:
        failed = str(error)
    raise StatementsError(
        f"{where}: BigQuery could not apply its columns and policies, so no granted principal can read it; "
        f"the next update repeats the statements: {failed}"
    )
