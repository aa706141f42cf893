"""Network profiles: what the networks for RDMA have not, by zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.operations import compute_time
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import link, name_of

_ROCE_MACHINES: Final = ("a3-ultragpu-8g", "a4-highgpu-8g", "a4x-highgpu-4g")
_FEATURES: Final[Mapping[str, str]] = services.tables("compute")["roce_features"]


def profiles() -> dict[str, str]:
    """Profile to its zone: `us-central1-b-vpc-roce`, where a machine type with RoCE cards is offered."""
    zones: set[str] = set()
    for machine in _ROCE_MACHINES:
        zones |= capacity.machine_zones(machine)
    return {f"{zone}-vpc-roce": zone for zone in sorted(zones)}


def profile_name(text: str, project: str) -> str:
    """The relative name of a profile that exists, given by link or name; "" where there is none."""
    name = name_of(text, project)
    last = name.rsplit("/", 1)[-1] if name else text
    if name and "/networkProfiles/" not in name:
        return ""
    return f"projects/{project}/global/networkProfiles/{last}" if last in profiles() else ""


def blocked(state: State, network: str, feature: str, what: str) -> None:
    """Raise where the network has a profile that blocks a feature."""
    body = state.get(f"compute/{name_of(network, '')}") or {}
    profile = body.get("networkProfile")
    if profile and feature in _FEATURES:
        raise invalid(
            f"{what} are not allowed in network '{body['name']}' because of its network profile "
            f"'{profile.rsplit('/', 1)[-1]}'."
        )


@handles("compute.networkProfiles.get")
def get(call: Call) -> dict[str, Any]:
    """One profile."""
    name = call.parameters["networkProfile"]
    if name not in profiles():
        raise not_found(f"The resource 'projects/{call.project}/global/networkProfiles/{name}' was not found")
    return _body(call, name)


@handles("compute.networkProfiles.list")
def listing(call: Call) -> dict[str, Any]:
    """All profiles."""
    page = generic.page(call, [_body(call, name) for name in profiles()])
    return {
        "kind": "compute#networkProfileList",
        "id": f"projects/{call.project}/global/networkProfiles",
        **page,
    }


def _body(call: Call, name: str) -> Body:
    number = int.from_bytes(name.encode()[:7], "big") % 10**18 + 10**18
    return {
        **services.tables("compute")["profile"],
        "id": str(number),
        "name": name,
        "creationTimestamp": compute_time(1727740800),
        "selfLink": link(f"projects/{call.project}/global/networkProfiles/{name}"),
        "selfLinkWithId": link(f"projects/{call.project}/global/networkProfiles/{number}"),
        "location": {"name": profiles()[name], "scope": "ZONE"},
        "features": {
            **{key: f"{word}_BLOCKED" for key, word in _FEATURES.items()},
            **services.tables("compute")["profile_features"],
        },
    }
