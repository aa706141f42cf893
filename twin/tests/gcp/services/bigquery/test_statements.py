"""Statements of GoogleSQL, read."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.services.bigquery.statements import (
    AlterTable,
    Column,
    DropRows,
    Lost,
    Options,
    RowPolicy,
    script,
)

POLICY = """data_policies = ["{'name':'p.region-us.a'}", "{'name':'p.region-us.b'}"]"""


def test_a_script_is_read_statement_by_statement() -> None:
    read = script(
        "ALTER TABLE `p.c.n.t` ADD COLUMN IF NOT EXISTS `a` NUMERIC(10, 2), ADD COLUMN b STRING "
        f"OPTIONS ({POLICY});"
        f"alter table d.t ALTER COLUMN b SET OPTIONS (data_policies += [\"{{'name':'p.us.c'}}\"]), "
        "DROP COLUMN a;"
        "CREATE OR REPLACE ROW ACCESS POLICY r ON d.t GRANT TO ('user:a@b.c', \"group:x@y.z\") "
        "FILTER USING (note = 'a;b' AND n IN (1, 2));\n"
        "DROP ALL ROW ACCESS POLICIES ON d.t"
    )
    table = ("d", "t")
    assert read == [
        AlterTable(
            ("p", "c", "n", "t"),
            (
                Column("a", "NUMERIC(10, 2)", lenient=True),
                Column("b", "STRING", lenient=False, policies=("p.region-us.a", "p.region-us.b")),
            ),
        ),
        AlterTable(table, (Options("b", ("p.us.c",), more=True), Lost("a", lenient=False))),
        RowPolicy(
            table,
            "r",
            ("user:a@b.c", "group:x@y.z"),
            "note = 'a;b' AND n IN (1, 2)",
            replace=True,
            lenient=False,
        ),
        DropRows(table, "", lenient=False),
    ]


@pytest.mark.parametrize("text", ["SELECT 1", "ALTER TABLE d.t RENAME TO u", "CREATE TABLE d.t (a INT64)"])
def test_what_the_twin_does_not_execute_is_said(text: str) -> None:
    with pytest.raises(NotImplementedError, match="BigQuery's"):
        script(text)


def test_a_policy_that_is_named_otherwise_is_refused() -> None:
    with pytest.raises(GoogleError, match="Invalid data policy"):
        script("ALTER TABLE d.t ALTER COLUMN a SET OPTIONS (data_policies = ['p.us.c'])")
