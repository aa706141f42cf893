"""A node group's machines as Nodes: names, labels, capacity and what the kubelet keeps for itself."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, Final

from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations import bottlerocket, pod_identity, references, scaling
from twin.aws.services.eks.operations.launch_templates import devices as vendors
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import AMI_TYPES

Params = dict[str, Any]
_MIB: Final = 1024
_HUGE_PAGES: Final = 10256
_EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_TOPOLOGY_FAMILIES: Final = ("p3dn", "p4", "p5", "p6", "trn")


def every(eks: Any, group: Thing) -> list[Params]:
    """The machines of a node group that run."""
    nodes: list[Params] = []
    running = [state.instance for state in scaling.instances(eks, group) if state.instance.state == "running"]
    rights = network_rights(eks, group.cluster, group.description["nodeRole"]) if running else False
    for instance in running:
        nodes.append({**of_instance(eks, group, instance), "network_rights": rights})
    return nodes


def of_instance(eks: Any, group: Thing, instance: Any) -> Params:
    """A machine that is an instance. group: its node group, or what is for one."""
    return describe(
        eks,
        group,
        instance_type=instance.instance_type,
        zone=instance.placement.zone,
        name=f"ip-{instance.private_ip.replace('.', '-')}.{_domain(eks)}",
        instance_id=instance.id,
        address=instance.private_ip,
    )


def network_rights(eks: Any, cluster: str, node_role: str) -> bool:
    """Whether aws-node may attach interfaces: by a separate role, else by the nodes' (EKS user guide,
    "Amazon EKS node IAM role")."""
    association = pod_identity.find(eks, cluster, "kube-system", "aws-node")
    addon = eks.store.get("addon", cluster, "vpc-cni")
    role_arn = (
        association.description["roleArn"]
        if association
        else addon and addon.description.get("serviceAccountRoleArn")
    )
    return eks.identity.allowed(role_arn or node_role, "ec2:AssignPrivateIpAddresses", "*", {})


def template(eks: Any, group: Thing) -> Params:
    """The machine that the group would make next."""
    zone = _first_zone(eks, group)
    kind = group.internal["types"][0]
    return describe(
        eks,
        group,
        instance_type=kind,
        zone=zone,
        name=f"template-{group.name}",
        instance_id="i-0",
        address="10.0.0.1",
    )


def describe(
    eks: Any, group: Thing, *, instance_type: str, zone: str, name: str, instance_id: str, address: str
) -> Params:
    """A machine as twin.kubernetes.cloud_interface.Machine takes it."""
    info = instance_type_info(instance_type) or {}
    capacity, allocatable = resources(info, group)
    labels = {**_labels(eks, group, info, zone, name), **group.description["labels"]}
    if instance_type.startswith(_TOPOLOGY_FAMILIES):
        labels.update(_topology(group, zone, instance_id))
    gpus, built_in = devices(info, group)
    return {
        "name": name,
        "provider_id": f"aws:///{zone}/{instance_id}",
        "labels": labels,
        "taints": [
            {"key": taint["key"], "value": taint.get("value", ""), "effect": _EFFECTS[taint["effect"]]}
            for taint in group.description["taints"]
        ],
        "capacity": capacity,
        "allocatable": allocatable,
        "devices": gpus,
        "builtin_devices": built_in,
        "group": group.internal["group"],
        "internal_ip": address,
        "instance_type": instance_type,
    }


def max_pods(info: Params) -> int:
    """Pods by the addresses of the network interfaces, capped as EKS caps them."""
    network, cpus = info["NetworkInfo"], info["VCpuInfo"]["DefaultVCpus"]
    cards = network.get("NetworkCards") or []
    first = network.get("DefaultNetworkCardIndex", 0)
    interfaces = next(
        (card["MaximumNetworkInterfaces"] for card in cards if card["NetworkCardIndex"] == first),
        network["MaximumNetworkInterfaces"],
    )
    by_address = interfaces * (network["Ipv4AddressesPerInterface"] - 1) + 2
    return min(by_address, 110 if cpus <= 30 else 250)


def _pods(group: Thing) -> int | None:
    """The most Pods as the user data says: a flag of the kubelet in AL2023's, a setting in Bottlerocket's."""
    if group.internal.get("pods"):
        return int(group.internal["pods"])
    user_data = group.internal["data"].get("UserData") or ""
    try:
        text = base64.b64decode(user_data, validate=True).decode()
    except ValueError:
        return None
    match = re.search(r"--max-pods=(\d+)|^max-pods\s*=\s*(\d+)", text, re.MULTILINE)
    return int(match[1] or match[2]) if match else None


def resources(info: Params, group: Thing) -> tuple[dict[str, str], dict[str, str]]:
    """Capacity, and allocatable after the reservations of nodeadm and the eviction thresholds."""
    cpus, pods = info["VCpuInfo"]["DefaultVCpus"], _pods(group) or max_pods(info)
    # What the kernel and the hypervisor keep: 1.5 % and 300 MiB come near to what nodes report.
    memory = int(info["MemoryInfo"]["SizeInMiB"] * 0.985) - 300
    disk = _disk_gib(info, group) * _MIB * _MIB
    capacity = {
        "cpu": str(cpus),
        "memory": f"{memory * _MIB}Ki",
        "pods": str(pods),
        "ephemeral-storage": f"{disk}Ki",
    }
    left = memory - (255 + 11 * pods) - 100
    if _efa_cards(group) and AMI_TYPES[group.description["amiType"]].name.startswith("AL2023"):
        # EFA's driver in EKS's AL2023 images for accelerators keeps 5128 pages of 2 MiB.
        capacity["hugepages-2Mi"] = f"{_HUGE_PAGES}Mi"
        left -= _HUGE_PAGES
    allocatable = {
        "cpu": f"{cpus * 1000 - reserved_cpu(cpus)}m",
        "memory": f"{left * _MIB}Ki",
        "pods": str(pods),
        "ephemeral-storage": str(int(disk * _MIB * 0.9) - _MIB**3),
        **{key: value for key, value in capacity.items() if key.startswith("hugepages-")},
    }
    return capacity, allocatable


def reserved_cpu(cpus: int) -> int:
    """Millicores: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the others."""
    steps = ((1, 60.0), (1, 10.0), (2, 5.0))
    reserved, left = 0.0, cpus
    for count, step in steps:
        taken = min(count, left)
        reserved += taken * step
        left -= taken
    return int(reserved + left * 2.5)


def devices(info: Params, group: Thing) -> tuple[dict[str, int], dict[str, int]]:
    """What a device plugin would find, and what the image itself advertises."""
    image = AMI_TYPES[group.description["amiType"]]
    has = vendors(info)
    counts: dict[str, int] = {}
    driven = "nvidia" in has and (image.device == "nvidia" or image.name == "CUSTOM")
    if driven:
        gpus = (info.get("GpuInfo") or {}).get("Gpus") or []
        counts["nvidia.com/gpu"] = sum(gpu["Count"] or gpu.get("LogicalGpuCount", 0) for gpu in gpus)
    if "neuron" in has and image.device in ("neuron", "") and not image.windows:
        chips = (info.get("NeuronInfo") or {}).get("NeuronDevices") or []
        count = sum(chip["Count"] for chip in chips)
        cores = sum(chip["Count"] * chip["CoreInfo"]["Count"] for chip in chips)
        if count and image.name in ("AL2023_x86_64_NEURON", "CUSTOM"):
            counts.update({"aws.amazon.com/neuron": count, "aws.amazon.com/neuroncore": cores})
    built_in: dict[str, int] = {}
    if driven and image.bottlerocket:
        built_in = _built_in(info, group, counts["nvidia.com/gpu"])
    efa = _efa_cards(group)
    if efa:
        counts["vpc.amazonaws.com/efa"] = efa
    return counts, built_in


def _efa_cards(group: Thing) -> int:
    cards = group.internal["data"].get("NetworkInterfaces", [])
    return sum(card.get("InterfaceType") in ("efa", "efa-only") for card in cards)


def _built_in(info: Params, group: Thing, gpus: int) -> dict[str, int]:
    try:
        return bottlerocket.advertised(group.internal["data"].get("UserData") or "", info, gpus)
    except bottlerocket.SettingsError:
        return {}  # its device plugin does not start


def _labels(eks: Any, group: Thing, info: Params, zone: str, name: str) -> dict[str, str]:
    kind = info["InstanceType"]
    image = AMI_TYPES[group.description["amiType"]]
    architecture = "arm64" if "arm64" in info["ProcessorInfo"]["SupportedArchitectures"] else "amd64"
    system = "windows" if image.windows else "linux"
    region = eks.instance.region
    labels = {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/instance-type": kind,
        "beta.kubernetes.io/os": system,
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "k8s.io/cloud-provider-aws": hashlib.md5(group.cluster.encode(), usedforsecurity=False).hexdigest(),
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": system,
        "node.kubernetes.io/instance-type": kind,
        "topology.k8s.aws/zone-id": references.zone_id(eks, zone),
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    }
    if group.kind == "nodegroup":
        labels["eks.amazonaws.com/capacityType"] = group.description["capacityType"]
        labels["eks.amazonaws.com/nodegroup"] = group.name
        labels["eks.amazonaws.com/nodegroup-image"] = scaling.image_of(group)
    if group.description.get("launchTemplate"):
        labels["eks.amazonaws.com/sourceLaunchTemplateId"] = group.description["launchTemplate"]["id"]
        labels["eks.amazonaws.com/sourceLaunchTemplateVersion"] = group.description["launchTemplate"][
            "version"
        ]
    return labels


def _topology(group: Thing, zone: str, instance_id: str) -> dict[str, str]:
    # Layers of the network tree: all machines of a zone share the first, a group's share the second.
    def node(text: str) -> str:
        return "nn-" + hashlib.sha256(text.encode()).hexdigest()[:17]

    third = int(hashlib.sha256(instance_id.encode()).hexdigest(), 16) % 2
    return {
        "topology.k8s.aws/network-node-layer-1": node(zone),
        "topology.k8s.aws/network-node-layer-2": node(f"{zone}/{group.internal['group']}"),
        "topology.k8s.aws/network-node-layer-3": node(f"{zone}/{group.internal['group']}/{third}"),
    }


def _disk_gib(info: Params, group: Thing) -> int:
    data = group.internal["data"]
    storage = info.get("InstanceStorageInfo") or {}
    if storage.get("TotalSizeInGB") and _raid0(data.get("UserData", "")):
        return int(storage["TotalSizeInGB"] * 1e9 / 2**30)
    mapped = [mapping.get("Ebs", {}).get("VolumeSize") for mapping in data.get("BlockDeviceMappings", [])]
    # Bottlerocket keeps its system on the first volume and Pods' data on the last.
    bottlerocket = AMI_TYPES[group.description["amiType"]].bottlerocket
    sizes = [int(size) for size in mapped if size]
    if sizes:
        return sizes[-1] if bottlerocket else sizes[0]
    return int(group.description.get("diskSize") or 20)


def _raid0(user_data: str) -> bool:
    try:
        return b"RAID0" in base64.b64decode(user_data).upper()
    except ValueError:
        return False


def _first_zone(eks: Any, group: Thing) -> str:
    from twin.aws.services.autoscaling.capacity import offered

    zones = [subnet.availability_zone for subnet in references.subnets(eks, group.description["subnets"])]
    return next((zone for zone in zones if offered(group.internal["types"][0], zone)), zones[0])


def _domain(eks: Any) -> str:
    region = eks.instance.region
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
