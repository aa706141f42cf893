"""The steps that bring an environment up to date, in the order of docs/operations/upgrades.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cli.upgrades.facts import Addon, ControlPlane, Facts, Nodes, minor, most_behind, release_key
from cli.upgrades.items import Item, fits

PREFIX: Final = "ai-platform:"
_CATALOG: Final = "components/aiplatform/addons/catalog.toml"
_BOTTLEROCKET: Final = "bottlerocket"
_IMAGES: Final = "components/aiplatform/images.toml"


@dataclass(frozen=True)
class Change:
    """A value of a file: its key, as `ai-platform:cluster.version`, and what it becomes."""

    file: str
    key: str
    value: str


@dataclass(frozen=True)
class Step:
    """A step. commands: to run in it. blocked: why it cannot be taken now. runbook: the section of
    upgrades.md."""

    title: str
    runbook: str
    changes: Sequence[Change] = ()
    commands: Sequence[str] = ()
    blocked: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """What steps are made from.

    removed: APIs in use that the next minor version no longer serves. budgets: PodDisruptionBudgets that
    allow no disruption. document: of stacks.upgrade_list.
    """

    environment: str
    cloud: str
    known: Facts
    items: Sequence[Item]
    document: Mapping[str, Any]
    removed: Sequence[str] = ()
    budgets: Sequence[str] = field(default_factory=list[str])

    @property
    def file(self) -> str:
        """The environment's file."""
        return f"environments/Pulumi.{self.environment}.yaml"

    @property
    def control(self) -> ControlPlane:
        """The control plane."""
        return self.known.control

    def change(self, key: str, value: str) -> Change:
        """Return a change of the environment's file."""
        return Change(self.file, f"{PREFIX}{key}", value)

    def behind(self, kind: str) -> list[Item]:
        """Return the rows of a kind of which a newer version is known."""
        return [item for item in self.items if item.kind == kind and item.state == "behind"]


def steps(plan: Plan) -> list[Step]:
    """Return all steps. One minor version at a time: for a further one the command is run again."""
    return [
        *_providers(plan),
        *_charts(plan),
        *_pins(plan),
        *_kept_releases(plan),
        *_control_plane(plan),
        *_nodes(plan),
        *_accelerators(plan),
    ]


def _providers(plan: Plan) -> Iterator[Step]:
    behind = plan.behind("provider")
    if not behind:
        return
    wider = [Change("pyproject.toml", f"project.dependencies.{i.name}", i.newest) for i in behind if i.reason]
    inside = [f"uv lock --upgrade-package {i.name}" for i in behind if not i.reason]
    yield Step(
        "Providers and Pulumi",
        "Providers and Pulumi",
        wider,
        [*inside, f"pulumi preview -s {plan.environment}   # expected: no change"],
    )


def _charts(plan: Plan) -> Iterator[Step]:
    """Yield the step of charts that are behind, or whose row of the catalog lacks the next minor version."""
    changes: list[Change] = []
    notes: list[str] = []
    behind = {item.name: item for item in plan.items if item.kind == "chart"}
    for chart in plan.document["charts"]:
        lacking = _lacks(plan, chart)
        item = behind.get(chart["name"])
        newest = item.newest if item and item.state == "behind" else ""
        if not (lacking or newest):
            continue
        value = newest or f"a version for Kubernetes {plan.control.version} and {plan.control.next}"
        if chart["version"] != chart["catalog"]:
            changes.append(plan.change(chart["key"], value))
        else:
            changes.append(Change(_CATALOG, f"{chart['name']}.version", value))
        if lacking:
            notes.append(lacking)
    if changes:
        yield Step(
            "Charts of add-ons that support both versions of Kubernetes",
            "Add-ons and charts",
            changes,
            [f"pulumi preview -s {plan.environment}"],
            notes=notes,
        )


def _lacks(plan: Plan, chart: Mapping[str, str]) -> str:
    """Return why a chart keeps the control plane at its version; empty where it does not."""
    if not plan.control.next or fits(chart["kubernetes"], plan.control.next):
        return ""
    return (
        f"{chart['name']} {chart['version']} is for Kubernetes {chart['kubernetes']} "
        f"({chart['kubernetes_source']})"
    )


def _pins(plan: Plan) -> Iterator[Step]:
    """Yield the step of pinned add-ons of EKS that the next minor version does not have, or that are
    behind."""
    changes = [
        plan.change(f"cluster.eks.addons.{addon.name}.version", addon.for_both[0])
        for addon in _pinned(plan)
        if addon.for_both and addon.version != addon.for_both[0]
    ]
    if changes:
        yield Step("Pinned add-ons of EKS, in versions for both", "Add-ons and charts", changes)


def _pinned(plan: Plan) -> list[Addon]:
    return [addon for addon in plan.known.addons if addon.name in plan.document["addons"]]


def _kept_releases(plan: Plan) -> Iterator[Step]:
    """Yield the step that states the present release of pools with accelerators, which would follow
    otherwise."""
    if not (plan.control.next and plan.control.exists):
        return
    changes = [
        plan.change(stated["pool_key"], group.release)
        for stated, group in _groups(plan, accelerators=True)
        if stated["key"] != stated["pool_key"] and group.release and stated["image"] != _BOTTLEROCKET
    ]
    if changes:
        yield Step(
            "The present release of pools with accelerators, whose nodes follow the others otherwise",
            "Nodes",
            _distinct(changes),
        )


