"""Resources of Compute Engine: load balancers and their parts, machines, disks, addresses, firewall rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cli.estimate.lines import HOURS
from cli.estimate.resources import at
from cli.sweep.item import NETWORK, Item, Kind, Scope

_PATH: Final = "/compute/v1/"
_KMS: Final = "/cryptoKeyVersions/"
_FIREWALL: Final = "k8s-fw-"
_SERVICES: Final = ("defaultService", "pathMatchers.defaultService", "pathMatchers.pathRules.service")


@dataclass(frozen=True)
class Part:
    """How to read resources of a type.

    label: the kind's name in reports. word: in paths. command: of gcloud. wide: whether all places are read
    at once, by aggregatedList. uses: fields with links to what states whose it is. busy, costs: of an entry.
    is_left: whether an entry can be one that an environment leaves at all.
    """

    label: str
    word: str
    command: str
    wide: bool = True
    uses: tuple[str, ...] = ()
    busy: Callable[[Mapping[str, Any]], str] = field(default=lambda _: "")
    costs: Callable[[Mapping[str, Any]], tuple[tuple[str, float], ...]] = field(default=lambda _: ())
    is_left: Callable[[Mapping[str, Any]], bool] = field(default=lambda _: True)


def path_of(link: Any) -> str:
    """Return a link as a path from `projects/` on."""
    text = str(link)
    place = text.find("projects/")
    return text[place:] if place >= 0 else text


def entries(scope: Scope, word: str, *, wide: bool) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a type: with aggregatedList of all places."""
    if not wide:
        yield from scope.client.pages("compute", f"projects/{scope.account}/global/{word}", "items")
        return
    path = f"projects/{scope.account}/aggregated/{word}"
    for place in scope.client.pages("compute", path, "items"):
        yield from place.get(word) or ()


def kind(part: Part) -> Kind:
    """Return the reader of a type."""

    def read(scope: Scope) -> Iterator[Item]:
        for entry in entries(scope, part.word, wide=part.wide):
            if part.is_left(entry):
                yield item(part, entry, scope)

    return Kind(part.label, read)


def item(part: Part, entry: Mapping[str, Any], scope: Scope) -> Item:
    """Return one resource."""
    path, name = path_of(entry["selfLink"]), str(entry["name"])
    networks = [*links(entry, "network"), *links(entry, "networkInterfaces.network")]
    uses = [link for place in part.uses for link in links(entry, place)]
    if part.word in ("forwardingRules", "targetPools"):
        # GKE names the firewall rule of a load balancer after it, and a rule is in a network.
        uses.append(f"projects/{scope.account}/global/firewalls/{_FIREWALL}{name}")
    return Item(
        part.label,
        path,
        name=name,
        tags=entry.get("labels") or {},
        since=str(entry.get("creationTimestamp", "")),
        network=networks[0] if networks else "",
        uses=tuple(uses),
        busy=part.busy(entry),
        costs=part.costs(entry),
        command=f"gcloud compute {part.command} delete {name} {_place(path)}--project {scope.account}",
        delete=lambda client: client.delete("compute", path),
    )


def links(entry: Any, place: str) -> Iterator[str]:
    """Yield the links at a dotted place, whose lists are followed."""
    head, _, rest = place.partition(".")
    value = entry.get(head) if isinstance(entry, Mapping) else None
    for part in value if isinstance(value, list) else [value] if value else []:
        if rest:
            yield from links(part, rest)
        else:
            yield path_of(part).partition(_KMS)[0]


def _place(path: str) -> str:
    parts = path.split("/")
    if parts[2] == "global":
        return "--global " if parts[3] in _GLOBAL_OPTION else ""
    return f"--{parts[2].removesuffix('s')} {parts[3]} "


_GLOBAL_OPTION: Final = frozenset(
    {
        "forwardingRules",
        "addresses",
        "backendServices",
        "urlMaps",
        "targetHttpProxies",
        "targetHttpsProxies",
        "healthChecks",
        "sslCertificates",
        "networkEndpointGroups",
    }
)
"""Words whose command has the option --global, because they are also regional."""


def _networks(scope: Scope) -> Iterator[Item]:
    for entry in entries(scope, "networks", wide=False):
        name = str(entry["name"])
        yield Item(
            NETWORK,
            path_of(entry["selfLink"]),
            name=name,
            exact=name == scope.identity.network,
            # What is in another network is not of this environment, whatever that network is.
            foreign="" if name == scope.identity.network else f"network {name}",
            evidence=True,
        )


