"""Firehose's delivery into Iceberg tables: what is put into a stream becomes commits, in its role's name.

A record is a JSON object whose members are columns. What the table or the role's rights refuse goes to the
stream's bucket, as Firehose writes it there ("Deliver data to Apache Iceberg Tables", Developer Guide). What
waits in the buffer when the API server ends is lost, which Firehose's is not.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Call, Refusal
from twin.kubernetes.time_scale import factor

LOG = logging.getLogger(__name__)
_BUFFERING: Final = 300
_ATTEMPTS: Final = 5
_LAST: Final = 10.0
"""Seconds that an ending API server waits for what is being delivered."""
Props = dict[str, Any]


class Streams:
    """The streams of one instance's AWS that deliver into Iceberg tables."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._service = Inside(server)
        self._waiting: dict[str, list[bytes]] = {}
        self._workers: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()

    def take(self, call: Call) -> None:
        """Buffer what a PutRecord or PutRecordBatch brought, which the API server has answered."""
        if call.service != "firehose" or call.operation not in ("PutRecord", "PutRecordBatch"):
            return
        name, region = str(call.params["DeliveryStreamName"]), call.region
        destination = self._destination(name, region)
        if destination is None:
            return
        records = call.params.get("Records") or [call.params["Record"]]
        with self._lock:
            self._waiting.setdefault(name, []).extend(bytes(record["Data"]) for record in records)
            if name not in self._workers:
                worker = threading.Thread(target=self._deliver, args=(name, region), daemon=True)
                self._workers[name] = worker
                worker.start()

    def close(self) -> None:
        """Deliver what waits, and end."""
        self._ending.set()
        for worker in list(self._workers.values()):
            worker.join(_LAST)

    def _destination(self, name: str, region: str) -> Props | None:
        stream = self._server.moto.backend("firehose", region).delivery_streams.get(name)
        return stream.destinations[0].get("Iceberg") if stream else None

    def _deliver(self, name: str, region: str) -> None:
        destination = self._destination(name, region) or {}
        seconds = (destination.get("BufferingHints") or {}).get("IntervalInSeconds", _BUFFERING)
        while True:
            self._ending.wait(seconds / factor())
            with self._lock:
                records = self._waiting.pop(name, [])
                if not records:
                    del self._workers[name]
                    return
            try:
                self._commit(name, region, records)
            except Exception:
                LOG.exception("the stream %s failed in the twin", name)

    def _commit(self, name: str, region: str, records: list[bytes]) -> None:
        destination = self._destination(name, region)
        if destination is None:
            return
        role = destination["RoleARN"]
        session = self._service.call("sts", "assume_role", RoleArn=role, RoleSessionName="firehose")
        mine = Inside(self._server, session["Credentials"]["AccessKeyId"], region)
        for configuration in destination.get("DestinationTableConfigurationList") or []:
            refused = _appended(mine, configuration, records)
            if refused:
                _set_aside(mine, destination, configuration, refused)


def _appended(mine: Inside, place: Props, records: list[bytes]) -> list[tuple[bytes, str]]:
    """Append records to a table as one commit; what was refused, and why."""
    import pyarrow as pa

    from twin.aws.services.athena.queries import iceberg
    from twin.aws.services.athena.queries.errors import QueryFailed
    from twin.aws.services.athena.queries.storage import Storage

    database, name = place["DestinationDatabaseName"], place["DestinationTableName"]
    refused: list[tuple[bytes, str]] = []
    try:
        table = iceberg.load(mine, Storage(mine), database, name)
        schema = table.schema().as_arrow()
        rows, refused = _read(records, schema)
        columns = [
            pa.array([row[index] for _, row in rows], type=field.type) for index, field in enumerate(schema)
        ]
        data = pa.Table.from_arrays(columns, schema=schema)
        for attempt in range(_ATTEMPTS if rows else 0):
            try:
                iceberg.append(table, data)
                break
            except QueryFailed as error:
                # Someone else has committed meanwhile.
                if attempt == _ATTEMPTS - 1 or "Failed to commit" not in str(error):
                    raise
                table = iceberg.load(mine, Storage(mine), database, name)
    except (QueryFailed, Refusal, pa.ArrowInvalid, pa.ArrowTypeError, FileNotFoundError) as error:
        known = [record for record, _ in refused]
        refused += [(record, str(error)) for record in records if record not in known]
    return refused


def _read(records: list[bytes], schema: Any) -> tuple[list[tuple[bytes, list[Any]]], list[tuple[bytes, str]]]:
    rows: list[tuple[bytes, list[Any]]] = []
    refused: list[tuple[bytes, str]] = []
    for record in records:
        try:
            rows.append((record, _row(record, schema)))
        except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
            refused.append((record, f"Iceberg.InvalidRecord: {error}"))
    return rows, refused


def _row(record: bytes, schema: Any) -> list[Any]:
    document = json.loads(record)
    row = {str(name).lower(): value for name, value in document.items()}
    return [_value(row.get(field.name.lower()), field.type) for field in schema]


def _value(value: Any, kind: Any) -> Any:
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        reported = datetime.fromisoformat(str(value))
        return reported.astimezone(UTC) if kind.tz else reported.replace(tzinfo=None)
    if pa.types.is_date(kind):
        return date.fromisoformat(str(value))
    if pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return base64.b64decode(value)
    return value


def _set_aside(mine: Inside, destination: Props, place: Props, refused: list[tuple[bytes, str]]) -> None:
    """What was not delivered, into the stream's bucket."""
    bucket: Props = destination.get("S3DestinationDescription") or {}
    now = datetime.now(UTC)
    lines = [
        json.dumps(
            {
                "attemptsMade": 1,
                "arrivalTimestamp": int(time.time() * 1000),
                "errorCode": words.partition(":")[0],
                "errorMessage": words,
                "attemptEndingTimestamp": int(time.time() * 1000),
                "rawData": base64.b64encode(record).decode(),
                "tableName": f"{place['DestinationDatabaseName']}.{place['DestinationTableName']}",
            }
        )
        for record, words in refused
    ]
    prefix = f"{bucket.get('ErrorOutputPrefix') or ''}iceberg-failed/{now:%Y/%m/%d/%H}/"
    encryption = (bucket.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}
    key = encryption.get("AWSKMSKeyARN")
    more = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    try:
        mine.call(
            "s3",
            "put_object",
            Bucket=str(bucket["BucketARN"]).rpartition(":")[2],
            Key=f"{prefix}{uuid.uuid4()}",
            Body="\n".join(lines).encode(),
            **more,
        )
    except Refusal as error:
        LOG.warning("a stream's refused records are lost: %s", error)
