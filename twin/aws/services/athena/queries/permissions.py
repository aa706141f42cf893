"""What Lake Formation lets a query's principal do, in the words of Athena."""

from __future__ import annotations

from collections.abc import Sequence

from twin.aws.services.athena.queries.errors import LAKE_FORMATION, QueryFailed
from twin.aws.services.athena.queries.request import Asked
from twin.aws.services.athena.queries.storage import Storage, place
from twin.aws.services.lakeformation import permissions as lakeformation


def readable(asked: Asked, database: str, table: str, columns: Sequence[str]) -> lakeformation.Readable:
    """The columns and rows that the principal may read. Raises QueryFailed where it may read nothing."""
    found = lakeformation.readable(asked.lake, asked.principal, database, table, list(columns))
    if found is None or not found.columns:
        raise QueryFailed(
            "Insufficient permissions to execute the query. Principal does not have any privilege on "
            f"specified resource: {database}.{table}",
            LAKE_FORMATION,
        )
    return found


def demand(asked: Asked, permission: str, database: str, table: str = "") -> None:
    """Raise QueryFailed where the principal lacks a permission on a table or database."""
    if not lakeformation.allowed(asked.lake, asked.principal, permission, database, table):
        thing = f"{database}.{table}" if table else database
        raise QueryFailed(
            "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): "
            f"Required {permission.capitalize()} on {thing}",
            LAKE_FORMATION,
        )


def new_place(asked: Asked, location: str) -> Storage:
    """S3 for the files of a table to be made there. Raises QueryFailed where the place is registered and the
    principal has no data location permission on it."""
    bucket, key = place(location)
    arn = f"arn:aws:s3:::{bucket}/{key}"
    if lakeformation.location_of(asked.lake, arn) is None:
        return asked.results
    if not lakeformation.may_use_location(asked.lake, asked.principal, arn):
        raise QueryFailed(
            "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): "
            f"Required Data Location Access on {location}",
            LAKE_FORMATION,
        )
    return Storage(asked.service)


def storage(asked: Asked, location: str, database: str, table: str = "") -> Storage:
    """S3 for a table's files: by Lake Formation's role where it governs the table, else the caller's."""
    bucket, key = place(location)
    registered = lakeformation.location_of(asked.lake, f"arn:aws:s3:::{bucket}/{key}")
    if registered and not lakeformation.open_to_iam(asked.lake, database, table):
        return Storage(asked.service, within=location)
    return Storage(asked.caller)
