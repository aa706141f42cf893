"""Fleets of the type `instant`: CreateFleet launches at once what it can, and reports what it cannot.

moto takes the first launch template and never runs out. EC2 takes the cheapest pool that has machines, and
its answer names the pools that have none (EC2 user guide, "Configure an EC2 Fleet of type instant"). Fleets
of other types are moto's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.autoscaling import capacity
from twin.aws.services.autoscaling.permissions import closed
from twin.aws.services.ec2 import capacity_reservations
from twin.aws.services.ec2.operations.prices import price
from twin.aws.validation.extension_store import respond, with_values
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
_QUOTA: Final = {True: "MaxSpotInstanceCountExceeded", False: "VcpuLimitExceeded"}


@dataclass
class _Pool:
    """A launch template with an override: machines of a type in a zone."""

    template: Any
    version: Any
    data: Params
    override: Params
    instance_type: str
    subnet: Any
    lifecycle: str
    instances: list[Any] = field(default_factory=list[Any])

    @property
    def spot(self) -> bool:
        return self.lifecycle == "spot"


def check(params: Params, state: MotoState) -> None:
    """CreateFleet: its launch templates, types and subnets must exist, and their fields must go together."""
    configurations = params.get("LaunchTemplateConfigs") or []
    if not configurations:
        raise Refusal("MissingParameter", "The request must contain the parameter LaunchTemplateConfigs")
    for configuration in configurations:
        template = template_of(state.ec2, configuration.get("LaunchTemplateSpecification") or {})
        data = template.get_version(_version(configuration)).data
        for override in configuration.get("Overrides") or [{}]:
            kind = override.get("InstanceType") or data.get("InstanceType")
            if kind and capacity.instance_type_info(kind) is None:
                raise Refusal("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
            if override.get("SubnetId"):
                state.subnet(override["SubnetId"])
            if override.get("SubnetId") and any(
                card.get("SubnetId") for card in data.get("NetworkInterfaces") or []
            ):
                raise Refusal(
                    "InvalidFleetConfiguration",
                    "A subnet cannot be in an override and in the interfaces of its launch template",
                )


def template_of(backend: Any, specification: Params) -> Any:
    """Return the launch template that is named by its id or name. Raises Refusal."""
    name, template_id = specification.get("LaunchTemplateName"), specification.get("LaunchTemplateId")
    for template in backend.launch_templates.values():
        if template.id == template_id or (name and template.name == name):
            return template
    if name:
        raise Refusal(
            "InvalidLaunchTemplateName.NotFoundException",
            f"The specified launch template, with template name {name}, does not exist.",
        )
    raise Refusal(
        "InvalidLaunchTemplateId.NotFound",
        f"The specified launch template, with template ID {template_id}, does not exist.",
    )


def create(call: Call, backend: Any) -> Answer | None:
    """CreateFleet of the type instant; None leaves the others to moto."""
    from moto.ec2.utils import random_fleet_id

    params = call.params
    if params.get("Type") != "instant":
        return None
    target = params.get("TargetCapacitySpecification") or {}
    lifecycle = target.get("DefaultTargetCapacityType") or "on-demand"
    fleet = random_fleet_id()
    pools = sorted(_pools(params, backend, lifecycle), key=_order(params, lifecycle))
    failures: dict[int, tuple[_Pool, str, str]] = {}
    for _ in range(int(target["TotalTargetCapacity"])):
        for number, pool in enumerate(pools):
            if number in failures:
                continue
            failure = _obstacle(pool, backend)
            if failure is None:
                pool.instances.append(_launch(pool, backend, params, fleet))
                break
            failures[number] = (pool, *failure)
    errors = [
        {**_of(pool), "ErrorCode": code, "ErrorMessage": message} for pool, code, message in failures.values()
    ]
    launched = [
        {
            **_of(pool),
            "InstanceIds": [instance.id for instance in pool.instances],
            "InstanceType": pool.instance_type,
        }
        for pool in pools
        if pool.instances
    ]
    return respond(call, {"FleetId": fleet, "Errors": errors, "Instances": launched})


def _version(configuration: Params) -> str:
    return str((configuration.get("LaunchTemplateSpecification") or {}).get("Version") or "$Default")


def _pools(params: Params, backend: Any, lifecycle: str) -> Iterator[_Pool]:
    for configuration in params["LaunchTemplateConfigs"]:
        template = template_of(backend, configuration["LaunchTemplateSpecification"])
        version = template.get_version(_version(configuration))
        for override in configuration.get("Overrides") or [{}]:
            cards = version.data.get("NetworkInterfaces") or []
            inside = next((card["SubnetId"] for card in cards if card.get("SubnetId")), None)
            subnet_id = override.get("SubnetId") or inside
            yield _Pool(
                template,
                version,
                version.data,
                override,
                override.get("InstanceType") or version.data.get("InstanceType"),
                backend.get_subnet(subnet_id) if subnet_id else _default_subnet(backend, override),
                lifecycle,
            )


def _default_subnet(backend: Any, override: Params) -> Any:
    subnets = sorted(backend.get_default_subnets().items())
    zone = override.get("AvailabilityZone")
    return next((subnet for name, subnet in subnets if zone in (None, name)), None)


def _order(params: Params, lifecycle: str) -> Callable[[_Pool], float]:
    options: Params = params.get("SpotOptions" if lifecycle == "spot" else "OnDemandOptions") or {}
    if "prioritized" in str(options.get("AllocationStrategy")):
        return lambda pool: float(pool.override.get("Priority") or "inf")
    return lambda pool: price(pool.instance_type, spot=pool.spot)


def _obstacle(pool: _Pool, backend: Any) -> tuple[str, str] | None:
    """Return why no machine of a pool starts now, as code and message."""
    kind, zone = pool.instance_type, pool.subnet.availability_zone
    if not capacity.offered(kind, zone):
        zones = ", ".join(capacity.zones_offering(kind, backend.region_name))
        return "Unsupported", (
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({zone}). Please retry your request by not specifying an Availability Zone or choosing {zones}."
        )
    reservation = capacity_reservations.closed(backend, pool.data)
    if reservation:
        code, _, message = reservation.partition(": ")
        return code, message
    over = capacity.over_quota(backend, pool.data, kind, spot=pool.spot)
    if over:
        return _QUOTA[pool.spot], over
    if not capacity_reservations.target(pool.data) and capacity.unavailable(kind, zone, spot=pool.spot):
        return "InsufficientInstanceCapacity", (
            f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested "
            f"({zone}). Our system will be working on provisioning additional capacity."
        )
    return None


def _launch(pool: _Pool, backend: Any, params: Params, fleet: str) -> Any:
    from moto.ec2.utils import convert_tag_spec, random_spot_request_id

    tags = convert_tag_spec(params.get("TagSpecifications") or [])
    tags["instance"] = {**tags.get("instance", {}), "aws:ec2:fleet-id": fleet}
    instance = capacity.run(
        backend,
        pool.data,
        pool.override.get("ImageId") or pool.data.get("ImageId"),
        pool.instance_type,
        pool.subnet,
        tags,
        {"LaunchTemplateId": pool.template.id, "Version": str(pool.version.number)},
        spot=pool.spot,
    )
    instance.iam_instance_profile = _profile(pool.data, backend)
    instance.twin_template = pool.data
    instance.placement.group_name = (pool.data.get("Placement") or {}).get("GroupName") or ""
    instance.twin_reservation = capacity_reservations.target(pool.data)
    if pool.spot:
        instance.spot_instance_request_id = random_spot_request_id()
    if instance.twin_reservation:
        instance.capacity_reservation_id = instance.twin_reservation
    if pool.data.get("CapacityReservationSpecification"):
        instance.capacity_reservation_specification = pool.data["CapacityReservationSpecification"]
    if closed(pool.data, backend.account_id, backend.region_name):
        instance.terminate()  # EC2 starts it, cannot open its volume, and ends it
    return instance


def _profile(data: Params, backend: Any) -> Any:
    from moto.ec2.utils import filter_iam_instance_profiles

    named: Params = data.get("IamInstanceProfile") or {}
    if not named:
        return None
    return filter_iam_instance_profiles(
        backend.account_id,
        partition=backend.partition,
        iam_instance_profile_arn=named.get("Arn"),
        iam_instance_profile_name=named.get("Name"),
    )


def _of(pool: _Pool) -> Params:
    specification = {"LaunchTemplateId": pool.template.id, "Version": str(pool.version.number)}
    overrides = {
        "InstanceType": pool.instance_type,
        "SubnetId": pool.override.get("SubnetId"),
        "AvailabilityZone": pool.override.get("AvailabilityZone") or pool.subnet.availability_zone,
        "ImageId": pool.override.get("ImageId"),
        "Priority": pool.override.get("Priority"),
    }
    both = {"LaunchTemplateSpecification": specification, "Overrides": with_values(overrides)}
    return {"LaunchTemplateAndOverrides": both, "Lifecycle": pool.lifecycle}


RULES: Final = {"CreateFleet": check}
OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {"CreateFleet": create}
