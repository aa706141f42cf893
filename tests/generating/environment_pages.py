"""The pages in docs/environments/: what each environment registers, as a diagram and a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tests.generating import components, tables
from tests.generating.environment_diagram import (
    COMPONENT_PREFIX,
    Resources,
    content,
    direct,
    references,
    registered,
    service,
)
from tests.stacks.environments import STACKS

FOLDER: Final = Path("docs/environments")
INDEX: Final = FOLDER / "README.md"


@dataclass
class Instance:
    """A component of an environment."""

    kind: str
    name: str
    parent: str | None
    """The key of the component that contains it."""
    services: Counter[str] = field(default_factory=Counter)
    """Service -> number of resources, without those of components within."""

    @property
    def node(self) -> str:
        """Its key in a diagram."""
        return f"{self.kind}_{self.name}".replace("-", "_")


def paths() -> list[Path]:
    """Return the paths of the pages."""
    return [INDEX, *(FOLDER / f"{stack}.md" for stack in STACKS)]


def files() -> Mapping[Path, str]:
    """Return the contents of the pages by path."""
    return {INDEX: _index(), **{FOLDER / f"{stack}.md": _page(stack) for stack in STACKS}}


def instances(resources: Resources) -> dict[str, Instance]:
    """Return the components of an environment by their keys, with their resources."""
    members: dict[str, Instance] = {}
    for key in resources:
        if key.startswith(COMPONENT_PREFIX):
            kind, _, name = key.removeprefix(COMPONENT_PREFIX).partition(" ")
            members[key] = Instance(kind, name, owner(resources, resources[key].get("parent")))
    for key in resources:
        component = owner(resources, key)
        if component and key not in members:
            members[component].services[service(key)] += 1
    return members


def owner(resources: Resources, key: str | None) -> str | None:
    """Return the innermost component that contains or is a resource; None where there is none."""
    while key is not None and not key.startswith(COMPONENT_PREFIX):
        key = resources[key].get("parent") if key in resources else None
    return key


def uses(resources: Resources) -> dict[str, set[str]]:
    """Return outer component -> outer components that it uses."""
    members = instances(resources)

    def outermost(key: str | None) -> str | None:
        component = owner(resources, key)
        while component and members[component].parent:
            component = members[component].parent
        return component

    used: defaultdict[str, set[str]] = defaultdict(set)
    for key, resource in resources.items():
        component = outermost(key)
        if component:
            others = {outermost(reference) for reference in references(resources, resource)}
            used[component] |= {other for other in others if other and other != component}
    return dict(used)


def diagram(resources: Resources) -> str:
    """Return a diagram in Mermaid's syntax: a box for each component, those within it, an arrow for each use.

    A use that follows from others is left out.
    """
    members = instances(resources)
    lines = ["flowchart RL"]
    for key in sorted(members):
        member = members[key]
        if member.parent:
            continue
        inner = [members[other] for other in sorted(members) if members[other].parent == key]
        label = f'{member.node}["{_label(member)}"]'
        lines.append(f"  subgraph {label}" if inner else f"  {label}")
        if inner:
            lines += [*(f'    {part.node}["{_label(part)}"]' for part in inner), "  end"]
    used = uses(resources)
    lines += [
        f"  {members[key].node} --> {members[other].node}"
        for key in sorted(used)
        for other in sorted(direct(used, key))
    ]
    return "\n".join(lines) + "\n"


def _label(member: Instance) -> str:
    # Most components have a single instance, whose name repeats their kind.
    same = member.name.replace("-", "").lower() == member.kind.lower()
    return f"{member.kind if same else f'{member.kind} {member.name}'}<br/>{content(member.services)}"


def _index() -> str:
    rows = []
    for stack in STACKS:
        resources = registered(stack)
        members = instances(resources)
        rows.append(
            [
                f"[{stack}]({stack}.md)",
                len(members),
                sum(member.services.total() for member in members.values()),
                f"[estimate](../estimates/README.md#{stack})",
            ]
        )
    return tables.page(
        "# The environments",
        "What each environment of the repository registers: its components, which of them contains or uses "
        "which, and their resources, from the inventories in `tests/inventories/environments`. A file in "
        "`environments/` states each of them; its keys are in [An environment file](../environment.md).",
        tables.table(["environment", "components", "resources in them", "cost"], rows),
    )


def _page(stack: str) -> str:
    resources = registered(stack)
    members = instances(resources)
    used = uses(resources)
    rows = []
    for key in sorted(members):
        member = members[key]
        page = f"../components/{components.entity(_kinds()[member.kind])}.md"
        rows.append(
            [
                f"[{member.kind}]({page})",
                tables.code(member.name),
                members[member.parent].name if member.parent else "",
                member.services.total(),
                ", ".join(f"{name} {count}" for name, count in sorted(member.services.items())),
                ", ".join(sorted(members[other].name for other in used.get(key, ()))),
            ]
        )
    return tables.page(
        f"# {stack}",
        "A box is a component with the number of its resources and their services, and contains the "
        "components that it creates. An arrow leads to a component that it uses by a property or a "
        "dependency; uses that follow from others are left out. The table has all of them.",
        f"```mermaid\n{diagram(resources)}```",
        tables.table(["component", "name", "within", "resources", "by service", "uses"], rows),
        f"Its file is [environments/Pulumi.{stack}.yaml](../../environments/Pulumi.{stack}.yaml), its cost "
        f"is in [the estimates](../estimates/README.md#{stack}).",
    )


@cache
def _kinds() -> Mapping[str, type]:
    return {component.__name__: component for component in components.COMPONENTS}
