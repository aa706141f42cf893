"""The hold of queues: the way of the alert to the program, and what the program may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.cost.example import HELD, IMAGE, controlled
from tests.components.recording import ACCOUNT, REGION, Recording

CRON_JOB = "kubernetes:batch/v1:CronJob"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
BUDGETS = {"aws": "aws:budgets/budget:Budget", "gcp": "gcp:billing/budget:Budget"}
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])
HOLD_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:acme-dev-cost-hold"


def pod(recording: Recording) -> dict[str, Any]:
    spec = recording.one(CRON_JOB, "cost-budget-hold").inputs["spec"]
    return spec["jobTemplate"]["spec"]["template"]["spec"]


def variables(recording: Recording) -> dict[str, Any]:
    return {entry["name"]: entry["value"] for entry in pod(recording)["containers"][0]["env"]}


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {entry["Sid"]: entry for entry in json.loads(document)["Statement"]}


@CLOUDS
def test_nothing_is_in_the_cluster_without_a_hold(cloud: str) -> None:
    recording = controlled(cloud)
    assert [entry.name for entry in recording.resources if entry.type.startswith("kubernetes:")] == []


@CLOUDS
def test_program_may_read_and_change_these_queues_alone(cloud: str) -> None:
    recording = controlled(cloud, **HELD)
    [rule] = recording.one(f"{RBAC}ClusterRole", "cost-queues").inputs["rules"]
    assert rule == {
        "apiGroups": ["kueue.x-k8s.io"],
        "resources": ["clusterqueues"],
        "resourceNames": ["shared", "search"],
        "verbs": ["get", "patch"],
    }, "it neither creates nor deletes a queue"
    [events] = recording.one(f"{RBAC}Role", "cost-events").inputs["rules"]
    assert (events["resources"], events["verbs"]) == (["events"], ["create"])
    roles = [entry.name for entry in recording.resources if entry.type.startswith(RBAC)]
    assert sorted(roles) == ["cost-events", "cost-events", "cost-queues", "cost-queues"]


@CLOUDS
def test_program_has_what_it_reads(cloud: str) -> None:
    recording = controlled(cloud, **HELD)
    known = variables(recording)
    assert known["PERCENT"] == "100"
    assert known["CLUSTER_QUEUES"] == "shared,search"
    assert (known["QUEUE"].startswith("projects/acme/subscriptions/")) == (cloud == "gcp")
    budget = recording.one(BUDGETS[cloud], "cost-environment")
    assert known["BUDGET"] == budget.state["name"]
    container = pod(recording)["containers"][0]
    assert (container["image"], container["args"]) == (IMAGE, ["budget"])


@CLOUDS
def test_exempt_queue_is_not_held(cloud: str) -> None:
    recording = controlled(cloud, **{**HELD, "hold": {"exempt_queues": ["search"]}})
    assert variables(recording)["CLUSTER_QUEUES"] == "shared"


@CLOUDS
def test_pod_meets_the_level_restricted(cloud: str) -> None:
    recording = controlled(cloud, **HELD)
    spec = pod(recording)
    assert spec["securityContext"]["runAsNonRoot"] is True
    context = spec["containers"][0]["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    labels = recording.one("kubernetes:core/v1:Namespace", "cost-namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@CLOUDS
def test_runs_do_not_overlap_and_end_where_they_are_refused(cloud: str) -> None:
    spec = controlled(cloud, **HELD).one(CRON_JOB, "cost-budget-hold").inputs["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("*/10 * * * *", "Forbid")
    job = spec["jobTemplate"]["spec"]
    [rule] = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2])


@CLOUDS
def test_program_starts_after_its_rights_exist(cloud: str) -> None:
    recording = controlled(cloud, **HELD)
    job = recording.one(CRON_JOB, "cost-budget-hold")
    granted = {
        "aws": ("aws:iam/rolePolicy:RolePolicy", "cost-hold"),
        "gcp": ("gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember", "cost-hold"),
    }[cloud]
    for before in (granted, (f"{RBAC}ClusterRoleBinding", "cost-queues")):
        assert recording.depends(job, on=recording.one(*before)), before


def topics(recording: Recording) -> dict[tuple[str, float], str]:
    notifications = recording.one(BUDGETS["aws"], "cost-environment").inputs["notifications"]
    return {
        (entry["notificationType"], entry["threshold"]): entry["subscriberSnsTopicArns"][0]
        for entry in notifications
    }


def test_alert_of_one_threshold_alone_goes_to_the_topic_of_the_hold() -> None:
    recording = controlled("aws", **HELD)
    arns = {
        name: recording.one("aws:sns/topic:Topic", f"cost-{name}").state["arn"] for name in ("alerts", "hold")
    }
    assert topics(recording) == {
        ("ACTUAL", 80): arns["alerts"],
        ("ACTUAL", 100): arns["hold"],
        ("FORECASTED", 100): arns["alerts"],
    }, "a forecast holds nothing"
    team = recording.one(BUDGETS["aws"], "cost-team-search").inputs["notifications"]
    assert {arn for entry in team for arn in entry["subscriberSnsTopicArns"]} == {arns["alerts"]}


def test_threshold_that_is_none_of_the_alerts_is_added() -> None:
    recording = controlled("aws", **{**HELD, "hold": {"percent": 95}})
    hold = recording.one("aws:sns/topic:Topic", "cost-hold").state["arn"]
    assert topics(recording)["ACTUAL", 95] == hold
    rules = controlled("gcp", **{**HELD, "hold": {"percent": 95}}).one(BUDGETS["gcp"], "cost-environment")
    spent = [
        rule["thresholdPercent"]
        for rule in rules.inputs["thresholdRules"]
        if rule["spendBasis"] == "CURRENT_SPEND"
    ]
    assert spent == [0.8, 0.95, 1.0]


def test_only_the_topic_of_the_hold_sends_to_the_queue() -> None:
    recording = controlled("aws", **HELD)
    policy = statements(recording.one("aws:sqs/queuePolicy:QueuePolicy", "cost-hold").inputs["policy"])
    hold = recording.one("aws:sns/topic:Topic", "cost-hold").state["arn"]
    assert policy["TopicSends"]["Condition"] == {"ArnEquals": {"aws:SourceArn": hold}}
    assert policy["TlsOnly"]["Effect"] == "Deny"
    key = statements(recording.one("aws:kms/key:Key", "cost-key").inputs["policy"])
    assert key["TopicEncrypts"]["Condition"] == {"ArnEquals": {"aws:SourceArn": HOLD_ARN}}
    published = statements(recording.one("aws:sns/topic:Topic", "cost-hold").inputs["policy"])
    assert "AnomaliesPublish" not in published, "an anomaly is no spent budget"


def test_role_reads_the_queue_alone() -> None:
    recording = controlled("aws", **HELD)
    known = statements(recording.one("aws:iam/rolePolicy:RolePolicy", "cost-hold").inputs["policy"])
    assert known["Alerts"] == {
        "Sid": "Alerts",
        "Effect": "Allow",
        "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-cost-hold",
    }
    assert known["UseKey"]["Action"] == ["kms:Decrypt"]


def test_identity_reads_the_subscription_alone() -> None:
    recording = controlled("gcp", **HELD)
    granted = recording.one("gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember", "cost-hold").inputs
    assert granted["role"] == "roles/pubsub.subscriber"
    subscription = recording.one("gcp:pubsub/subscription:Subscription", "cost-hold").inputs
    assert granted["subscription"] == subscription["name"] == "acme-dev-cost-hold"
