"""Waiting for BigQuery's jobs: access is granted only once a table's policies are in force."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from aiplatform.lakehouse.gcp import bigquery_jobs, outcomes
from aiplatform.lakehouse.gcp.bigquery_jobs import Jobs, StatementsError, finish
from tests.components.aiplatform.lakehouse.google import (
    BY_TABLE,
    ORDERS,
    PROJECT,
    REGION,
    SUPPORT,
    arguments,
    logical,
)
from tests.components.recording import Recording, record

SHAPE = "gcp:bigquery/job:Job"
ON_TABLE = "gcp:biglake/icebergTableIamMember:IcebergTableIamMember"
DONE = {"state": "DONE"}
RUNNING = {"state": "RUNNING"}
FAILED = {"state": "DONE", "errorResult": {"reason": "invalidQuery", "message": "Unrecognized name: x"}}


class BigQuery:
    """Jobs by their id: what each of their next questions is answered, the last answer for ever."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[Any]] = {}
        self.next: list[Any] = [DONE]
        """The answers of a job that is started."""
        self.started: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.projects: set[str] = set()
        """Whose quota the questions were counted for."""
        self.cancelled: list[str] = []
        self.expired: set[str] = set()
        """Tokens that are answered with 401."""
        self.refusals: list[tuple[int, str, str]] = []
        """Status, reason and message of the answers to the next questions."""
        self.pauses: list[float] = []
        """How long was waited, in seconds."""
        self.broken = 0
        """How many questions are answered with 503 first."""

    def refuse(self, token: str) -> tuple[int, Any] | None:
        """The refusal of any question."""
        if token.removeprefix("Bearer ") in self.expired:
            return 401, {"error": {"message": "Invalid Credentials", "errors": [{"reason": "authError"}]}}
        if self.refusals:
            status, reason, message = self.refusals.pop(0)
            return status, {"error": {"message": message, "errors": [{"reason": reason}]}}
        return None

    def ask(self, job: str) -> tuple[int, Any]:
        if self.broken:
            self.broken -= 1
            return 503, {"error": {"message": "try again"}}
        answers = self.jobs.get(job)
        if answers is None:
            return 404, {"error": {"message": f"Not found: Job {job}"}}
        return 200, {"status": answers.pop(0) if len(answers) > 1 else answers[0]}

    def start(self, body: dict[str, Any]) -> tuple[int, Any]:
        job = body["jobReference"]["jobId"]
        if job in self.jobs:
            return 409, {"error": {"message": f"Already Exists: Job {job}"}}
        self.started.append(body)
        self.jobs[job] = list(self.next)
        return 200, {"status": RUNNING}


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    """A service at the address in the provider's variable."""
    there = BigQuery()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            assert query == f"location={REGION}", "a job is found only in its location"
            self._answer(*(self._refusal() or there.ask(path.rpartition("/")[2])))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            refusal = self._refusal()
            if refusal is None and path.endswith("/cancel"):
                assert query == f"location={REGION}", "a job is found only in its location"
                there.cancelled.append(path.split("/")[-2])
                self._answer(200, {})
            else:
                self._answer(*(refusal or there.start(json.loads(body))))

        def _refusal(self) -> tuple[int, Any] | None:
            there.tokens.add(self.headers["Authorization"])
            there.projects.add(self.headers["X-Goog-User-Project"])
            return there.refuse(self.headers["Authorization"])

        def _answer(self, status: int, body: Any) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    monkeypatch.setenv(bigquery_jobs.ENDPOINT, f"http://127.0.0.1:{server.server_port}/bigquery/v2/")
    monkeypatch.setattr(bigquery_jobs, "_PAUSE", 0.01)
    monkeypatch.setattr("time.sleep", there.pauses.append)
    yield there
    server.shutdown()
    server.server_close()


@pytest.fixture
def jobs(bigquery: BigQuery) -> Jobs:
    """Those of the service."""
    return Jobs(PROJECT, REGION, "secret")


