"""Logs and traces as parts of the component."""

from typing import Any

import pytest

from tests.components.aiplatform.observability.test_observability import EKS, GKE, recorded, refused
from tests.inventories import google_grants
from tests.inventories.aws_policies import documents, errors

ON: Any = {"logs": {}, "traces": {"sampled_percent": 5}}


def test_the_outputs_on_aws_name_the_log_group_and_the_address_for_traces() -> None:
    outputs = recorded(**ON).one("aiplatform:index:Observability").outputs or {}
    assert outputs["log_store"] == "/ai-platform/acme-dev/containers"
    assert outputs["traces_url"] == "http://collector.tracing.svc.cluster.local:4317"


def test_the_output_on_google_cloud_names_the_log_bucket() -> None:
    recording = recorded(GKE, **ON)
    outputs = recording.one("aiplatform:index:Observability").outputs or {}
    bucket = recording.one("gcp:logging/projectBucketConfig:ProjectBucketConfig")
    assert outputs["log_store"] == bucket.inputs["bucketId"]


def test_nothing_is_collected_by_default() -> None:
    recording = recorded()
    outputs = recording.one("aiplatform:index:Observability").outputs or {}
    assert outputs.get("log_store") is None
    assert outputs.get("traces_url") is None
    names = {resource.inputs.get("metadata", {}).get("name") for resource in recording.resources}
    assert not names & {"container-logs", "collector", "tracing"}


@pytest.mark.parametrize("cluster", [EKS, GKE], ids=["aws", "gcp"])
def test_permissions_agree_with_the_definitions_of_the_cloud(cluster: Any) -> None:
    recording = recorded(cluster, **ON)
    assert [error for document in documents(recording) for error in errors(document)] == []
    assert list(google_grants.errors(recording)) == []


@pytest.mark.parametrize("cluster", [EKS, GKE], ids=["aws", "gcp"])
def test_monitors_of_the_collectors_come_after_their_kinds(cluster: Any) -> None:
    recording = recorded(cluster, **ON)
    kinds = recording.one("kubernetes:helm.sh/v4:Chart", "observability-prometheus-operator-crds")
    for name in ("observability-container-logs-monitor", "observability-traces-monitor"):
        assert recording.depends(recording.named(name), kinds)


def test_problems_are_reported_at_the_keys_of_the_component() -> None:
    wrong = {"logs": {"retention_days": 45}, "traces": {"keep_errors": True, "replicas": 2}}
    retention, replicas = refused(**wrong)
    assert retention.startswith("logs.retention_days: got 45; expected one of 1, 3, 5")
    assert replicas.startswith("traces.replicas: got 2 with `keep_errors`")
