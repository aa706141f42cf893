"""What GKE states of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cli.clients.gcp import Client
from cli.estimate.nodes import POOL
from cli.estimate.resources import Resources, at
from cli.preflight.scope import UncheckedError
from cli.upgrades.facts import (
    ControlPlane,
    Facts,
    Nodes,
    Support,
    first_date,
    label,
    minor,
    minor_of,
    release_key,
)

_CLUSTER: Final = "gcp:container/cluster:Cluster"
_POOL: Final = "gcp:container/nodePool:NodePool"
_EXTENDED: Final = "EXTENDED"


def read(
    client: Client,
    project: str,
    region: str,
    cluster: str,
    document: Mapping[str, Any],
    resources: Resources,
) -> Facts:
    """Return the facts of a cluster; of one that does not exist what its file and its preview lead to.

    document: of stacks.upgrade_list. Raises UncheckedError where GKE does not answer.
    """
    clusters = client.pages("container", f"projects/{project}/locations/-/clusters", "clusters")
    running: Any = next((body for body in clusters if body["name"] == cluster), None)
    previewed = next(iter(resources.of(_CLUSTER)), None)
    stated: Mapping[str, Any] = previewed.inputs if previewed else {}
    location = str(running["location"] if running else at(stated, "location", region))
    channel = str(at(running or stated, "releaseChannel.channel", "UNSPECIFIED"))
    full = str(running["currentMasterVersion"]) if running else str(document["version"])
    config = client.get("container", f"projects/{project}/locations/{location}/serverConfig")
    valid = _valid(config, channel)
    notes: list[str] = []
    name = f"projects/{project}/locations/{location}/clusters/{cluster}"
    support = _support(client, name, notes) if running else Support()
    if not running:
        notes.append("the end of support is not looked up: GKE states it of clusters that exist")
    offered = sorted({minor_of(version) for version in valid}, key=minor)
    version = minor_of(full)
    control = ControlPlane(
        cluster,
        version,
        bool(running),
        offered,
        support,
        is_offered=version in offered,
        pays_extended=channel == _EXTENDED,
    )
    return Facts(control, list(_nodes(control, full, valid, running, resources)), notes=notes)


def _valid(config: Mapping[str, Any], channel: str) -> Sequence[str]:
    entry = next((entry for entry in config.get("channels") or () if entry["channel"] == channel), {})
    return entry.get("validVersions") or config.get("validMasterVersions") or []


def _support(client: Client, name: str, notes: list[str]) -> Support:
    """Return the ends of support, by `clusters.fetchClusterUpgradeInfo`."""
    try:
        answer = client.get("container", f"{name}:fetchClusterUpgradeInfo")
    except UncheckedError as error:
        notes.append(f"the end of support is not looked up: {error}")
        return Support()
    return Support(
        first_date(answer.get("endOfStandardSupportTimestamp")),
        first_date(answer.get("endOfExtendedSupportTimestamp")),
    )


def _nodes(
    control: ControlPlane, full: str, valid: Sequence[str], running: Any, resources: Resources
) -> Iterator[Nodes]:
    """Yield the node pools. The newest release for the present minor version is not newer than the control
    plane."""
    present = [version for version in valid if minor(version) == minor(control.version)]
    if control.exists:
        present = [version for version in present if release_key(version) <= release_key(full)] or [full]
    following = [version for version in valid if control.next and minor_of(version) == control.next]
    newest, newest_next = _newest(present), _newest(following)
    for name, pool, release in _pools(running, resources):
        version = minor_of(release) or control.version
        support = control.support if version == control.version else Support()
        yield Nodes(name, pool, release, version, newest, newest_next, support)


def _newest(versions: Sequence[str]) -> str:
    return max(versions, key=release_key) if versions else ""


def _pools(running: Any, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """Yield name, pool and release of each node pool: of those that exist, or of the preview."""
    if running:
        for body in running.get("nodePools") or ():
            name = str(body["name"])
            yield name, label(at(body, "config.labels"), POOL) or name, str(body.get("version", ""))
        return
    for resource in resources.of(_POOL):
        pool = label(resource.get("nodeConfig.labels"), POOL) or resource.name
        yield resource.name, pool, str(resource.get("version", ""))
