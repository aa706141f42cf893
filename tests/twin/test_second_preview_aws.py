"""A second preview is empty for each of AWS's resources in the program, whatever the server fills in."""

from __future__ import annotations

import pytest

from tests.components.recording import Registered
from tests.twin import second_preview
from twin.aws.resources.entry import FACTS
from twin.aws.resources.table import table
from twin.core.schema_facts import every


@pytest.fixture(scope="module")
def everything() -> dict[str, list[Registered]]:
    """What the environments register, by token."""
    return second_preview.registered("aws", table())


def test_a_second_preview_is_empty_with_what_the_server_may_answer(
    everything: dict[str, list[Registered]],
) -> None:
    changed: set[str] = set()
    for title, kind, inputs in second_preview.of_all(everything, table()):
        inputs.pop("code", None)  # an archive, which the recording does not pack
        changed |= {f"{title}: {path}" for path in second_preview.changes(kind, inputs, inputs)}
    assert not changed, "\n".join(sorted(changed))


def test_nothing_in_the_program_excludes_something_else(everything: dict[str, list[Registered]]) -> None:
    refused = {
        f"{title}: {failure.path}: {failure.reason}"
        for title, kind, inputs in second_preview.of_all(everything, table())
        for failure in kind.wrong_company(inputs)
    }
    assert not refused, "\n".join(sorted(refused))


def test_every_type_that_the_program_registers_has_facts(everything: dict[str, list[Registered]]) -> None:
    assert not set(everything) - set(every(FACTS)), "python -m tools.provider_facts.aws extracts them"
