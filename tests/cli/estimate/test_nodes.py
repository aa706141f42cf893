"""Nodes: idle by minimum and by Pods of the platform, expected by hours, at maximum by size."""

from __future__ import annotations

import pytest

from cli.estimate.resources import UNKNOWN
from cli.estimate.usage import Usage
from tests.cli.estimate.samples import deployment, eks_group, make, resource

TAINT = [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}]
TOLERATION = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
NODE = 730 * 0.1008 + 100 * 0.08
"""An m7i.large with 100 GiB for a month."""


def test_pool_without_pods_of_the_platform_costs_nothing_while_idle() -> None:
    total = make(*eks_group("general"), use=Usage("dev", {"general": 0})).total
    assert (total.idle, total.expected) == (0, 0)
    assert total.maximum == pytest.approx(4 * NODE)


def test_first_pool_has_the_nodes_that_pods_of_the_platform_need() -> None:
    pods = deployment("500m", "3Gi", replicas=3)
    assert make(*eks_group("general"), pods).total.idle == pytest.approx(2 * NODE), "9 GiB on nodes of 8"


def test_pods_on_system_nodes_need_no_node_of_a_pool() -> None:
    pods = deployment("500m", "3Gi", tolerations=TOLERATION)
    system_nodes = eks_group("system", taints=TAINT, scalingConfig={"minSize": 2, "maxSize": 3})
    assert make(*system_nodes, *eks_group("general"), pods).total.idle == pytest.approx(2 * NODE)


def test_pods_use_the_minimum_of_a_pool_first() -> None:
    general = eks_group("general", scalingConfig={"minSize": 1, "maxSize": 4})
    assert make(*general, deployment("500m", "3Gi")).total.idle == pytest.approx(NODE)


def test_hours_of_a_file_replace_those_of_the_profile() -> None:
    estimate = make(*eks_group("general"), use=Usage("dev", {"general": 100}))
    assert estimate.total.expected == pytest.approx(100 / 730 * 4 * NODE)


def test_expected_use_is_on_spot_where_a_pool_has_some() -> None:
    labels = {"ai-platform/pool": "general"}
    spot = eks_group("general-spot", capacityType="SPOT", labels=labels)
    demand = eks_group("general-on-demand", labels=labels)
    lines = {(line.resource.split()[1], line.item): line for line in make(*spot, *demand).lines}
    assert lines["general-spot", "m7i.large, spot"].cost.expected == pytest.approx(4 * 60 * 0.1008 * 0.5)
    assert lines["general-on-demand", "m7i.large, on demand"].cost.expected == 0
    assert lines["general-on-demand", "m7i.large, on demand"].cost.maximum == pytest.approx(4 * 730 * 0.1008)


def test_sizes_that_are_unknown_until_up_are_unpriced() -> None:
    estimate = make(*eks_group("general", scalingConfig=UNKNOWN))
    assert [entry.reason for entry in estimate.unpriced] == [
        "its instance types or sizes are known only at `up`"
    ]


def test_capacity_block_is_unpriced() -> None:
    estimate = make(*eks_group("training", capacityType="CAPACITY_BLOCK"))
    assert "Capacity Blocks" in estimate.unpriced[0].reason
    assert estimate.lines == []


def test_node_pool_of_gke_counts_zones_attached_accelerators_and_local_disks() -> None:
    pool = resource(
        "gcp:container/nodePool:NodePool",
        autoscaling={"minNodeCount": 0, "maxNodeCount": 2},
        nodeLocations=["a", "b"],
        nodeConfig={
            "machineType": "n1-standard-4",
            "diskType": "pd-balanced",
            "diskSizeGb": 100,
            "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}],
            "ephemeralStorageLocalSsdConfig": {"localSsdCount": 1},
            "labels": {"ai-platform/pool": "t4", "ai-platform/accelerator": "t4"},
        },
    )
    expected = 4 * (730 * (0.189999 + 0.35) + 100 * 0.10 + 375 * 0.08)
    assert make(pool, cloud="gcp").total.maximum == pytest.approx(expected)


def test_accelerators_that_a_machine_has_built_in_are_not_added() -> None:
    pool = resource(
        "gcp:container/nodePool:NodePool",
        autoscaling={"totalMinNodeCount": 0, "totalMaxNodeCount": 1},
        nodeConfig={
            "machineType": "g2-standard-4",
            "diskSizeGb": 100,
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
        },
    )
    assert make(pool, cloud="gcp").total.maximum == pytest.approx(730 * 0.706832 + 10, rel=1e-4)


def test_pool_is_shared_among_the_teams_of_its_queues() -> None:
    kueue = "kubernetes:kueue.x-k8s.io/v1beta2:"
    flavor = resource(
        f"{kueue}ResourceFlavor",
        metadata={"name": "general"},
        spec={"nodeLabels": {"ai-platform/pool": "general"}},
    )
    queues = [
        resource(
            f"{kueue}ClusterQueue",
            name,
            metadata={"name": name},
            spec={
                "resourceGroups": [
                    {"flavors": [{"name": "general", "resources": [{"name": "cpu", "nominalQuota": quota}]}]}
                ]
            },
        )
        for name, quota in (("search", "6"), ("spare", "2"))
    ]
    namespace = resource(
        "kubernetes:core/v1:Namespace", metadata={"name": "search", "labels": {"ai-platform/team": "search"}}
    )
    local = resource(f"{kueue}LocalQueue", metadata={"namespace": "search"}, spec={"clusterQueue": "search"})
    pods = deployment("500m", "3Gi")
    estimate = make(*eks_group("general"), flavor, *queues, namespace, local, pods)
    teams = estimate.by_team()
    assert teams["platform"].maximum == pytest.approx(NODE), "the node of the platform's Pods"
    assert teams["search"].maximum == pytest.approx(3 * NODE * 0.75)
    assert teams["queue spare"].maximum == pytest.approx(3 * NODE * 0.25)
    assert teams["search"].idle == 0
