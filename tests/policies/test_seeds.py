"""The real engine shows every policy a fault: a seed of tests/end_to_end/seeded is for it.

A spec proves a policy against properties that its author imagined. The engine has others: inputs after the
provider's Check, and a stack in which what only the cloud knows is missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from policies.pack.discovery import find

SEEDED = Path(__file__).parents[1] / "end_to_end" / "seeded"


def _seeds() -> Iterator[tuple[str, str]]:
    """(file:line, policy) of every `seed("name", "policy", ...)`."""
    for file in sorted(SEEDED.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "seed":
                for argument in node.args[1:]:
                    yield f"{file.name}:{argument.lineno}", ast.literal_eval(argument)


def test_the_real_engine_is_shown_a_fault_for_every_policy() -> None:
    seeded = {policy for _, policy in _seeds()}
    without = sorted({policy.id for policy in find()} - seeded)
    assert not without, (
        f"no seed for {', '.join(without)}: declare a resource with the fault in a program of "
        "tests/end_to_end/seeded, its name seed('a-name', 'topic.policy'), and what is right beside it"
    )


def test_every_seed_is_for_a_policy_that_there_is() -> None:
    known = {policy.id for policy in find()}
    unknown = [f"{where}: {policy}" for where, policy in _seeds() if policy not in known]
    assert unknown == [], "a seed for a policy of no such name"