def _users(word: str, fields: tuple[str, ...]) -> Callable[[Scope], dict[str, list[str]]]:
    """Return what reads: resource -> the resources of these words that use it."""

    def read(scope: Scope) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {}
        for entry in entries(scope, word, wide=True):
            for used in (link for place in fields for link in links(entry, place)):
                users.setdefault(used, []).append(path_of(entry["selfLink"]))
        return users

    return read


_CHECKED: Final = (
    _users("backendServices", ("healthChecks",)),
    _users("targetPools", ("healthChecks",)),
)


def _health_checks(scope: Scope) -> Iterator[Item]:
    """Yield health checks, which what uses them recognises."""
    users = [read(scope) for read in _CHECKED]
    part = Part("health check", "healthChecks", "health-checks")
    legacy = Part("health check", "httpHealthChecks", "http-health-checks", wide=False)
    for of_type in (part, legacy):
        for entry in entries(scope, of_type.word, wide=of_type.wide):
            read = item(of_type, entry, scope)
            used_by = tuple(user for by in users for user in by.get(read.id, ()))
            yield Item(**{**vars(read), "uses": used_by})


def _machine_cost(entry: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    if entry.get("status") not in ("PROVISIONING", "STAGING", "RUNNING"):
        return ()
    machine = str(entry["machineType"]).rpartition("/")[2]
    spot = at(entry, "scheduling.provisioningModel") == "SPOT"
    return ((f"compute/{machine}/spot" if spot else f"compute/{machine}", HOURS),)


def _disk_cost(entry: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    # A regional disk is paid in each of its zones.
    zones = len(entry.get("replicaZones") or ()) or 1
    return ((f"disk/{str(entry['type']).rpartition('/')[2]}", zones * float(entry["sizeGb"])),)


def _disk_users(entry: Mapping[str, Any]) -> str:
    users = [str(user).rpartition("/")[2] for user in entry.get("users") or ()]
    state = entry.get("status", "READY")
    return (
        f"attached to {', '.join(users)}" if users else "" if state == "READY" else f"its status is {state}"
    )


def _address_users(entry: Mapping[str, Any]) -> str:
    users = [str(user).rpartition("/")[2] for user in entry.get("users") or ()]
    return f"in use by {', '.join(users)}" if users else ""


def _address_cost(entry: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    if entry.get("addressType", "EXTERNAL") != "EXTERNAL":
        return ()
    return (("address/in-use" if entry.get("users") else "address/unused", HOURS),)


def _snapshot_cost(entry: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    return (("disk/snapshot", float(entry.get("storageBytes") or 0) / 2**30),)


NETWORKS: Final = Kind(NETWORK, _networks)
HEALTH_CHECKS: Final = Kind("health check", _health_checks)
# A load balancer is deleted from its front to its backends.
BALANCERS: Final = tuple(
    kind(part)
    for part in (
        Part(
            "forwarding rule",
            "forwardingRules",
            "forwarding-rules",
            uses=("target", "backendService"),
            costs=lambda _: (("forwarding-rule/hours", HOURS),),
        ),
        Part("target HTTPS proxy", "targetHttpsProxies", "target-https-proxies", uses=("urlMap",)),
        Part("target HTTP proxy", "targetHttpProxies", "target-http-proxies", uses=("urlMap",)),
        Part("URL map", "urlMaps", "url-maps", uses=_SERVICES),
        Part("backend service", "backendServices", "backend-services", uses=("backends.group",)),
        Part("target pool", "targetPools", "target-pools", uses=("instances",)),
    )
)
# Health checks are deleted between these: their users first.
BACKENDS: Final = tuple(
    kind(part)
    for part in (
        Part("network endpoint group", "networkEndpointGroups", "network-endpoint-groups"),
        Part(
            "instance group",
            "instanceGroups",
            "instance-groups unmanaged",
            # Those of node pools are deleted with their managers.
            is_left=lambda entry: str(entry["name"]).startswith("k8s-"),
        ),
    )
)
MACHINES: Final = tuple(
    kind(part)
    for part in (
        Part("instance", "instances", "instances", costs=_machine_cost),
        Part(
            "disk",
            "disks",
            "disks",
            uses=("diskEncryptionKey.kmsKeyName",),
            busy=_disk_users,
            costs=_disk_cost,
        ),
        Part(
            "snapshot",
            "snapshots",
            "snapshots",
            wide=False,
            uses=("snapshotEncryptionKey.kmsKeyName", "sourceDiskEncryptionKey.kmsKeyName"),
            costs=_snapshot_cost,
        ),
        Part("address", "addresses", "addresses", uses=("users",), busy=_address_users, costs=_address_cost),
    )
)
FIREWALLS: Final = kind(Part("firewall rule", "firewalls", "firewall-rules", wide=False))
