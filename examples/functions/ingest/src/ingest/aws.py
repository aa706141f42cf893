"""The function of Lambda: an event of EventBridge for each object. It needs what Lambda's runtime has.

An object is delivered at least once: rows are merged by their id, so that a repetition changes nothing.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

from ingest.events import Event, InvalidFileError, read

LOG = logging.getLogger()
LOG.setLevel(logging.INFO)
ROWS = 500
"""Of a statement: Athena accepts 262,144 bytes."""
_PAUSE = 0.5
_COLUMNS = ("event_id", "happened_at", "kind", "amount", "source")


def handle(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Register an object, or put it into quarantine. Any other failure is raised: Lambda repeats the call."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    s3 = boto3.client("s3")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        events = read(content, f"s3://{bucket}/{key}")
    except InvalidFileError as error:
        target = _quarantine(s3, bucket, key, content, str(error))
        LOG.warning("%s is in quarantine as %s: %s", key, target, error)
        return {"quarantine": target, "reason": str(error)}
    for statement in statements(events, os.environ["TABLE"]):
        _run(statement)
    LOG.info("%s: %d events", key, len(events))
    return {"registered": len(events)}


def _quarantine(s3: Any, bucket: str, key: str, content: bytes, reason: str) -> str:
    target = os.environ["QUARANTINE"] + key.rpartition("/")[2]
    s3.put_object(Bucket=bucket, Key=target, Body=content)
    s3.put_object(Bucket=bucket, Key=f"{target}.reason.txt", Body=reason.encode(), ContentType="text/plain")
    return target


def statements(events: Sequence[Event], table: str) -> Iterator[str]:
    """Return the statements that register events."""
    for start in range(0, len(events), ROWS):
        rows = ", ".join(f"({', '.join(_values(event))})" for event in events[start : start + ROWS])
        names = ", ".join(_COLUMNS)
        yield (
            # Table and columns are the program's, and rows are literals.
            f"MERGE INTO {table} AS t USING (SELECT * FROM (VALUES {rows}) AS v ({names})) AS s "  # noqa: S608
            f"ON t.event_id = s.event_id WHEN NOT MATCHED THEN INSERT ({names}) "
            f"VALUES ({', '.join(f's.{name}' for name in _COLUMNS)})"
        )


def _values(event: Event) -> list[str]:
    """Return literals. Athena has no parameters in MERGE."""
    amount = "NULL" if event.amount is None else f"DECIMAL '{event.amount}'"
    return [
        _literal(event.event_id),
        f"TIMESTAMP '{event.happened_at:%Y-%m-%d %H:%M:%S.%f} UTC'",
        _literal(event.kind),
        f"CAST({amount} AS DECIMAL(10,2))",
        _literal(event.source),
    ]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _run(statement: str) -> None:
    athena = boto3.client("athena")
    query = athena.start_query_execution(QueryString=statement, WorkGroup=os.environ["WORKGROUP"])
    while True:
        execution = athena.get_query_execution(QueryExecutionId=query["QueryExecutionId"])["QueryExecution"]
        status = execution["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(f"Athena: {status.get('StateChangeReason')}")
        time.sleep(_PAUSE)
