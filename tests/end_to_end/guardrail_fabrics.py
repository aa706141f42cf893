"""Jobs of pools with a network between accelerators, and what the guardrails refuse next to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiplatform import gpu_tests, placement
from aiplatform._shared.images import images
from aiplatform.accelerators import fabric
from aiplatform.accelerators.gcp import Fabric
from tests.components.aiplatform.fabric_pools import outputs
from tests.components.recording import Recording
from tests.end_to_end.guardrail_cases import CONTROLLER, INSIDER
from tests.end_to_end.guardrail_objects import IMAGE, QUEUE, job, meta, pod, spec
from tests.end_to_end.guardrails import Object, namespace

KINDS: Final = ("efa", "tcpx", "tcpxo", "rdma")
Case = tuple[tuple[str, str], Object, str, str]


def _access(kind: str) -> Mapping[str, Any]:
    if kind == "efa":
        return fabric.node_access(fabric.efa(32))
    known: Fabric = kind  # type: ignore[assignment]
    return fabric.node_access(fabric.gpudirect(known, {"tcpx": "x", "tcpxo": "x"}, {}))


def namespace_of(kind: str) -> str:
    """Return the team's namespace whose Pods may use the network."""
    return f"{kind}-team"


FABRIC_TEAMS: Final = [namespace_of(kind) for kind in KINDS]
FABRIC_NAMESPACES: Final = {namespace_of(kind): _access(kind) for kind in KINDS if _access(kind)}
"""Entries of `fabric_namespaces`."""
REGISTRIES: Final = [images()[f"gpudirect-{kind}-daemon"].repository for kind in ("tcpx", "tcpxo")]
"""Of the sidecars, which the program adds to `allowed_registries` and `digest_exceptions`."""


def with_fabrics(settings: Mapping[str, Any]) -> Object:
    """Return settings of the guardrails in which these namespaces are listed."""
    return {
        **settings,
        "allowed_registries": [*settings["allowed_registries"], *REGISTRIES],
        "digest_exceptions": [*settings["digest_exceptions"], *REGISTRIES],
        "fabric_namespaces": {**settings["fabric_namespaces"], **FABRIC_NAMESPACES},
    }


def fabric_teams() -> Iterator[Recording]:
    """Yield the teams' namespaces."""
    for name in FABRIC_TEAMS:
        security = "privileged" if name in FABRIC_NAMESPACES else "restricted"
        yield namespace(name, cloud="aws", queues=["default"], pod_security=security)


def _template(kind: str) -> Object:
    """A template of Pods with the placement on a pool with the network."""
    plain = spec({"memory": "64Gi"}, container={"command": ["torchrun"]})
    return placement.of(outputs(kind)).template({"spec": plain})


def _job(kind: str, *, read_only: bool = True) -> Object:
    template = copy.deepcopy(_template(kind))
    result = job(template["spec"], QUEUE)
    result["spec"]["template"]["metadata"] = template["metadata"]
    for mount in template["spec"]["containers"][0]["volumeMounts"]:
        if not read_only:
            mount.pop("readOnly", None)
    return result


def _pod(kind: str, devices: str = "") -> Object:
    """A Pod of such a Job. devices: in the annotation for the workload's container."""
    template = _template(kind)
    added = {f"{fabric.DEVICES}main": devices} if devices else {}
    result = pod(template["spec"], QUEUE, owner="Job")
    result["metadata"]["annotations"] = {**template["metadata"]["annotations"], **added}
    return result


def _plain_pod(devices: str) -> Object:
    result = pod(spec(), owner="Job")
    result["metadata"]["annotations"] = {f"{fabric.DEVICES}main": devices}
    return result


def _test(kind: str) -> Object:
    """The JobSet of the bandwidth test, as in examples/nccl-test."""
    result = gpu_tests.bandwidth_test(outputs(kind), "nccl", namespace_of(kind), image=IMAGE)
    result["metadata"] = meta(result["metadata"]["labels"])
    return result


def _test_pod(kind: str) -> Object:
    template = _test(kind)["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    result = pod(template["spec"], QUEUE, owner="Job")
    result["metadata"]["annotations"] = template["metadata"]["annotations"]
    return result


DEVICE: Final = "devices.gke.io/ adds devices of the node"
FABRIC_REFUSED: Final[Mapping[str, Case]] = {
    "Pod of a network in a namespace without it": (INSIDER, _job("tcpxo"), "team-a", "hostPath is a folder"),
    "Pod of a network in the namespace of another": (INSIDER, _job("tcpxo"), "rdma-team", "hostPath is"),
    "libraries of the node, writable": (
        INSIDER,
        _job("rdma", read_only=False),
        "rdma-team",
        "the path of the node is for reading; expected readOnly: true",
    ),
    "disk of the node by annotation": (CONTROLLER, _pod("tcpxo", "- path: /dev/sda\n"), "tcpxo-team", DEVICE),
    "disk after a device that is listed": (
        CONTROLLER,
        _pod("tcpxo", "- path: /dev/nvidia0\n- path: /dev/sda\n"),
        "tcpxo-team",
        DEVICE,
    ),
    "disk by another form of YAML": (CONTROLLER, _pod("tcpxo", "[{path: /dev/sda}]"), "tcpxo-team", DEVICE),
    "device of another network": (
        CONTROLLER,
        _pod("tcpx", "- path: /dev/dmabuf_import_helper"),
        "tcpx-team",
        DEVICE,
    ),
    "accelerators by annotation, past the quota": (
        CONTROLLER,
        _plain_pod("- path: /dev/nvidia0"),
        "team-a",
        DEVICE,
    ),
    "accelerators by annotation in any namespace": (
        CONTROLLER,
        _plain_pod("- path: /dev/nvidia0"),
        "scratch",
        DEVICE,
    ),
}
FABRIC_ADMITTED: Final = {
    **{f"Job on a pool with {kind}": (INSIDER, _job(kind), namespace_of(kind)) for kind in KINDS},
    **{f"its Pod with {kind}": (CONTROLLER, _pod(kind), namespace_of(kind)) for kind in KINDS},
    **{f"bandwidth test on {kind}": (INSIDER, _test(kind), namespace_of(kind)) for kind in KINDS},
    **{f"its Pod on {kind}": (CONTROLLER, _test_pod(kind), namespace_of(kind)) for kind in KINDS},
    "device that is listed": (CONTROLLER, _pod("tcpx", "- path: /dev/nvidia0"), "tcpx-team"),
}
