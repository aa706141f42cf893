"""A second preview is empty for each of Google's resources in the program, whatever the server fills in.

The state is what the provider's schemas allow the server to answer: every property that it may fill in has a
value, names are links, sets come in another order. An input that conflicts, or that the real provider would
see changed in every preview, fails here without a cloud.
"""

from __future__ import annotations

import re

import pytest

from tests.components.recording import Registered
from tests.twin import second_preview
from twin.core.schema_facts import every
from twin.gcp.context import GcpContext
from twin.gcp.resources.entry import FACTS
from twin.gcp.resources.table import table
from twin.provider_interface import UNKNOWN

MADE_UP = re.compile(r"\b[a-z][\w-]*-[0-9a-f]{7,8}\b")


@pytest.fixture(scope="module")
def everything() -> dict[str, list[Registered]]:
    """What the environments register, by token."""
    return second_preview.registered("gcp", table())


def test_a_second_preview_is_empty_with_what_the_server_may_answer(
    everything: dict[str, list[Registered]], shared_data: GcpContext
) -> None:
    changed: set[str] = set()
    for title, kind, inputs in second_preview.of_all(everything, table()):
        sent = kind.prepared(shared_data, inputs)
        changed |= {f"{title}: {path}" for path in second_preview.changes(kind, inputs, sent)}
    assert not changed, "\n".join(sorted(changed))


def test_no_input_of_the_program_is_refused_by_the_schemas(
    everything: dict[str, list[Registered]], shared_data: GcpContext
) -> None:
    refused: set[str] = set()
    for title, kind, inputs in second_preview.of_all(everything, table()):
        if kind.autoname:
            inputs.setdefault(kind.autoname.property, "filled-in")
        for failure in kind.check(shared_data, inputs):
            # An id that the recording engine made up has no form of Google's.
            if not MADE_UP.search(failure.reason):
                refused.add(f"{title}: {failure.path}: {failure.reason}")
    assert not refused, "\n".join(sorted(refused))


def test_every_type_that_the_program_registers_has_facts(everything: dict[str, list[Registered]]) -> None:
    assert not set(everything) - set(every(FACTS)), "python -m tools.provider_facts.google extracts them"


def test_a_value_that_only_the_service_fills_in_is_a_change() -> None:
    kind = table()["gcp:compute/subnetwork:Subnetwork"]
    inputs = {"name": "nodes", "network": UNKNOWN}
    state = {"name": "nodes", "network": "vpc", "purpose": "PRIVATE", "role": "ACTIVE"}
    assert list(kind.unasked(state, inputs)) == [("role",)], (
        "the schema calls the purpose computed, and the role not"
    )
