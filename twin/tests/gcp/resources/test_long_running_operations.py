"""Operations are asked for by the method that their name belongs to."""

from __future__ import annotations

from typing import Any, cast

import pytest

from twin.gcp.context import GcpContext, method
from twin.gcp.resources.long_running_operations import finished

PLACE = "projects/acme/locations/us-central1"


class Context:
    """A context whose operations are done at the second answer."""

    project = "acme"
    timeout = 0.0

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []

    def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        method(name)  # KeyError where the API has none
        self.called.append((name, params))
        return {"name": "operations/ended", "done": True}


@pytest.mark.parametrize(
    ("api", "name", "expected"),
    [
        ("workflows", f"{PLACE}/operations/o", "workflows.projects.locations.operations.get"),
        ("run", f"{PLACE}/operations/o", "run.projects.locations.operations.get"),
        (
            "firestore",
            "projects/acme/databases/(default)/operations/o",
            "firestore.projects.databases.operations.get",
        ),
        ("serviceusage", "operations/acf.o", "serviceusage.operations.get"),
        ("accesscontextmanager", "operations/accessPolicies/1/o", "accesscontextmanager.operations.get"),
    ],
)
def test_an_operation_that_runs_is_asked_for_until_it_is_done(api: str, name: str, expected: str) -> None:
    context = Context()
    answer = finished(cast("GcpContext", context), api, {"name": name, "done": False}, "Creating", 5)
    assert answer["done"]
    assert context.called == [(expected, {"name": name})]
