"""aws-prod with the real Kueue, JobSet and Karpenter: the first `up` from nothing, a job for each pool of
accelerators, what Karpenter does with the nodes of its pool, and a drain while a JobSet runs.

Without the layers of data and models. The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.kubernetes.node_labels import CAPACITY, POOL
from tests.controllers.cluster import GPU, LAYER
from tests.controllers.production import INFERENCE, SECONDS, TEAMS, Jobs, Production, Setup, check_drain
from tests.end_to_end.guardrail_objects import DIGEST
from tests.end_to_end.harness import GUARDED
from tests.end_to_end.plain import trust
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(1200)

OWNER = "{team}-owner"
SETUP = Setup(
    controllers=("kueue", "jobset", "karpenter"),
    owner=f"arn:aws:iam::333344445555:role/{OWNER}",
    # The guardrails admit images of the environment's own repositories.
    image=f"333344445555.dkr.ecr.us-west-2.amazonaws.com/acme-prod/training:1{DIGEST}",
    change={
        "gpu_pools/serving/node_provisioning": "karpenter",
        "gpu_pools/serving/capacity": ["spot", "on_demand"],
        "karpenter/image_versions": {"al2023": "v20260930"},
        # By default ten, which no test waits for.
        "karpenter/consolidate_after_minutes": 1,
        "guardrails/policies": {"accelerators": "deny"},
    },
)


@pytest.fixture(scope="module")
def prod(home: Path) -> Iterator[Production]:
    """aws-prod after its two steps: `bootstrap` outside the network, and the `up` of the runner."""
    environment = Production(home, "aws-prod", SETUP)
    try:
        create_owners(environment)
        environment.changed("up", "--yes", "--skip-preview", *GUARDED, change={"environment/bootstrap": True})
        environment.up(*GUARDED)
        yield environment
    finally:
        environment.remove()


def create_owners(environment: Production) -> None:
    """Create the roles of the teams' owners, which the platform does not."""
    policy = trust("ec2.amazonaws.com")
    for team in TEAMS:
        environment.aws("iam").create_role(RoleName=OWNER.format(team=team), AssumeRolePolicyDocument=policy)


@pytest.fixture(scope="module")
def jobs(prod: Production) -> Jobs:
    return Jobs(prod)


@pytest.fixture(autouse=True)
def clean(prod: Production) -> Iterator[None]:
    """No injected shortage is in effect after a test."""
    yield
    prod.cli("twin", "fault", "clear", "--name", prod.environment)


def test_every_controller_is_ready_after_the_first_up(prod: Production) -> None:
    status = prod.cli("twin", "status", "--name", prod.environment).stdout
    for name in SETUP.controllers:
        assert f"controller {name}: ready" in status
    prod.cli("preview", prod.environment, "--expect-no-changes")


def test_job_on_all_devices_of_a_training_node_is_admitted_and_gets_spot_nodes_with_their_topology(
    jobs: Jobs,
) -> None:
    assert jobs.nodes("training") == [], "no accelerator waits for a job"
    job = jobs.job("whole-nodes", "training", pods=2, seconds=15)
    jobs.create(job)
    nodes = eventually("two Pods", jobs.running(job), SECONDS)
    assert len({node.metadata.name for node in nodes}) == 2, "each Pod has a whole node"
    for node in nodes:
        labels = node.metadata.labels
        assert (labels[POOL], labels[CAPACITY]) == ("training", "spot")
        assert node.status.allocatable[GPU] == "8"
        assert node.status.allocatable["vpc.amazonaws.com/efa"] == "32"
        assert all(f"{LAYER}{layer}" in labels for layer in (1, 2, 3))
    eventually("completion", lambda: "Complete" in jobs.conditions(job), SECONDS)


def test_job_on_a_serving_node_gets_one_of_karpenter(jobs: Jobs) -> None:
    job = jobs.job("predicts", "serving", team=INFERENCE, seconds=10)
    jobs.create(job)
    (node,) = eventually("a Pod", jobs.running(job), SECONDS)
    assert node.metadata.labels[POOL] == "serving"
    assert node.metadata.labels["karpenter.sh/nodepool"] == "serving-spot"
    assert node.status.allocatable[GPU] == "1"
    eventually("completion", lambda: "Complete" in jobs.conditions(job), SECONDS)


def lasting(jobs: Jobs, name: str) -> dict[str, Any]:
    """Return a Job of the serving pool, whose Pod is created again where its node is lost."""
    job = jobs.job(name, "serving", team=INFERENCE, seconds=3600)
    return {**job, "spec": {**job["spec"], "backoffLimit": 6}}


def moved(jobs: Jobs, job: Mapping[str, Any], before: Any) -> Callable[[], Any]:
    """Return a probe: the node on which the Pod of a Job runs, where it is another one; None before."""
    running = jobs.running(job)

    def probe() -> Any:
        nodes = running()
        return nodes[0] if nodes and nodes[0].metadata.uid != before.metadata.uid else None

    return probe


