"""What model monitoring registers on each cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from aiplatform.model_monitor import ModelMonitor
from tests.components.aiplatform.model_monitor.example import LABELS, QUEUES, monitoring
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording

CRON_JOB = "kubernetes:batch/v1:CronJob"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CONFIG = "kubernetes:core/v1:ConfigMap"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def pod(recording: Recording, command: str = "compare") -> dict[str, Any]:
    spec = recording.one(CRON_JOB, f"monitor-search-{command}-fares").inputs["spec"]
    return spec["jobTemplate"]["spec"]["template"]["spec"]


def variables(recording: Recording, command: str = "compare") -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in pod(recording, command)["containers"][0]["env"]}


def declared(recording: Recording) -> dict[str, Any]:
    data = recording.one(CONFIG, "monitor-search-monitors").inputs["data"]["monitors.json"]
    return json.loads(data)["fares"]


def statements(recording: Recording) -> dict[str, dict[str, Any]]:
    policy = json.loads(recording.one(ROLE_POLICY, "monitor-search").inputs["policy"])
    return {entry["Sid"]: entry for entry in policy["Statement"]}


def test_it_is_documented() -> None:
    assert undocumented(ModelMonitor) == []


@CLOUDS
def test_a_job_has_what_the_program_reads(cloud: str) -> None:
    recording = monitoring(cloud)
    scheme = "gs" if cloud == "gcp" else "s3"
    known = variables(recording)
    assert known["LOGS_URI"].startswith(f"{scheme}://acme-dev-model-monitor-")
    assert known["LOGS_URI"].endswith("/logs")
    assert known["REPORTS_URI"].endswith("/reports")
    assert known["QUEUE"] == QUEUES[cloud]
    assert known["PLATFORM_TEAM"] == "search"
    assert known["PUSHGATEWAY_URL"] == "http://prometheus-pushgateway.pushgateway.svc:9091"
    container = pod(recording)["containers"][0]
    assert container["args"] == ["compare", "fares"]
    assert pod(recording, "compact")["containers"][0]["args"] == ["compact", "fares"]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert known["MONITORS_FILE"].rpartition("/")[0] in mounted


@CLOUDS
def test_a_job_runs_once_and_ends_where_it_is_refused(cloud: str) -> None:
    spec = monitoring(cloud).one(CRON_JOB, "monitor-search-compare-fares").inputs["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert (spec["schedule"], spec["timeZone"]) == ("30 2 * * *", "UTC")
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == 3600
    [rule] = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2])


@CLOUDS
def test_a_pod_meets_the_level_restricted(cloud: str) -> None:
    spec = pod(monitoring(cloud))
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    context = spec["containers"][0]["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_declaration_is_that_of_the_contract() -> None:
    known = declared(monitoring("aws", monitor={"labels": LABELS}))
    assert known["inference_services"] == ["fares-blue", "fares-green"]
    distance, zone, rider = known["columns"]
    assert (distance["baseline_column"], distance["thresholds"]) == ("distance", {"psi": 0.3})
    assert zone["baseline_column"] == "pickup_zone"
    assert (rider["classification"], rider["pii_consent"]) == ("pii", False)
    assert known["predictions"][0]["baseline_column"] is None, "the first answers of the version"
    assert known["labels"] == {**LABELS, "positive": None, "delay_hours": 0}
    defaults = {"window_hours": 24, "delay_minutes": 30, "min_rows": 500, "sample_rows": 20000, "seed": 20}
    assert {key: known[key] for key in defaults} == defaults
    assert (known["retrain"], known["cooldown_hours"], known["min_drifted_columns"]) == (True, 72, 1)


def test_the_role_reads_requests_of_its_namespace_and_only_writes_reports() -> None:
    known = statements(monitoring("aws"))
    bucket = "arn:aws:s3:::acme-dev-model-monitor-"
    assert known["CompactRequests"]["Resource"].startswith(bucket)
    assert known["CompactRequests"]["Resource"].endswith("/logs/search/*")
    assert known["FindRequests"]["Condition"] == {"StringLike": {"s3:prefix": "logs/search/*"}}
    assert known["Reports"]["Resource"].endswith("/reports/search/*")
    assert "s3:GetObject" not in known["Reports"]["Action"]
    expected = "arn:aws:sqs:eu-central-1:111122223333:acme-dev-search-training"
    assert known["StartTrainings"]["Resource"] == expected
    assert "UseKeyOfQueue" not in known, "ContinuousTraining grants its key"


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("vpce-0a1b.sqs.us-east-2.vpce.amazonaws.com", "us-east-2"),
        ("queue.acme.example:8443", "eu-central-1"),
    ],
)
def test_the_role_sends_to_a_queue_whatever_host_its_address_has(host: str, region: str) -> None:
    # An output: of a value that is known before, the rule for `queue` asks more.
    queue = Output.from_input(f"https://{host}/111122223333/training")
    known = statements(monitoring("aws", team={"queue": queue}))
    assert known["StartTrainings"]["Resource"] == f"arn:aws:sqs:{region}:111122223333:training"


def test_the_identity_has_folders_and_publishes_to_the_queue() -> None:
    recording = monitoring("gcp")
    members = recording.all("gcp:storage/managedFolderIamMember:ManagedFolderIamMember")
    assert {(entry.name, entry.inputs["role"]) for entry in members} == {
        ("monitor-search-logs", "roles/storage.objectUser"),
        ("monitor-search-reports", "roles/storage.objectCreator"),
    }
    folders = recording.all("gcp:storage/managedFolder:ManagedFolder")
    assert {entry.inputs["name"] for entry in folders} == {"logs/search/", "reports/search/"}
    publisher = recording.one("gcp:pubsub/topicIAMMember:TopicIAMMember", "monitor-search-queue").inputs
    assert (publisher["project"], publisher["topic"]) == ("acme", "acme-dev-search-training")
    assert publisher["role"] == "roles/pubsub.publisher"


def test_requests_and_reports_expire() -> None:
    rules = (
        monitoring("aws", log_days=3, report_days=30)
        .one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "monitor-monitor")
        .inputs["rules"]
    )
    assert {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules} == {
        "logs/": 3,
        "reports/": 30,
        "": 30,
    }
    bucket = monitoring("gcp", log_days=3, report_days=30).one("gcp:storage/bucket:Bucket", "monitor-bucket")
    ages = {
        "".join(rule["condition"].get("matchesPrefixes") or ()): rule["condition"]["age"]
        for rule in bucket.inputs["lifecycleRules"]
        if rule["action"]["type"] == "Delete"
    }
    assert ages == {"logs/": 3, "reports/": 30, "": 30}


@CLOUDS
def test_pods_of_monitors_alone_reach_the_pushgateway(cloud: str) -> None:
    recording = monitoring(cloud)
    [rule] = recording.one(POLICY, "monitor-pushes").inputs["spec"]["ingress"]
    [peer] = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "search"}
    assert peer["podSelector"]["matchLabels"] == {"ai-platform/model-monitor": "true"}
    egress = recording.one(POLICY, "monitor-search-pushes").inputs["spec"]
    assert egress["egress"][0]["ports"][0]["port"] == 9091
    spec = recording.one(CRON_JOB, "monitor-search-compare-fares").inputs["spec"]
    labels = spec["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert labels["ai-platform/model-monitor"] == "true"


@CLOUDS
def test_a_bucket_that_exists_keeps_its_settings(cloud: str) -> None:
    key = {"kms_key": "arn:aws:kms:eu-central-1:111122223333:key/a"} if cloud == "aws" else {}
    recording = monitoring(cloud, bucket="acme-payloads", **key)
    created = [entry for entry in recording.names() if "bucket:Bucket " in entry or "Lifecycle" in entry]
    assert created == []
    assert variables(recording)["LOGS_URI"].endswith("//acme-payloads/logs")


def test_nothing_is_sent_where_there_is_no_queue_and_no_pushgateway() -> None:
    more: dict[str, Any] = {"team": {"queue": None}, "monitor": {"retrain": False}, "pushgateway": None}
    recording = monitoring("aws", **more)
    assert not {"QUEUE", "PUSHGATEWAY_URL"} & variables(recording).keys()
    assert "StartTrainings" not in statements(recording)
    assert recording.all(POLICY) == []
