"""What GKE asks of a cluster except its addresses. Each rule refuses in GKE's words where they are known.

More sources than the rules name: the container API's reference, "Release channels", "Encrypt secrets at the
application layer", "Maintenance windows and exclusions", "About multi-network support for Pods".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import naming, references, versions
from twin.gcp.services.container.operations.resource_names import Place

_NO_UPGRADES_DAYS: Final = 90
"""Source: "Scope of maintenance to exclude": at most 90 days for "No upgrades"."""
_LEAST_WINDOW: Final = timedelta(hours=4)
_MOST_NETWORKS: Final = 100


def check(call: Call, place: Place, body: Body) -> None:
    """All rules over a new cluster. Resolves its version. Raises 400."""
    naming.resource_labels(body.get("resourceLabels"), "cluster.resourceLabels")
    version(body)
    locations(place, body.get("locations"))
    dataplane(body)
    authorized_networks(body.get("masterAuthorizedNetworksConfig"))
    addresses = (body.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig") or {}
    authorized_networks(addresses.get("authorizedNetworksConfig"))
    database_encryption(call, place, body.get("databaseEncryption"))
    identity(call, body.get("workloadIdentityConfig"))
    addons(body)
    binary_authorization(call, body.get("binaryAuthorization"))
    maintenance(body.get("maintenancePolicy"))
    autoscaling(call, body.get("autoscaling"))
    fleet(call, body.get("fleet"))
    most = (body.get("defaultMaxPodsConstraint") or {}).get("maxPodsPerNode")
    if most is not None and not 8 <= int(most) <= 256:
        raise invalid(f"cluster.defaultMaxPodsConstraint.maxPodsPerNode: must be from 8 to 256, got {most}.")


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


def dataplane(body: Body) -> None:
    """Dataplane V2 brings its own network policy, and multi-networking needs it."""
    settings = body.get("networkConfig") or {}
    advanced = settings.get("datapathProvider") == "ADVANCED_DATAPATH"
    if advanced and (body.get("networkPolicy") or {}).get("enabled"):
        raise invalid(
            "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed."
        )
    if settings.get("enableMultiNetworking") and not advanced:
        raise invalid(
            "cluster.networkConfig.enableMultiNetworking: Multi-networking needs GKE Dataplane V2 "
            "(datapathProvider=ADVANCED_DATAPATH)."
        )
    if settings.get("enableFqdnNetworkPolicy") and not advanced:
        raise invalid(
            "cluster.networkConfig.enableFqdnNetworkPolicy: FQDN network policies need Dataplane V2."
        )
    if (settings.get("dnsConfig") or {}).get("clusterDnsScope") == "VPC_SCOPE" and not settings[
        "dnsConfig"
    ].get("clusterDnsDomain"):
        raise invalid("cluster.networkConfig.dnsConfig.clusterDnsDomain: must be given with VPC_SCOPE.")
    channel = (settings.get("gatewayApiConfig") or {}).get("channel")
    balancing = ((body.get("addonsConfig") or {}).get("httpLoadBalancing") or {}).get("disabled")
    if channel == "CHANNEL_STANDARD" and balancing:
        raise invalid(
            "cluster.networkConfig.gatewayApiConfig: the Gateway API needs the addon HttpLoadBalancing."
        )


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
    state, key = (config or {}).get("state"), (config or {}).get("keyName")
    path = "cluster.databaseEncryption"
    if state in ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"):
        if not key:
            raise invalid(f"{path}.keyName: must be given with the state {state}.")
        agent = references.gke_agent(call.project_number)
        references.kms_key(call, key, place.region, agent, f"{path}.keyName")
    elif key:
        raise invalid(f"{path}.keyName: goes with the state ENCRYPTED only, got {state}.")


def identity(call: Call, config: Body | None) -> None:
    """The workload pool is the project's own."""
    pool, expected = (config or {}).get("workloadPool"), f"{call.project}.svc.id.goog"
    if pool and pool != expected:
        raise invalid(f"cluster.workloadIdentityConfig.workloadPool: must be {expected}, got {pool}.")


