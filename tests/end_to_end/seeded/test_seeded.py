"""The policy pack finds the faults of programs that know nothing of the platform, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pulumi import automation
from pulumi.automation.events import EngineEvent

from tests.end_to_end.plain import Plain
from tests.end_to_end.seeded import Seeds
from tests.end_to_end.test_gcp_provider import Place, front, place
from tests.end_to_end.test_policies import PACK
from twin.toolchain import build

__all__ = ["front", "place"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
RIGHT = 12
"""How many resources of each program are right, at least."""

Told = dict[str, dict[str, str]]
"""Resource -> policy -> what it said."""


def _judged(stack: automation.Stack, config: str | None) -> tuple[set[str], Told]:
    """The resources of a program, and what the pack tells of them in profile prod. config: a file."""
    made: set[str] = set()
    told: Told = {}
    broken: list[str] = []

    def heard(event: EngineEvent) -> None:
        if event.policy_event is not None:
            name = (event.policy_event.resource_urn or "").rpartition("::")[2]
            told.setdefault(name, {})[event.policy_event.policy_name] = event.policy_event.message
        if event.resource_pre_event is not None:
            made.add(event.resource_pre_event.metadata.urn.rpartition("::")[2])
        said = event.diagnostic_event
        if said is not None and said.severity == "error" and said.message.strip() != "preview failed":
            broken.append(said.message)

    with pytest.raises(automation.errors.CommandError) as stopped:
        stack.preview(policy_packs=[PACK], policy_pack_configs=[config] if config else None, on_event=heard)
    assert broken == [], "it is the policies that stop the program, and nothing else"
    assert "in profile prod (nothing says another)" in str(stopped.value)
    return made, told


def _check(
    stack: automation.Stack, seeds: Seeds, at_least: int, *, right: int = RIGHT, config: str | None = None
) -> None:
    """Every fault is told, and of nothing else anything."""
    made, told = _judged(stack, config)
    assert sum(map(len, seeds.faults.values())) >= at_least
    assert len(made - set(seeds.faults)) >= right
    missed = [
        f"{name}: {policy}"
        for name, policies in seeds.faults.items()
        for policy in policies
        if policy not in told.get(name, {})
    ]
    assert missed == [], "seeded faults that the pack does not find"
    assert {name: said for name, said in told.items() if name not in seeds.faults} == {}, "right, and accused"


def test_every_fault_of_an_amazon_and_kubernetes_program_is_found(plain: Plain, tmp_path: Path) -> None:
    from tests.end_to_end.seeded import aws, aws_capacity, aws_right, aws_services, charts, kubernetes

    seeds = Seeds()

    (tmp_path / "charts").mkdir()
    with charts.serving(tmp_path / "charts") as served:

        def program() -> None:
            aws.program(seeds)
            aws_capacity.program(seeds)
            later = aws_services.program(seeds)
            kubernetes.program(seeds, tmp_path, served, later)

        stack = plain.stack("seeded", program)
        # What a program's own provider names: without it the default provider is a fault, too.
        stack.set_config("aws:allowedAccountIds", automation.ConfigValue(f'["{aws_right.ACCOUNT}"]'))
        stack.set_config("aws:region", automation.ConfigValue("us-east-1"))
        _check(stack, seeds, 128)


def test_every_fault_of_a_program_is_found_by_policies_that_are_configured(
    plain: Plain, tmp_path: Path
) -> None:
    from tests.end_to_end.seeded import aws_configured, aws_right, kubernetes_configured

    seeds = Seeds()

    def program() -> None:
        aws_configured.program(seeds)
        kubernetes_configured.program(seeds, tmp_path)

    stack = plain.stack("configured", program)
    stack.set_config("aws:allowedAccountIds", automation.ConfigValue(f'["{aws_right.ACCOUNT}"]'))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(aws_configured.CONFIG))
    _check(stack, seeds, 6, right=5, config=str(config))


def test_every_fault_of_a_google_program_is_found(place: Place) -> None:
    from tests.end_to_end.seeded import gcp, gcp_services

    seeds = Seeds()

    def program() -> None:
        gcp.program(seeds)
        gcp_services.program(seeds)

    stack = place.stack(program)
    stack.set_config("gcp:project", automation.ConfigValue(gcp.PROJECT))
    stack.set_config("gcp:region", automation.ConfigValue(gcp.REGION))
    _check(stack, seeds, 87)
