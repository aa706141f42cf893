"""What Lake Formation lets a query's principal do, in the words of Athena."""

from __future__ import annotations

from collections.abc import Sequence

from twin.aws.athena.asked import Asked
from twin.aws.athena.errors import LAKE_FORMATION, QueryFailed
from twin.aws.athena.storage import Storage, place
from twin.aws.rules import lake_access


def readable(asked: Asked, database: str, table: str, columns: Sequence[str]) -> lake_access.Readable:
    """The columns and rows that the principal may read. Raises QueryFailed where it may read nothing."""
    found = lake_access.readable(asked.lake, asked.principal, database, table, list(columns))
    if found is None or not found.columns:
        raise QueryFailed(
            "Insufficient permissions to execute the query. Principal does not have any privilege on "
            f"specified resource: {database}.{table}",
            LAKE_FORMATION,
        )
    return found


def demand(asked: Asked, permission: str, database: str, table: str = "") -> None:
    """Raise QueryFailed where the principal lacks a permission on a table or database."""
    if not lake_access.allowed(asked.lake, asked.principal, permission, database, table):
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
    if lake_access.location_of(asked.lake, arn) is None:
        return asked.results
    if not lake_access.may_use_location(asked.lake, asked.principal, arn):
        raise QueryFailed(
            "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): "
            f"Required Data Location Access on {location}",
            LAKE_FORMATION,
        )
    return Storage(asked.service)


def storage(asked: Asked, location: str, database: str, table: str = "") -> Storage:
    """S3 for a table's files: by Lake Formation's role where it governs the table, else the caller's."""
    bucket, key = place(location)
    registered = lake_access.location_of(asked.lake, f"arn:aws:s3:::{bucket}/{key}")
    if registered and not lake_access.open_to_iam(asked.lake, database, table):
        return Storage(asked.service, within=location)
    return Storage(asked.caller)
