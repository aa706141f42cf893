"""A function on AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.function import Function
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
from tests.components.recording import ACCOUNT, REGION, Recording, record

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:acme-dev-ingest"


def statements(recorded: Recording) -> dict[str, dict[str, Any]]:
    policy = json.loads(recorded.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_a_function_has_a_role_a_log_an_alias_and_alarms() -> None:
    recorded = deployed("aws", profile="dev")
    function = recorded.one("aws:lambda/function:Function")
    assert function.inputs["name"] == "acme-dev-ingest"
    assert function.inputs["architectures"] == ["arm64"]
    assert function.inputs["reservedConcurrentExecutions"] == 10
    assert function.inputs["publish"] is True, "each change is a version"
    assert function.inputs["tags"] == {"owner": "search"}
    assert function.inputs["tracingConfig"] == {"mode": "Active"}
    assert "vpcConfig" not in function.inputs, "a VPC only where it is stated"
    group = recorded.one("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["retentionInDays"] == 90
    assert function.inputs["loggingConfig"]["logGroup"] == group.inputs["name"]
    assert recorded.depends(function, group), "Lambda would create a group without retention"
    assert recorded.depends(function, recorded.one("aws:iam/rolePolicy:RolePolicy"))
    assert statements(recorded).keys() == {"WriteLogs", "Trace"}, "no right that no argument states"
    assert recorded.one("aws:lambda/alias:Alias").inputs["name"] == "live"
    assert len(recorded.all("aws:cloudwatch/metricAlarm:MetricAlarm")) == 2
    assert not recorded.all("aws:kms/key:Key"), "dev has no key"


def test_events_go_through_eventbridge_and_failures_to_a_queue() -> None:
    recorded = deployed("aws", **ingest("aws"))
    assert not recorded.all("aws:s3/bucketNotification:BucketNotification"), "a bucket has one of them"
    pattern = json.loads(recorded.one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"])
    assert pattern["detail"] == {
        "bucket": {"name": ["acme-dev-raw-111122223333"]},
        "object": {"key": [{"prefix": "files/incoming/"}]},
    }
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget")
    queue = recorded.one("aws:sqs/queue:Queue")
    assert target.inputs["deadLetterConfig"]["arn"] == queue.state["arn"]
    permission = recorded.one("aws:lambda/permission:Permission")
    assert permission.inputs["qualifier"] == "live"
    assert permission.inputs["sourceArn"] == recorded.one("aws:cloudwatch/eventRule:EventRule").state["arn"]
    assert recorded.depends(target, permission)
    config = recorded.one("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
    assert config.inputs["destinationConfig"]["onFailure"]["destination"] == queue.state["arn"]
    assert config.inputs["qualifier"] == "live"
    assert queue.inputs["kmsMasterKeyId"] == recorded.one("aws:kms/key:Key").state["arn"]
    rights = statements(recorded)
    assert rights["ReadObjects"]["Resource"] == ["arn:aws:s3:::acme-dev-raw-111122223333/files/incoming/*"]
    assert rights["WriteObjects"]["Resource"] == ["arn:aws:s3:::acme-dev-raw-111122223333/files/quarantine/*"]
    assert rights["SendDeadLetters"]["Resource"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-ingest-dead"
    assert len(recorded.all("aws:cloudwatch/metricAlarm:MetricAlarm")) == 3


def test_the_key_is_for_the_logs_and_the_rule_of_this_function() -> None:
    recorded = deployed("aws", **ingest("aws"))
    policy = json.loads(recorded.one("aws:kms/key:Key").inputs["policy"])
    uses = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert uses["LogsEncrypt"]["Condition"]["ArnEquals"] == {
        "kms:EncryptionContext:aws:logs:arn": (
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/acme-dev-ingest"
        )
    }
    assert uses["EventsEncrypt"]["Condition"]["StringEquals"] == {
        "kms:EncryptionContext:aws:sqs:arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-ingest-dead"
    }, "the context of SQS: EventBridge's guide names no condition on the rule"
    brought = deployed("aws", kms_key=KEYS["aws"], profile="dev")
    assert not brought.all("aws:kms/key:Key")
    assert brought.one("aws:lambda/function:Function").inputs["kmsKeyArn"] == KEYS["aws"]


def test_prefix_and_suffix_are_one_pattern() -> None:
    event = {"bucket": "uploads", "prefix": "in/", "suffix": ".json"}
    recorded = deployed("aws", event=event)
    pattern = json.loads(recorded.one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"])
    assert pattern["detail"]["object"] == {"key": [{"wildcard": "in/*.json"}]}


def test_the_key_of_a_bucket_is_used_through_s3_alone() -> None:
    recorded = deployed("aws", reads=[{"bucket": "models", "prefix": "a/", "kms_key": KEYS["aws"]}])
    statement = statements(recorded)["ReadByKey"]
    assert statement["Action"] == ["kms:Decrypt"]
    assert statement["Condition"]["StringEquals"] == {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}


def test_files_of_a_zone_are_read_and_written_by_the_key_of_the_lakehouse() -> None:
    args = ingest("aws")
    key = "arn:aws:kms:us-east-1:111122223333:key/9f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    rights = statements(deployed("aws", **{**args, "lakehouse": {**args["lakehouse"], "kms_key": key}}))
    assert (rights["ReadByKey"]["Action"], rights["ReadByKey"]["Resource"]) == (["kms:Decrypt"], [key])
    assert rights["WriteByKey"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert rights["WriteByKey"]["Resource"] == [key], "S3 refuses a file without a key that it may use"


def test_a_url_requires_signatures_of_the_stated_callers() -> None:
    recorded = deployed("aws", http={"callers": [CALLERS["aws"]]})
    url = recorded.one("aws:lambda/functionUrl:FunctionUrl")
    assert url.inputs["authorizationType"] == "AWS_IAM"
    assert url.inputs["qualifier"] == "live"
    grants = recorded.all("aws:lambda/permission:Permission")
    assert {grant.inputs["action"] for grant in grants} == {
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
    }, "both are required since October 2025"
    assert {grant.inputs["principal"] for grant in grants} == {CALLERS["aws"]}
    ids = {grant.inputs["statementId"] for grant in grants}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,100}", id_) for id_ in ids), "what AddPermission takes"
    [call] = [grant for grant in grants if grant.inputs["action"] == "lambda:InvokeFunction"]
    assert call.inputs["invokedViaFunctionUrl"] is True, "no call past the URL"
    assert not recorded.all("aws:sqs/queue:Queue"), "requests have no dead letters"


def test_callers_of_two_accounts_may_have_one_name() -> None:
    other = CALLERS["aws"].replace("111122223333", "444455556666")
    grants = deployed("aws", http={"callers": [CALLERS["aws"], other]}).all(
        "aws:lambda/permission:Permission"
    )
    assert len({grant.name for grant in grants}) == 4


@pytest.mark.parametrize(
    ("traffic", "version", "weights"),
    [
        ({}, "1", None),
        ({"latest": 100}, "1", None),
        ({"7": 90, "latest": 10}, "7", {"1": 0.1}),
        ({"7": 95, "8": 5}, "7", {"8": 0.05}),
        ({"1": 90, "latest": 10}, "1", None),
    ],
)
def test_traffic_is_the_weight_of_a_second_version(
    traffic: dict[str, int], version: str, weights: dict[str, float] | None
) -> None:
    recorded = deployed("aws", traffic=traffic)
    alias = recorded.one("aws:lambda/alias:Alias")
    assert alias.inputs["functionVersion"] == version
    routing = alias.inputs.get("routingConfig")
    assert routing == (None if weights is None else {"additionalVersionWeights": weights})


def test_code_in_a_network_cannot_create_interfaces() -> None:
    recorded = deployed("aws", network=NETWORKS["aws"])
    vpc = recorded.one("aws:lambda/function:Function").inputs["vpcConfig"]
    assert vpc["subnetIds"] == ["subnet-1", "subnet-2"]
    assert not recorded.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    denied = statements(recorded)["InterfacesByLambdaAlone"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": [FUNCTION]}}


def test_a_role_that_exists_gets_the_permissions() -> None:
    recorded = deployed("aws", role=f"arn:aws:iam::{ACCOUNT}:role/functions/ingest")
    assert not recorded.all("aws:iam/role:Role")
    assert recorded.one("aws:iam/rolePolicy:RolePolicy").inputs["role"] == "ingest"


def test_alarms_notify_the_targets() -> None:
    recorded = deployed("aws", alarm_targets=[TARGETS["aws"]])
    for alarm in recorded.all("aws:cloudwatch/metricAlarm:MetricAlarm"):
        assert alarm.inputs["alarmActions"] == [TARGETS["aws"]]


def test_a_package_is_a_zip_archive(tmp_path: Path) -> None:
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "handler.py").write_text("def handle(event, context): ...\n")
    package = {"path": str(tmp_path), "runtime": "python3.13", "handler": "ingest.handler.handle"}
    recorded = deployed("aws", image=None, package=package)
    function = recorded.one("aws:lambda/function:Function").inputs
    assert (function["packageType"], function["runtime"]) == ("Zip", "python3.13")
    stored = {"bucket": "code", "key": "a.zip", "version": "v1"}
    recorded = deployed("aws", image=None, package={**package, "path": None, **stored})
    function = recorded.one("aws:lambda/function:Function").inputs
    assert (function["s3Bucket"], function["s3Key"], function["s3ObjectVersion"]) == ("code", "a.zip", "v1")


def _refused(answers: dict[str, Any], **more: Any) -> str:
    recorded: list[Recording] = []
    args: Any = arguments("aws", **more)

    def program() -> str:
        with pytest.raises(ArgumentError) as caught:
            Function("ingest", args)
        return str(caught.value)

    recorded.append(record(program, answers=answers))
    custom = [resource.type for resource in recorded[0].resources if resource.custom]
    assert custom == [], "it is refused before anything of the cloud is registered"
    return str(recorded[0].result)


def test_concurrency_that_leaves_less_than_100_of_the_account_is_refused() -> None:
    def quota(arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {**arguments, "id": "L-B99A9384", "quotaName": "Concurrent executions", "value": 105}

    answers = {"aws:servicequotas/getServiceQuota:getServiceQuota": quota}
    reason = _refused(answers, max_instances=10)
    assert "FunctionArgs.max_instances: got 10; expected at most 5" in reason
    assert deployed("aws", answers, max_instances=5).one("aws:lambda/function:Function")


def test_a_bucket_that_does_not_exist_is_refused() -> None:
    def missing(_: Mapping[str, Any]) -> dict[str, Any]:
        raise RefusedError("reading S3 Bucket (uplods): couldn't find resource")

    reason = _refused({"aws:s3/getBucket:getBucket": missing}, event={"bucket": "uplods"})
    assert "FunctionArgs.event.bucket: got 'uplods'; expected a bucket that exists" in reason


def test_a_bucket_of_the_same_program_is_not_looked_up() -> None:
    def missing(_: Mapping[str, Any]) -> dict[str, Any]:
        raise RefusedError("reading S3 Bucket: couldn't find resource")

    event = {"bucket": pulumi.Output.from_input("uploads")}
    recorded = deployed("aws", {"aws:s3/getBucket:getBucket": missing}, event=event)
    assert recorded.one("aws:cloudwatch/eventRule:EventRule")
