"""A function on Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.function import Function
from aiplatform.log_bucket import LogBucket
from tests.components.aiplatform.function.example import (
    CALLERS,
    KEYS,
    NETWORKS,
    TARGETS,
    arguments,
    deployed,
    ingest,
)
from tests.components.cloud_answers import RefusedError
from tests.components.recording import record

SERVICE = "gcp:cloudrunv2/service:Service"
LOG_BUCKET = "projects/acme-logs/locations/us-central1/buckets/functions"
PLACE: Any = {"project": "acme-dev", "region": "us-central1"}
MEMBER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"


def test_a_function_is_a_service_with_an_account_and_a_log_bucket() -> None:
    recorded = deployed("gcp", profile="dev", log_days=30)
    service = recorded.one(SERVICE).inputs
    assert service["name"] == "acme-dev-ingest"
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert service["invokerIamDisabled"] is False
    assert service["labels"] == {"owner": "search"}
    template = service["template"]
    account = recorded.one("gcp:serviceaccount/account:Account")
    assert account.inputs["accountId"] == "acme-dev-fn-ingest"
    assert template["scaling"] == {"minInstanceCount": 0, "maxInstanceCount": 10}
    assert template["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}
    assert template["timeout"] == "60s"
    assert "encryptionKey" not in template, "dev has no key"
    assert service["traffics"] == [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]
    assert not recorded.all(MEMBER), "no caller that no argument states"
    logs = recorded.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
    assert logs["retentionDays"] == 30
    assert (
        'service_name="acme-dev-ingest"'
        in recorded.one("gcp:logging/projectSink:ProjectSink").inputs["filter"]
    )
    roles = [grant.inputs["role"] for grant in recorded.all("gcp:projects/iAMMember:IAMMember")]
    # Cloud Run's own account pulls the image.
    assert sorted(roles) == ["roles/cloudtrace.agent", "roles/run.serviceAgent"]


def test_a_key_that_is_stated_later_is_that_of_a_new_log_bucket() -> None:
    keys = [f"projects/p/locations/us-central1/keyRings/ring/cryptoKeys/{name}" for name in ("one", "two")]
    variants: list[dict[str, Any]] = [
        {"profile": "dev"},
        {"profile": "staging"},
        *({"profile": "dev", "kms_key": key} for key in keys),
    ]
    without, created, first, second = (
        deployed("gcp", **variant).one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
        for variant in variants
    )
    assert "cmekSettings" not in without
    assert first["bucketId"].startswith(f"{without['bucketId']}-"), "a bucket without a key gets none"
    assert created["bucketId"] == without["bucketId"], "that of a deployed function keeps its name"
    assert first["bucketId"] != second["bucketId"]


@pytest.mark.parametrize("name", ["_Default", "functions"])
def test_the_default_log_bucket_of_a_project_is_one_that_exists(name: str) -> None:
    logs = f"projects/acme-dev/locations/global/buckets/{name}"
    assert deployed("gcp", log_bucket=logs).one("aiplatform:index:Function").published["logs"] == logs
    for wrong in ("_Required", "_default", "-functions"):
        with pytest.raises(ArgumentError, match=r"log_bucket: got .*; expected a log bucket"):
            deployed("gcp", log_bucket=logs.replace(name, wrong))


def test_a_function_with_a_log_bucket_that_exists_creates_none_and_no_exclusion() -> None:
    recorded = deployed("gcp", log_bucket=LOG_BUCKET)
    logging = [resource.type for resource in recorded.resources if resource.type.startswith("gcp:logging/")]
    assert logging == [], "a project has 50 exclusions"
    assert recorded.one("aiplatform:index:Function").published["logs"] == LOG_BUCKET
    granted = {grant.name for grant in recorded.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
    assert granted == {"ingest-key-run"}, "the key of the function encrypts no logs"
    assert recorded.one(SERVICE).inputs["description"] == "Owner: search"


def test_a_function_comes_after_the_exclusion_of_a_shared_log_bucket() -> None:
    def program() -> None:
        settings: Any = {"prefix": "acme-dev", "cloud": "gcp", **PLACE}
        logs = LogBucket("logs", settings)
        args: Any = arguments("gcp", log_bucket=logs.log_bucket)
        Function("ingest", args)

    recorded = record(program)
    exclusion = recorded.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert recorded.depends(recorded.one(SERVICE), exclusion), "no log is in `_Default`, or after its bucket"
    bucket = recorded.one("gcp:logging/projectBucketConfig:ProjectBucketConfig")
    assert recorded.one("aiplatform:index:Function").published["logs"] == bucket.id


def test_events_are_pushed_by_an_account_that_calls_this_service_alone() -> None:
    recorded = deployed("gcp", **ingest("gcp"))
    notification = recorded.one("gcp:storage/notification:Notification")
    assert notification.inputs["objectNamePrefix"] == "files/incoming/"
    assert notification.inputs["eventTypes"] == ["OBJECT_FINALIZE"]
    pushed = recorded.one(SUBSCRIPTION, "ingest-events")
    assert recorded.depends(notification, pushed), "no message before there is a subscription"
    token = pushed.inputs["pushConfig"]["oidcToken"]
    caller = recorded.one("gcp:serviceaccount/account:Account", "ingest-events")
    assert token["serviceAccountEmail"] == caller.state["email"]
    [invoker] = recorded.all(MEMBER)
    assert invoker.inputs["role"] == "roles/run.invoker"
    assert invoker.inputs["member"] == caller.state["member"]
    assert recorded.depends(pushed, invoker)
    assert pushed.inputs["deadLetterPolicy"]["maxDeliveryAttempts"] == 5
    assert pushed.inputs["ackDeadlineSeconds"] == 60
    topics = {topic.inputs["name"]: topic for topic in recorded.all("gcp:pubsub/topic:Topic")}
    assert topics.keys() == {"acme-dev-ingest-events", "acme-dev-ingest-dead"}
    assert all("kmsKeyName" in topic.inputs for topic in topics.values())
    grants = recorded.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert {grant.name for grant in grants} == {"ingest-key-run", "ingest-key-pubsub", "ingest-key-logging"}
    for grant in grants:
        assert recorded.depends(recorded.one(SERVICE), grant)


def test_objects_are_granted_by_their_prefix() -> None:
    recorded = deployed("gcp", **ingest("gcp"))
    members = {
        member.name: member.inputs for member in recorded.all("gcp:storage/bucketIAMMember:BucketIAMMember")
    }
    bucket = ingest("gcp")["lakehouse"]["zones"][0]["bucket"]
    reads = members["ingest-reads-0"]
    assert reads["role"] == "roles/storage.objectViewer"
    assert reads["condition"]["expression"] == (
        f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/files/incoming/")'
    )
    assert members["ingest-writes-0"]["role"] == "roles/storage.objectCreator", "it replaces nothing"


def test_only_stated_callers_have_the_role_to_call() -> None:
    recorded = deployed("gcp", http={"callers": [CALLERS["gcp"]], "from_internet": True})
    assert recorded.one(SERVICE).inputs["ingress"] == "INGRESS_TRAFFIC_ALL"
    [member] = recorded.all(MEMBER)
    assert (member.inputs["role"], member.inputs["member"]) == ("roles/run.invoker", CALLERS["gcp"])


def test_traffic_is_split_between_revisions() -> None:
    recorded = deployed("gcp", traffic={"acme-dev-ingest-00003-abc": 90, "latest": 10})
    assert recorded.one(SERVICE).inputs["traffics"] == [
        {
            "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
            "revision": "acme-dev-ingest-00003-abc",
            "percent": 90,
        },
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10},
    ]


@pytest.mark.parametrize(
    ("memory", "cpu"), [(512, "1"), (4096, "1"), (4097, "2"), (16384, "4"), (20000, "6"), (32768, "8")]
)
def test_cpus_follow_memory(memory: int, cpu: str) -> None:
    recorded = deployed("gcp", memory_mib=memory, profile="dev")
    limits = recorded.one(SERVICE).inputs["template"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": cpu, "memory": f"{memory}Mi"}


def test_what_exists_is_used() -> None:
    recorded = deployed(
        "gcp",
        role=CALLERS["gcp"],
        kms_key=KEYS["gcp"],
        network=NETWORKS["gcp"],
        alarm_targets=[TARGETS["gcp"]],
        concurrency=8,
    )
    assert not recorded.all("gcp:serviceaccount/account:Account")
    assert not recorded.all("gcp:kms/cryptoKey:CryptoKey")
    template = recorded.one(SERVICE).inputs["template"]
    assert template["serviceAccount"] == CALLERS["gcp"].partition(":")[2]
    assert template["encryptionKey"] == KEYS["gcp"]
    assert template["maxInstanceRequestConcurrency"] == 8
    assert template["vpcAccess"]["egress"] == "PRIVATE_RANGES_ONLY"
    policies = recorded.all("gcp:monitoring/alertPolicy:AlertPolicy")
    assert {policy.name for policy in policies} == {"ingest-errors", "ingest-throttles"}
    assert all(policy.inputs["notificationChannels"] == [TARGETS["gcp"]] for policy in policies)


def test_a_bucket_that_does_not_exist_is_refused() -> None:
    def missing(_: Mapping[str, Any]) -> dict[str, Any]:
        raise RefusedError("Error 404: The specified bucket does not exist., notFound")

    args: Any = arguments("gcp", event={"bucket": "uplods"})

    def program() -> str:
        with pytest.raises(ArgumentError) as caught:
            Function("ingest", args)
        return str(caught.value)

    recorded = record(program, answers={"gcp:storage/getBucket:getBucket": missing})
    assert "FunctionArgs.event.bucket: got 'uplods'; expected a bucket that exists" in recorded.result
    assert not [resource for resource in recorded.resources if resource.custom]
