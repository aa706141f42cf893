"""An EC2NodeClass against the launch template and the node group that the same entry of `capacity` has with
the Cluster Autoscaler."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.karpenter import example
from tests.components.aiplatform.karpenter.example import recorded, specs
from tests.components.aiplatform.pools import NETWORK
from tests.components.recording import Recording, record


def node_groups(pool: Mapping[str, Any]) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "cluster": example.CLUSTER_WITH_KEY,
        "network": NETWORK,
        **pool,
    }
    return record(lambda: GpuPool(pool["name"], arguments))


CASES = [(pool, entry) for pool in example.POOLS for entry in specs(recorded(pool), "EC2NodeClass")]
IDS = [entry for _, entry in CASES]


@pytest.fixture(params=CASES, ids=IDS)
def pair(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The EC2NodeClass, the NodePool, and the launch template and node group of the same entry."""
    pool, entry = request.param
    by_karpenter, by_autoscaler = recorded(pool), node_groups(pool)
    template = by_autoscaler.one("aws:ec2/launchTemplate:LaunchTemplate", entry).inputs
    group = by_autoscaler.one("aws:eks/nodeGroup:NodeGroup", entry).inputs
    node_class = {
        **specs(by_karpenter, "EC2NodeClass")[entry],
        "pool": specs(by_karpenter, "NodePool")[entry],
    }
    return node_class, template, group


Pair = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def test_volumes_are_the_same(pair: Pair) -> None:
    node_class, template, _ = pair
    for ours, theirs in zip(node_class["blockDeviceMappings"], template["blockDeviceMappings"], strict=True):
        assert ours["deviceName"] == theirs["deviceName"]
        ebs, other = ours["ebs"], theirs["ebs"]
        assert ebs["volumeType"] == other["volumeType"]
        assert ebs["kmsKeyID"] == other["kmsKeyId"] == example.KEY
        assert str(ebs["encrypted"]).lower() == other["encrypted"] == "true"
        assert str(ebs["deleteOnTermination"]).lower() == other["deleteOnTermination"] == "true"
        # A launch template leaves the system volume of Bottlerocket as the image has it; Karpenter needs one.
        expected = f"{int(other['volumeSize'])}Gi" if "volumeSize" in other else "4Gi"
        assert ebs["volumeSize"] == expected


def test_network_interfaces_and_security_groups_are_the_same(pair: Pair) -> None:
    node_class, template, _ = pair
    listed = template.get("networkInterfaces")
    groups = {term["id"] for term in node_class["securityGroupSelectorTerms"]}
    assert node_class["associatePublicIPAddress"] is False
    if listed is None:
        assert "networkInterfaces" not in node_class
        assert groups == {example.CLUSTER_WITH_KEY["security_group_id"]}
        return
    assert node_class["networkInterfaces"] == [
        {key: entry[key] for key in ("networkCardIndex", "deviceIndex", "interfaceType")} for entry in listed
    ]
    # Karpenter puts all groups on all interfaces. That of EFA allows traffic between the pool's nodes only.
    assert len(groups) == len({group for entry in listed for group in entry["securityGroups"]}) == 2


def test_metadata_is_reached_in_the_same_way(pair: Pair) -> None:
    node_class, template, _ = pair
    options = {
        key: value for key, value in node_class["metadataOptions"].items() if key != "httpProtocolIPv6"
    }
    assert options == template["metadataOptions"]


def test_tags_are_the_same(pair: Pair) -> None:
    node_class, template, _ = pair
    assert {kind["resourceType"]: kind["tags"] for kind in template["tagSpecifications"]} == dict.fromkeys(
        ("instance", "volume", "network-interface"), node_class["tags"]
    )


def test_placement_and_reservation_are_the_same(pair: Pair) -> None:
    node_class, template, _ = pair
    assert ("placementGroupSelector" in node_class) == ("placement" in template)
    target = template.get("capacityReservationSpecification", {}).get("capacityReservationTarget")
    terms = node_class.get("capacityReservationSelectorTerms")
    expected = [{"id": target["capacityReservationId"]}] if target else None
    assert terms == expected


def test_what_user_data_configures_is_the_same(pair: Pair) -> None:
    node_class, template, group = pair
    text = base64.b64decode(template.get("userData") or "").decode()
    raid0, pods = _configured(text, bottlerocket=group["amiType"].startswith("BOTTLEROCKET"))
    assert (node_class.get("instanceStorePolicy") == "RAID0") == raid0
    assert node_class.get("kubelet", {}).get("maxPods") == pods


def test_image_types_zones_labels_and_taints_are_the_same(pair: Pair) -> None:
    node_class, template, group = pair
    family = node_class["amiSelectorTerms"][0]["alias"].partition("@")[0]
    assert group["amiType"].lower().startswith(family)
    template_of_nodes = node_class["pool"]["template"]
    required = {entry["key"]: entry["values"] for entry in template_of_nodes["spec"]["requirements"]}
    types = group.get("instanceTypes") or [template["instanceType"]]
    assert required["node.kubernetes.io/instance-type"] == types
    subnets = [term["id"] for term in node_class["subnetSelectorTerms"]]
    assert subnets == group["subnetIds"]
    assert [f"subnet-{zone}" for zone in required["topology.k8s.aws/zone-id"]] == subnets
    assert template_of_nodes["metadata"]["labels"] == group["labels"]
    effects = {"NoSchedule": "NO_SCHEDULE"}
    assert [
        {**taint, "effect": effects[taint["effect"]]} for taint in template_of_nodes["spec"]["taints"]
    ] == group["taints"]


def test_the_cases_include_every_kind_of_node() -> None:
    classes = [spec for pool in example.POOLS for spec in specs(recorded(pool), "EC2NodeClass").values()]
    keys = {key for spec in classes for key in spec}
    assert {
        "networkInterfaces",
        "placementGroupSelector",
        "capacityReservationSelectorTerms",
        "instanceStorePolicy",
        "kubelet",
    } <= keys


def _configured(text: str, *, bottlerocket: bool) -> tuple[bool, int | None]:
    """Return whether user data makes the instance store an array, and its maximum of Pods."""
    if bottlerocket:
        pods = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("max-pods")]
        return "ephemeral-storage" in text, int(pods[0]) if pods else None
    if not text:
        return False, None
    config = json.loads(text[text.index("{") : text.rindex("}") + 1])["spec"]
    flags = config.get("kubelet", {}).get("flags", [])
    raid0 = config.get("instance", {}).get("localStorage", {}).get("strategy") == "RAID0"
    return raid0, int(flags[0].partition("=")[2]) if flags else None
