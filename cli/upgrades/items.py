"""What of an environment has a version: one row for each, with its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from cli.upgrades import facts
from cli.upgrades.facts import UNKNOWN, ControlPlane, Facts, Nodes, Support, minor
from cli.upgrades.software import Published, Sdk, is_newer

State = Literal["current", "behind", "ends soon", "extended", "unsupported", "not looked up"]
PASSED: Final = 0
UNSUPPORTED: Final = 2
ACT: Final = 3


@dataclass(frozen=True)
class Item:
    """A row. newest: empty where it is not known. usd_per_hour: what extended support costs, where it would
    be paid.

    reason: why the state is what it is; empty where the row states it.
    """

    kind: str
    name: str
    has: str
    newest: str
    state: State
    reason: str = ""
    support: Support = UNKNOWN
    usd_per_hour: float = 0

    def days_left(self, today: date) -> int | None:
        """Return the days until standard support ends; None where its end is not known."""
        return (self.support.standard - today).days if self.support.standard else None


@dataclass(frozen=True)
class Terms:
    """How ends of support are evaluated. within: days before the end that count as soon. usd_per_hour: the
    price of extended support of a cluster."""

    cloud: str
    today: date
    within: int
    usd_per_hour: float


def exit_code(items: Iterable[Item], blocked: bool) -> int:
    """Return 2 where something is out of support; 3 where support ends soon, extended support is paid or a
    step is blocked; else 0, also where something is behind."""
    states = {item.state for item in items}
    if "unsupported" in states:
        return UNSUPPORTED
    return ACT if blocked or states & {"ends soon", "extended"} else PASSED


def control_plane(control: ControlPlane, terms: Terms) -> Item:
    """Return the row of the control plane."""
    state, reason = _by_support(control.support, terms, pays=control.pays_extended)
    if not control.is_offered:
        state, reason = "unsupported", "the cloud does not offer this version any more"
    if state == "current" and minor(control.newest) > minor(control.version):
        state = "behind"
    if not control.exists:
        reason = "; ".join(filter(None, ("it does not exist yet: the version is the file's", reason)))
    price = terms.usd_per_hour if control.pays_extended else 0
    return Item(
        "control plane", control.name, control.version, control.newest, state, reason, control.support, price
    )


def nodes_of(known: Facts, document: Mapping[str, Any], terms: Terms) -> Iterator[Item]:
    """Yield a row for each node group or node pool, and for pools of Karpenter, whose nodes the cloud does
    not list."""
    for nodes in known.nodes:
        yield _nodes(nodes, known.control, terms)
    for stated in document["nodes"]:
        if stated["karpenter"]:
            yield Item(
                "nodes",
                f"{stated['pool']} (Karpenter)",
                stated["release"] or "latest",
                "",
                "not looked up",
                "kubectl get nodes -l karpenter.sh/nodepool shows the versions",
            )


def _nodes(nodes: Nodes, control: ControlPlane, terms: Terms) -> Item:
    state, reason = _by_support(nodes.support, terms, pays=control.pays_extended)
    distance = minor(control.version) - minor(nodes.version)
    if distance > facts.most_behind(terms.cloud):
        state = "unsupported"
        reason = (
            f"{distance} minor versions behind the control plane; at most {facts.most_behind(terms.cloud)}"
        )
    elif state == "current":
        if nodes.release and nodes.newest:
            newer = facts.release_key(nodes.newest) > facts.release_key(nodes.release)
            state = "behind" if newer else "current"
        elif distance > 0:
            state = "behind"
        elif not nodes.newest:
            state, reason = "not looked up", "the cloud states no newest release"
    has = nodes.release or f"{nodes.version}, the newest release when it is created"
    return Item("nodes", nodes.name, has, nodes.newest, state, reason, nodes.support)


def addons_of(known: Facts, document: Mapping[str, Any]) -> Iterator[Item]:
    """Yield a row for each add-on of EKS. One that is not pinned follows the control plane (ADR 0015): its
    target is EKS's default."""
    for addon in known.addons:
        pinned = addon.name in document["addons"]
        target = addon.newest if pinned else addon.default or addon.newest
        behind = bool(target) and addon.version != target and _is_newer_build(target, addon.version)
        state: State = "behind" if behind else "current" if target else "not looked up"
        reason = "pinned in the file" if pinned else "follows the control plane"
        yield Item("add-on of EKS", addon.name, addon.version, target, state, reason)


def charts_of(
    document: Mapping[str, Any], kubernetes: str, published: Mapping[str, Published] | None
) -> Iterator[Item]:
    """Yield a row for each chart. kubernetes: the minor version of the control plane. published: by name;
    None where repositories are not asked."""
    for chart in document["charts"]:
        answer = (published or {}).get(chart["name"], Published(problem="--online asks its repository"))
        version, catalog = chart["version"], chart["catalog"]
        newest = answer.version or (catalog if is_newer(catalog, version) else "")
        state: State = (
            "behind" if is_newer(newest, version) else "current" if answer.version else "not looked up"
        )
        reason = "" if answer.version else answer.problem
        if not fits(chart["kubernetes"], kubernetes):
            state = "unsupported"
            reason = f"for Kubernetes {chart['kubernetes']} ({chart['kubernetes_source']})"
        yield Item("chart", chart["name"], version, newest, state, reason)


def software_of(document: Mapping[str, Any]) -> Iterator[Item]:
    """Yield a row for each image on nodes that comes with the platform."""
    for software in document["software"]:
        tag = software["image"].partition("@")[0].rpartition(":")[2]
        reason = "a newer one comes with the platform (images.toml)"
        yield Item("on nodes", software["name"].removeprefix("the "), tag, "", "not looked up", reason)


def sdks_of(sdks: Sequence[Sdk], published: Mapping[str, Published] | None) -> Iterator[Item]:
    """Yield a row for each Pulumi SDK."""
    for sdk in sdks:
        newest = (published or {}).get(sdk.name, Published(problem="--online asks PyPI"))
        state: State = "current" if newest.version else "not looked up"
        reason = newest.problem
        if is_newer(newest.version, sdk.version):
            state = "behind"
            if not sdk.allowed.specifier.contains(newest.version):
                reason = f"pyproject.toml allows {sdk.allowed.specifier}"
        yield Item("provider", sdk.name, sdk.version, newest.version, state, reason)


def fits(supported: str, kubernetes: str) -> bool:
    """Return whether a minor version is in a range of the catalog, `1.33-1.36` or `1.32-`; true for none."""
    if not supported:
        return True
    first, _, last = supported.partition("-")
    return minor(first) <= minor(kubernetes) and (not last or minor(kubernetes) <= minor(last))


def _by_support(support: Support, terms: Terms, *, pays: bool) -> tuple[State, str]:
    standard, extended = support.standard, support.extended
    if standard is None:
        return "current", ""
    days = (standard - terms.today).days
    if days > terms.within:
        return "current", ""
    if days >= 0:
        then = "then extended support is paid" if pays else "then the cloud upgrades it by itself"
        return "ends soon", f"standard support ends in {days} days; {then}"
    if extended is None or extended < terms.today:
        return "unsupported", f"support ended on {extended or standard}"
    if not pays:
        return "unsupported", f"standard support ended on {standard}: the cloud upgrades it by itself"
    return "extended", f"standard support ended on {standard}, extended support ends on {extended}"


def _is_newer_build(newest: str, present: str) -> bool:
    # `v1.20.4-eksbuild.2`: a build of EKS is a local version to PyPA's rules.
    def comparable(text: str) -> str:
        return text.replace("-eksbuild.", "+")

    return is_newer(comparable(newest), comparable(present))
