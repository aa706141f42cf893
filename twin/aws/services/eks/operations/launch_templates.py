"""Launch templates as a node group takes them: which fields EKS refuses, which choices it makes from them."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.ec2 import capacity_reservations
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.versions import AMI_TYPES

Params = dict[str, Any]
_REFUSED: Final = {
    "IamInstanceProfile": "IAM instance profile",
    "HibernationOptions": "Hibernate behavior",
    "InstanceInitiatedShutdownBehavior": "Shutdown behavior",
    "DisableApiTermination": "Termination protection",
    "DisableApiStop": "Stop protection",
}


def load(eks: Any, requested: Params | None) -> tuple[Params | None, Params]:
    """The template's id, name and version, and its data; (None, {}) where none is asked for."""
    if not requested:
        return None, {}
    if bool(requested.get("id")) == bool(requested.get("name")):
        raise invalid(
            "You must specify either the launch template ID or the launch template "
            "name in the request, but not both."
        )
    with eks.moto.lock:
        capacity_reservations = eks.moto.backend("ec2").launch_templates.values()
        template = next(
            (
                t
                for t in capacity_reservations
                if requested.get("id") in (t.id,) or requested.get("name") in (t.name,)
            ),
            None,
        )
        if template is None:
            raise invalid(
                f"Launch template {requested.get('id') or requested.get('name')} does not exist "
                f"(Ec2LaunchTemplateNotFound)"
            )
        wanted = str(requested.get("version") or template.default_version_number)
        if not wanted.isdigit() and wanted not in ("$Latest", "$Default"):
            raise invalid(f"Launch template version {wanted} is not a number")
        number = _number(template, wanted)
        version = next(
            (template_version for template_version in template.versions if template_version.number == number),
            None,
        )
        if version is None:
            raise invalid(f"Launch template {template.id} has no version {wanted}")
        data = dict(version.data)
    return {"id": template.id, "name": template.name, "version": str(number)}, data


def _number(template: Any, wanted: str) -> int:
    if wanted == "$Latest":
        return template.latest_version_number
    return template.default_version_number if wanted == "$Default" else int(wanted)


def check(data: Params, params: Params) -> None:
    """Refuse what a managed node group's template must not hold, or what is in two places."""
    if not data:
        return
    for name, words in _REFUSED.items():
        if data.get(name) and str(data[name]).lower() != "false":
            raise invalid(f"Launch template should not specify {name} ({words}): EKS manages it")
    for card in data.get("NetworkInterfaces") or []:
        if card.get("SubnetId"):
            raise invalid(
                "Launch template should not specify network interface subnet: EKS takes "
                "the node group's subnets"
            )
        if card.get("NetworkInterfaceId"):
            raise invalid("Launch template should not specify an existing network interface")
    if data.get("NetworkInterfaces") and (data.get("SecurityGroupIds") or data.get("SecurityGroups")):
        raise invalid(
            "Network interfaces and an instance-level security groups may not be "
            "specified on the same request"
        )
    if data.get("InstanceType") and params.get("instanceTypes"):
        raise invalid("You cannot specify instance types in both the launch template and the request")
    if params.get("diskSize") is not None:
        raise invalid("Disk size must be specified within the launch template.")
    if params.get("remoteAccess"):
        raise invalid("Remote access configuration cannot be specified with a launch template.")
    if data.get("ImageId"):
        _custom_image(params)
    _market(data, params.get("capacityType") or "ON_DEMAND")


def _custom_image(params: Params) -> None:
    if params.get("amiType") not in (None, "CUSTOM"):
        raise invalid(
            "You cannot specify an AMI Type other than CUSTOM, when specifying an "
            "image id in your launch template."
        )
    for name in ("version", "releaseVersion"):
        if params.get(name):
            raise invalid(f"You cannot specify the field {name} when using custom AMIs.")


