"""The lakehouse on Google Cloud: what is refused, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.aiplatform.lakehouse.google import (
    BY_TABLE,
    BY_ZONES,
    EVENTS,
    ORDERS,
    problems,
)

STREAM = {"name": "clicks", "table": "raw.events"}


def _orders(**changed: Any) -> dict[str, Any]:
    return {"tables": [{**ORDERS, **changed}]}


def _column(**changed: Any) -> dict[str, Any]:
    return _orders(columns=[*ORDERS["columns"], {"name": "more", "type": "string", **changed}])


def _grant(**changed: Any) -> dict[str, Any]:
    return {"grants": [{**BY_TABLE, **changed}]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"project": None}, "LakehouseArgs.project: missing"),
        ({"region": None}, "LakehouseArgs.region: missing"),
        ({"region": "europe"}, "LakehouseArgs.region: got 'europe'; expected a region"),
        ({"prefix": "a" * 43}, "would be a Cloud Storage bucket's name, which may have 63"),
        ({"prefix": "google-dev"}, "expected one without 'google'"),
        ({"tags": {"Team": "data"}}, "LakehouseArgs.tags: got {'Team': 'data'}, 'Team'"),
        ({"writers": ["arn:aws:iam::111122223333:role/p"]}, "writers[0]: got 'arn:aws:iam"),
        ({"writers": ["allAuthenticatedUsers"]}, "which is everybody; expected serviceAccount:EMAIL"),
        (_grant(principal="allUsers"), "grants[0].principal: got 'allUsers', which is everybody"),
        (_grant(principal="domain:acme.example"), "which is everybody"),
        (
            _grant(principal="principal://iam.googleapis.com/projects/1/locations/global/x/subject/y"),
            "BigQuery's column policies accept no identities of a federated pool",
        ),
        (_grant(rows="id IN (SELECT id FROM x)"), "expected a condition without a subquery"),
        (_grant(rows="TRUE); DROP TABLE x; SELECT (1"), "without `;`, comments"),
        (_grant(rows="country = 'DE' -- all"), "without `;`, comments"),
        (_grant(rows="TRUE) OR (TRUE"), "balanced parentheses"),
        (
            _column(type="list<string>"),
            "tables[0].columns[5].type: got 'list<string>'; expected a type without",
        ),
        (_column(was="less"), "columns[5].was: got 'less', which Google Cloud does not support"),
        ({"query_cutoff_bytes": 100 * 1024**2}, "expected at least 1073741824 bytes, 1 GiB"),
        ({"query_cutoff_bytes": 1024**3 + 1}, "expected whole MiB"),
        ({"admins": ["allUsers"]}, "admins[0]: got 'allUsers', which is everybody"),
        ({"admins": ["pipeline"]}, "expected serviceAccount:EMAIL, group:EMAIL or user:EMAIL"),
        ({"file_readers": ["serviceAccount:a@acme.example"]}, "a role on the bucket suffices"),
        ({"store": "s3_tables"}, "store: got 's3_tables', which Google Cloud does not support"),
        ({"snapshots": [{"table": "curated.orders", "name": "t"}]}, "create one with PyIceberg or Spark"),
        (
            {"batches": [{"name": "load", "script": "gs://scripts/load.py"}]},
            "LakehouseArgs.network: missing; expected the network that `batches` run in",
        ),
        ({"arrival_targets": {"me": "arn:aws:sqs:x"}}, "arrival_targets.me: got 'arn:aws:sqs:x'; expected"),
        ({"perimeter": {"access_policy": "acme", "deployers": []}}, "perimeter.access_policy: got 'acme'"),
        ({"perimeter": {"access_policy": "1", "deployers": []}}, "deployers: got [], of length 0; expected"),
        (
            {
                "tables": [{**EVENTS, "partitions": [{"column": "at", "transform": "day"}]}],
                "streams": [STREAM],
            },
            "tables[0].partitions: got some for the table of a stream",
        ),
        (
            {"tables": [EVENTS], "streams": [{**STREAM, "buffer_mib": 1}]},
            "streams[0].buffer_mib: got 1, which Google Cloud does not support",
        ),
        (
            {
                "tables": [EVENTS],
                "streams": [STREAM],
                "grants": [{**BY_TABLE, "tables": ["raw.events"], "rows": "TRUE"}],
            },
            "grants[0].rows: got 'TRUE'; expected none: BigQuery writes raw.events",
        ),
        (
            _orders(name="o" * 60, quality={"rules": [{"rule": "rows", "low": 1}]}),
            "expected at most 63 characters",
        ),
        (
            {"grants": [BY_TABLE, {**BY_ZONES, "principal": BY_TABLE["principal"]}]},
            "grants[0].rows: got \"country = 'DE'\" for serviceAccount:support@",
        ),
        (
            {
                "grants": [
                    {**BY_TABLE, "name": f"t{number}", "rows": f"id = {number}"} for number in range(17)
                ]
            },
            "grants: got 17 different `rows` on curated.orders; expected at most 16",
        ),
        ({"grants": [BY_ZONES, {**BY_ZONES, "name": "again"}]}, "which grant 'analysts' has already"),
    ],
)
def test_wrong_arguments_are_reported_with_the_expected_ones(
    arguments: dict[str, Any], expected: str
) -> None:
    assert any(expected in line for line in problems(**arguments)), problems(**arguments)
