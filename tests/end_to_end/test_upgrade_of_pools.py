"""An upgrade on the twin with running Pods: the order of `aiplatform upgrades`, drains that respect
PodDisruptionBudgets, and servers that are never below their minimum.

The control plane of the twin has one version, which is behind both clusters of the upgrade: what the next
version no longer serves is decided by data alone (`tests/cli/upgrades/test_apis.py`). Nodes have the release
of their image in a label.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from kubernetes import client

from cli.maintenance import cluster as connection
from cli.maintenance.draining import Drain, states
from cli.output import CommandError
from cli.upgrades import disruption
from cli.upgrades.facts import ControlPlane, Facts, Nodes, minor_of
from cli.upgrades.order import Plan, Step, steps
from tests.cli.upgrades.samples import document, stated
from tests.end_to_end.plane_objects import core_of, until
from twin import environment, instances
from twin.instances import Instance
from twin.kubernetes import control_plane, kwok

pytestmark = pytest.mark.end_to_end

OLD: Final = "1.35.8-20260930"
NEW: Final = "1.36.4-20260930"
MINIMUM: Final = {"general": 2, "t4": 1}
REPLICAS: Final = {"general": 3, "t4": 2}
RELEASE: Final = "release"


@pytest.fixture
def instance(tmp_path: Any) -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path))
        instance = instances.create("upgrade")
        environment.prepare(instance)
        try:
            control_plane.start(instance)
            yield instance
        finally:
            control_plane.stop(instance)


@dataclass
class Cloud:
    """Nodes of two pools, as the cloud has them: a Pod without a node gets one with the stated release.

    releases: pool -> that of new nodes. lowest: server -> the fewest Pods of it that were ready. provided:
    Pods for which a node was created.
    """

    cluster: connection.Cluster
    releases: dict[str, str] = field(default_factory=dict[str, str])
    lowest: dict[str, int] = field(default_factory=dict[str, int])
    created: int = 0
    provided: set[str] = field(default_factory=set[str])

    def add_node(self, pool: str) -> None:
        """Create a node of a pool."""
        self.created += 1
        name, release = f"{pool}-{self.created}", self.releases[pool]
        resources = {"cpu": "2", "memory": "8Gi", "pods": "50"}
        self.cluster.core.create_node(
            {
                "metadata": {
                    "name": name,
                    "labels": {connection.POOL: pool, RELEASE: release},
                    "annotations": {kwok.MANAGED[0]: kwok.MANAGED[1]},
                },
                "status": {"capacity": resources, "allocatable": resources},
            }
        )

    def of_pool(self, pool: str) -> dict[str, str]:
        """Return node -> release."""
        return {node.metadata.name: node.metadata.labels[RELEASE] for node in self.cluster.nodes(pool)}

    def delete_older(self, pool: str) -> None:
        """Delete the nodes of a pool with another release than the stated one, which have to be empty."""
        for name, release in self.of_pool(pool).items():
            if release != self.releases[pool]:
                assert not list(self.cluster.pods_on([name])), "a node is deleted with what runs on it"
                self.cluster.core.delete_node(name)

    def ready(self, server: str) -> int:
        """Return how many Pods of a server are ready."""
        pods = self.cluster.core.list_namespaced_pod("default", label_selector=f"app={server}").items
        return sum(_is_ready(pod) and pod.metadata.deletion_timestamp is None for pod in pods)

    def step(self) -> None:
        """Record how many Pods are ready, and create a node for each that fits nowhere."""
        for server in MINIMUM:
            self.lowest[server] = min(self.lowest.get(server, 99), self.ready(server))
        for pod in self.cluster.core.list_namespaced_pod("default").items:
            conditions = pod.status.conditions or ()
            fits_nowhere = any(entry.reason == "Unschedulable" for entry in conditions)
            if fits_nowhere and not pod.spec.node_name and pod.metadata.name not in self.provided:
                self.provided.add(pod.metadata.name)
                self.add_node(pod.spec.node_selector[connection.POOL])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Repeat the step until the end of the block."""
        ended, failures = threading.Event(), list[BaseException]()

        def repeat() -> None:
            try:
                while not ended.wait(0.1):
                    self.step()
            except BaseException as error:  # noqa: BLE001 - raised in the test
                failures.append(error)

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        assert not failures, failures


@pytest.fixture
def cloud(instance: Instance) -> Cloud:
    """Two nodes of each pool with the old release, and a server on each pool with a budget."""
    created = Cloud(
        connection.Cluster(connection.client_of(instance.kubeconfig)), dict.fromkeys(MINIMUM, OLD)
    )
    for pool in MINIMUM:
        created.add_node(pool)
        created.add_node(pool)
        _serve(created, pool)
    for pool in MINIMUM:
        assert until(lambda pool=pool: created.ready(pool) == REPLICAS[pool]), pool
        assert until(lambda pool=pool: _allowed(created, pool) == 1), "the budget counts the Pods"
    return created


