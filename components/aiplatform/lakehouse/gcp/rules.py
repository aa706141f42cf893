"""Names and rules of the lakehouse's arguments on Google Cloud, in addition to those of every cloud."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiplatform._shared.args import Problem, got, length, obeys, with_value
from aiplatform.lakehouse import types
from aiplatform.lakehouse.grants import LakehouseGrantSettings
from aiplatform.lakehouse.ingestion import LakehouseStreamSettings
from aiplatform.lakehouse.tables import LakehouseTableSettings
from aiplatform.naming import (
    BIGQUERY_DATASET,
    DATA_SCAN,
    GCS_BUCKET,
    GOOGLE_SERVICE_ACCOUNT,
    ICEBERG_CATALOG,
    LOG_BUCKET,
    PUBSUB_TOPIC,
    SERVICE_PERIMETER,
    PhysicalName,
    prefix_for,
)

CATALOG: Final = PhysicalName(ICEBERG_CATALOG, "{prefix}-lakehouse")
"""It also precedes a zone in a query: `project.catalog.database.table`."""
DATASET: Final = PhysicalName(BIGQUERY_DATASET, "{prefix}_curated")
ACCESS_LOGS: Final = PhysicalName(LOG_BUCKET, "{prefix}-lakehouse-access-0123456")
ARRIVALS: Final = PhysicalName(PUBSUB_TOPIC, "{prefix}-arrivals")
QUALITY: Final = PhysicalName(PUBSUB_TOPIC, "{prefix}-quality")
PERIMETER: Final = PhysicalName(SERVICE_PERIMETER, "{prefix}_lakehouse")
BATCH_ACCOUNT: Final = PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-lake-batch")
STARTER_ACCOUNT: Final = PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-lake-start")

ROW_CONDITIONS: Final = 16
"""The most conditions on the rows of one table: each has a row access policy of a fixed name."""
LEAST_CUTOFF: Final = 1024**3
"""Less would refuse nearly every query; the quota is in MiB ("Create custom query quotas")."""
MIB: Final = 1024**2

_MEMBER: Final = re.compile(
    r"serviceAccount:[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com|group:[^\s:@]+@[^\s:@]+\.[a-z]+"
)
_EVERYBODY: Final = re.compile(r"\*|allUsers|allAuthenticatedUsers|domain:.*|principalSet://.*/\*", re.I)
_FEDERATED: Final = re.compile(r"(principal|principalSet)://.*")
_FORBIDDEN_BUCKET: Final = re.compile(r"goog|.*(google|g00gle)")


def member(value: Any) -> str | None:
    """A rule: a service account or a group in IAM's form, never all principals. Policies of columns and rows
    accept no others (BigQuery Data Policy API, AddGranteesRequest)."""
    if _MEMBER.fullmatch(value):
        return None
    expected = "expected serviceAccount:EMAIL or group:EMAIL"
    if _EVERYBODY.fullmatch(value):
        return f"which is everybody; {expected}"
    if _FEDERATED.fullmatch(value):
        return (
            f"{expected}: BigQuery's column policies accept no identities of a federated pool; let it "
            "impersonate a service account"
        )
    return expected


def administrator(value: Any) -> str | None:
    """A rule: a principal that applies the program, also a user."""
    if _MEMBER.fullmatch(value) or re.fullmatch(r"user:[^\s:@]+@[^\s:@]+\.[a-z]+", value):
        return None
    everybody = "which is everybody; " if _EVERYBODY.fullmatch(value) else ""
    return f"{everybody}expected serviceAccount:EMAIL, group:EMAIL or user:EMAIL"


def bucket_name(prefix: str, purpose: str, project: str) -> str:
    """Return a bucket's name; the project's id makes it unique among all projects."""
    return f"{prefix}-{purpose}-{project}"


def data_scan(prefix: str, table: LakehouseTableSettings) -> str:
    """Return the id of the scan of a table's rules, in which `_` is not allowed."""
    return f"{prefix}-{table.zone}-{table.name}".replace("_", "-")


