"""What EKS states of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from packaging.version import Version

from cli.clients.aws import ApiError, Client
from cli.estimate.nodes import POOL
from cli.estimate.resources import Resources
from cli.output import CommandError
from cli.preflight.scope import UncheckedError
from cli.upgrades.facts import Addon, ControlPlane, Facts, Nodes, Support, first_date, label, minor_of

GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
_ADDON: Final = "aws:eks/addon:Addon"
_MISSING: Final = "ResourceNotFoundException"
_OFFERED: Final = ("STANDARD_SUPPORT", "EXTENDED_SUPPORT")


def read(
    client: Client, account: str, cluster: str, document: Mapping[str, Any], resources: Resources
) -> Facts:
    """Return the facts of a cluster; of one that does not exist what its file and its preview lead to.

    document: of stacks.upgrade_list. Raises UncheckedError where EKS does not answer, and CommandError for
    credentials of another account.
    """
    caller = str(client.call("sts", "get_caller_identity")["Account"])
    if caller != account:
        raise CommandError(f"the credentials are of account {caller}; expected {account}, that of the file")
    running = _cluster(client, cluster)
    version = str(running["version"]) if running else str(document["version"])
    entries = {
        str(entry["clusterVersion"]): entry
        for entry in client.pages("eks", "describe_cluster_versions", "clusterVersions", includeAll=True)
    }
    offered = [name for name, entry in entries.items() if entry["versionStatus"] in _OFFERED]
    policy = (running or {}).get("upgradePolicy", {}).get("supportType", str(document["support"]).upper())
    control = ControlPlane(
        cluster,
        version,
        bool(running),
        offered,
        _support(entries.get(version)),
        is_offered=version in offered,
        pays_extended=policy == "EXTENDED",
    )
    notes: list[str] = []
    nodes = list(_nodes(client, control, document, entries, _groups(client, control, resources), notes))
    addons = list(_addons(client, control, document, resources))
    return Facts(control, nodes, addons, list(_insights(client, control, notes)), notes)


def _cluster(client: Client, name: str) -> Mapping[str, Any] | None:
    try:
        return client.call("eks", "describe_cluster", name=name)["cluster"]
    except ApiError as error:
        if error.code == _MISSING:
            return None
        raise


def _support(entry: Any) -> Support:
    if not entry:
        return Support()
    return Support(
        first_date(entry.get("endOfStandardSupportDate")), first_date(entry.get("endOfExtendedSupportDate"))
    )


def _groups(
    client: Client, control: ControlPlane, resources: Resources
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and body of each node group: of those that exist, or of the preview."""
    if not control.exists:
        yield from ((group.name, group.inputs) for group in resources.of(GROUP))
        return
    for name in client.pages("eks", "list_nodegroups", "nodegroups", clusterName=control.name):
        yield (
            name,
            client.call("eks", "describe_nodegroup", clusterName=control.name, nodegroupName=name)[
                "nodegroup"
            ],
        )


def _nodes(
    client: Client,
    control: ControlPlane,
    document: Mapping[str, Any],
    entries: Mapping[str, Any],
    groups: Iterator[tuple[str, Mapping[str, Any]]],
    notes: list[str],
) -> Iterator[Nodes]:
    newest: dict[str, str] = {}

    def latest(ami_type: str, version: str) -> str:
        parameter = document["release_parameters"].get(ami_type)
        if parameter is None or not version:
            return ""
        name = parameter.format(version=version)
        if name not in newest:
            newest[name] = _parameter(client, name, notes)
        return newest[name]

    for name, body in groups:
        ami_type = str(body.get("amiType", ""))
        release = str(body.get("releaseVersion") or "")
        version = str(body.get("version") or minor_of(release) or control.version)
        yield Nodes(
            name,
            label(body.get("labels"), POOL) or name,
            release,
            version,
            latest(ami_type, control.version),
            latest(ami_type, control.next),
            _support(entries.get(version)),
        )


def _parameter(client: Client, name: str, notes: list[str]) -> str:
    try:
        return str(client.call("ssm", "get_parameter", Name=name)["Parameter"]["Value"])
    except UncheckedError as error:
        notes.append(f"the newest release of an image is not looked up ({name}): {error}")
        return ""


def _addons(
    client: Client, control: ControlPlane, document: Mapping[str, Any], resources: Resources
) -> Iterator[Addon]:
    names = sorted({str(addon.get("addonName", addon.name)) for addon in resources.of(_ADDON)})
    if control.exists:
        names = client.pages("eks", "list_addons", "addons", clusterName=control.name)
    for name in names:
        installed = document["addons"].get(name, "")
        if control.exists:
            described = client.call("eks", "describe_addon", clusterName=control.name, addonName=name)
            installed = str(described["addon"]["addonVersion"])
        default, versions = _versions(client, name, control.version)
        following = _versions(client, name, control.next)[1] if control.next else []
        both = [version for version in following if version in versions]
        yield Addon(name, installed or default, default, versions[0] if versions else "", both, following)


def _versions(client: Client, addon: str, kubernetes: str) -> tuple[str, list[str]]:
    """Return the default and all versions of an add-on for a minor version, newest first."""
    answers: Sequence[Any] = client.pages(
        "eks", "describe_addon_versions", "addons", addonName=addon, kubernetesVersion=kubernetes
    )
    default, versions = "", list[str]()
    for answer in answers:
        for entry in answer["addonVersions"]:
            versions.append(str(entry["addonVersion"]))
            if any(
                fit["clusterVersion"] == kubernetes and fit.get("defaultVersion")
                for fit in entry["compatibilities"]
            ):
                default = versions[-1]
    return default, sorted(versions, key=_addon_key, reverse=True)


def _addon_key(version: str) -> tuple[Version, int]:
    head, _, build = version.partition("-eksbuild.")
    return Version(head), int(build or 0)


def _insights(client: Client, control: ControlPlane, notes: list[str]) -> Iterator[str]:
    """Yield what EKS's own upgrade insights report as an error: it sees the requests of all clients."""
    if not (control.exists and control.next):
        return
    try:
        insights = client.pages(
            "eks",
            "list_insights",
            "insights",
            clusterName=control.name,
            filter={"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [control.next]},
        )
    except UncheckedError as error:
        notes.append(f"upgrade insights of EKS are not read: {error}")
        return
    for insight in insights:
        status = insight.get("insightStatus", {})
        if status.get("status") == "ERROR":
            yield f"EKS' insight {insight['name']!r}: {status.get('reason', 'an error')}"
