"""Each policy has a violation for each of its clouds in the programs of tests/end_to_end/violations.

A spec tests a policy with the properties that its author expects. The real engine sends others: inputs after
the provider's Check, and a stack without the values that only the cloud knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from policies.framework.discovery import ROOT, find
from policies.framework.policy import Policy

PROGRAMS = Path(__file__).parents[1] / "end_to_end" / "violations"


CLOUDS = ("aws", "gcp", "kubernetes")
"""The beginnings of the programs' file names, and of types."""


def _violations() -> Iterator[tuple[str, str]]:
    """Yield (file:line, policy) of every `violates("name", "policy", ...)`."""
    for file in sorted(PROGRAMS.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "violates":
                for argument in node.args[1:]:
                    yield f"{file.name}:{argument.lineno}", ast.literal_eval(argument)


def _clouds(policy: Policy) -> Iterator[str]:
    """Yield the clouds of a policy, by the types in it."""
    source = (ROOT / f"{policy.id.replace('.', '/')}.py").read_text()
    tokens = [token for types, _ in policy.resource_rules for token in types]
    for cloud in CLOUDS:
        starts = (f"{cloud}:", f"pulumi:providers:{cloud}")
        if any(f'"{start}' in source for start in starts) or any(
            token.startswith(starts) for token in tokens
        ):
            yield cloud


def test_every_policy_has_a_violation_for_each_of_its_clouds() -> None:
    violated = {(policy, where.partition("_")[0].partition(".")[0]) for where, policy in _violations()}
    without = [
        f"{policy.id} on {cloud}"
        for policy in find()
        for cloud in _clouds(policy)
        if (policy.id, cloud) not in violated
    ]
    assert not without, (
        f"no violation for {', '.join(without)}: declare a resource with it in a program of "
        "tests/end_to_end/violations, its name violates('a-name', 'topic.policy'), and a compliant one"
    )


def test_every_policy_belongs_to_a_cloud() -> None:
    assert [policy.id for policy in find() if not list(_clouds(policy))] == [], "it needs no violation then"


def test_every_violation_names_an_existing_policy() -> None:
    known = {policy.id for policy in find()}
    unknown = [f"{where}: {policy}" for where, policy in _violations() if policy not in known]
    assert unknown == [], "no such policy exists"
