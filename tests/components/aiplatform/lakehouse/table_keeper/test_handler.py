"""The keeper's way with a catalog: load, plan, commit, and again after a conflict."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from aiplatform.lakehouse import table_keeper
from aiplatform.lakehouse.table_keeper.handler import TRIES, judge, keep
from aiplatform.lakehouse.table_keeper.planning import RefusedError
from aiplatform.lakehouse.table_spec import declaration
from tests.components.aiplatform.lakehouse.example import EVENTS
from tests.components.aiplatform.lakehouse.table_keeper.migrations import created, settings


class BusyError(Exception):
    """Another client has committed."""


class Catalog:
    """A catalog that is busy for a while."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.commits: list[dict[str, Any]] = []

    def load(self, database: str, table: str) -> dict[str, Any]:
        assert (database, table) == ("acme_dev_raw", "events")
        return created(EVENTS)

    def commit(self, database: str, table: str, body: dict[str, Any]) -> None:
        self.commits.append(body)
        if len(self.commits) <= self.busy:
            raise BusyError


def event(table: dict[str, Any]) -> dict[str, Any]:
    lake = settings(table)
    return {"database": "acme_dev_raw", "table": "events", **declaration(lake, lake.tables[0])}


WIDER = {**EVENTS, "columns": [*EVENTS["columns"], {"name": "country", "type": "string"}]}


def test_a_commit_is_repeated_after_a_conflict() -> None:
    catalog = Catalog(busy=2)
    assert keep(lambda: catalog, event(WIDER), BusyError, pause=0) == {
        "table": "raw.events",
        "steps": ["add country"],
    }
    assert len(catalog.commits) == 3
    assert [update["action"] for update in catalog.commits[0]["updates"]] == [
        "add-schema",
        "set-current-schema",
        "set-properties",
    ]


def test_repeated_conflicts_raise_the_catalogs_error() -> None:
    catalog = Catalog(busy=99)
    with pytest.raises(BusyError):
        keep(lambda: catalog, event(WIDER), BusyError, pause=0)
    assert len(catalog.commits) == TRIES


def test_a_table_that_matches_its_declaration_is_not_changed() -> None:
    catalog = Catalog()
    assert keep(lambda: catalog, event(EVENTS), BusyError) == {"table": "raw.events", "steps": []}
    assert not catalog.commits


def test_a_refusal_names_the_table_and_commits_nothing() -> None:
    catalog = Catalog()
    with pytest.raises(RefusedError, match=r"table raw\.events: column at: declared no more"):
        keep(lambda: catalog, event({**EVENTS, "columns": EVENTS["columns"][:1]}), BusyError)
    assert not catalog.commits


def test_declarations_are_checked_without_a_commit() -> None:
    class MissingError(Exception):
        """No such table."""

    class Some(Catalog):
        def load(self, database: str, table: str) -> dict[str, Any]:
            if table == "later":
                raise MissingError
            return super().load(database, table)

    catalog = Some()
    narrower = event({**EVENTS, "columns": EVENTS["columns"][:1]})
    later = {**narrower, "table": "later", "path": "raw.later"}
    [problem] = judge(lambda: catalog, [narrower, later], MissingError)["problems"]["raw.events"]
    assert problem.startswith("column at: declared no more")
    assert judge(lambda: catalog, [event(WIDER), later], MissingError) == {"problems": {}}
    assert not catalog.commits


def test_the_function_imports_only_what_lambda_has() -> None:
    folder = Path(table_keeper.__path__[0])
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [resource.name for resource in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                assert root in sys.stdlib_module_names or root in ("boto3", "botocore"), (
                    f"{file.name}: {name}"
                )
