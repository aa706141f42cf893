"""Which of GKE's own components a cluster has: each is a file manifests/gcp/<name>.yaml.

Source: the workloads in kube-system, gmp-system and gke-managed-* of GKE 1.34 clusters as public issues show
them.
"""

from __future__ import annotations

from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.state import Body, State
from twin.gcp.conditions import hold
from twin.gcp.services.binaryauthorization import operations as binaryauthorization
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import resource_names
from twin.gcp.services.container.operations.resource_names import Place

KINDS: Final = ("multi-networking", "gateway-api", "managed-prometheus", "binary-authorization")
"""Components that bring kinds of objects, or refuse some: they come first."""


def wanted(state: State, place: Place, body: Body) -> dict[str, dict[str, Any]]:
    """Name to configuration of the components that the cluster should have now."""
    table = services.tables("container")["addons"]
    addons: dict[str, dict[str, Any]] = {
        name: {} for name, condition in table.items() if hold(body, condition)
    }
    addons.update(_devices(state, place))
    addons.update(_admission(state, place, body))
    return addons


def _admission(state: State, place: Place, body: Body) -> dict[str, dict[str, Any]]:
    """What refuses images, in a cluster that enforces the project's policy."""
    if (body.get("binaryAuthorization") or {}).get("evaluationMode") != "PROJECT_SINGLETON_POLICY_ENFORCE":
        return {}
    cluster = f"{place.location}.{place.cluster}"
    pattern = binaryauthorization.admitted(state, place.project, cluster)
    return {"binary-authorization": {"pattern": pattern, "place": cluster}} if pattern else {}


def _devices(state: State, place: Place) -> dict[str, dict[str, Any]]:
    """The device plugins come with the first node pool that has such devices."""
    devices: dict[str, dict[str, Any]] = {}
    for _, pool in resource_names.pools(state, place):
        machine = capacity.machine_type(pool["config"]["machineType"])
        if pool["config"].get("accelerators"):
            devices["nvidia-gpu-device-plugin"] = {}
        if machine and machine.tpu:
            devices["tpu-device-plugin"] = {}
    return devices


def addons(state: State, place: Place, body: Body) -> list[dict[str, Any]]:
    """What the simulation should apply, and remove (`DELETING`), now."""
    internal = state.internal(place.cluster_name)
    now = wanted(state, place, body)
    applied: list[str] = internal.get("addons", [])
    if set(now) - set(applied):
        internal["addons"] = sorted({*applied, *now})
        state.keep(place.cluster_name, internal)
    version = body["currentMasterVersion"]
    return [
        {
            "name": name,
            "version": version,
            "status": "ACTIVE" if name in now else "DELETING",
            "configuration": now.get(name, {}),
            "service_account_role": "",
        }
        for name in sorted({*applied, *now}, key=lambda name: (name not in KINDS, name))
    ]


def gone(state: State, place: Place, name: str) -> None:
    """A component's objects are removed."""
    internal = state.internal(place.cluster_name)
    internal["addons"] = [addon for addon in internal.get("addons", []) if addon != name]
    state.keep(place.cluster_name, internal)
