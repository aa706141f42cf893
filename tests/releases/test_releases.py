"""An upgrade from a recorded version deletes and replaces nothing but what is intended."""

from __future__ import annotations

import pytest

from tests.releases import comparison, records
from tests.stacks.environments import STACKS

VERSIONS = records.versions()
ALIAS = (
    "A changed logical name or parent needs an alias (`former_names` of Context.options, "
    "pulumi.ResourceOptions(aliases=...)); what is intended is an entry of intended.toml "
    "(docs/operations/release.md)"
)


def effects(version: str, stack: str) -> list[comparison.Effect]:
    """Return what an upgrade of an environment from a version deletes and replaces."""
    before = records.recorded(version, stack)
    return [] if before is None else list(comparison.effects(before, records.registered(stack)))


def test_a_version_is_recorded() -> None:
    assert VERSIONS, "without a record the other tests compare nothing"


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_from_a_release_deletes_and_replaces_nothing(version: str, stack: str) -> None:
    wrong = comparison.unintended(effects(version, stack), comparison.intentions(version))
    assert not wrong, "\n".join([*map(str, wrong), ALIAS])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_intended_effect_occurs(version: str) -> None:
    occurring = [effect for stack in STACKS for effect in effects(version, stack)]
    unused = [
        entry.urn
        for entry in comparison.intentions(version)
        if not any(entry.covers(effect) for effect in occurring)
    ]
    assert not unused, "an entry that nothing needs would hide the next deletion"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_has_what_it_is_compared_by(version: str) -> None:
    entries = [entry for stack in STACKS for entry in records.recorded(version, stack) or []]
    assert len(entries) > 100 * len(STACKS)
    assert sum(1 for entry in entries if entry.fixed) > len(entries) / 2
