"""The CronJob that ends work with idle GPUs, and what it may do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.aiplatform.cost.example import HELD, IMAGE, REAPED, controlled
from tests.components.recording import Recording

CRON_JOB = "kubernetes:batch/v1:CronJob"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def pod(recording: Recording, name: str = "cost-reaper") -> dict[str, Any]:
    spec = recording.one(CRON_JOB, name).inputs["spec"]
    return spec["jobTemplate"]["spec"]["template"]["spec"]


@CLOUDS
def test_program_has_what_it_reads(cloud: str) -> None:
    recording = controlled(cloud, **{**REAPED, "reaper": {"idle_hours": 8, "dry_run": True}})
    container = pod(recording)["containers"][0]
    assert (container["image"], container["args"]) == (IMAGE, ["reaper"])
    assert {entry["name"]: entry["value"] for entry in container["env"]} == {
        "PROMETHEUS_URL": REAPED["prometheus_url"],
        "IDLE_HOURS": "8",
        "DRY_RUN": "true",
        "CLUSTER_QUEUES": "shared,search",
    }


@CLOUDS
def test_its_account_ends_workloads_and_nothing_else(cloud: str) -> None:
    recording = controlled(cloud, **REAPED)
    rules = recording.one(f"{RBAC}ClusterRole", "cost-reaper").inputs["rules"]
    assert {(rule["resources"][0], *rule["verbs"]) for rule in rules} == {
        ("pods", "list"),
        ("workloads", "get", "patch"),
        ("events", "create"),
    }
    assert len(recording.all(f"{RBAC}ClusterRole")) == 1, "it holds no queue"
    subjects = recording.one(f"{RBAC}ClusterRoleBinding", "cost-reaper").inputs["subjects"]
    assert subjects == [{"kind": "ServiceAccount", "name": "reaper", "namespace": "cost-control"}]
    assert pod(recording)["serviceAccountName"] == "reaper"
    assert recording.all("aiplatform:index:WorkloadIdentity") == [], "it needs nothing of the cloud"


@CLOUDS
def test_hold_and_reaper_have_separate_accounts(cloud: str) -> None:
    recording = controlled(cloud, **{**HELD, **REAPED})
    assert pod(recording, "cost-budget-hold")["serviceAccountName"] == "cost-control"
    [queues] = recording.one(f"{RBAC}ClusterRole", "cost-queues").inputs["rules"]
    assert queues["resources"] == ["clusterqueues"]
    assert len(recording.all("kubernetes:core/v1:Namespace")) == 1


@CLOUDS
def test_program_may_connect_to_prometheus(cloud: str) -> None:
    recording = controlled(cloud, **REAPED)
    egress = recording.one(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "cost-reaper-network-policy"
    ).inputs["spec"]["egress"]
    ports = {port["port"] for rule in egress for port in rule["ports"]}
    assert 9090 in ports


@CLOUDS
def test_program_starts_after_its_rights_exist(cloud: str) -> None:
    recording = controlled(cloud, **REAPED)
    job = recording.one(CRON_JOB, "cost-reaper")
    assert recording.depends(job, on=recording.one(f"{RBAC}ClusterRoleBinding", "cost-reaper"))
