"""Where an Auto Scaling group's machines come from: zones taken in turn, offered types only, and bad days.

moto puts all of a group's instances into its first subnet and never runs out. AWS balances over the zones,
and reports the group when it has none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from twin.aws.services.autoscaling.permissions import closed
from twin.aws.services.ec2 import capacity_reservations
from twin.aws.services.servicequotas import operations as servicequotas
from twin.fault_injection import available

_LOCAL = threading.local()


@contextmanager
def missing(value: str | None) -> Iterator[None]:
    """Within, machines of these (type, zone, market) cannot be had, nor more vCPUs than the quotas allow.

    listed: JSON, as the call carries it in the journal (`{"missing": [[type, zone, market]], "quotas": {code:
    n}}`).
    """
    carried = json.loads(value) if value else {}
    carried = carried if isinstance(carried, dict) else {"missing": carried}  # as calls carried it before
    # Calls of an older journal carry no market.
    _LOCAL.missing = [(kind, zone, *(market or "*")) for kind, zone, *market in carried.get("missing", [])]
    _LOCAL.quotas = carried.get("quotas") or servicequotas.values(new_account=False)
    try:
        yield
    finally:
        _LOCAL.missing = []


def install() -> None:
    """Put the behaviour into moto."""
    from moto.autoscaling.models import FakeAutoScalingGroup

    group: Any = FakeAutoScalingGroup
    group.replace_autoscaling_group_instances = _launch


def offered(instance_type: str, zone: str) -> bool:
    """Whether AWS offers the type in the zone (`us-west-2a`)."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    offers = _by_zone(INSTANCE_TYPE_OFFERINGS["availability-zone"], zone[:-1])
    return instance_type in offers.get(zone, frozenset())


def zones_offering(instance_type: str, region: str) -> list[str]:
    """The zones of a region that offer the type."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    offers = _by_zone(INSTANCE_TYPE_OFFERINGS["availability-zone"], region)
    return sorted(zone for zone, types in offers.items() if instance_type in types)


def instance_type_info(name: str) -> dict[str, Any] | None:
    """What EC2 says of a type, or None where there is no such type."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return INSTANCE_TYPES.get(name)


def facts(instance_type: str | None, region: str) -> dict[str, Any]:
    """What rules ask of a type: EC2's description (`info`), and the zones that offer it (`offering`)."""
    name = instance_type or ""
    return {"info": instance_type_info(name), "offering": zones_offering(name, region)}


def zones(region: str) -> list[str]:
    """The zones of a region by their names, as `us-west-2a`; none where there is no such region."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    return sorted(_by_zone(INSTANCE_TYPE_OFFERINGS["availability-zone"], region))


def instance_types() -> list[str]:
    """The instance types that EC2 has."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return sorted(INSTANCE_TYPES)


_ZONES: dict[str, dict[str, frozenset[str]]] = {}


def _by_zone(offerings: Any, region: str) -> dict[str, frozenset[str]]:
    if region not in _ZONES:
        gathered: dict[str, set[str]] = {}
        for offer in offerings.get(region, []):
            gathered.setdefault(offer["Location"], set()).add(offer["InstanceType"])
        _ZONES[region] = {zone: frozenset(types) for zone, types in gathered.items()}
    return _ZONES[region]


def unavailable(instance_type: str, zone: str, *, spot: bool) -> bool:
    """Whether there are none now, though AWS offers the type in the zone."""
    markets = ("*", "spot" if spot else "on-demand")
    missing = [(kind, place) for kind, place, market in getattr(_LOCAL, "missing", []) if market in markets]
    return not available(missing, instance_type, zone)


def shortage(instance_type: str, zone: str) -> str:
    """AWS's words for a pool that is empty."""
    return (
        f"Could not launch On-Demand Instances. InsufficientInstanceCapacity - We "
        f"currently do not have sufficient "
        f"{instance_type} capacity in the Availability Zone you requested "
        f"({zone}). Our system will be working on "
        f"provisioning additional capacity. Launching EC2 instance failed."
    )


