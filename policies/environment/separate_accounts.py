"""An environment stays in its own accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="No account of another environment",
    severity="critical",
    description="What is tried in dev must not reach prod's data. Accounts and projects of other "
    "environments are listed in `foreign` per profile: nothing is made there, and no policy, "
    "image or trust names them. A project whose name says another environment than the "
    "stack's profile is told without a list.",
    remediation="Use the environment's own account or project; what is shared, such as a registry, "
    "belongs into an account of its own.",
    frameworks=("NIST 800-53 AC-4", "NIST 800-53 CM-4(1)", "SOC 2 CC8.1"),
    options={
        "foreign": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Ids of AWS accounts and Google Cloud projects that belong to other environments.",
        )
    },
)

_WORDS: Mapping[str, tuple[str, ...]] = {
    "dev": ("dev", "development"),
    "staging": ("staging", "stage"),
    "prod": ("prod", "production"),
}
_STACK = re.compile(r"^urn:pulumi:([^:]+)::")


@POLICY.on("aws:", "gcp:", "kubernetes:", "pulumi:providers:aws", "pulumi:providers:gcp")
def on_resources(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Properties that name an account or a project of another environment."""
    foreign = set(options["foreign"])
    if foreign:
        for path, text in _texts(resource.props):
            named = next((each for each in foreign if _names(text, each)), None)
            if named is not None:
                yield Finding(path, f"names {named!r}, which is another environment's")


@POLICY.on("gcp:", "pulumi:providers:gcp")
def on_projects(resource: Resource) -> Iterator[Judgement]:
    """Projects that are called after another environment."""
    project = resource.get("project")
    if project is UNKNOWN:
        yield Undecided("project")
        return
    found = _STACK.match(resource.urn)
    own = _environment(found.group(1)) if found else None
    other = _environment(project) if isinstance(project, str) else None
    if own is not None and other is not None and own != other:
        yield Finding("project", f"is {project!r}, but the stack is {own}'s")


def _environment(name: str) -> str | None:
    """The one environment that a name says: `acme-ml-prod` -> `prod`."""
    parts = re.split(r"[^a-z0-9]+", name.lower())
    found = {environment for environment, words in _WORDS.items() if any(word in parts for word in words)}
    return found.pop() if len(found) == 1 else None


def _names(text: str, identifier: str) -> bool:
    where = text.find(identifier)
    while where >= 0:
        around = text[max(where - 1, 0) : where] + text[where + len(identifier) : where + len(identifier) + 1]
        if not re.search(r"[A-Za-z0-9-]", around):
            return True
        where = text.find(identifier, where + 1)
    return False


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            yield from _texts(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, value in enumerate(cast("list[Any]", node)):
            yield from _texts(value, f"{path}[{index}]")
