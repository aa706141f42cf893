"""Titles and descriptions of the policies, which the engine's events do not contain."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cli.policy.files import PACK


@dataclass(frozen=True)
class Description:
    """How a policy describes itself."""

    title: str
    """What is required, in a few words: `No wildcard actions`."""
    text: str
    """What is required, and why."""


def read(policies: Iterable[str]) -> Mapping[str, Description]:
    """Return the descriptions of policies by their ids, without those that the pack does not contain.

    The files are parsed, not imported: the pack runs with a separate Python.
    """
    descriptions = ((policy, _description(policy)) for policy in policies)
    return {policy: description for policy, description in descriptions if description is not None}


def _description(policy: str) -> Description | None:
    file = PACK / f"{policy.replace('.', '/')}.py"
    if not file.is_file():
        return None
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Policy":
            texts = {
                keyword.arg: keyword.value.value
                for keyword in node.keywords
                if isinstance(keyword.value, ast.Constant)
            }
            return Description(str(texts.get("title", policy)), str(texts.get("description", "")))
    return None
