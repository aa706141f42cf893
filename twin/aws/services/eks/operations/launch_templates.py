"""Launch templates as a node group takes them: which fields EKS refuses, which choices it makes from them."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.request import Refusal
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.ec2 import capacity_reservations
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.versions import AMI_TYPES
from twin.aws.validation import stated

Params = dict[str, Any]


def load(eks: Any, requested: Params | None) -> tuple[Params | None, Params]:
    """The template's id, name and version, and its data; (None, {}) where none is asked for."""
    if not requested:
        return None, {}
    stated.check(__name__, "named", requested)
    with eks.moto.lock:
        templates = eks.moto.backend("ec2").launch_templates.values()
        known = [t for t in templates if requested.get("id") == t.id or requested.get("name") == t.name]
        if not known:
            raise invalid(
                f"Launch template {requested.get('id') or requested.get('name')} does not exist "
                f"(Ec2LaunchTemplateNotFound)"
            )
        [template] = known
        wanted = str(requested.get("version") or "$Default")
        numbers = {"$Latest": template.latest_version_number, "$Default": template.default_version_number}
        number = numbers.get(wanted) or int(wanted)
        data = next((dict(version.data) for version in template.versions if version.number == number), None)
        if data is None:
            raise invalid(f"Launch template {template.id} has no version {wanted}")
    return {"id": template.id, "name": template.name, "version": str(number)}, data


def check(data: Params, params: Params) -> None:
    """Refuse what a managed node group's template must not hold, or what is in two places."""
    if data:
        capacity = params.get("capacityType") or "ON_DEMAND"
        stated.check(__name__, "template", {**params, "capacityType": capacity, "data": data})


def check_types(types: list[str], ami_type: str, zones: dict[str, str], data: Params) -> None:
    """Refuse instance types that do not exist, do not fit the image or are offered in none of the zones."""
    from twin.aws.services.autoscaling.capacity import offered

    if len(types) > 20:
        raise invalid(f"At most 20 instance types can be specified, got {len(types)}")
    kind = AMI_TYPES[ami_type]
    for name in types:
        info = instance_type_info(name)
        scope = {
            "data": data,
            "type": name,
            "info": info,
            "ami_type": ami_type,
            "architecture": kind.architecture if kind.image else "",
            "device": kind.device,
            "devices": sorted(devices(info)) if info else [],
            "zones": sorted(set(zones.values())),
            "offering": [zone for zone in zones.values() if offered(name, zone)],
        }
        stated.check(__name__, "type", scope)


def check_reservation(eks: Any, data: Params, types: list[str], zones: dict[str, str], capacity: str) -> None:
    """Refuse a capacity reservation that is not there, or that the node group can never launch in."""
    try:
        with eks.moto.lock:
            capacity_reservations.check(eks.moto.backend("ec2"), data, types, zones, capacity)
    except Refusal as error:
        code = "" if error.code == "InvalidParameterException" else f" ({error.code})"
        raise invalid(f"{error.message}{code}") from None


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
