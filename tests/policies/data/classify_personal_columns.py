"""Spec of data.classify_personal_columns."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, Stack, resource


def _table(*columns: Any) -> Resource:
    descriptor = {"columns": [{"name": name, "type": "string"} for name in columns]}
    return resource(
        "aws:glue/catalogTable:CatalogTable",
        {"databaseName": "curated", "name": "trips", "storageDescriptor": descriptor},
        name="trips",
    )


def _tags(comes_from: str = "", **about: Any) -> Resource:
    """comes_from: the property that comes from something which is not there yet."""
    return resource(
        "aws:lakeformation/resourceLfTags:ResourceLfTags",
        {"lfTags": [{"key": "classification", "value": "pii"}], **about},
        name="tags",
        property_dependencies={comes_from: ["elsewhere"]} if comes_from else {},
    )


def _bigquery(*fields: Any) -> Resource:
    return resource("gcp:bigquery/table:Table", {"tableId": "trips", "schema": json.dumps(list(fields))})


_TRIPS = {"databaseName": "curated", "name": "trips"}

SPEC = Spec(
    passes={
        "no personal column": Stack([_table("trip_id", "fare")]),
        "a tag on the table": Stack([_table("trip_id", "rider_email"), _tags(table=_TRIPS)]),
        "a tag on the column": Stack(
            [_table("rider_email"), _tags(tableWithColumns={**_TRIPS, "columnNames": ["rider_email"]})]
        ),
        "a tag on every table": Stack(
            [_table("rider_email"), _tags(table={"databaseName": "curated", "wildcard": True})]
        ),
        "a tag on every table, in a preview": Stack(
            [
                _table("rider_email"),
                _tags(
                    table={"databaseName": "curated", "name": UNKNOWN, "wildcard": True},
                    tableWithColumns=UNKNOWN,
                ),
            ]
        ),
        "a policy tag": _bigquery({"name": "email", "type": "STRING", "policyTags": {"names": ["a/b"]}}),
        "a word that only looks like it": _bigquery({"name": "telephoned", "type": "BOOL"}),
    },
    fails={
        "no tag": Fails(
            Stack([_table("trip_id", "rider_email")]),
            "storageDescriptor.columns[1].name",
            "'rider_email'",
            "trips",
        ),
        "a tag on another column": Fails(
            Stack([_table("fare", "phone"), _tags(tableWithColumns={**_TRIPS, "columnNames": ["fare"]})]),
            "storageDescriptor.columns[1].name",
        ),
        "a tag on all others": Fails(
            Stack(
                [
                    _table("phone"),
                    _tags(tableWithColumns={**_TRIPS, "wildcard": True, "excludedColumnNames": ["phone"]}),
                ]
            ),
            "storageDescriptor.columns[0].name",
        ),
        "a tag on another table": Fails(
            Stack([_table("phone"), _tags(table={"databaseName": "curated", "name": "riders"})]),
            "storageDescriptor.columns[0].name",
        ),
        "a tag on another table, in a preview": Fails(
            Stack(
                [
                    _table("phone"),
                    _tags(table={**_TRIPS, "name": "riders"}, tableWithColumns=UNKNOWN),
                ]
            ),
            "storageDescriptor.columns[0].name",
        ),
        "a tag on all columns of another table": Fails(
            Stack([_table("phone"), _tags(tableWithColumns={**_TRIPS, "name": "riders", "wildcard": True})]),
            "storageDescriptor.columns[0].name",
        ),
        "two words": Fails(
            _bigquery({"name": "birth_date", "type": "DATE"}), "schema[0].name", "'birth_date'"
        ),
        "a field of a record": Fails(
            _bigquery({"name": "rider", "type": "RECORD", "fields": [{"name": "email", "type": "STRING"}]}),
            "schema[0].fields[0].name",
        ),
    },
    unknown={
        "a column's name": Stack([_table(UNKNOWN)]),
        "tags on an unknown resource": Stack([_table("email"), _tags("table", table=UNKNOWN)]),
        "tags on a table whose name is not known": Stack(
            [_table("email"), _tags("table", table={**_TRIPS, "name": UNKNOWN})]
        ),
        "a schema": resource("gcp:bigquery/table:Table", {"schema": UNKNOWN}),
    },
    configured={
        "a word more": Case(
            _bigquery({"name": "nickname", "type": "STRING"}), {"words": ["nickname"]}, fails=True
        ),
        "salaries are public here": Case(_bigquery({"name": "salary"}), {"words": ["email"]}, fails=False),
    },
)
