"""What Lambda calls."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from .planning import Plan, RefusedError, plan

TRIES = 9
LONGEST = 32.0
"""Seconds between two tries at most."""
_AT_ONCE = 16


class Tables(Protocol):
    """A catalog's tables."""

    def load(self, database: str, table: str) -> dict[str, Any]:
        """A table's metadata."""
        ...

    def commit(self, database: str, table: str, body: dict[str, Any]) -> None:
        """Change a table."""
        ...


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Bring one table to its declaration; answers what was done. Raises RefusedError, with what to do, where
    that would lose data or break readers: then nothing was done. Of `judge`, a list of declarations, it only
    answers what would be refused. Of `create_database`, a name, it creates the database where there is
    none."""
    from .rest import Catalog, LaterError, MissingError, create_database

    if "create_database" in event:
        return patiently(lambda: create_database(event["create_database"]), LaterError)
    if "judge" in event:
        return judge(lambda: Catalog(event["warehouse"]), event["judge"], MissingError)
    return keep(lambda: Catalog(event["warehouse"]), event, LaterError)


def keep(
    connect: Callable[[], Tables], event: dict[str, Any], later: type[Exception], pause: float = 0.5
) -> dict[str, Any]:
    """Load, plan, commit; again from the start after an error that may be over later."""
    return patiently(lambda: _once(connect(), event), later, pause)


def patiently(
    attempt: Callable[[], dict[str, Any]], later: type[Exception], pause: float = 0.5
) -> dict[str, Any]:
    """Repeat an attempt that fails with an error that may be over later, for some 95 seconds: rights that
    were just granted take a while to be known everywhere."""
    for count in range(TRIES):
        try:
            return attempt()
        except later:
            if count == TRIES - 1:
                raise
            time.sleep(min(pause * 2**count, LONGEST))
    raise AssertionError("not reached")


def _once(catalog: Tables, event: dict[str, Any]) -> dict[str, Any]:
    made = plan(catalog.load(event["database"], event["table"]), event)
    if made.problems:
        raise RefusedError(told(event, made))
    if made.updates:
        body = {"requirements": made.requirements, "updates": made.updates}
        catalog.commit(event["database"], event["table"], body)
    return {"table": event["path"], "steps": made.steps}


def judge(
    connect: Callable[[], Tables], events: list[dict[str, Any]], missing: type[Exception]
) -> dict[str, Any]:
    """What of declarations would be refused, by the table's path; of tables that are not there, nothing."""
    catalog = connect()

    def problems(event: dict[str, Any]) -> list[str]:
        try:
            return plan(catalog.load(event["database"], event["table"]), event).problems
        except missing:
            return []

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip((event["path"] for event in events), pool.map(problems, events), strict=True))
    return {"problems": {path: reasons for path, reasons in found.items() if reasons}}


def told(event: dict[str, Any], made: Plan) -> str:
    """The problems of a table as one text."""
    return "\n".join(f"table {event['path']}: {problem}" for problem in made.problems)
