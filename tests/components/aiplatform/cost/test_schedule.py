"""The CronJob of a schedule, and what its program reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.cost.example import HELD, NIGHTS, SCHEDULED, controlled
from tests.components.recording import Recording

CRON_JOB = "kubernetes:batch/v1:CronJob"
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def container(recording: Recording) -> dict[str, Any]:
    spec = recording.one(CRON_JOB, "cost-schedule").inputs["spec"]
    return spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


@CLOUDS
def test_program_gets_the_schedule_and_the_queues(cloud: str) -> None:
    recording = controlled(cloud, **SCHEDULED)
    main = container(recording)
    known = {entry["name"]: entry["value"] for entry in main["env"]}
    assert main["args"] == ["schedule"]
    assert known["CLUSTER_QUEUES"] == "shared,search"
    assert json.loads(known["SCHEDULE"]) == {**NIGHTS, "weekends": True}
    assert set(known) == {"CLUSTER_QUEUES", "SCHEDULE"}


@CLOUDS
def test_times_are_compared_every_five_minutes_whatever_the_time_zone(cloud: str) -> None:
    spec = controlled(cloud, **SCHEDULED).one(CRON_JOB, "cost-schedule").inputs["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("*/5 * * * *", "UTC", "Forbid")


@CLOUDS
def test_schedule_needs_no_identity_in_the_cloud(cloud: str) -> None:
    recording = controlled(cloud, budget=None, team_budgets={}, **SCHEDULED)
    assert [entry.name for entry in recording.all("aiplatform:index:WorkloadIdentity")] == []
    in_cloud = [entry.name for entry in recording.resources if entry.type.startswith(("aws:", "gcp:"))]
    assert in_cloud == []


@CLOUDS
def test_hold_and_schedule_share_namespace_and_rights(cloud: str) -> None:
    recording = controlled(cloud, **{**HELD, **SCHEDULED})
    assert len(recording.all("kubernetes:core/v1:Namespace")) == 1
    assert len(recording.all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")) == 1
    assert {entry.name for entry in recording.all(CRON_JOB)} == {"cost-budget-hold", "cost-schedule"}
