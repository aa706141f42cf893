"""Waiting for BigQuery's jobs: access comes once a table's policies are in force, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from aiplatform.lakehouse import gcp_jobs
from aiplatform.lakehouse.gcp_jobs import Jobs, StatementsError, finish
from tests.components.aiplatform.lakehouse.google import BY_TABLE, PROJECT, REGION, arguments
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
        self.broken = 0
        """How many questions are answered with 503 first."""

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
    """A service of which the provider's own variable tells."""
    there = BigQuery()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there.tokens.add(self.headers["Authorization"])
            path, _, query = self.path.partition("?")
            assert query == f"location={REGION}", "a job is found in its location alone"
            self._answer(*there.ask(path.rpartition("/")[2]))

        def do_POST(self) -> None:
            there.tokens.add(self.headers["Authorization"])
            self._answer(*there.start(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def _answer(self, status: int, body: Any) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    monkeypatch.setenv(gcp_jobs.ENDPOINT, f"http://127.0.0.1:{server.server_port}/bigquery/v2/")
    monkeypatch.setattr(gcp_jobs, "_PAUSE", 0.01)
    monkeypatch.setattr("time.sleep", lambda _: None)
    yield there
    server.shutdown()
    server.server_close()


@pytest.fixture
def jobs(bigquery: BigQuery) -> Jobs:
    """Those of the service."""
    return Jobs(PROJECT, REGION, "secret")


def test_a_job_is_waited_for_with_the_providers_credentials(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [{"state": "PENDING"}, RUNNING, RUNNING, DONE]
    bigquery.broken = 2
    finish(jobs, "table t", "shape", "ALTER")
    assert bigquery.jobs["shape"] == [DONE], "asked until it was done"
    assert bigquery.tokens == {"Bearer secret"}
    assert not bigquery.started


def test_failed_statements_are_repeated_once(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [FAILED]
    finish(jobs, "table t", "shape", "ALTER TABLE t")
    [again] = bigquery.started
    assert again["jobReference"] == {"projectId": PROJECT, "jobId": "shape-1", "location": REGION}
    assert again["configuration"]["query"] == {"query": "ALTER TABLE t", "useLegacySql": False}
    finish(jobs, "table t", "shape", "ALTER TABLE t")
    assert len(bigquery.started) == 1, "the repetition that succeeded is found"


def test_statements_that_fail_again_say_why_and_the_next_update_repeats_them(
    bigquery: BigQuery, jobs: Jobs
) -> None:
    bigquery.jobs["shape"] = [FAILED]
    bigquery.next = [RUNNING, FAILED]
    with pytest.raises(StatementsError, match=r"table t: BigQuery could not .* Unrecognized name: x"):
        finish(jobs, "table t", "shape", "ALTER")
    assert [each["jobReference"]["jobId"] for each in bigquery.started] == ["shape-1"]
    bigquery.next = [DONE]
    finish(jobs, "table t", "shape", "ALTER")
    assert [each["jobReference"]["jobId"] for each in bigquery.started] == ["shape-1", "shape-2"]


def test_a_job_that_does_not_end_is_not_repeated(bigquery: BigQuery, jobs: Jobs) -> None:
    bigquery.jobs["shape"] = [RUNNING]
    with pytest.raises(StatementsError, match="still RUNNING after 0 seconds"):
        finish(jobs, "table t", "shape", "ALTER", seconds=0)
    assert not bigquery.started, "two at a time would be refused each other's changes"


def _lakehouse(status: dict[str, Any]) -> Recording:
    from aiplatform.lakehouse import Lakehouse

    return record(
        lambda: Lakehouse("lake", arguments(grants=[BY_TABLE])),
        computed={SHAPE: lambda name, inputs: {"statuses": [status]}},
        answers={
            "gcp:organizations/getClientConfig:getClientConfig": lambda asked: {
                "id": "c", "accessToken": "secret", "project": PROJECT, "region": REGION, "zone": "",
                "defaultLabels": {},
            }
        },
    )  # fmt: skip


class _Every(dict[str, list[Any]]):
    """A job of every id that no repetition has."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__()
        self.answers = answers

    def get(self, key: str, default: Any = None) -> Any:
        repeated = len(key.rpartition("-")[2]) == 1
        return super().get(key) if repeated else self.setdefault(key, list(self.answers))


def test_access_comes_when_a_job_that_was_running_is_done(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([RUNNING, DONE])
    recorded = _lakehouse(RUNNING)
    assert recorded.one(ON_TABLE).inputs["name"] == "orders"
    assert "secret" not in json.dumps([each.inputs for each in recorded.resources], default=str)


def test_no_access_comes_where_statements_fail(bigquery: BigQuery) -> None:
    bigquery.jobs = _Every([FAILED])
    bigquery.next = [FAILED]
    with pytest.raises(Exception, match=r"table curated\.orders: .* no granted principal can read it"):
        _lakehouse({"state": "DONE", "errorResults": [{"message": "Unrecognized name: x"}]})


def test_a_job_whose_state_is_done_is_not_asked_for_again(bigquery: BigQuery) -> None:
    _lakehouse(DONE)
    assert not bigquery.tokens
