"""What asks the twin's Athena: statements in, rows or the reason of a failure out."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from twin.tests.aws.api_servers import Clients


@dataclass
class Answered:
    """A finished query. execution: as GetQueryExecution returns it."""

    execution: dict[str, Any]
    columns: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    rows: list[list[str | None]] = field(default_factory=list[list[str | None]])

    @property
    def state(self) -> str:
        """SUCCEEDED, FAILED or CANCELLED."""
        return self.execution["Status"]["State"]

    @property
    def reason(self) -> str:
        """Why it did not succeed."""
        return self.execution["Status"].get("StateChangeReason", "")

    @property
    def scanned(self) -> int:
        """Bytes of data that were read."""
        return self.execution["Statistics"]["DataScannedInBytes"]


class Asking:
    """A client of Athena in one database and workgroup."""

    def __init__(self, athena: Any, workgroup: str, database: str) -> None:
        self.athena = athena
        self.workgroup = workgroup
        self.database = database

    def __call__(self, sql: str, **more: Any) -> Answered:
        """Run a statement to its end."""
        context = {"Database": self.database, "Catalog": "AwsDataCatalog"}
        id = self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext=context, WorkGroup=self.workgroup, **more
        )["QueryExecutionId"]
        return self.answered(id)

    def answered(self, id: str) -> Answered:
        """Wait for a query. The twin answers when it has ended, so this asks few times."""
        execution = self._execution(id)
        for _ in range(60):
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
            execution = self._execution(id)
        if execution["Status"]["State"] != "SUCCEEDED":
            return Answered(execution)
        result_set = self.athena.get_query_results(QueryExecutionId=id)["ResultSet"]
        columns = [
            (column["Name"], column["Type"]) for column in result_set["ResultSetMetadata"]["ColumnInfo"]
        ]
        return Answered(
            execution,
            columns,
            [[cell.get("VarCharValue") for cell in row["Data"]] for row in result_set["Rows"]],
        )

    def _execution(self, id: str) -> dict[str, Any]:
        return self.athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The rows of a query that succeeds, without the header."""
        answered = self(sql, **more)
        assert answered.state == "SUCCEEDED", answered.reason
        return answered.rows[1:]

    def done(self, sql: str, **more: Any) -> Answered:
        """A statement that succeeds."""
        answered = self(sql, **more)
        assert answered.state == "SUCCEEDED", answered.reason
        return answered

    def refused(self, sql: str, **more: Any) -> str:
        """Why a query fails."""
        answered = self(sql, **more)
        assert answered.state == "FAILED", f"{sql} {answered.state}"
        assert answered.execution["Status"]["AthenaError"]["ErrorMessage"] == answered.reason
        return answered.reason


def parquet(data: pa.Table) -> bytes:
    """Rows as a file, as Feast uploads them."""
    sink = io.BytesIO()
    pq.write_table(data, sink)
    return sink.getvalue()


def asking(clients: Clients, bucket: str, workgroup: str, database: str, *, managed: bool = False) -> Asking:
    """A bucket, a database, and a workgroup that leaves the place of results to its callers.

    managed: whether Athena keeps the results instead.
    """
    region = clients.server.instance.region
    clients("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    place = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/results/"}}
    managed_results = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
    configuration = {"EnforceWorkGroupConfiguration": False, **(managed_results if managed else place)}
    clients("athena").create_work_group(Name=workgroup, Configuration=configuration)
    clients("glue").create_database(DatabaseInput={"Name": database})
    return Asking(clients("athena"), workgroup, database)
