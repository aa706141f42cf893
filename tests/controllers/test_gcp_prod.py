"""gcp-prod with the real Kueue and JobSet: the first `up` from nothing, a job for each pool of accelerators,
and a drain while a JobSet runs.

Without the layers of data and models. The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aiplatform._shared.kubernetes.node_labels import CAPACITY, POOL, TPU_TOPOLOGY
from aiplatform.accelerators import TPU
from tests.controllers.cluster import GPU
from tests.controllers.production import INFERENCE, SECONDS, Jobs, Production, Setup, check_drain
from tests.end_to_end.guardrail_objects import DIGEST
from tests.end_to_end.harness import GUARDED
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(1200)

SETUP = Setup(
    controllers=("kueue", "jobset"),
    owner="group:{team}@acme.example",
    # Binary Authorization admits images of the project's registry.
    image=f"us-central1-docker.pkg.dev/acme-ml-prod/acme-prod-training/train:1{DIGEST}",
    change={
        "cluster/gke": {"google_groups": "gke-security-groups@acme.example"},
        "guardrails/policies": {"accelerators": "deny"},
    },
)
TOPOLOGY = "cloud.google.com/gce-topology-"


@pytest.fixture(scope="module")
def prod(home: Path) -> Iterator[Production]:
    """gcp-prod after its first `up`."""
    environment = Production(home, "gcp-prod", SETUP)
    try:
        environment.up(*GUARDED)
        yield environment
    finally:
        environment.remove()


@pytest.fixture(scope="module")
def jobs(prod: Production) -> Jobs:
    return Jobs(prod)


def test_every_controller_is_ready_after_the_first_up(prod: Production) -> None:
    status = prod.cli("twin", "status", "--name", prod.environment).stdout
    for name in SETUP.controllers:
        assert f"controller {name}: ready" in status
    prod.cli("preview", prod.environment, "--expect-no-changes")


def test_job_on_all_devices_of_a_training_node_gets_spot_nodes_with_their_topology(jobs: Jobs) -> None:
    assert jobs.nodes("training") == [], "no accelerator waits for a job"
    job = jobs.job("whole-nodes", "training", pods=2, seconds=15)
    jobs.create(job)
    nodes = eventually("two Pods", jobs.running(job), SECONDS)
    assert len({node.metadata.name for node in nodes}) == 2, "each Pod has a whole node"
    for node in nodes:
        labels = node.metadata.labels
        assert (labels[POOL], labels[CAPACITY]) == ("training", "spot")
        assert node.status.allocatable[GPU] == "8"
        assert all(f"{TOPOLOGY}{level}" in labels for level in ("block", "subblock", "host"))
    eventually("completion", lambda: "Complete" in jobs.conditions(job), SECONDS)


def test_job_on_a_serving_node_is_admitted_by_the_queue_of_its_team(jobs: Jobs) -> None:
    job = jobs.job("predicts", "serving", team=INFERENCE, seconds=10)
    jobs.create(job)
    (node,) = eventually("a Pod", jobs.running(job), SECONDS)
    assert (node.metadata.labels[POOL], node.metadata.labels[CAPACITY]) == ("serving", "on_demand")
    assert node.status.allocatable[GPU] == "1"
    eventually("completion", lambda: "Complete" in jobs.conditions(job), SECONDS)


def test_job_on_a_slice_of_tpus_gets_all_of_its_nodes(jobs: Jobs) -> None:
    job = jobs.job("slice", "batch", pods=4, seconds=15)
    jobs.create(job)
    nodes = eventually("four Pods", jobs.running(job), SECONDS)
    assert len({node.metadata.name for node in nodes}) == 4
    for node in nodes:
        assert node.metadata.labels[TPU_TOPOLOGY] == "4x4"
        assert node.status.allocatable[TPU] == "4"
    eventually("completion", lambda: "Complete" in jobs.conditions(job), SECONDS)


def test_jobset_that_runs_ends_before_the_nodes_of_its_pool_are_replaced(
    prod: Production, jobs: Jobs
) -> None:
    check_drain(prod, jobs)


def test_retirement_with_queued_work_leaves_nothing(prod: Production, jobs: Jobs) -> None:
    jobs.create(*(jobs.job(f"queued-{number}", "training", pods=2, seconds=3600) for number in range(3)))
    prod.changed("up", "--yes", "--skip-preview", change={"environment/teardown": "with_data"})
    prod.cli("destroy", prod.environment)
    assert prod.inventory() == {}
