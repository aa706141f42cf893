"""What GKE asks of a cluster except its addresses. Each rule refuses in GKE's words where they are known.

More sources than the rules name: the container API's reference, "Release channels", "Encrypt secrets at the
application layer", "Maintenance windows and exclusions", "About multi-network support for Pods".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import rules
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import naming, references, versions
from twin.gcp.services.container.operations.resource_names import Place

RULES: Final = services.rules("container")
_MOST_NETWORKS: Final = 100


def check(call: Call, place: Place, body: Body) -> None:
    """All rules over a new cluster. Resolves its version. Raises 400."""
    naming.resource_labels(body.get("resourceLabels"), "cluster.resourceLabels")
    version(body)
    locations(place, body.get("locations"))
    features(call, body)
    rules.check(call, body, RULES["apis"], "cluster.", camel=True)
    authorized_networks(body.get("masterAuthorizedNetworksConfig"))
    addresses = (body.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig") or {}
    authorized_networks(addresses.get("authorizedNetworksConfig"))
    database_encryption(call, place, body.get("databaseEncryption"))
    identity(call, body.get("workloadIdentityConfig"))
    maintenance(call, body.get("maintenancePolicy") or {})
    autoscaling(call, body.get("autoscaling"))


def features(call: Call, body: Body) -> None:
    """Features that exclude or need others."""
    rules.check(call, body, RULES["cluster"], "cluster.", camel=True)


def version(body: Body) -> None:
    """`initialClusterVersion` becomes a version that the release channel offers."""
    name = (body.setdefault("releaseChannel", {"channel": "REGULAR"})).get("channel", "UNSPECIFIED")
    body["initialClusterVersion"] = resolve(body.get("initialClusterVersion", ""), name)


def resolve(requested: str, channel_name: str) -> str:
    """A version of the channel. Raises 400 for one that it does not offer."""
    channel = versions.channel(channel_name)
    version = versions.resolve(requested, channel.versions, channel.default)
    if version is None:
        offers = ", ".join(channel.versions)
        if requested.count(".") == 1:
            raise invalid(
                f'No valid versions with the prefix "{requested}" found in the {channel_name} channel; '
                f"it offers {offers}."
            )
        raise invalid(
            f'Master version "{requested}" is unsupported in the release channel {channel_name}; '
            f"it offers {offers}."
        )
    return version


def locations(place: Place, zones: list[str] | None) -> None:
    """Zones of nodes: in the cluster's region."""
    for zone in zones or ():
        if not capacity.is_zone(zone):
            raise invalid(f'cluster.locations: Location "{zone}" does not exist.')
        if capacity.region_of(zone) != place.region:
            raise invalid(f"cluster.locations: zone {zone} is not in the cluster's region {place.region}.")


def authorized_networks(config: Body | None) -> None:
    """CIDR blocks that may reach the control plane."""
    blocks = (config or {}).get("cidrBlocks") or []
    path = "cluster.masterAuthorizedNetworksConfig.cidrBlocks"
    if blocks and not (config or {}).get("enabled"):
        raise invalid(f"{path}: cannot be given while authorized networks are not enabled.")
    if len(blocks) > _MOST_NETWORKS:
        raise invalid(f"{path}: at most {_MOST_NETWORKS} blocks are allowed, got {len(blocks)}.")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        text = block.get("cidrBlock", "")
        try:
            ip_network(text)
        except ValueError as error:
            raise invalid(f"{path}[{index}].cidrBlock: '{text}' is no CIDR block ({error}).") from error
        if text in seen:
            raise invalid(f"{path}[{index}].cidrBlock: {text} is a duplicate.")
        seen.add(text)


def database_encryption(call: Call, place: Place, config: Body | None) -> None:
    """Secrets are encrypted with a key that GKE's service agent may use."""
    path, key = "cluster.databaseEncryption", (config or {}).get("keyName")
    rules.check(call, config or {}, RULES["encryption"], f"{path}.", camel=True)
    if key:
        references.kms_key(
            call, key, place.region, references.gke_agent(call.project_number), f"{path}.keyName"
        )


def identity(call: Call, config: Body | None) -> None:
    """The workload pool is the project's own."""
    pool, expected = (config or {}).get("workloadPool"), f"{call.project}.svc.id.goog"
    if pool and pool != expected:
        raise invalid(f"cluster.workloadIdentityConfig.workloadPool: must be {expected}, got {pool}.")


def autoscaling(call: Call, config: Body | None) -> None:
    """Node auto-provisioning needs limits, and a service account that exists."""
    autoscaling_config: Body = config or {}
    limits = {
        resource_limit.get("resourceType"): resource_limit
        for resource_limit in autoscaling_config.get("resourceLimits") or ()
    }
    path = "cluster.autoscaling"
    for name, limit in limits.items():
        if int(limit.get("minimum") or 0) > int(limit.get("maximum") or 0):
            raise invalid(f"{path}.resourceLimits: the minimum of {name} is more than its maximum.")
        if name not in ("cpu", "memory") and name not in capacity.cards():
            raise invalid(f"Invalid resource: {name}.")
    if autoscaling_config.get("enableNodeAutoprovisioning") and not {"cpu", "memory"} <= set(limits):
        raise invalid(f"{path}.resourceLimits: node auto-provisioning needs limits of cpu and of memory.")
    defaults: dict[str, Any] = autoscaling_config.get("autoprovisioningNodePoolDefaults") or {}
    if defaults.get("serviceAccount"):
        where = f"{path}.autoprovisioningNodePoolDefaults.serviceAccount"
        references.service_account(call, defaults["serviceAccount"], where)


def maintenance(call: Call, policy: Body) -> None:
    """Windows long enough, exclusions that end after they begin and are not too long."""
    path = "cluster.maintenancePolicy"
    rules.check(call, policy, RULES["maintenance"], f"{path}.", camel=True)
    for where, window in rules.values(policy, "window.recurringWindow.window"):
        lasts = _span(window, f"{path}.{where}")
        if lasts < timedelta(hours=4):
            raise invalid(f"{path}.{where}: a maintenance window lasts at least 4 hours, got {lasts}.")
    for where, exclusion in rules.values(policy, "window.maintenanceExclusions{}"):
        options = exclusion.get("maintenanceExclusionOptions") or {}
        if options.get("endTimeBehavior") == "UNTIL_END_OF_SUPPORT":
            continue
        lasts = _span(exclusion, f"{path}.{where}")
        # Source: "Scope of maintenance to exclude".
        if options.get("scope", "NO_UPGRADES") == "NO_UPGRADES" and lasts > timedelta(days=90):
            raise invalid(f"{path}.{where}: NO_UPGRADES lasts at most 90 days, got {lasts.days}.")


def _span(window: Body, path: str) -> timedelta:
    bounds: list[datetime] = []
    for name in ("startTime", "endTime"):
        text = window.get(name, "")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise invalid(f"{path}.{name}: '{text}' is no time in RFC 3339.") from error
        bounds.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if bounds[1] <= bounds[0]:
        raise invalid(f"{path}: endTime must be after startTime.")
    return bounds[1] - bounds[0]