def prefix_problems(prefix: str, project: str | None, *, perimeter: bool, batches: bool) -> Iterator[Problem]:
    """Return the problems of names that begin with the prefix. perimeter, batches: whether there are any."""
    names = [CATALOG, DATASET, ACCESS_LOGS, ARRIVALS, QUALITY]
    if perimeter:
        names.append(PERIMETER)
    if batches:
        names += [BATCH_ACCOUNT, STARTER_ACCOUNT]
    if project is not None:
        # The longest of the buckets' names.
        names.append(PhysicalName(GCS_BUCKET, bucket_name("{prefix}", "curated", project)))
    problems = list(obeys("prefix", prefix, prefix_for(*names)))
    yield from problems
    if not problems and _FORBIDDEN_BUCKET.match(prefix):
        reason = "expected one without 'google' that does not begin with 'goog': names of buckets may not"
        yield Problem("prefix", with_value(prefix, reason))


def grant_problems(
    grants: Sequence[LakehouseGrantSettings], streams: Sequence[LakehouseStreamSettings]
) -> Iterator[Problem]:
    """Return the problems of grants with principals and with the tables of streams."""
    for index, grant in enumerate(grants):
        yield from obeys(f"grants[{index}].principal", grant.principal, member)
        stream_tables = {stream.table for stream in streams} & set(grant.tables)
        if grant.rows is not None and stream_tables:
            names = ", ".join(sorted(stream_tables))
            reason = f"expected none: BigQuery writes {names}, and supports no row policies on such a table"
            yield Problem(f"grants[{index}].rows", with_value(grant.rows, reason))


def table_problems(
    prefix: str,
    tables: Sequence[LakehouseTableSettings],
    grants: Sequence[LakehouseGrantSettings],
    streams: Sequence[LakehouseStreamSettings],
) -> Iterator[Problem]:
    """Return the problems of tables: columns, conditions on rows, tables of streams, names of scans."""
    stream_tables = {stream.table for stream in streams}
    for index, table in enumerate(tables):
        where = f"tables[{index}]"
        yield from _columns(where, table)
        conditions = {grant.rows for grant in grants if table.path in grant.tables and grant.rows}
        if len(conditions) > ROW_CONDITIONS:
            yield Problem(
                "grants",
                f"got {len(conditions)} different `rows` on {table.path}; expected at most {ROW_CONDITIONS}: "
                "grant a group the rows that its members share",
            )
        if table.path in stream_tables:
            yield from _stream_table(where, table)
        if table.quality is not None:
            name = data_scan(prefix, table)
            if len(name) > DATA_SCAN.limit:
                reason = f"whose scan would be {name!r}; expected at most {DATA_SCAN.limit} characters"
                yield Problem(f"{where}.name", with_value(table.name, reason))


def _columns(where: str, table: LakehouseTableSettings) -> Iterator[Problem]:
    for index, column in enumerate(table.columns):
        if not isinstance(types.parse(column.type), types.Primitive):
            yield Problem(
                f"{where}.columns[{index}].type",
                f"{got(column.type)}; expected a type without parts: Google's provider supports no "
                "others, and cannot read a table that has them",
            )


def _stream_table(where: str, table: LakehouseTableSettings) -> Iterator[Problem]:
    """Rules of the table of a stream, which BigQuery writes."""
    if table.partitions:
        yield Problem(
            f"{where}.partitions",
            "got some for the table of a stream; expected none: BigQuery clusters its files by the columns "
            "of `sort_order`",
        )
    for index, part in enumerate(table.sort_order):
        if part.transform != "identity" or "." in part.column:
            yield Problem(
                f"{where}.sort_order[{index}].transform",
                "expected identity of whole columns: BigQuery clusters by them",
            )
    yield from obeys(
        f"{where}.sort_order", table.sort_order, length(0, 4, "columns, as many as BigQuery clusters by")
    )
    for index, column in enumerate(table.columns):
        if str(types.parse(column.type)) == "uuid":
            reason = "expected string or fixed[16]: BigQuery has no uuid"
            yield Problem(f"{where}.columns[{index}].type", with_value(column.type, reason))


def cutoff(value: Any) -> str | None:
    """A rule: a limit of queries that a quota accepts."""
    if value < LEAST_CUTOFF:
        return f"expected at least {LEAST_CUTOFF} bytes, 1 GiB"
    return "expected whole MiB, the unit of the quota" if value % MIB else None
