"""An environment uses only its own accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..framework import Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="No account of another environment",
    severity="critical",
    description="Experiments in dev must not affect the data of prod. `foreign` lists the accounts and "
    "projects of other environments for each profile: no resource is created there, and no policy, image or "
    "trust policy names them. A project whose name contains another environment than that of the stack is "
    "reported without a list.",
    remediation="Use the account or project of the environment; shared resources, such as a registry, belong "
    "into a separate account.",
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
def on_resources(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Properties that name an account or a project of another environment."""
    foreign = set(options["foreign"])
    if foreign:
        for path, text in _strings(resource.props):
            named = next((account for account in foreign if _names(text, account)), None)
            if named is not None:
                yield Violation(path, f"names {named!r}, which belongs to another environment")


@POLICY.on("gcp:", "pulumi:providers:gcp")
def on_projects(resource: Resource) -> Iterator[Outcome]:
    """Projects with the name of another environment."""
    project = resource.known("project")
    stack = _STACK.match(resource.urn)
    expected = _environment(stack.group(1)) if stack else None
    named = _environment(project) if isinstance(project, str) else None
    if expected is not None and named is not None and expected != named:
        yield Violation("project", f"is {project!r}, but the environment of the stack is {expected!r}")


def _environment(name: str) -> str | None:
    """Return the only environment that a name contains: `acme-ml-prod` -> `prod`."""
    parts = re.split(r"[^a-z0-9]+", name.lower())
    named = {environment for environment, words in _WORDS.items() if any(word in parts for word in words)}
    return named.pop() if len(named) == 1 else None


def _names(text: str, identifier: str) -> bool:
    start = text.find(identifier)
    while start >= 0:
        end = start + len(identifier)
        if not re.search(r"[A-Za-z0-9-]", text[max(start - 1, 0) : start] + text[end : end + 1]):
            return True
        start = text.find(identifier, start + 1)
    return False


def _strings(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            yield from _strings(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, value in enumerate(cast("list[Any]", node)):
            yield from _strings(value, f"{path}[{index}]")
