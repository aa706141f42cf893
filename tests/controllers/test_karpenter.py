"""Karpenter itself on the twin: which nodes it creates, replaces and deletes.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.controllers.karpenter import (
    GPU,
    ON_DEMAND,
    RESERVED,
    SPOT,
    KarpenterCluster,
    node_class,
    node_pool,
    pod,
)
from twin.tests.waiting import eventually

CHEAPEST = "g6.xlarge"
SECONDS = 90


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[KarpenterCluster]:
    """A pool of at most two nodes with one L4 each: spot first, on demand second."""
    created = KarpenterCluster(home, "karpenter")
    try:
        created.deploy()
        created.deploy_pools()
        yield created
    finally:
        created.plain.remove()


@pytest.fixture(autouse=True)
def clean(cluster: KarpenterCluster) -> Iterator[None]:
    """No injected failure is in effect after a test."""
    yield
    cluster.plain.cli("twin", "fault", "clear", "--name", cluster.plain.environment)


def settled(cluster: KarpenterCluster, app: str, but: str = "") -> str | None:
    """Return the instance on which a Deployment's Pod runs, where it is the only one; None before.

    but: an instance that does not count. A node's name says nothing: the next one may have its address.
    """
    nodes, instances, pods = cluster.nodes(), cluster.instances(), cluster.running(app)
    if not len(nodes) == len(instances) == len(pods) == 1:
        return None
    name, instance = nodes[0].metadata.name, instances[0]["InstanceId"]
    here = pods[0].spec.node_name == name and nodes[0].spec.provider_id.endswith(instance)
    return instance if here and instance != but else None


def runs(cluster: KarpenterCluster, name: str) -> Any:
    """Return the node of a Pod that runs; None before."""
    item = cluster.pod(name)
    if item is None or item.status.phase != "Running":
        return None
    return cluster.core.read_node(item.spec.node_name)


def remove(cluster: KarpenterCluster, *names: str) -> None:
    """Delete Pods, and the nodes on which they ran."""
    cluster.delete(*(pod(name) for name in names))
    for claim in cluster.claims():
        cluster.delete({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", **claim})
    eventually("no instance", lambda: not cluster.instances() and not cluster.nodes(), SECONDS)


def conditions(item: dict[str, Any]) -> dict[str, str]:
    """Return the status of each condition of an object."""
    return {entry["type"]: entry["status"] for entry in item.get("status", {}).get("conditions") or ()}


def test_node_class_is_accepted_with_dry_runs_of_each_call(cluster: KarpenterCluster) -> None:
    item = node_class(SPOT)
    eventually("readiness", lambda: conditions(cluster.get(item)).get("Ready") == "True", SECONDS)
    states = conditions(cluster.get(item))
    assert states["ValidationSucceeded"] == "True", "the role has all rights that a launch needs"


def test_pending_pod_gets_the_cheapest_node_of_the_first_pool(cluster: KarpenterCluster) -> None:
    cluster.create(pod("first"))
    node = eventually("a node", lambda: runs(cluster, "first"), SECONDS)
    labels = node.metadata.labels
    assert labels["karpenter.sh/nodepool"] == SPOT, "it has the greatest weight"
    assert labels["karpenter.sh/capacity-type"] == "spot"
    assert labels["node.kubernetes.io/instance-type"] == CHEAPEST, "four others have an L4, too"
    assert labels["ai-platform/pool"] == "l4", "by which the flavors of queues select"
    assert node.status.allocatable[GPU] == "1"
    (instance,) = cluster.instances()
    assert instance["InstanceLifecycle"] == "spot"
    assert node.spec.provider_id.endswith(instance["InstanceId"])
    (claim,) = cluster.claims()
    eventually("initialization", lambda: conditions(cluster.claims()[0]).get("Initialized") == "True")
    assert "Drifted" not in conditions(claim), "the security groups are those of its class"


def test_announced_interruption_moves_the_work_to_another_node(cluster: KarpenterCluster) -> None:
    remove(cluster, "first")
    cluster.create(deployment("works"))
    before = eventually("its Pod", lambda: settled(cluster, "works"), SECONDS)
    cluster.plain.cli("twin", "fault", "interrupt", before, "--name", cluster.plain.environment)
    eventually("another node", lambda: settled(cluster, "works", but=before), SECONDS)
    reasons = {event.reason for event in cluster.core.list_event_for_all_namespaces().items}
    assert "SpotInterrupted" in reasons, "it is the message that ended it, not the instance's end"
    waiting = lambda: cluster.queue_attributes()["ApproximateNumberOfMessages"]  # noqa: E731
    eventually("an empty queue: what was handled is deleted", lambda: waiting() == "0")


def test_node_with_failed_accelerator_is_replaced(cluster: KarpenterCluster) -> None:
    before = eventually("its Pod", lambda: settled(cluster, "works"), SECONDS)
    (node,) = cluster.nodes()
    eventually("initialization", lambda: conditions(cluster.claims()[0]).get("Initialized") == "True")
    since = datetime.now(UTC) - timedelta(minutes=11)
    failure = {
        "type": "AcceleratedHardwareReady",
        "status": "False",
        "reason": "NvidiaXID79Error",
        "message": "GPU has fallen off the bus",
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    # As eks-node-monitoring-agent reports it, and longer ago than Karpenter tolerates (10 minutes).
    cluster.core.patch_node_status(node.metadata.name, {"status": {"conditions": [failure]}})
    eventually("another node", lambda: settled(cluster, "works", but=before), SECONDS)


def test_empty_node_is_consolidated_away(cluster: KarpenterCluster) -> None:
    cluster.delete(deployment("works"))
    eventually("an empty node", lambda: not cluster.running("works"))
    assert cluster.nodes(), "the pool keeps empty nodes"
    change = {"spec": {"disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "1s"}}}
    cluster.patch(node_pool(SPOT), change)
    eventually("no node", lambda: not cluster.nodes() and not cluster.instances(), SECONDS)


def test_shortage_moves_on_to_the_next_pool_and_a_limit_holds(cluster: KarpenterCluster) -> None:
    cluster.plain.cli("twin", "fault", "capacity", "--name", cluster.plain.environment, "--market", "spot")
    names = [f"short-{number}" for number in range(4)]
    cluster.create(*(pod(name) for name in names))

    def running() -> list[str]:
        return [name for name in names if runs(cluster, name) is not None]

    eventually("two nodes on demand", lambda: len(running()) == 2, SECONDS)
    pools = {node.metadata.labels["karpenter.sh/nodepool"] for node in cluster.nodes()}
    assert pools == {ON_DEMAND}
    (waiting, *others) = [name for name in names if name not in running()]
    assert len(others) == 1, "the limit of the NodePool is two GPUs"

    def reasons() -> str:
        events = cluster.core.list_namespaced_event("default").items
        return " ".join(event.message or "" for event in events if event.involved_object.name == waiting)

    eventually("a reason", lambda: "exceed limits for nodepool" in reasons() or None, SECONDS)
    assert len(cluster.claims()) == 2
    remove(cluster, *names)


def test_reservation_is_used_first_and_then_capacity_on_demand(cluster: KarpenterCluster) -> None:
    ec2 = cluster.plain.aws("ec2")
    created = ec2.create_capacity_reservation(
        InstanceType=CHEAPEST,
        InstancePlatform="Linux/UNIX",
        AvailabilityZone=cluster.base.zone_names[0],
        InstanceCount=1,
        InstanceMatchCriteria="targeted",
        EndDateType="unlimited",
    )
    reservation = created["CapacityReservation"]["CapacityReservationId"]
    stack = cluster.reserved(reservation)
    stack.up()
    names, label = ("kept-0", "kept-1"), "karpenter.k8s.aws/capacity-reservation-id"
    selector = {"ai-platform/pool": RESERVED}

    def node(name: str) -> Any:
        cluster.create(pod(name, nodeSelector=selector))
        return eventually(f"a node for {name}", lambda: runs(cluster, name), SECONDS)

    first, second = (node(name).metadata.labels for name in names)
    assert first["karpenter.sh/capacity-type"] == "reserved", "its NodePool has the greatest weight"
    assert first[label] == reservation
    assert second["karpenter.sh/capacity-type"] == "on-demand", "the reservation is of one instance"
    assert label not in second
    [described] = ec2.describe_capacity_reservations(CapacityReservationIds=[reservation])[
        "CapacityReservations"
    ]
    assert described["AvailableInstanceCount"] == 0
    claims = cluster.claims()
    assert not [claim for claim in claims if conditions(claim).get("Drifted") == "True"], (
        "EC2 describes the instance as one of the reservation"
    )
    remove(cluster, *names)
    stack.destroy()
    ec2.cancel_capacity_reservation(CapacityReservationId=reservation)


def test_instance_profile_of_others_is_left_alone(cluster: KarpenterCluster) -> None:
    profiles = cluster.plain.aws("iam").list_instance_profiles()["InstanceProfiles"]
    assert "others" in {profile["InstanceProfileName"] for profile in profiles}


def test_destroy_with_live_nodes_leaves_nothing(cluster: KarpenterCluster) -> None:
    cluster.create(pod("last"))
    eventually("a node", lambda: runs(cluster, "last"), SECONDS)
    cluster.destroy()


def deployment(name: str) -> dict[str, Any]:
    """Return a Deployment of one Pod with a GPU."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