def _launch(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    """FakeAutoScalingGroup.replace_autoscaling_group_instances, as AWS does it."""
    from moto.autoscaling.models import InstanceState

    wanted = min(count_needed, (self.desired_capacity or 0) - len(self.active_instances()))
    self.twin_shortage = closed(_template(self), self.account_id, self.region) if wanted > 0 else ""
    if self.twin_shortage:
        return
    data = _template(self)
    for _ in range(max(0, wanted)):
        self.twin_shortage = capacity_reservations.closed(self.ec2_backend, data)
        if self.twin_shortage:
            return
        place = _place(self)
        if place is None:
            return
        subnet, instance_type = place
        instance = _run(self, subnet, instance_type, {**propagated_tags})
        instance.autoscaling_group = self
        instance.twin_reservation = capacity_reservations.target(data)
        self.instance_states.append(
            InstanceState(instance, protected_from_scale_in=self.new_instances_protected_from_scale_in)
        )


def _place(group: Any) -> tuple[Any, str] | None:
    ids = (group.vpc_zone_identifier or "").split(",")
    subnets: list[Any] = group.ec2_backend.describe_subnets(subnet_ids=ids) if ids != [""] else [None]
    used = [state.instance.subnet_id for state in group.active_instances()]
    order = sorted(range(len(subnets)), key=lambda i: (used.count(getattr(subnets[i], "id", None)), i))
    types = _types(group)
    for instance_type in types:
        group.twin_shortage = _over_quota(group, instance_type)
        if group.twin_shortage:
            continue
        for index in order:
            zone = subnets[index].availability_zone if subnets[index] else group.availability_zones[0]
            if offered(instance_type, zone) and not unavailable(instance_type, zone, spot=_is_spot(group)):
                return subnets[index], instance_type
            group.twin_shortage = shortage(instance_type, zone)
    return None


def _over_quota(group: Any, instance_type: str) -> str:
    return over_quota(group.ec2_backend, _template(group), instance_type, spot=_is_spot(group))


def over_quota(backend: Any, data: dict[str, Any], instance_type: str, *, spot: bool) -> str:
    """AWS's words where one more machine of a type exceeds the account's quota of vCPUs; else empty.

    data: of the launch template.
    """
    quota = servicequotas.quota_of(instance_type, spot=spot)
    if quota is None or capacity_reservations.target(data):
        return ""  # a reservation counts when it is made, not when it is used
    running = [
        instance.instance_type
        for reservation in backend.reservations.values()
        for instance in reservation.instances
        if instance.state not in ("shutting-down", "terminated")
        and (instance.lifecycle == "spot") == spot
        and servicequotas.quota_of(instance.instance_type, spot=spot) is quota
    ]
    wanted = sum(_vcpus(type_) for type_ in [*running, instance_type])
    limit = float(getattr(_LOCAL, "quotas", servicequotas.values(new_account=False))[quota.code])
    return servicequotas.exceeded(quota, limit) if wanted > limit else ""


def _vcpus(instance_type: str) -> int:
    return int((instance_type_info(instance_type) or {}).get("VCpuInfo", {}).get("DefaultVCpus", 0))


def _is_spot(group: Any) -> bool:
    distribution = (group.mixed_instances_policy or {}).get("InstancesDistribution", {})
    spot = str(distribution.get("OnDemandPercentageAboveBaseCapacity", "100")) == "0"
    return spot or _template(group).get("InstanceMarketOptions", {}).get("MarketType") == "spot"


def _types(group: Any) -> list[str]:
    policy = group.mixed_instances_policy or {}
    overrides = policy.get("LaunchTemplate", {}).get("Overrides") or []
    named = [override["InstanceType"] for override in overrides if override.get("InstanceType")]
    return named or [group.instance_type]


def _template(group: Any) -> dict[str, Any]:
    template = group.ec2_launch_template
    return template.get_version(group.launch_template_version).data if template else {}


def _run(group: Any, subnet: Any, instance_type: str, tags: dict[str, str]) -> Any:
    from moto.autoscaling.models import ASG_NAME_TAG

    template, data = group.ec2_launch_template, _template(group)
    version = (
        {"LaunchTemplateId": template.id, "Version": group.launch_template_version} if template else None
    )
    return run(
        group.ec2_backend,
        data,
        group.image_id,
        instance_type,
        subnet,
        {"instance": {**tags, ASG_NAME_TAG: group.name, **group.instance_tags}},
        version,
        spot=_is_spot(group),
        zone=group.availability_zones[0],
        user_data=group.user_data,
        group_names=group.security_groups,
        launch_config=group.launch_config,
    )


def run(
    backend: Any,
    data: dict[str, Any],
    image: Any,
    instance_type: str,
    subnet: Any,
    tags: dict[str, dict[str, str]],
    version: dict[str, Any] | None,
    *,
    spot: bool,
    zone: str = "",
    user_data: str | None = None,
    group_names: Sequence[str] = (),
    **more: Any,
) -> Any:
    """Return one new instance. data: of the launch template. zone: where there is no subnet."""
    groups = groups_of(data)
    reservation = backend.run_instances(
        image,
        1,
        user_data,
        [] if groups else list(group_names),
        security_group_ids=groups,
        instance_type=instance_type,
        tags=tags,
        placement=subnet.availability_zone if subnet else zone,
        region_name=backend.region_name,
        launch_template=version,
        is_instance_type_default=False,
        associate_public_ip=None,
        subnet_id=subnet.id if subnet else None,
        lifecycle="spot" if spot else None,
        **volumes(data),
        **more,
    )
    return reservation.instances[0]


def groups_of(data: dict[str, Any]) -> list[str]:
    """The ids of the security groups of a launch template: its own, or those of its first interface."""
    return data.get("SecurityGroupIds") or [
        group for card in data.get("NetworkInterfaces", [])[:1] for group in card.get("Groups", [])
    ]


def volumes(data: dict[str, Any]) -> dict[str, Any]:
    """The volumes of a launch template, as moto's `run_instances` takes them."""
    mapped = data.get("BlockDeviceMappings")
    if not mapped:
        return {}
    # AWS's default is true, moto's false.
    return {
        "block_device_mappings": [
            {**mapping, "Ebs": {"DeleteOnTermination": True, **mapping.get("Ebs", {})}} for mapping in mapped
        ]
    }
