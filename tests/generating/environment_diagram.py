"""The diagram in README.md: the components of an environment and which uses which, from its inventory."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.generating import renewing

PAGE: Final = Path("README.md")
ENVIRONMENT: Final = "aws-dev"
INVENTORIES: Final = Path("tests/inventories/environments")
BEGIN: Final = "<!-- environment diagram: written by `make generate` -->\n"
END: Final = "<!-- end of the environment diagram -->\n"
COMPONENT_PREFIX: Final = "aiplatform:index:"
_REFERENCE: Final = re.compile(r"\$\{([^}]+)\}")
_SERVICES: Final = 4
"""A node names at most so many services, those with the most resources first."""

Resources = Mapping[str, Mapping[str, Any]]
"""Type and logical name (`aws:kms/key:Key network-key`) -> what is registered."""


class _Loader(yaml.CSafeLoader):
    """Reads inventories, whose tags mark values that were decoded."""


def _untagged(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _untagged)


def text() -> str:
    """Return README.md with the diagram of today's inventory."""
    page = (renewing.ROOT / PAGE).read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: expected the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}```mermaid\n{diagram(registered(ENVIRONMENT))}```\n{END}{after}"


@cache
def registered(environment: str) -> Resources:
    """Return what an environment registers, from its inventory."""
    inventory = (renewing.ROOT / INVENTORIES / f"{environment}.yaml").read_text()
    return yaml.load(inventory, _Loader)["resources"]  # noqa: S506 - a safe loader


def diagram(resources: Resources) -> str:
    """Return the diagram in Mermaid's syntax: a node for each kind of component, an arrow for each use.

    A use that follows from others is left out: of Pool -> Cluster -> Network and Pool -> Network, the last.
    """
    instances: defaultdict[str, set[str]] = defaultdict(set)
    services: defaultdict[str, Counter[str]] = defaultdict(Counter)
    uses: defaultdict[str, set[str]] = defaultdict(set)
    for key, resource in resources.items():
        kind = _kind(resources, key)
        if kind is None:
            continue
        if key.startswith(f"{COMPONENT_PREFIX}{kind} "):
            instances[kind].add(key)
        elif not key.startswith(COMPONENT_PREFIX):
            services[kind][service(key)] += 1
        uses[kind] |= {
            used
            for reference in references(resources, resource)
            if (used := _kind(resources, reference)) not in (None, kind)
        }
    lines = ["flowchart BT"]
    for kind in sorted(instances):
        count = len(instances[kind])
        title = kind if count == 1 else f"{kind} x {count}"
        lines.append(f'  {kind}["{title}<br/>{content(services[kind])}"]')
    lines += [f"  {kind} --> {used}" for kind in sorted(uses) for used in sorted(direct(uses, kind))]
    return "\n".join(lines) + "\n"


def content(services: Counter[str]) -> str:
    """Return the number of resources and the services that have most of them, as a line of a node."""
    names = ", ".join(name for name, _ in _ranked(services)[:_SERVICES])
    return f"{services.total()} resource{'' if services.total() == 1 else 's'}: {names}"


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def service(key: str) -> str:
    """Return the service of a resource: `kms` of `aws:kms/key:Key ...`, the package of those without one."""
    package, module, _ = key.split(" ")[0].split(":", 2)
    return package if package == "kubernetes" or module == "index" else module.partition("/")[0]


def _kind(resources: Resources, key: str) -> str | None:
    """Return the kind of the outermost component that contains a resource; None where there is none."""
    kind = None
    current: str | None = key
    while current is not None:
        if current.startswith(COMPONENT_PREFIX):
            kind = current.removeprefix(COMPONENT_PREFIX).split(" ")[0]
        current = resources[current].get("parent") if current in resources else None
    return kind


def references(resources: Resources, resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the resources that a resource depends on or has a property of."""
    yield from resource.get("depends_on") or ()
    for value in _texts(resource.get("inputs")):
        for reference in _REFERENCE.findall(value):
            # A name may have dots, as the reference to a property has: the longest name is meant.
            ends = [len(reference), *(match.start() for match in re.finditer(r"[.\[]", reference))]
            keys = (reference[:end] for end in sorted(ends, reverse=True))
            key = next((key for key in keys if key in resources), None)
            if key is not None:
                yield key


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def direct(uses: Mapping[str, set[str]], kind: str) -> set[str]:
    """Return what a kind uses, without what it uses through another one."""

    @cache
    def reachable(start: str) -> frozenset[str]:
        used = uses.get(start, set())
        return frozenset(used).union(*(reachable(item) for item in used))

    used = uses[kind]
    return {item for item in used if not any(item in reachable(other) for other in used - {item})}