def _serve(cloud: Cloud, pool: str) -> None:
    labels = {"app": pool}
    container = {"name": "main", "image": "any", "resources": {"requests": {"cpu": "500m"}}}
    spec = {
        "nodeSelector": {connection.POOL: pool},
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
    }
    apps: Any = client.AppsV1Api(cloud.cluster.api)
    apps.create_namespaced_deployment(
        "default",
        {
            "metadata": {"name": pool},
            "spec": {
                "replicas": REPLICAS[pool],
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        },
    )
    budgets: Any = client.PolicyV1Api(cloud.cluster.api)
    budgets.create_namespaced_pod_disruption_budget(
        "default",
        {
            "metadata": {"name": pool},
            "spec": {"minAvailable": MINIMUM[pool], "selector": {"matchLabels": labels}},
        },
    )


def _is_ready(pod: Any) -> bool:
    return any(entry.type == "Ready" and entry.status == "True" for entry in pod.status.conditions or ())


def _allowed(cloud: Cloud, pool: str) -> int:
    budgets: Any = client.PolicyV1Api(cloud.cluster.api)
    status = budgets.read_namespaced_pod_disruption_budget(pool, "default").status
    return status.disruptions_allowed if status and status.expected_pods else -1


def _planned(cloud: Cloud, version: str) -> list[Step]:
    """Return the steps for the nodes that exist, with the budgets of the cluster."""
    control = ControlPlane("acme-dev-cluster", version, True, ["1.35", "1.36"], Nodes("", "", "", "").support)
    groups = [
        Nodes(pool, pool, release, minor_of(release), NEW if version == "1.36" else OLD, NEW)
        for pool in MINIMUM
        for release in [min(cloud.of_pool(pool).values())]
    ]
    entries = [stated("general", "node_pools.general.image_version"), stated("t4", accelerators=True)]
    budgets = list(disruption.present(cloud.cluster.list("policy/v1", "PodDisruptionBudget")))
    facts = document(version=version, nodes=entries)
    return steps(Plan("aws-dev", "aws", Facts(control, groups), [], facts, budgets=budgets))


def _drain(cloud: Cloud, pool: str, **more: Any) -> None:
    """Replace the nodes of a pool by those of its stated release."""
    replace = lambda: cloud.delete_older(pool)  # noqa: E731
    options = {"replace": replace, "interval": 0.3, "seconds": 60, "queued": False, **more}
    Drain(cloud.cluster, pool, lambda _: None, **options).run()


def test_upgrade_in_the_order_keeps_servers_at_their_minimum(cloud: Cloud) -> None:
    planned = _planned(cloud, "1.35")
    assert [step.runbook for step in planned] == [
        "Nodes",
        "Control plane",
        "Nodes",
        "Pools with accelerators",
    ]
    assert not any(step.blocked for step in planned), "each budget allows one Pod"
    first, _, nodes, accelerators = planned
    assert first.changes[0].value == OLD, "nodes with accelerators keep their release at first"
    with cloud.running():
        # After the control plane: system nodes and CPU pools.
        (change,) = nodes.changes
        cloud.releases["general"] = change.value
        _drain(cloud, "general")
        assert set(cloud.of_pool("general").values()) == {NEW}
        assert set(cloud.of_pool("t4").values()) == {OLD}, "the pool with accelerators is not touched yet"
        assert [step.runbook for step in _planned(cloud, "1.36")] == ["Pools with accelerators"]
        (change,) = accelerators.changes
        cloud.releases["t4"] = change.value
        _drain(cloud, "t4")
        assert set(cloud.of_pool("t4").values()) == {NEW}
        for pool, replicas in REPLICAS.items():
            assert until(lambda pool=pool, replicas=replicas: cloud.ready(pool) == replicas)
    assert _planned(cloud, "1.36") == [], "nothing is left to do"
    for pool, least in MINIMUM.items():
        assert cloud.lowest[pool] >= least, f"{pool} was below its minimum: {cloud.lowest}"
        assert cloud.lowest[pool] < REPLICAS[pool], "Pods were evicted at all"


def test_budget_that_allows_no_disruption_blocks_the_step_and_stops_the_drain(cloud: Cloud) -> None:
    budgets: Any = client.PolicyV1Api(cloud.cluster.api)

    def allow(least: int) -> None:
        body = {"spec": {"minAvailable": least}}
        budgets.patch_namespaced_pod_disruption_budget("general", "default", body)
        assert until(lambda: _allowed(cloud, "general") == REPLICAS["general"] - least)

    allow(3)
    (blocked,) = [step for step in _planned(cloud, "1.36") if step.runbook == "Nodes"]
    assert blocked.blocked == [
        "PodDisruptionBudget default/general allows no disruption now: 3 of 3 Pods are healthy, 3 have to be"
    ]
    cloud.releases["general"] = NEW
    before = {pod.metadata.uid for pod in core_of(cloud.cluster.api).list_namespaced_pod("default").items}
    with cloud.running():
        with pytest.raises(
            CommandError, match=r"not evicted yet .*expected PodDisruptionBudgets that allow it"
        ):
            _drain(cloud, "general", seconds=3)
        after = {pod.metadata.uid for pod in core_of(cloud.cluster.api).list_namespaced_pod("default").items}
        assert after == before, "no Pod was evicted"
        assert cloud.lowest["general"] == 3
        assert states(cloud.cluster)["general"].phase == "empty"
        allow(2)
        _drain(cloud, "general")
    assert set(cloud.of_pool("general").values()) == {NEW}, "the same drain goes on once the budget allows it"
    assert cloud.lowest["general"] >= 2
