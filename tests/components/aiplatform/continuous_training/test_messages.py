"""Queues, what handles their messages, and who sends and reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.continuous_training.example import IMAGE, PROMOTERS, on_data, training
from tests.components.recording import ACCOUNT, REGION, Recording

JOB = "kubernetes:keda.sh/v1alpha1:ScaledJob"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"


@pytest.fixture(scope="module")
def aws() -> Recording:
    return training("aws", model=on_data("aws"))


@pytest.fixture(scope="module")
def gcp() -> Recording:
    return training("gcp", model=on_data("gcp"))


def _statements(text: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(text)["Statement"]}


def _arns(statement: Any) -> list[str]:
    resources = statement["Resource"]
    return [resources] if isinstance(resources, str) else resources


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_keda_counts_messages_by_its_own_identity(cloud: str, request: pytest.FixtureRequest) -> None:
    recording: Recording = request.getfixturevalue(cloud)
    [authentication] = recording.all("kubernetes:keda.sh/v1alpha1:ClusterTriggerAuthentication")
    assert authentication.inputs["spec"] == {"podIdentity": {"provider": cloud}}
    for job in recording.all(JOB):
        [trigger] = job.inputs["spec"]["triggers"]
        assert trigger["type"] == ("aws-sqs-queue" if cloud == "aws" else "gcp-pubsub")
        assert trigger["authenticationRef"]["kind"] == "ClusterTriggerAuthentication"
        assert trigger["authenticationRef"]["name"] == authentication.inputs["metadata"]["name"]


def test_a_message_comes_again_after_the_job_that_handles_it(aws: Recording) -> None:
    queue = aws.one("aws:sqs/queue:Queue", "training-search-training").inputs
    seconds = aws.one(JOB, "training-search-messages").inputs["spec"]["jobTargetRef"]["activeDeadlineSeconds"]
    assert queue["visibilityTimeoutSeconds"] > seconds, "else two Jobs would handle it"
    assert json.loads(queue["redrivePolicy"])["maxReceiveCount"] == 5


def test_requests_for_promotions_are_handled_outside_of_the_namespace_of_promotions(aws: Recording) -> None:
    job = aws.one(JOB, "training-search-requests").inputs
    assert job["metadata"]["namespace"] == "promotion-requests"
    pod = job["spec"]["jobTargetRef"]["template"]["spec"]
    assert pod["serviceAccountName"] == "promotion-requests"
    [container] = pod["containers"]
    assert container["image"] == IMAGE
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert (variables["PLATFORM_TEAM"], variables["PROFILE"]) == ("search", "dev")
    role = aws.one(ROLE, "training-promotion-requests-role").inputs
    assert role["metadata"]["namespace"] == "release"
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["create"]}
    ], "it resumes nothing"


def test_messages_of_a_team_start_workflows_of_the_team_alone(aws: Recording) -> None:
    role = aws.one(ROLE, "training-search-continuous-training-role").inputs
    assert role["metadata"]["namespace"] == "search"
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["create", "list"]}
    ]


def test_a_team_reads_its_messages_and_requests_promotions_and_nothing_else(aws: Recording) -> None:
    statements = _statements(aws.one("aws:iam/rolePolicy:RolePolicy", "training-search").inputs["policy"])
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-search"
    assert statements["Messages"]["Action"] == ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    assert _arns(statements["Messages"]) == [f"{arn}-training"]
    assert statements["RequestPromotions"]["Action"] == ["sqs:SendMessage"]
    assert _arns(statements["RequestPromotions"]) == [f"{arn}-promotions"]


def test_what_handles_requests_reads_queues_of_promotions_only(aws: Recording) -> None:
    policy = aws.one("aws:iam/rolePolicy:RolePolicy", "training-promotion-requests").inputs["policy"]
    statements = _statements(policy)
    assert all(arn.endswith("-promotions") for arn in _arns(statements["Requests"]))
    assert "kms:GenerateDataKey" not in statements["UseKey"]["Action"], "it sends nothing"


def test_only_promotions_and_rules_of_tables_send_to_a_team_from_outside(aws: Recording) -> None:
    of_team = _statements(aws.one(QUEUE_POLICY, "training-search-training").inputs["policy"])
    assert set(of_team) == {"TlsOnly", "PromotionsSend", "RulesSend"}
    assert of_team["PromotionsSend"]["Principal"] == {"AWS": PROMOTERS["aws"]}
    assert len(of_team["RulesSend"]["Condition"]["ArnEquals"]["aws:SourceArn"]) == 2
    promotions = _statements(aws.one(QUEUE_POLICY, "training-search-promotions").inputs["policy"])
    assert set(promotions) == {"TlsOnly"}, "only principals with a permission of the account"


def test_the_key_is_used_by_rules_for_these_queues_and_by_promotions(aws: Recording) -> None:
    statements = _statements(aws.one("aws:kms/key:Key", "training-key").inputs["policy"])
    events = statements["EventsEncrypt"]["Condition"]["StringEquals"]
    assert events["kms:EncryptionContext:aws:sqs:arn"] == [
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-search-training"
    ]
    via = statements["PromotionsEncrypt"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert via == f"sqs.{REGION}.amazonaws.com"


def test_the_last_file_of_a_commit_starts_a_training_on_aws(aws: Recording) -> None:
    rules = aws.all("aws:cloudwatch/eventRule:EventRule")
    keys = {
        json.loads(rule.inputs["eventPattern"])["detail"]["object"]["key"][0]["wildcard"] for rule in rules
    }
    assert keys == {f"tables/{name}/metadata/*.metadata.json" for name in ("orders", "customers")}
    inputs = {target.inputs["input"] for target in aws.all("aws:cloudwatch/eventTarget:EventTarget")}
    assert {json.loads(text)["data"]["table"] for text in inputs} == {
        "acme_dev_curated.orders",
        "acme_dev_curated.customers",
    }
    assert not training("aws").all("aws:cloudwatch/eventRule:EventRule"), "without on_data"


def test_metadata_of_tables_is_notified_of_on_google_cloud(gcp: Recording) -> None:
    notifications = gcp.all("gcp:storage/notification:Notification")
    prefixes = {entry.inputs["objectNamePrefix"]: entry.inputs["customAttributes"] for entry in notifications}
    assert prefixes == {
        "tables/orders/metadata/": {"table": "acme_dev_curated.orders"},
        "tables/customers/metadata/": {"table": "acme_dev_curated.customers"},
    }
    assert {entry.inputs["bucket"] for entry in notifications} == {"acme-dev-curated"}
    assert not training("gcp").all("gcp:storage/notification:Notification"), "without on_data"


def test_each_topic_has_its_publishers_on_google_cloud(gcp: Recording) -> None:
    members = {
        entry.name.removeprefix("training-search-").removesuffix("-publisher"): entry.inputs["role"]
        for entry in gcp.all("gcp:pubsub/topicIAMMember:TopicIAMMember")
    }
    assert members == dict.fromkeys(
        ("training-promoter", "training-storage", "training-dead", "promotions", "promotions-dead"),
        "roles/pubsub.publisher",
    )
    readers = gcp.one(
        "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember", "training-search-promotions-subscriber"
    )
    assert "wi-requests@" in readers.inputs["member"], "the team does not read its requests"


def test_tables_that_several_models_share_are_notified_of_once() -> None:
    models = {"fares": on_data("aws"), "prices": on_data("aws")}
    recording = training("aws", team={"models": models})
    assert len(recording.all("aws:cloudwatch/eventRule:EventRule")) == 2
