"""Karpenter's nodes: their order, limits, role and end."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.karpenter import Karpenter
from tests.components.aiplatform.karpenter import example
from tests.components.aiplatform.karpenter.example import H100, T4, recorded, specs
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

POOL: dict[str, Any] = {
    "name": "train-spot",
    "weight": 100,
    "capacity": "spot",
    "instance_types": ["g4dn.xlarge"],
    "zones": ["euc1-az1"],
    "subnet_ids": ["subnet-1"],
    "security_group_ids": ["sg-1"],
}


def karpenter(**more: Any) -> Recording:
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "pools": [POOL], **more}
    return record(lambda: Karpenter("karpenter", arguments))


def refused(**more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        karpenter(**more)
    return [str(problem) for problem in error.value.problems]


def requirements(pool: dict[str, Any]) -> dict[str, list[str]]:
    entries = pool["template"]["spec"]["requirements"]
    assert {entry["operator"] for entry in entries} == {"In"}
    return {entry["key"]: entry["values"] for entry in entries}


def test_the_logical_names_are_a_contract() -> None:
    assert karpenter().names() == [
        "aiplatform:index:Karpenter karpenter",
        "aws:eks/accessEntry:AccessEntry karpenter-node",
        "aws:iam/instanceProfile:InstanceProfile karpenter-node",
        "aws:iam/role:Role karpenter-node",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment karpenter-node-AmazonEC2ContainerRegistryPullOnly",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment karpenter-node-AmazonEKSWorkerNodePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment karpenter-node-AmazonEKS_CNI_Policy",
        "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass karpenter-train-spot-class",
        "kubernetes:karpenter.sh/v1:NodePool karpenter-train-spot-nodes",
    ]


def test_it_is_documented() -> None:
    assert undocumented(Karpenter) == []


def test_each_entry_of_capacity_is_a_node_pool_in_the_stated_order() -> None:
    pools = specs(recorded(H100), "NodePool")
    by_weight = sorted(pools, key=lambda name: -pools[name]["weight"])
    assert by_weight == ["train-reserved-543210", "train-reserved-bcdef0", "train-on-demand"]
    assert [pools[name]["weight"] for name in by_weight] == [100, 99, 98]
    assert [requirements(pools[name])["karpenter.sh/capacity-type"] for name in by_weight] == [
        ["reserved"],
        ["reserved"],
        ["on-demand"],
    ]
    reservations = [
        requirements(pools[name]).get("karpenter.k8s.aws/capacity-reservation-id") for name in by_weight
    ]
    assert reservations == [[example.BLOCK], [example.RESERVATION], None], "each has its own reservation"


def test_only_nodes_of_a_reservation_select_it() -> None:
    classes = specs(recorded(H100), "EC2NodeClass")
    assert classes["train-reserved-bcdef0"]["capacityReservationSelectorTerms"] == [
        {"id": example.RESERVATION}
    ]
    assert "capacityReservationSelectorTerms" not in classes["train-on-demand"]


def test_accelerators_are_limited_to_those_of_the_pools_maximum() -> None:
    for pool in specs(recorded(H100), "NodePool").values():
        assert pool["limits"] == {"nvidia.com/gpu": "16"}, "each entry may reach the maximum, as node groups"


def test_nodes_of_an_accelerator_are_not_moved_to_save_costs_and_never_expire() -> None:
    for pool in specs(recorded(H100), "NodePool").values():
        assert pool["disruption"]["consolidationPolicy"] == "WhenEmpty"
        assert pool["template"]["spec"]["expireAfter"] == "Never", "Karpenter's default is 30 days"
        assert "terminationGracePeriod" not in pool["template"]["spec"]


def test_a_node_in_use_is_not_replaced_for_another_image_or_configuration() -> None:
    for pool in specs(recorded(H100), "NodePool").values():
        assert pool["disruption"]["budgets"] == [
            {"nodes": "0", "reasons": ["Drifted"]},
            {"nodes": "10%", "reasons": ["Empty", "Underutilized"]},
        ], "an upgrade of Kubernetes, or the end of a reservation, would evict training"


def test_disruption_is_as_stated() -> None:
    (pool,) = specs(
        karpenter(
            consolidation="when_empty_or_underutilized",
            consolidate_after_minutes=0,
            expire_after_hours=336,
            termination_grace_hours=24,
            disruption_budgets=[
                {"nodes": "0", "reasons": ["drifted"], "schedule": "0 6 * * mon-fri", "hours": 12},
                {"nodes": "1"},
            ],
        ),
        "NodePool",
    ).values()
    assert pool["disruption"] == {
        "consolidationPolicy": "WhenEmptyOrUnderutilized",
        "consolidateAfter": "0m",
        "budgets": [
            {"nodes": "0", "reasons": ["Drifted"], "schedule": "0 6 * * mon-fri", "duration": "12h"},
            {"nodes": "1"},
        ],
    }
    spec = pool["template"]["spec"]
    assert (spec["expireAfter"], spec["terminationGracePeriod"]) == ("336h", "24h")


def test_nodes_have_the_stated_release_of_their_image() -> None:
    versions = {"al2023": "v20261110", "bottlerocket": "v1.52.0"}
    aliases = {
        name: spec["amiSelectorTerms"][0]["alias"]
        for name, spec in specs(recorded(image_versions=versions), "EC2NodeClass").items()
    }
    assert aliases["t4-spot"] == "al2023@v20261110"
    assert aliases["serve-on-demand"] == "bottlerocket@v1.52.0"


def test_nodes_start_after_their_role_can_join_the_cluster() -> None:
    recording = karpenter()
    node_class = recording.one("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass")
    pool = recording.one("kubernetes:karpenter.sh/v1:NodePool")
    entry = recording.one("aws:eks/accessEntry:AccessEntry")
    assert entry.inputs["type"] == "EC2_LINUX"
    profile = recording.one("aws:iam/instanceProfile:InstanceProfile")
    for before in (entry, profile, *recording.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")):
        assert recording.depends(node_class, before), before.name
    assert recording.depends(pool, node_class), "a NodePool is deleted, with its nodes, before its class"
    assert pool.timeouts["delete"], "the Pods on its nodes end first"
    assert node_class.inputs["spec"]["instanceProfile"] == profile.inputs["name"]


def test_objects_are_deleted_while_karpenter_runs() -> None:
    def program() -> Any:
        controller = pulumi.ComponentResource("tests:index:Controller", "controller")
        deployment = pulumi.CustomResource(
            "tests:index:Deployment", "deployment", {}, pulumi.ResourceOptions(parent=controller)
        )
        arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "pools": [POOL]}
        return Karpenter("karpenter", arguments, pulumi.ResourceOptions(depends_on=[deployment]))

    recording = record(program)
    controller = recording.one("tests:index:Deployment")
    for kind in ("karpenter.k8s.aws/v1:EC2NodeClass", "karpenter.sh/v1:NodePool"):
        assert recording.depends(recording.one(f"kubernetes:{kind}"), controller), (
            "it removes their finalizers once no node is left"
        )


def test_a_shared_node_role_has_an_access_entry_of_node_groups_already() -> None:
    shared = {**CLUSTER, "node_role_arn": "arn:aws:iam::111122223333:role/nodes/shared"}
    recording = karpenter(cluster=shared)
    assert recording.all("aws:eks/accessEntry:AccessEntry") == [], "EKS created it with the system nodes"
    assert recording.all("aws:iam/role:Role") == []
    assert recording.one("aws:iam/instanceProfile:InstanceProfile").inputs["role"] == "shared"
    (entry,) = karpenter(cluster=shared, access_entry=True).all("aws:eks/accessEntry:AccessEntry")
    assert entry.inputs["principalArn"] == shared["node_role_arn"]


def test_the_role_of_the_nodes_is_the_one_that_the_controller_may_pass() -> None:
    role = karpenter().one("aws:iam/role:Role")
    assert role.inputs["name"] == "acme-dev-karpenter-nodes"
    trusted = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"]
    assert trusted == {"Service": "ec2.amazonaws.com"}


def test_the_cni_without_a_role_of_its_own_uses_that_of_the_nodes() -> None:
    attached = "AmazonEKS_CNI_Policy"
    assert any(attached in name for name in karpenter().names())
    assert not any(attached in name for name in karpenter(cluster={**CLUSTER, "cni_role": True}).names())


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"pools": []}, "KarpenterArgs.pools: got [], of length 0; expected 1 to 200 pools"),
    ({"pools": [POOL, POOL]}, "KarpenterArgs.pools[1].name: got 'train-spot', which is also the name of"),
    (
        {"pools": [{**POOL, "zones": ["euc1-az1", "euc1-az2"], "efa_interfaces": 4}]},
        "KarpenterArgs.pools[0].zones: got ['euc1-az1', 'euc1-az2']; expected one zone: EFA does not span",
    ),
    (
        {"pools": [{**POOL, "zones": ["euc1-az1", "euc1-az2"], "placement_group": "close"}]},
        "expected one zone: a placement group does not span zones",
    ),
    (
        {"pools": [{**POOL, "capacity": "reserved"}]},
        "KarpenterArgs.pools[0].reservation_id: got None with capacity 'reserved'; expected a capacity reser",
    ),
    (
        {"pools": [{**POOL, "reservation_id": example.RESERVATION}]},
        "with capacity 'spot'; expected none",
    ),
    ({"pools": [{**POOL, "weight": 0}]}, "KarpenterArgs.pools[0].weight: got 0; expected 1 to 100"),
    ({"image_versions": {"al2023": "2026"}}, "KarpenterArgs.image_versions.al2023: got '2026'; expected `la"),
    ({"disruption_budgets": [{"nodes": "110%"}]}, "KarpenterArgs.disruption_budgets[0].nodes: got '110%'"),
    (
        {"disruption_budgets": [{"nodes": "1", "schedule": "@daily"}]},
        "KarpenterArgs.disruption_budgets[0].hours: missing; expected a value",
    ),
    (
        {"disruption_budgets": [{"nodes": "1", "schedule": "daily", "hours": 1}]},
        "KarpenterArgs.disruption_budgets[0].schedule: got 'daily'; expected five fields of cron",
    ),
    ({"expire_after_hours": 24}, "KarpenterArgs.termination_grace_hours: missing; expected hours"),
    ({"consolidation": "always"}, "KarpenterArgs.consolidation: got 'always'"),
]


@pytest.mark.parametrize(("more", "expected"), REFUSED, ids=[case[1][-40:] for case in REFUSED])
def test_a_wrong_argument_is_refused_with_the_expected_value(more: dict[str, Any], expected: str) -> None:
    problems = refused(**more)
    assert any(expected in problem for problem in problems), problems


def test_google_cloud_is_refused() -> None:
    (problem,) = refused(cluster=GOOGLE_CLUSTER)
    assert "GKE creates nodes itself" in problem


def test_labels_and_taints_are_those_that_queues_select() -> None:
    for name, pool in specs(recorded(T4), "NodePool").items():
        template = pool["template"]
        assert template["metadata"]["labels"]["ai-platform/pool"] == "t4"
        assert template["metadata"]["labels"]["ai-platform/capacity"] == name.removeprefix("t4-").replace(
            "-", "_"
        )
        assert template["spec"]["taints"] == [
            {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"},
            {"key": "batch", "value": "yes", "effect": "NoSchedule"},
        ]
