"""What Lake Formation lets a query's principal do, in the words of Athena."""

from __future__ import annotations

from collections.abc import Sequence

from twin.aws.services.athena.queries.errors import LAKE_FORMATION, QueryFailed
from twin.aws.services.athena.queries.request import QueryContext
from twin.aws.services.athena.queries.storage import Storage, place
from twin.aws.services.lakeformation import permissions as lakeformation


def readable(
    context: QueryContext, database: str, table: str, columns: Sequence[str]
) -> lakeformation.Readable:
    """The columns and rows that the principal may read. Raises QueryFailed where it may read nothing."""
    readable = lakeformation.readable(context.lake, context.principal, database, table, list(columns))
    if readable is None or not readable.columns:
        raise QueryFailed(
            "Insufficient permissions to execute the query. Principal does not have any privilege on "
            f"specified resource: {database}.{table}",
            LAKE_FORMATION,
        )
    return readable


def demand(context: QueryContext, permission: str, database: str, table: str = "") -> None:
    """Raise QueryFailed where the principal lacks a permission on a table or database."""
    if not lakeformation.allowed(context.lake, context.principal, permission, database, table):
        thing = f"{database}.{table}" if table else database
        raise QueryFailed(
            "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): "
            f"Required {permission.capitalize()} on {thing}",
            LAKE_FORMATION,
        )


def new_place(context: QueryContext, location: str) -> Storage:
    """S3 for the files of a table to be made there. Raises QueryFailed where the place is registered and the
    principal has no data location permission on it."""
    bucket, key = place(location)
    arn = f"arn:aws:s3:::{bucket}/{key}"
    if lakeformation.location_of(context.lake, arn) is None:
        return context.results
    if not lakeformation.may_use_location(context.lake, context.principal, arn):
        raise QueryFailed(
            "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): "
            f"Required Data Location Access on {location}",
            LAKE_FORMATION,
        )
    return Storage(context.service)


def storage(context: QueryContext, location: str, database: str, table: str = "") -> Storage:
    """S3 for a table's files: by Lake Formation's role where it governs the table, else the caller's."""
    bucket, key = place(location)
    registered = lakeformation.location_of(context.lake, f"arn:aws:s3:::{bucket}/{key}")
    if registered and not lakeformation.open_to_iam(context.lake, database, table):
        return Storage(context.service, within=location)
    return Storage(context.caller)
