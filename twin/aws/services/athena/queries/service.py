"""Athena's API for queries: started, reported of, read, stopped."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from twin import state_files
from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.athena.operations import result_of
from twin.aws.services.athena.queries import metadata, result_location
from twin.aws.services.athena.queries.errors import RESULTS_NOT_WRITTEN, QueryFailed
from twin.aws.services.athena.queries.storage import Meter, Storage, place
from twin.aws.services.athena.queries.store import UNFINISHED, Store
from twin.aws.services.glue.validation.catalog import answer

LOG = logging.getLogger(__name__)
Params = dict[str, Any]

_INVALID: Final = "InvalidRequestException"
_PATIENCE: Final = 1.0
"""Seconds that GetQueryExecution waits for a query to end, so that its asker need not ask again."""
_PAGE: Final = 1000
"""Rows that GetQueryResults gives at most."""


@dataclass
class _Running:
    meter: Meter
    ended: threading.Event = field(default_factory=threading.Event)


class Athena:
    """The queries of one instance."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._file = server.instance.folder / "aws" / "athena.db"
        self._lock = threading.RLock()
        self._opened_store: Store | None = None
        if self._file.exists() or state_files.is_recorded(self._file):
            self._opened_store = Store(self._file)
        self._pool: ThreadPoolExecutor | None = None
        self._running: dict[str, _Running] = {}
        self._insides: dict[tuple[str, str], Inside] = {}

    def begin(self, call: Call, answer: Answer) -> None:
        """A StartQueryExecution was journaled: run its query, once."""
        if call.operation != "StartQueryExecution" or not answer.good:
            return
        id = json.loads(answer.body)["QueryExecutionId"]
        with self._lock:
            if self._store.get(id) is not None:
                return
            reported, more = self._planned(id, call)
            self._store.put(reported, more)
            cutoff = more.get("cutoff")
            running = self._running[id] = _Running(Meter(cutoff))
            if self._pool is None:
                self._pool = ThreadPoolExecutor(2, "athena")
            done: Future[None] = self._pool.submit(self._run, reported, more, running.meter, call.access_key)
            done.add_done_callback(lambda _: self._ended(id))

    def answer(self, call: Call) -> Answer | None:
        """The answer to a call about queries, or None for any other of Athena's."""
        if call.service != "athena":
            return None
        if call.operation == "StartQueryExecution" and call.access_key:
            result_location.may_keep(call, self._server, self._inside)
        reported = metadata.OPERATIONS.get(call.operation)
        if reported:
            return answer(reported(call.params, self._inside(call.access_key, call.region)))
        operation = self._OPERATIONS.get(call.operation)
        return operation(self, call) if operation else None

    def close(self) -> None:
        """End what runs, and close the files."""
        for running in list(self._running.values()):
            running.meter.stop()
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._opened_store:
            self._opened_store.close()

    # Executions

    @property
    def _store(self) -> Store:
        with self._lock:
            if self._opened_store is None:
                self._opened_store = Store(self._file)
            return self._opened_store

    def _ended(self, id: str) -> None:
        running = self._running.pop(id, None)
        if running:
            running.ended.set()

    def _inside(self, access_key: str, region: str) -> Inside:
        with self._lock:
            key = access_key, region
            if key not in self._insides:
                self._insides[key] = Inside(self._server, access_key, region)
            return self._insides[key]

    def _planned(self, id: str, call: Call) -> tuple[Params, Params]:
        params = call.params
        name = params.get("WorkGroup") or "primary"
        region = call.region or self._server.instance.region
        group = self._server.moto.backend("athena", region).work_groups[name]
        configuration: Params = group.configuration
        enforced = bool(configuration.get("EnforceWorkGroupConfiguration"))
        managed = configuration.get("ManagedQueryResultsConfiguration") or {}
        result = result_of(params, configuration)
        reported: Params = {
            "QueryExecutionId": id,
            "Query": params["QueryString"],
            "StatementType": "DML",
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {
                key: value.lower() for key, value in (params.get("QueryExecutionContext") or {}).items()
            },
            "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
            "Statistics": {"DataScannedInBytes": 0},
            "WorkGroup": name,
            "EngineVersion": configuration.get("EngineVersion") or {},
        }
        if params.get("ExecutionParameters"):
            reported["ExecutionParameters"] = params["ExecutionParameters"]
        if managed.get("Enabled"):
            reported["ManagedQueryResultsConfiguration"] = managed
        else:
            reported["ResultConfiguration"] = dict(result)
        return reported, {
            "region": region,
            "enforced": enforced,
            "output": "" if managed.get("Enabled") else f"{str(result['OutputLocation']).rstrip('/')}/",
            "cutoff": configuration.get("BytesScannedCutoffPerQuery"),
            "principal": self._server.identity.principal_arn(call.access_key),
        }

    def _run(self, reported: Params, more: Params, meter: Meter, access_key: str) -> None:
        begun = time.time()
        try:
            self._execute(reported, more, meter, access_key)
        except QueryFailed as error:
            reported["Status"] |= {"State": error.state, "StateChangeReason": error.reason}
            if error.state == "FAILED":
                reported["Status"]["AthenaError"] = error.reported()
        except Exception as error:
            LOG.exception("the query %s failed in the twin", reported["QueryExecutionId"])
            failed = QueryFailed(f"GENERIC_INTERNAL_ERROR: the twin itself failed, see its log: {error}", 100)
            reported["Status"] |= {
                "State": "FAILED",
                "StateChangeReason": failed.reason,
                "AthenaError": failed.reported(),
            }
        ended = time.time()
        reported["Status"]["CompletionDateTime"] = ended
        queued = int((begun - reported["Status"]["SubmissionDateTime"]) * 1000)
        took = int((ended - begun) * 1000)
        reported["Statistics"] |= {
            "DataScannedInBytes": meter.scanned,
            "EngineExecutionTimeInMillis": took,
            "TotalExecutionTimeInMillis": took + queued,
            "QueryQueueTimeInMillis": queued,
            "QueryPlanningTimeInMillis": 0,
            "ServicePreProcessingTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        self._store.put(reported, more)

    def _execute(self, reported: Params, more: Params, meter: Meter, access_key: str) -> None:
        from twin.aws.services.athena.queries import (  # sqlglot, DuckDB and pyiceberg take a second to load
            execute,
            results,
        )
        from twin.aws.services.athena.queries.request import QueryContext
        from twin.aws.services.lakeformation import state as lake

        id, region = reported["QueryExecutionId"], more["region"]
        statement = execute.read(reported["Query"], reported.get("ExecutionParameters") or [])
        reported |= {"StatementType": statement.type, "SubstatementType": statement.kind}
        if more["output"]:
            suffix = "csv" if statement.type == "DML" else "txt"
            if statement.kind in ("CREATE_TABLE_AS_SELECT", "INSERT", "UNLOAD"):
                suffix = ""
            file = f"{more['output']}{id}" + (f".{suffix}" if suffix else "")
            reported["ResultConfiguration"]["OutputLocation"] = file
        reported["Status"]["State"] = "RUNNING"
        self._store.put(reported, more)
        account = self._server.instance.account
        context = QueryContext(
            execution=id,
            region=region,
            account=account,
            principal=more["principal"],
            caller=self._inside(access_key, region),
            service=self._inside("", region),
            lake=lake.of_region(account, region),
            database=reported["QueryExecutionContext"].get("Database", "default"),
            output=more["output"],
            enforced=more["enforced"],
            encryption=result_location.encryption(reported),
            meter=meter,
        )
        outcome = execute.run(context, statement)
        more["count"] = outcome.count
        rows = (
            [[column["Name"] for column in outcome.columns], *outcome.rows]
            if outcome.header
            else outcome.rows
        )
        if more["output"]:
            self._put_files(reported, more, context.results, outcome, results.csv(outcome))
        self._store.put_result(id, outcome.columns, rows)
        reported["Status"]["State"] = "SUCCEEDED"

    def _put_files(self, reported: Params, more: Params, store: Storage, outcome: Any, text: bytes) -> None:
        try:
            if outcome.written:
                manifest = f"{more['output']}{reported['QueryExecutionId']}-manifest.csv"
                store.write(manifest, "".join(f"{path}\n" for path in outcome.written).encode())
                reported["Statistics"]["DataManifestLocation"] = manifest
            file = reported["ResultConfiguration"]["OutputLocation"]
            if file.endswith((".csv", ".txt")):
                store.write(file, text, ContentType="application/octet-stream")
            columns = json.dumps(outcome.columns).encode()
            store.write(f"{file}.metadata", columns)
        except QueryFailed as error:
            raise QueryFailed(
                f"Failed to write query results to S3: {error.reason}", RESULTS_NOT_WRITTEN
            ) from None

    # Operations

    def _query_execution(self, call: Call, id: str) -> tuple[Params, Params]:
        known = self._server.moto.backend("athena", call.region or self._server.instance.region).executions
        execution = self._store.get(id) if id in known else None
        if execution is None:
            raise Refusal(_INVALID, f"QueryExecution {id} was not found")
        return execution

    def _wait(self, id: str) -> None:
        running = self._running.get(id)
        if running:
            running.ended.wait(_PATIENCE)

    def _get(self, call: Call) -> Answer:
        id = call.params["QueryExecutionId"]
        self._query_execution(call, id)
        self._wait(id)
        return answer({"QueryExecution": self._query_execution(call, id)[0]})

    def _get_several(self, call: Call) -> Answer:
        executions: list[Params] = []
        missing: list[Params] = []
        for id in call.params["QueryExecutionIds"]:
            try:
                executions.append(self._query_execution(call, id)[0])
            except Refusal as error:
                missing.append(
                    {"QueryExecutionId": id, "ErrorCode": error.code, "ErrorMessage": error.message}
                )
        return answer({"QueryExecutions": executions, "UnprocessedQueryExecutionIds": missing})

    def _results(self, call: Call) -> Answer:
        params = call.params
        id = params["QueryExecutionId"]
        self._query_execution(call, id)
        self._wait(id)
        reported, more = self._query_execution(call, id)
        state = reported["Status"]["State"]
        if state in UNFINISHED:
            raise Refusal(_INVALID, f"Query has not yet finished. Current state: {state}")
        if state != "SUCCEEDED":
            raise Refusal(_INVALID, f"Query did not finish successfully. Final query state: {state}")
        if reported.get("ManagedQueryResultsConfiguration"):
            groups = self._server.moto.backend(
                "athena", call.region or self._server.instance.region
            ).work_groups
            result_location.may_use_key(call, self._server, groups[reported["WorkGroup"]], "kms:Decrypt")
        self._still_there(call, reported)
        columns, rows = self._store.result(id)
        size = int(params.get("MaxResults") or _PAGE)
        begin = int(params.get("NextToken") or 0)
        page = rows[begin : begin + size]
        body: Params = {
            "ResultSet": {
                "Rows": [
                    {"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in page
                ],
                "ResultSetMetadata": {"ColumnInfo": columns},
            },
            "UpdateCount": more.get("count", 0),
        }
        if begin + size < len(rows):
            body["NextToken"] = str(begin + size)
        return answer(body)

    def _still_there(self, call: Call, reported: Params) -> None:
        """Results in a bucket are read from it, in the caller's name."""
        file = (reported.get("ResultConfiguration") or {}).get("OutputLocation", "")
        if not file.endswith((".csv", ".txt")):
            return
        bucket, key = place(file)
        try:
            self._inside(call.access_key, call.region).call("s3", "head_object", Bucket=bucket, Key=key)
        except Refusal as error:
            if error.code in ("404", "NoSuchKey"):
                raise Refusal(_INVALID, "Could not find results") from None
            raise Refusal(
                _INVALID, f"Access denied when reading the query results: {file}: {error.message}"
            ) from None

    def _stop(self, call: Call) -> Answer:
        id = call.params["QueryExecutionId"]
        reported, _ = self._query_execution(call, id)
        running = self._running.get(id)
        if reported["Status"]["State"] in UNFINISHED and running:
            running.meter.stop()
        return answer({})

    def _list(self, call: Call) -> Answer:
        name = call.params.get("WorkGroup") or "primary"
        backend = self._server.moto.backend("athena", call.region or self._server.instance.region)
        if name not in backend.work_groups:
            raise Refusal(_INVALID, f"WorkGroup {name} is not found.")
        ids = [id for id in self._store.of(name) if id in backend.executions]
        size, begin = int(call.params.get("MaxResults") or 50), int(call.params.get("NextToken") or 0)
        body: Params = {"QueryExecutionIds": ids[begin : begin + size]}
        if begin + size < len(ids):
            body["NextToken"] = str(begin + size)
        return answer(body)

    _OPERATIONS: Final[dict[str, Callable[[Any, Call], Answer]]] = {
        "GetQueryExecution": _get,
        "BatchGetQueryExecution": _get_several,
        "GetQueryResults": _results,
        "StopQueryExecution": _stop,
        "ListQueryExecutions": _list,
    }