def test_an_update_waits_for_a_job_with_the_providers_credentials(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [{"state": "PENDING"}, RUNNING, RUNNING, DONE]
    bigquery.broken = 2
    finish(jobs, "table t", "shape", "ALTER")
    assert bigquery.jobs["shape"] == [DONE], "requested until it was done"
    assert bigquery.tokens == {"Bearer secret"}
    assert bigquery.projects == {PROJECT}, "or a person's credentials have no quota"
    assert not bigquery.started


def test_failed_statements_are_repeated_after_a_pause(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [FAILED]
    finish(jobs, "table t", "shape", "ALTER TABLE t")
    assert bigquery_jobs._SETTLING in bigquery.pauses, "BigQuery does not know a new principal yet"
    [again] = bigquery.started
    assert again["jobReference"] == {"projectId": PROJECT, "jobId": "shape-1", "location": REGION}
    assert again["configuration"]["query"] == {"query": "ALTER TABLE t", "useLegacySql": False}
    finish(jobs, "table t", "shape", "ALTER TABLE t")
    assert len(bigquery.started) == 1, "the repetition that succeeded is found"


def test_statements_that_fail_again_report_the_reason_and_the_next_update_repeats_them(
    bigquery: BigQuery, jobs: Jobs
) -> None:
    bigquery.jobs["shape"] = [FAILED]
    bigquery.next = [RUNNING, FAILED]
    with pytest.raises(StatementsError, match=r"table t: BigQuery could not .* Unrecognized name: x"):
        finish(jobs, "table t", "shape", "ALTER")
    assert [entry["jobReference"]["jobId"] for entry in bigquery.started] == ["shape-1", "shape-2"]
    bigquery.next = [DONE]
    finish(jobs, "table t", "shape", "ALTER")
    assert [entry["jobReference"]["jobId"] for entry in bigquery.started][2:] == ["shape-3"]


def test_a_job_that_does_not_end_is_not_repeated(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [RUNNING]
    with pytest.raises(StatementsError, match="still RUNNING after 0 seconds"):
        finish(jobs, "table t", "shape", "ALTER", seconds=0)
    assert not bigquery.started, "two at a time would be refused each other's changes"
    assert bigquery.cancelled == ["shape"], "or the next update would wait for it again"


def test_a_repetition_that_would_end_too_late_is_not_started(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [FAILED]
    with pytest.raises(StatementsError, match="Unrecognized name: x"):
        finish(jobs, "table t", "shape", "ALTER", seconds=bigquery_jobs._SETTLING / 2)
    assert not bigquery.started


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded"])
def test_a_request_is_repeated_after_a_rate_limit(bigquery: BigQuery, jobs: Jobs, reason: str) -> None:
    bigquery.jobs["shape"] = [DONE]
    bigquery.refusals = [(403, reason, "Exceeded rate limits")] * 2
    finish(jobs, "table t", "shape", "ALTER")
    assert bigquery.pauses == [1, 2]


def test_a_lasting_rate_limit_is_an_error(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.refusals = [(403, "rateLimitExceeded", "Exceeded rate limits: too many jobs")] * 99
    with pytest.raises(StatementsError, match="Exceeded rate limits: too many jobs"):
        finish(jobs, "table t", "shape", "ALTER")


@pytest.mark.parametrize("status", [400, 403, 503])
def test_a_refusal_is_reported_with_bigquerys_message(bigquery: BigQuery, jobs: Jobs, status: int) -> None:
    bigquery.refusals = [(status, "accessDenied", "User lacks bigquery.jobs.get")] * 99
    with pytest.raises(
        StatementsError, match=rf"User lacks bigquery\.jobs\.get \(HTTP {status}\)"
    ) as reported:
        finish(jobs, "table t", "shape", "ALTER")
    assert "secret" not in str(reported.value)


def test_a_token_that_is_refused_twice_is_an_error(bigquery: BigQuery) -> None:
    bigquery.expired = {"secret"}
    with pytest.raises(Exception, match=r"Invalid Credentials \(HTTP 401\)") as reported:
        _lakehouse(RUNNING)
    assert "secret" not in str(reported.value)


def _lakehouse(
    status: dict[str, Any],
    *tokens: str,
    member: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = lambda name, inputs: {},
    **overrides: Any,
) -> Recording:
    from aiplatform.lakehouse import Lakehouse

    handed_out = iter(tokens)
    return record(
        lambda: Lakehouse("lake", arguments(**{"grants": [BY_TABLE], **overrides})),
        computed={SHAPE: lambda name, inputs: {"statuses": [status]}, ON_TABLE: member},
        answers={
            "gcp:organizations/getClientConfig:getClientConfig": lambda request: {
                "id": "c", "accessToken": next(handed_out, "secret"), "project": PROJECT, "region": REGION,
                "zone": "", "defaultLabels": {},
            }
        },
    )  # fmt: skip


class _Every(dict[str, list[Any]]):
    """A job of every id that no repetition has. others: the answers of jobs whose id contains the key."""

    def __init__(self, answers: list[Any], others: dict[str, list[Any]] | None = None) -> None:
        super().__init__()
        self.answers = answers
        self.others = others or {}

    def get(self, key: str, default: Any = None) -> Any:
        if len(key.rpartition("-")[2]) == 1:
            return super().get(key)
        answers = next((entry for part, entry in self.others.items() if part in key), self.answers)
        return self.setdefault(key, list(answers))


def test_access_is_granted_when_a_running_job_is_done(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([RUNNING, DONE])
    recorded = _lakehouse(RUNNING)
    assert recorded.one(ON_TABLE).inputs["name"] == "orders"
    assert "secret" not in json.dumps([resource.inputs for resource in recorded.resources], default=str)


def test_a_token_that_expires_while_a_job_runs_is_requested_again(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([RUNNING, DONE])
    bigquery.expired = {"old"}
    assert _lakehouse(RUNNING, "old", "new").one(ON_TABLE).inputs["name"] == "orders"
    assert bigquery.tokens >= {"Bearer old", "Bearer new"}


def test_no_access_is_granted_where_statements_fail(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([FAILED])
    bigquery.next = [FAILED]
    with pytest.raises(Exception, match=r"table curated\.orders: .* no granted principal can read it"):
        _lakehouse({"state": "DONE", "errorResults": [{"message": "Unrecognized name: x"}]})


@pytest.mark.parametrize("wrong", ["curated-orders", "serving-sums", "serving-costs"])
def test_readers_of_other_tables_are_registered_before_the_error_of_one(
    bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    async def slow_but_for_the_wrong(work: Callable[..., None], jobs: Jobs, where: str, *more: str) -> None:
        await asyncio.sleep(0 if wrong.replace("-", ".") in where else 0.1)
        work(jobs, where, *more)

    monkeypatch.setattr(outcomes.asyncio, "to_thread", slow_but_for_the_wrong)
    bigquery.jobs = _Every([RUNNING, RUNNING, RUNNING, DONE], {wrong: [FAILED]})
    bigquery.next = [FAILED]
    tables = [ORDERS, *({**ORDERS, "zone": "serving", "name": name} for name in ("sums", "costs"))]
    paths = [f"{table['zone']}.{table['name']}" for table in tables]
    registered: list[str] = []

    def member(name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        registered.append(name)
        return {}

    with pytest.raises(Exception, match=rf"table {wrong.replace('-', '.')}: .* Unrecognized name: x"):
        _lakehouse(RUNNING, tables=tables, grants=[{**BY_TABLE, "tables": paths}], member=member)
    readable = [f"lake-{logical(SUPPORT)}-{path}-read" for path in paths if path != wrong.replace("-", ".")]
    assert sorted(registered) == sorted(readable), "their access was withdrawn for new policies, too"


def test_readers_of_other_tables_are_registered_before_an_unexpected_error(
    bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_status(work: Callable[..., None], jobs: Jobs, where: str, *more: str) -> None:
        if where == "table curated.orders":
            raise KeyError("status")
        await asyncio.sleep(0.05)
        work(jobs, where, *more)

    monkeypatch.setattr(outcomes.asyncio, "to_thread", without_status)
    bigquery.jobs = _Every([DONE])
    tables = [ORDERS, {**ORDERS, "zone": "serving", "name": "sums"}]
    registered: list[str] = []

    def member(name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        registered.append(name)
        return {}

    grants = [{**BY_TABLE, "tables": ["curated.orders", "serving.sums"]}]
    with pytest.raises(Exception, match=r"table curated\.orders: KeyError\('status'\)"):
        _lakehouse(RUNNING, tables=tables, grants=grants, member=member)
    assert len(registered) == 1, registered
    assert "serving.sums" in registered[0]


def test_tables_whose_statements_fail_have_no_readers(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([FAILED])
    bigquery.next = [FAILED]
    tables = [ORDERS, {**ORDERS, "zone": "serving"}]
    with pytest.raises(Exception, match="Unrecognized name: x"):
        _lakehouse(RUNNING, tables=tables)


def test_a_job_that_is_done_is_not_requested_again(bigquery: BigQuery) -> None:
    _lakehouse(DONE)
    assert not bigquery.tokens