def _control_plane(plan: Plan) -> Iterator[Step]:
    control = plan.control
    if not control.next:
        return
    changes = [plan.change("cluster.version", f'"{control.next}"')]
    notes: list[str] = []
    if plan.document["version"] == control.next:
        notes.append("the file states this version already: the next `pulumi up` upgrades the control plane")
    for addon in _pinned(plan):
        if not addon.for_both and addon.for_next:
            changes.append(plan.change(f"cluster.eks.addons.{addon.name}.version", addon.for_next[0]))
    for stated, group in _groups(plan, accelerators=None):
        if stated["image"] == _BOTTLEROCKET and group.newest_next:
            # Releases of Bottlerocket are of no minor version: its nodes are replaced in this step.
            changes.append(plan.change(stated["pool_key"], group.newest_next))
    if minor(control.newest) > minor(control.next):
        notes.append(f"one minor version at a time: run this command again for {control.newest}")
    yield Step(
        f"Control plane to {control.next}",
        "Control plane",
        _distinct(changes),
        [f"pulumi preview -s {plan.environment}", f"pulumi up -s {plan.environment}"],
        list(_blocking(plan)),
        notes,
    )


def _blocking(plan: Plan) -> Iterator[str]:
    """Yield what keeps the control plane at its version."""
    control, document = plan.control, plan.document
    for chart in document["charts"]:
        reason = _lacks(plan, chart)
        if reason:
            yield reason
    if document["autoscaler"] and control.next not in document["autoscaler"]:
        yield (
            f"the Cluster Autoscaler has no release for {control.next} in {_IMAGES}; it has "
            f"{', '.join(document['autoscaler'])}"
        )
    yield from plan.removed
    yield from plan.known.findings
    for addon in _pinned(plan):
        if not addon.for_next:
            yield f"EKS has no version of the add-on {addon.name} for {control.next}"
    for group in plan.known.nodes:
        distance = minor(control.next) - minor(group.version)
        if distance > most_behind(plan.cloud):
            yield (
                f"nodes of {group.name} have {group.version}; expected at most {most_behind(plan.cloud)} "
                f"minor versions behind {control.next}"
            )


def _nodes(plan: Plan) -> Iterator[Step]:
    """Yield the step of system nodes and CPU pools."""
    groups = list(_groups(plan, accelerators=False))
    changes = [
        plan.change(stated["key"], release)
        for stated, group in groups
        if (release := _target(plan, group)) and stated["image"] != _BOTTLEROCKET and stated["release"]
    ]
    following = [
        group.name
        for stated, group in groups
        if not stated["release"]
        and (_target(plan, group) or minor(group.version) < minor(plan.control.version))
    ]
    if not (changes or following):
        return
    notes: list[str] = []
    if following:
        how = {
            "aws": "follow the control plane in the same `pulumi up`",
            "gcp": "are upgraded by GKE in gke.maintenance_window",
        }[plan.cloud]
        notes.append(f"the file states no release for {', '.join(following)}, which {how}")
    yield Step(
        "System nodes and CPU pools",
        "Nodes",
        _distinct(changes),
        [f"pulumi up -s {plan.environment}"] if changes else [],
        plan.budgets,
        notes,
    )


def _accelerators(plan: Plan) -> Iterator[Step]:
    """Yield a step for each pool with accelerators."""
    by_pool: dict[str, tuple[Mapping[str, Any], str]] = {}
    if not plan.control.exists:
        return
    for stated, group in _groups(plan, accelerators=True):
        release = _target(plan, group)
        # Bottlerocket's nodes are replaced with the control plane.
        if release and not (plan.control.next and stated["image"] == _BOTTLEROCKET):
            by_pool[stated["pool"]] = (stated, release)
    for pool, (stated, release) in by_pool.items():
        replace = f"pulumi up -s {plan.environment} --yes"
        yield Step(
            f"Pool {pool} with accelerators, drained",
            "Pools with accelerators",
            [plan.change(stated["pool_key"], release)],
            [f"aiplatform drain {plan.environment} {pool} --kubeconfig FILE --replace '{replace}'"],
            plan.budgets,
        )


def _target(plan: Plan, group: Nodes) -> str:
    """Return the release that nodes should have after the steps before; empty where they have it."""
    target = group.newest_next if plan.control.next else group.newest
    if not (target and group.release):
        return target if plan.control.next else ""
    return target if release_key(target) > release_key(group.release) else ""


def _groups(plan: Plan, *, accelerators: bool | None) -> Iterator[tuple[Mapping[str, Any], Nodes]]:
    """Yield what the file states of each node group, and the node group. accelerators: None for all."""
    stated = {entry["pool"]: entry for entry in plan.document["nodes"] if not entry["karpenter"]}
    for group in plan.known.nodes:
        entry = stated.get(group.pool)
        if entry is not None and accelerators in (None, entry["accelerators"]):
            yield entry, group


def _distinct(changes: Sequence[Change]) -> list[Change]:
    """Return one change for each key, that of the last group: several groups of a pool have one key."""
    return list({change.key: change for change in changes}.values())
