"""GPU pools with `node_provisioning: karpenter` in an environment's file, and the topic `karpenter`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from stacks import arguments
from stacks.images import addons_of
from stacks.loading import load_file
from stacks.validation import placeholders
from tests.stacks.environments import build, built
from tests.stacks.test_google_files import changed, problems

PROVISIONING = "gpu_pools/t4/node_provisioning"
KARPENTER = {PROVISIONING: "karpenter"}
NODE_POOL = "kubernetes:karpenter.sh/v1:NodePool"
CHART = "kubernetes:helm.sh/v4:Chart"
PINNED = {"karpenter/image_versions": {"al2023": "v20261110"}}
ABOVE: Final = ("data", "ml", "teams")
"""Layers without nodes."""
PROD: dict[str, Any] = {"gpu_pools/training/node_provisioning": "karpenter"}


def test_no_environment_uses_karpenter_unless_a_pool_states_it() -> None:
    for stack in ("aws-dev", "aws-staging", "aws-prod"):
        assert built(stack).recording.all(NODE_POOL) == []
        assert "karpenter" not in addons_of(built(stack).settings)


def test_a_pool_that_states_karpenter_brings_controller_and_node_pools(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, KARPENTER, "aws-dev"))
    recording = build(settings, ABOVE).recording
    pools = recording.all(NODE_POOL)
    assert [pool.name for pool in pools] == [
        "karpenter-t4-on-demand-nodes",
        "karpenter-t4-spot-nodes",
    ]
    assert {chart.name for chart in recording.all(CHART)} >= {"addons-karpenter", "addons-karpenter-crd"}
    assert "karpenter" in addons_of(settings), "its image is listed, and mirrored"
    groups = {group.name for group in recording.all("aws:eks/nodeGroup:NodeGroup")}
    assert not any(name.startswith("t4") for name in groups)
    assert any(name.startswith("general") for name in groups), "other pools keep the Cluster Autoscaler"
    cluster = recording.one("aws:eks/cluster:Cluster")
    for pool in pools:
        assert recording.depends(pool, cluster)
        assert pool.inputs["spec"]["disruption"]["consolidateAfter"] == "5m", "as the profile states"
    shared = recording.one("aws:iam/role:Role", "cluster-node").state["arn"]
    policy = recording.one("aws:iam/rolePolicy:RolePolicy", "addons-karpenter-policy")
    assert shared in policy.inputs["policy"], "the controller may pass the role that all nodes share"
    entries = recording.all("aws:eks/accessEntry:AccessEntry")
    assert not any(entry.name.startswith("karpenter") for entry in entries), "EKS has that of system nodes"


def test_a_moving_pool_has_node_groups_and_node_pools(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {PROVISIONING: "moving_to_karpenter"}, "aws-dev"))
    recording = build(settings, ABOVE).recording
    assert len(recording.all(NODE_POOL)) == 2
    assert {"t4-spot", "t4-on-demand"} <= {
        group.name for group in recording.all("aws:eks/nodeGroup:NodeGroup")
    }


def test_images_of_prod_have_a_release(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, PROD, "aws-prod")
    assert ": karpenter.image_versions.al2023: got 'latest'; expected a release in prod" in problem
    (problem,) = problems(tmp_path, {**PROD, "karpenter/image_versions": {"al2023": "latest"}}, "aws-prod")
    assert "expected a release in prod" in problem
    bottlerocket = {
        "gpu_pools/serving/node_provisioning": "karpenter",
        "gpu_pools/serving/image": "bottlerocket",
    }
    (problem,) = problems(tmp_path, {**bottlerocket, **PINNED}, "aws-prod")
    assert ": karpenter.image_versions.bottlerocket: " in problem
    settings = load_file(changed(tmp_path, {**PROD, **PINNED}, "aws-prod"))
    args = arguments.karpenter(settings, {}, placeholders.karpenter_pools(settings))
    assert args.get("disruption_budgets") == [
        {"nodes": "0", "reasons": ["drifted"]},
        {"nodes": "20%", "reasons": ["empty", "underutilized"]},
    ], "a new release replaces nodes once they are empty"


def test_jobs_with_a_topology_have_a_fixed_pool_next_to_one_of_karpenter(tmp_path: Path) -> None:
    fixed = {"accelerator": "h100", "count": 8, "capacity": ["on_demand"], "min": 2, "max": 2}
    quotas = [{"pool": "training", "accelerators": 32}, {"pool": "training-fixed", "accelerators": 16}]
    change: dict[str, Any] = {
        **PROD,
        **PINNED,
        "gpu_pools/training-fixed": fixed,
        "queues": {
            "topologies": {"training-fixed": "network"},
            "queues": [{"name": "training", "quotas": quotas}],
        },
    }
    assert load_file(changed(tmp_path, change, "aws-prod")).karpenter_pools == ["training"]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "gcp-dev",
        KARPENTER,
        "gpu_pools.t4.node_provisioning: got 'karpenter', which Google Cloud does not support: GKE scales",
    ),
    (
        "gcp-dev",
        {"karpenter": {"consolidate_after_minutes": 5}},
        "karpenter: Google Cloud does not support this component: GKE creates nodes itself",
    ),
    (
        "aws-dev",
        {**KARPENTER, "addons/options": {"karpenter": {"enabled": False}}},
        "addons.options.karpenter.enabled: got false, and gpu_pools.t4.node_provisioning needs it",
    ),
    ("aws-dev", {**KARPENTER, "gpu_pools/t4/min": 1}, "gpu_pools.t4.min: got 1; expected 0: Karpenter"),
    (
        "aws-dev",
        {**KARPENTER, "karpenter/image_versions": {"al2023": "1"}},
        "karpenter.image_versions.al2023: got '1'; expected `latest`, or the release of an image",
    ),
    (
        "aws-prod",
        {**PROD, **PINNED, "queues/topologies": {"training": "network"}},
        "queues.topologies.training: got 'network', but the pool may be empty: with a topology Kueue counts",
    ),
    ("aws-dev", {PROVISIONING: "karpentr"}, "did you mean 'karpenter'?"),
    ("aws-dev", {"karpenter/pools": []}, "karpenter.pools: unknown key"),
]


@pytest.mark.parametrize(("stack", "change", "expected"), REFUSED, ids=[case[2][:50] for case in REFUSED])
def test_a_wrong_key_is_refused_with_its_path(
    tmp_path: Path, stack: str, change: dict[str, Any], expected: str
) -> None:
    (problem,) = problems(tmp_path, change, stack)
    assert expected in problem


def test_a_network_without_internet_asks_neither_iam_nor_the_price_list(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, KARPENTER, "aws-dev"))
    isolated = settings.network.model_copy(update={"nat": "none"})
    cluster = placeholders.of(settings).cluster

    def values(network: Any) -> Any:
        args = arguments.addons(settings.model_copy(update={"network": network}), cluster)
        return args.get("options", {})["karpenter"].get("values")

    assert values(settings.network) is None
    assert values(isolated) == {"settings": {"isolatedVPC": True}}