def _market(data: Params, capacity: str) -> None:
    market = (data.get("InstanceMarketOptions") or {}).get("MarketType")
    reservation = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget")
    if capacity == "CAPACITY_BLOCK":
        if market != "capacity-block":
            raise invalid(
                "capacityType CAPACITY_BLOCK needs a launch template with "
                "InstanceMarketOptions.MarketType capacity-block"
            )
        if not reservation or not reservation.get("CapacityReservationId"):
            raise invalid(
                "capacityType CAPACITY_BLOCK needs a launch template with a CapacityReservationId as target"
            )
        if not data.get("InstanceType"):
            raise invalid("capacityType CAPACITY_BLOCK needs the instance type in the launch template")
    elif market:
        raise invalid(
            f"Launch template should not specify InstanceMarketOptions (MarketType "
            f"{market}): use the node group's capacityType"
        )
    if capacity == "SPOT" and reservation:
        raise invalid(
            "capacityType SPOT and a capacity reservation target in the launch template exclude each other"
        )


def check_types(types: list[str], ami_type: str, zones: dict[str, str], data: Params) -> None:
    """Refuse instance types that do not exist, do not fit the image or are offered in none of the zones."""
    from twin.aws.services.autoscaling.capacity import offered

    if len(types) > 20:
        raise invalid(f"At most 20 instance types can be specified, got {len(types)}")
    kind = AMI_TYPES[ami_type]
    for name in types:
        info = instance_type_info(name)
        if info is None:
            raise invalid(f"The following supplied instance types do not exist: [{name}]")
        if kind.image and kind.architecture not in info["ProcessorInfo"]["SupportedArchitectures"]:
            raise invalid(f"[{name}] is not a valid instance type for requested amiType {ami_type}")
        if kind.device and kind.device not in devices(info):
            raise invalid(f"[{name}] is not a valid instance type for requested amiType {ami_type}")
        if not any(offered(name, zone) for zone in zones.values()):
            raise invalid(
                f"Your requested instance type ({name}) is not supported in your requested Availability Zone "
                f"({', '.join(sorted(set(zones.values())))}). (Ec2SubnetInvalidConfiguration)"
            )
        _cards(name, info, data)


def check_reservation(eks: Any, data: Params, types: list[str], zones: dict[str, str], capacity: str) -> None:
    """Refuse a capacity reservation that is not there, or that the node group can never launch in."""
    with eks.moto.lock:
        try:
            reason = capacity_reservations.misfit(eks.moto.backend("ec2"), data, types, zones, capacity)
        except Refusal as error:
            reason = f"{error.message} ({error.code})"
    if reason:
        raise invalid(reason)


def _cards(name: str, info: Params, data: Params) -> None:
    cards = data.get("NetworkInterfaces") or []
    efa = [card for card in cards if card.get("InterfaceType") in ("efa", "efa-only")]
    network = info["NetworkInfo"]
    if efa and not network.get("EfaSupported"):
        raise invalid(
            f"The instance type {name} does not support EFA interfaces, which the launch template asks for"
        )
    limit = (network.get("EfaInfo") or {}).get("MaximumEfaInterfaces", 0)
    if len(efa) > limit:
        raise invalid(f"The launch template asks for {len(efa)} EFA interfaces; {name} has at most {limit}")
    highest = max((int(card.get("NetworkCardIndex") or 0) for card in cards), default=0)
    if highest >= network.get("MaximumNetworkCards", 1):
        raise invalid(
            f"The launch template names network card {highest}; {name} has {network['MaximumNetworkCards']}"
        )


def devices(info: Params) -> set[str]:
    """The vendors of a type's accelerators: `nvidia`, `neuron`, `amd`."""
    devices: set[str] = set()
    for gpu in (info.get("GpuInfo") or {}).get("Gpus") or []:
        devices.add(str(gpu.get("Manufacturer", "")).lower())
    if info.get("NeuronInfo") or str(info["InstanceType"]).startswith(("inf", "trn")):
        devices.add("neuron")
    return devices


def plain(value: Any) -> Any:
    """Return moto's template data as plain JSON."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int, float)) else str(value)
