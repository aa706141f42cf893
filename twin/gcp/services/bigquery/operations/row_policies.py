"""BigQuery: row access policies of tables."""

from __future__ import annotations

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.iam import policy as iam_policy


def check_predicate(predicate: str, columns: set[str]) -> None:
    """A filter that GoogleSQL reads and whose columns there are. Raises 400. columns: in lower case."""
    from sqlglot import errors, exp, parse_one

    if not predicate.strip():
        raise invalid("Required parameter is missing: filterPredicate", reason="required")
    try:
        tree = parse_one(predicate, dialect="bigquery")
    except errors.SqlglotError as error:
        raise invalid(f"Syntax error in filter predicate: {str(error).splitlines()[0]}") from None
    for column in tree.find_all(exp.Column):
        parts = [part.name.lower() for part in column.parts]
        if parts[0] not in columns:
            raise invalid(f"Unrecognized name: {column.name} in the filter predicate '{predicate}'")


def check_grantees(call: Call, grantees: list[str]) -> None:
    """Members that row access policies know. Raises 400."""
    for grantee in grantees:
        try:
            iam_policy.check_member(call, grantee)
        except GoogleError as error:
            raise invalid(f"Invalid grantee {grantee}: {error.message}") from None