def test_interruption_of_a_serving_node_moves_its_pod_before_the_instance_ends(
    prod: Production, jobs: Jobs
) -> None:
    job = lasting(jobs, "interrupted")
    jobs.create(job)
    (before,) = eventually("a Pod", jobs.running(job), SECONDS)
    instance = before.spec.provider_id.rpartition("/")[2]
    prod.cli("twin", "fault", "interrupt", instance, "--name", prod.environment)
    after = eventually("another node", moved(jobs, job, before), SECONDS)
    assert after.metadata.labels["karpenter.sh/nodepool"] == "serving-spot"
    reasons = {event.reason for event in jobs.core.list_event_for_all_namespaces().items}
    assert "SpotInterrupted" in reasons, "the message of the queue ended it, not the instance's end"
    jobs.delete(job)


def test_serving_node_with_a_failed_gpu_is_replaced(jobs: Jobs) -> None:
    job = lasting(jobs, "repaired")
    jobs.create(job)
    (before,) = eventually("a Pod", jobs.running(job), SECONDS)
    eventually("initialization", lambda: initialized(jobs, before.metadata.name), SECONDS)
    since = datetime.now(UTC) - timedelta(minutes=11)
    failure = {
        "type": "AcceleratedHardwareReady",
        "status": "False",
        "reason": "NvidiaXID79Error",
        "message": "GPU has fallen off the bus",
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    # As eks-node-monitoring-agent reports it, and longer ago than Karpenter tolerates (10 minutes).
    jobs.core.patch_node_status(before.metadata.name, {"status": {"conditions": [failure]}})
    after = eventually("another node", moved(jobs, job, before), SECONDS)
    assert after.metadata.labels[POOL] == "serving"
    jobs.delete(job)


def initialized(jobs: Jobs, node: str) -> bool:
    """Return whether Karpenter has initialized the NodeClaim of a node: it repairs none before."""
    for claim in jobs.list("karpenter.sh/v1", "NodeClaim"):
        status = claim.get("status") or {}
        states = {entry["type"]: entry["status"] for entry in status.get("conditions") or ()}
        if status.get("nodeName") == node:
            return states.get("Initialized") == "True"
    return False


def test_empty_serving_node_is_consolidated_away(jobs: Jobs) -> None:
    assert jobs.nodes("serving"), "nodes of the jobs before are still there"
    eventually("no node", lambda: not jobs.nodes("serving"), 60 + SECONDS)


def test_shortage_of_spot_instances_moves_both_pools_on_to_nodes_on_demand(
    prod: Production, jobs: Jobs
) -> None:
    for claim in jobs.list("karpenter.sh/v1", "NodeClaim"):
        jobs.delete({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", **claim})
    eventually("no node of Karpenter", lambda: not jobs.nodes("serving"), SECONDS)
    eventually("no idle training node", lambda: not jobs.nodes("training"), SECONDS)
    prod.cli("twin", "fault", "capacity", "--name", prod.environment, "--market", "spot")
    predicts = jobs.job("predicts-on-demand", "serving", team=INFERENCE, seconds=3600)
    trains = jobs.job("trains-on-demand", "training", seconds=3600)
    jobs.create(predicts, trains)
    (node,) = eventually("a serving Pod", jobs.running(predicts), SECONDS)
    assert node.metadata.labels["karpenter.sh/nodepool"] == "serving-on-demand"
    (node,) = eventually("a training Pod", jobs.running(trains), SECONDS)
    assert node.metadata.labels[CAPACITY] == "on_demand"
    jobs.delete(predicts, trains)


def test_job_on_a_pool_of_which_its_team_has_no_quota_waits(jobs: Jobs) -> None:
    job = jobs.job("other-pool", "training", team=INFERENCE, seconds=5)
    jobs.create(job)
    reason = eventually("a reason", lambda: jobs.reason(job))
    assert "flavor" in reason, "the queue of the team has no quota of this pool"
    jobs.delete(job)


def test_jobset_that_runs_ends_before_the_nodes_of_its_pool_are_replaced(
    prod: Production, jobs: Jobs
) -> None:
    check_drain(prod, jobs)


def test_retirement_with_queued_work_leaves_nothing(prod: Production, jobs: Jobs) -> None:
    jobs.create(*(jobs.job(f"queued-{number}", "training", pods=2, seconds=3600) for number in range(3)))
    gone = {"environment/teardown": "with_data"}
    prod.changed("up", "--yes", "--skip-preview", change=gone)
    prod.changed("up", "--yes", "--skip-preview", change={**gone, "environment/bootstrap": True})
    prod.cli("destroy", prod.environment)
    prod.aws("iam").delete_role(RoleName=OWNER)
    assert prod.inventory() == {}