def addons(body: Body) -> None:
    """Addons that are on others."""
    addons_config = body.get("addonsConfig") or {}
    pool = (body.get("workloadIdentityConfig") or {}).get("workloadPool")
    for name, words in (
        ("gcsFuseCsiDriverConfig", "the Cloud Storage FUSE CSI driver"),
        ("gkeBackupAgentConfig", "Backup for GKE"),
        ("configConnectorConfig", "Config Connector"),
    ):
        if (addons_config.get(name) or {}).get("enabled") and not pool:
            raise invalid(f"cluster.addonsConfig.{name}: {words} needs Workload Identity Federation for GKE.")
    calico = addons_config.get("networkPolicyConfig") or {}
    if (body.get("networkPolicy") or {}).get("enabled") and calico.get("disabled"):
        raise invalid("cluster.networkPolicy: network policy must be enabled for the master addon first.")


def binary_authorization(call: Call, config: Body | None) -> None:
    """Enforcement needs its API."""
    mode = (config or {}).get("evaluationMode", "DISABLED")
    if mode not in ("DISABLED", "EVALUATION_MODE_UNSPECIFIED"):
        call.need_enabled("binaryauthorization.googleapis.com")


def fleet(call: Call, config: Body | None) -> None:
    """Membership of a fleet needs its API."""
    if (config or {}).get("project"):
        call.need_enabled("gkehub.googleapis.com")


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


def maintenance(policy: Body | None) -> None:
    """Windows long enough, exclusions that end after they begin and are not too long."""
    window: Body = (policy or {}).get("window") or {}
    path = "cluster.maintenancePolicy.window"
    if window.get("dailyMaintenanceWindow") and window.get("recurringWindow"):
        raise invalid(f"{path}: a daily and a recurring window cannot both be given.")
    daily = (window.get("dailyMaintenanceWindow") or {}).get("startTime")
    if daily is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", daily):
        raise invalid(f"{path}.dailyMaintenanceWindow.startTime: '{daily}' is no time; write HH:MM (GMT).")
    recurring = window.get("recurringWindow")
    if recurring:
        _recurring(recurring, f"{path}.recurringWindow")
    exclusions = window.get("maintenanceExclusions") or {}
    if len(exclusions) > 20:
        raise invalid(f"{path}.maintenanceExclusions: at most 20 are allowed, got {len(exclusions)}.")
    for name, exclusion in exclusions.items():
        _exclusion(exclusion, f"{path}.maintenanceExclusions[{name}]")


def _recurring(recurring: Body, path: str) -> None:
    start, end = _span(recurring.get("window") or {}, f"{path}.window")
    if end - start < _LEAST_WINDOW:
        raise invalid(f"{path}.window: a maintenance window lasts at least 4 hours, got {end - start}.")
    rule = recurring.get("recurrence", "")
    if not rule.startswith(("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY")):
        raise invalid(f"{path}.recurrence: '{rule}' is no RRULE (RFC 5545), as FREQ=WEEKLY;BYDAY=SA,SU.")


def _exclusion(exclusion: Body, path: str) -> None:
    options = exclusion.get("maintenanceExclusionOptions") or {}
    scope = options.get("scope", "NO_UPGRADES")
    if options.get("endTimeBehavior") == "UNTIL_END_OF_SUPPORT":
        if exclusion.get("endTime"):
            raise invalid(f"{path}: endTime cannot be set with endTimeBehavior UNTIL_END_OF_SUPPORT.")
        if scope == "NO_UPGRADES":
            raise invalid(f"{path}: endTimeBehavior UNTIL_END_OF_SUPPORT is not for the scope NO_UPGRADES.")
        return
    start, end = _span(exclusion, path)
    if scope == "NO_UPGRADES" and end - start > timedelta(days=_NO_UPGRADES_DAYS):
        raise invalid(
            f"{path}: NO_UPGRADES lasts at most {_NO_UPGRADES_DAYS} days, got {(end - start).days}."
        )


def _span(window: Body, path: str) -> tuple[datetime, datetime]:
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
    return bounds[0], bounds[1]
