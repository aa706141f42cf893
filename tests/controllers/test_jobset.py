"""JobSet itself, with Kueue in front."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.controllers.cluster import Cluster, flavor, job, jobset_of, local_queue, queue
from twin.tests.waiting import eventually

NAMESPACE = "team-jobset"


@pytest.fixture(scope="module")
def team(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with a queue of 16 GPUs."""
    namespace = cluster.team(NAMESPACE)
    gpus, quota = flavor("jobset"), queue("team-jobset", 16)
    quota["spec"]["resourceGroups"][0]["flavors"][0]["name"] = "jobset"
    cluster.create(gpus, quota, local_queue(NAMESPACE, "team-jobset"))
    yield cluster
    cluster.delete(namespace, quota, gpus)


def jobset(name: str, workers: int) -> dict[str, Any]:
    """A JobSet of Jobs with 8 GPUs each."""
    return jobset_of(job(NAMESPACE, name, seconds=2), replicas=workers)


def conditions(team: Cluster, item: Any) -> set[str]:
    """The conditions of a JobSet that are true."""
    status = team.get(item).get("status") or {}
    return {entry["type"] for entry in status.get("conditions") or () if entry["status"] == "True"}


def test_jobset_is_admitted_as_a_whole_and_completes(team: Cluster) -> None:
    pair = jobset("pair", 2)
    team.create(pair)
    eventually("completion", lambda: "Completed" in conditions(team, pair), 90)
    jobs = team.batch.list_namespaced_job(NAMESPACE).items
    assert {item.metadata.name for item in jobs} == {"pair-workers-0", "pair-workers-1"}
    assert set(team.workloads(NAMESPACE)) == {"pair"}, "one workload, and none for its Jobs"


def test_jobset_above_the_quota_has_no_jobs_that_run(team: Cluster) -> None:
    three = jobset("three", 3)
    team.create(three)
    eventually("a reason", lambda: team.workloads(NAMESPACE)["three"].get("Pending"))
    assert "Suspended" in eventually("suspension", lambda: conditions(team, three))
    assert not {name for name in team.jobs(NAMESPACE, "Running") if name.startswith("three")}


def test_webhook_refuses_two_jobs_with_one_name(team: Cluster) -> None:
    twice = jobset("twice", 1)
    twice["spec"]["replicatedJobs"] *= 2
    with pytest.raises(client.ApiException) as refused:
        team.create(twice)
    assert refused.value.status in (400, 403, 422)


def test_webhook_fills_in_defaults(team: Cluster) -> None:
    plain = jobset("plain", 1)
    team.create(plain)
    assert team.get(plain)["spec"]["successPolicy"]["operator"] == "All"
