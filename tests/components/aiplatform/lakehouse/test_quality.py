"""Quality rules in Glue's language, and the quality gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from aiplatform._shared.args import read
from aiplatform.lakehouse.quality import LakehouseQualitySettings, render
from aiplatform.lakehouse.quality_gate.gate import QualityError, judge, parsed, publish
from aiplatform.lakehouse.schedules import as_aws, schedule_rule
from tests.components.aiplatform.lakehouse.example import ORDERS, lakehouse, problems


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ({"rule": "complete", "column": "id"}, 'IsComplete "id"'),
        ({"rule": "complete", "column": "id", "at_least": 0.95}, 'Completeness "id" >= 0.95'),
        ({"rule": "unique", "column": "id"}, 'IsUnique "id"'),
        ({"rule": "unique", "column": "id", "at_least": 0.5}, 'Uniqueness "id" >= 0.5'),
        (
            {"rule": "between", "column": "n", "low": 1, "high": 2.5},
            '(ColumnValues "n" >= 1) and (ColumnValues "n" <= 2.5)',
        ),
        ({"rule": "between", "column": "n", "high": 9}, 'ColumnValues "n" <= 9'),
        ({"rule": "one_of", "column": "c", "values": ["a", 'b"']}, 'ColumnValues "c" in ["a", "b\\""]'),
        (
            {"rule": "matches", "column": "c", "pattern": "[A-Z]{2}", "at_least": 0.9},
            'ColumnValues "c" matches "[A-Z]{2}" with threshold >= 0.9',
        ),
        ({"rule": "rows", "low": 1}, "RowCount >= 1"),
        ({"rule": "fresh", "column": "at", "hours": 24}, 'DataFreshness "at" <= 24 hours'),
    ],
)
def test_a_rule_is_rendered_in_glues_language(rule: dict[str, Any], written: str) -> None:
    quality = read(LakehouseQualitySettings, {"rules": [rule]}, "quality")
    assert render(quality) == f"Rules = [\n    {written}\n]"


@pytest.mark.parametrize(
    ("quality", "problem"),
    [
        ({}, "quality.rules: got none; expected a rule"),
        ({"rules": [{"rule": "complete"}]}, "rules[0].column: missing"),
        ({"rules": [{"rule": "complete", "column": "ident"}]}, "expected a column of the table: id"),
        ({"rules": [{"rule": "complete", "column": "address"}]}, "expected a column without parts"),
        ({"rules": [{"rule": "between", "column": "email", "low": 1}]}, "between takes decimal, double"),
        ({"rules": [{"rule": "between", "column": "id"}]}, "expected low, high or both"),
        ({"rules": [{"rule": "between", "column": "id", "low": 2, "high": 1}]}, "expected at least 2"),
        ({"rules": [{"rule": "rows", "low": 1, "column": "id"}]}, "got 'id' with the rule rows"),
        ({"rules": [{"rule": "complete", "column": "id", "at_least": 0}]}, "expected above 0"),
        ({"rules": [{"rule": "compleet", "column": "id"}]}, "did you mean 'complete'?"),
        ({"rules": [{"rule": "matches", "column": "email", "pattern": "[A-Z"}]}, "no regular expression: "),
        ({"dqdl": ["Rules = [RowCount > 0]"]}, "expected one rule without `Rules = [...]`"),
    ],
)
def test_empty_rules_are_refused(quality: dict[str, Any], problem: str) -> None:
    reported = problems(tables=[{**ORDERS, "quality": quality}])
    assert any(problem in line for line in reported), reported


def test_escapes_of_the_services_dialects_are_accepted() -> None:
    rule = {"rule": "matches", "column": "email", "pattern": r"\p{L}+"}
    assert lakehouse(tables=[{**ORDERS, "quality": {"rules": [rule]}}]), (
        "Java and RE2 have it, Python has not"
    )


class Spark:
    """A session that knows which tables have the branch."""

    def __init__(self, *written: str) -> None:
        self.written = written
        self.statements: list[str] = []

    def sql(self, statement: str) -> Sequence[Any]:
        self.statements.append(statement)
        return [1] if any(f"{table}.refs" in statement for table in self.written) else []


def outcomes(*failing: str) -> Any:
    """Rules of which those of some tables do not hold."""

    def evaluate(table: str, ruleset: str, branch: bool) -> Sequence[Mapping[str, Any]]:
        fails = {"Rule": 'IsComplete "id"', "Outcome": "Failed", "FailureReason": "Value: 0.5"}
        return [{"Rule": "RowCount > 0", "Outcome": "Passed"}, *([fails] if table in failing else [])]

    return evaluate


TABLES = {"db.orders": "acme-orders", "db.items": "acme-items"}


def test_passing_rules_publish_and_delete_the_branch() -> None:
    spark, ran = Spark("db.orders"), []
    assert publish(spark.sql, TABLES, lambda: ran.append(len(spark.statements)), outcomes()) == ["db.orders"]
    assert ran == [2], "what an earlier run left goes before the batch"
    assert spark.statements[-2:] == [
        "CALL glue_catalog.system.fast_forward('db.orders', 'main', 'incoming')",
        "ALTER TABLE glue_catalog.db.orders DROP BRANCH incoming",
    ]
    assert not [sql for sql in spark.statements if "fast_forward('db.items'" in sql], "it wrote none"


def test_one_violated_rule_stops_the_publication_of_all_tables() -> None:
    spark = Spark("db.orders", "db.items")
    with pytest.raises(QualityError, match=r'db\.items: IsComplete "id": Value: 0\.5'):
        publish(spark.sql, TABLES, lambda: None, outcomes("db.items"))
    assert not [sql for sql in spark.statements if "fast_forward" in sql], "readers keep what they had"


def test_a_schedule_evaluates_tables_without_the_branch() -> None:
    seen: list[bool] = []

    def evaluate(table: str, ruleset: str, branch: bool) -> Sequence[Mapping[str, Any]]:
        seen.append(branch)
        return []

    judge(parsed("db.orders=acme-orders,db.items=acme-items"), evaluate, branch=False)
    assert seen == [False, False]
    with pytest.raises(QualityError):
        judge(TABLES, outcomes("db.orders"), branch=False)


@pytest.mark.parametrize(
    ("cron", "aws"),
    [
        ("15 3 * * *", "cron(15 3 * * ? *)"),
        ("*/10 * * * *", "cron(*/10 * * * ? *)"),
        ("0 6 1,15 * *", "cron(0 6 1,15 * ? *)"),
        ("0 6 * * 0,6", "cron(0 6 ? * SUN,SAT *)"),
        ("0 6 * * 1-5", "cron(0 6 ? * MON-FRI *)"),
    ],
)
def test_a_schedule_is_converted_to_awss_format(cron: str, aws: str) -> None:
    assert schedule_rule(cron) is None
    assert as_aws(cron) == aws
