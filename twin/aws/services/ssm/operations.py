"""Systems Manager: the public parameters of EKS's images, which moto does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call
from twin.aws.validation.extension_store import respond

_PUBLISHED: Final = 1790726400
"""2026-09-30, the day of the image releases."""


def get_parameter(call: Call, backend: Any) -> Answer | None:
    """GetParameter of a public parameter; None leaves any other to moto."""
    parameter = _parameter(call.params.get("Name") or "", backend.region_name)
    return respond(call, {"Parameter": parameter}) if parameter else None


def get_parameters(call: Call, backend: Any) -> Answer | None:
    """GetParameters, where all are public; None leaves any other call to moto."""
    names = call.params.get("Names") or []
    parameters = [_parameter(name, backend.region_name) for name in names]
    known = [parameter for parameter in parameters if parameter]
    if not known or not all(name.startswith("/aws/service/") for name in names):
        return None
    missing = [name for name, parameter in zip(names, parameters, strict=True) if not parameter]
    return respond(call, {"Parameters": known, "InvalidParameters": missing})


def _parameter(name: str, region: str) -> dict[str, Any] | None:
    from twin.aws.services.eks.operations.images import published

    value = published(name)
    if value is None:
        return None
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": _PUBLISHED,
        "ARN": f"arn:aws:ssm:{region}::parameter{name}",
        "DataType": "text",
    }


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "GetParameter": get_parameter,
    "GetParameters": get_parameters,
}
