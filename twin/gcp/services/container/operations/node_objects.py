"""A node pool's machines as Nodes: names, labels, taints, capacity, devices.

Source of the labels and taints: nodes of GKE 1.33 to 1.35 as public issues and documents show them
("About GPUs in GKE", "TPUs in GKE", "Spot VMs", "About flex-start", "About custom ComputeClasses").
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.state import Body, State
from twin.gcp.conditions import hold
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.capacity import MachineType
from twin.gcp.services.container.operations import accelerators, allocatable, instance_groups, naming
from twin.gcp.services.container.operations.resource_names import Place

Params = dict[str, Any]

REQUEST: Final = "autoscaling.gke.io/provisioning-request"
_WITH_TOPOLOGY: Final = ("a3-highgpu-8g", "a3-megagpu-", "a3-ultragpu-", "a4-", "a4x-")
"""Machine types, by their beginning, whose nodes state where in the network they are ("Schedule GKE workloads
with Topology Aware Scheduling")."""


def every(state: State, place: Place, cluster: Body, pool: Body) -> list[Params]:
    """The pool's machines that run."""
    nodes: list[Params] = []
    for zone, name, _ in instance_groups.groups(state, place):
        for full, instance in instance_groups.instances(state, place, zone):
            node = describe(
                place,
                cluster,
                pool,
                zone=zone,
                name=instance["name"],
                address=instance["networkInterfaces"][0]["networkIP"],
                group=name.rpartition("/")[2],
            )
            request = state.internal(full).get("request")
            if request:
                node["labels"][REQUEST] = request
            nodes.append(node)
    return nodes


def template(place: Place, cluster: Body, pool: Body, zone: str, group: str) -> Params:
    """The machine that the group would make next."""
    name = f"template-{group}"
    return describe(place, cluster, pool, zone=zone, name=name, address="10.0.0.1", group=group)


def describe(
    place: Place, cluster: Body, pool: Body, *, zone: str, name: str, address: str, group: str
) -> Params:
    """A machine as twin.kubernetes.cloud_interface.Machine takes it."""
    config = pool["config"]
    machine = capacity.machine_type(config["machineType"])
    assert machine is not None  # noqa: S101 - the pool was made with it
    pods = int((pool.get("maxPodsConstraint") or {}).get("maxPodsPerNode") or 110)
    ubuntu = config["imageType"].startswith("UBUNTU")
    whole, left = allocatable.resources(machine, config, pods)
    return {
        "name": name,
        "provider_id": f"gce://{place.project}/{zone}/{name}",
        "labels": {
            **labels(place, cluster, pool, machine, zone, pods),
            **(_topology(group, zone, name) if machine.name.startswith(_WITH_TOPOLOGY) else {}),
            **(config.get("labels") or {}),
        },
        "taints": taints(pool, machine),
        "capacity": whole,
        "allocatable": left,
        "devices": accelerators.devices(config, machine),
        "builtin_devices": {},
        "group": group,
        "internal_ip": address,
        "instance_type": machine.name,
        "kubelet_version": f"v{pool['version']}",
        "os_image": "Ubuntu 24.04 LTS" if ubuntu else "Container-Optimized OS from Google",
    }


def labels(
    place: Place, cluster: Body, pool: Body, machine: MachineType, zone: str, pods: int
) -> dict[str, str]:
    """What GKE labels a node with."""
    config = pool["config"]
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": machine.name,
        "beta.kubernetes.io/os": "linux",
        "cloud.google.com/gke-boot-disk": config["diskType"],
        "cloud.google.com/gke-container-runtime": "containerd",
        "cloud.google.com/gke-cpu-scaling-level": str(machine.cpus),
        "cloud.google.com/gke-logging-variant": _logging(config),
        "cloud.google.com/gke-max-pods-per-node": str(pods),
        "cloud.google.com/gke-memory-gb-scaling-level": str(machine.memory_mib // 1024),
        "cloud.google.com/gke-nodepool": place.pool,
        "cloud.google.com/gke-os-distribution": _distribution(config),
        "cloud.google.com/gke-provisioning": _provisioning(pool),
        "cloud.google.com/gke-stack-type": "IPV4",
        "cloud.google.com/machine-family": machine.family,
        "cloud.google.com/private-node": str(
            bool((pool.get("networkConfig") or {}).get("enablePrivateNodes"))
        ).lower(),
        "failure-domain.beta.kubernetes.io/region": place.region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": machine.name,
        "topology.gke.io/zone": zone,
        "topology.kubernetes.io/region": place.region,
        "topology.kubernetes.io/zone": zone,
    }
    if (cluster.get("workloadIdentityConfig") or {}).get("workloadPool"):
        labels["iam.gke.io/gke-metadata-server-enabled"] = str(
            (config.get("workloadMetadataConfig") or {}).get("mode") == "GKE_METADATA"
        ).lower()
    table = services.tables("container")["node_labels"]
    labels |= {name: "true" for name, condition in table.items() if hold(pool, condition)}
    affinity = config.get("reservationAffinity") or {}
    if affinity.get("consumeReservationType") == "SPECIFIC_RESERVATION":
        labels["cloud.google.com/reservation-affinity"] = "specific"
        labels["cloud.google.com/reservation-name"] = affinity["values"][0].split("/")[-1]
    labels.update(_device_labels(pool, machine))
    if (pool.get("placementPolicy") or {}).get("type") == "COMPACT":
        digest = hashlib.sha256(place.pool_name.encode()).hexdigest()[:16]
        labels["cloud.google.com/gke-placement-group"] = digest
    return labels


def _topology(group: str, zone: str, name: str) -> dict[str, str]:
    # All machines of a group are in one block, about half of them in each of two subblocks; each machine is a
    # whole host.
    half = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2
    texts = {"block": f"{zone}/{group}", "subblock": f"{zone}/{group}/{half}", "host": f"{zone}/{name}"}
    return {
        f"cloud.google.com/gce-topology-{level}": hashlib.sha256(text.encode()).hexdigest()[:32]
        for level, text in texts.items()
    }


def _distribution(config: Body) -> str:
    return "ubuntu" if config["imageType"].startswith("UBUNTU") else "cos"


def _logging(config: Body) -> str:
    variant = ((config.get("loggingConfig") or {}).get("variantConfig") or {}).get("variant", "DEFAULT")
    return variant.lower().replace("_", "-")


def flex(pool: Body) -> bool:
    """Whether the pool is flex-start or queued."""
    return bool(pool["config"].get("flexStart") or queued(pool))


def queued(pool: Body) -> bool:
    """Whether only ProvisioningRequests make the pool grow."""
    return bool((pool.get("queuedProvisioning") or {}).get("enabled"))


def _provisioning(pool: Body) -> str:
    config = pool["config"]
    if config.get("spot"):
        return "spot"
    return "preemptible" if config.get("preemptible") else "standard"


def _device_labels(pool: Body, machine: MachineType) -> dict[str, str]:
    config = pool["config"]
    if machine.tpu:
        return {
            "cloud.google.com/gke-accelerator-count": str(machine.count),
            "cloud.google.com/gke-tpu-accelerator": machine.card,
            "cloud.google.com/gke-tpu-topology": accelerators.topology(machine, pool.get("placementPolicy")),
        }
    accelerator = (config.get("accelerators") or [None])[0]
    if not accelerator:
        return {}
    device_labels = {
        "cloud.google.com/gke-accelerator": accelerator["acceleratorType"],
        "cloud.google.com/gke-accelerator-count": str(accelerator["acceleratorCount"]),
        "cloud.google.com/gke-gpu": "true",
    }
    driver = (accelerator.get("gpuDriverInstallationConfig") or {}).get("gpuDriverVersion", "")
    if driver in ("DEFAULT", "LATEST", "SPECIFIC"):
        device_labels["cloud.google.com/gke-gpu-driver-version"] = driver.lower()
    if accelerator.get("gpuPartitionSize"):
        device_labels["cloud.google.com/gke-gpu-partition-size"] = accelerator["gpuPartitionSize"]
    sharing = accelerator.get("gpuSharingConfig") or {}
    if sharing.get("gpuSharingStrategy"):
        device_labels["cloud.google.com/gke-gpu-sharing-strategy"] = (
            sharing["gpuSharingStrategy"].lower().replace("_", "-")
        )
        device_labels["cloud.google.com/gke-max-shared-clients-per-gpu"] = str(
            sharing["maxSharedClientsPerGpu"]
        )
    return device_labels


def taints(pool: Body, machine: MachineType) -> list[Params]:
    """What keeps Pods off: the pool's own taints, and GKE's for TPUs."""
    config = pool["config"]
    taints = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": naming.EFFECTS[taint["effect"]]}
        for taint in config.get("taints") or ()
    ]
    keys = {taint["key"] for taint in taints}
    if machine.tpu and accelerators.TPU not in keys:
        taints.append({"key": accelerators.TPU, "value": "present", "effect": "NoSchedule"})
    return taints
