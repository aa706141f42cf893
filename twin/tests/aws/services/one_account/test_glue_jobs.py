"""Glue's jobs, triggers and rulesets, through the API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.lake import DATABASE, role
from twin.tests.aws.resources.life import make, refused

JOB = "aws:glue/job:Job"
TRIGGER = "aws:glue/trigger:Trigger"
SECURITY = "aws:glue/securityConfiguration:SecurityConfiguration"
RULESET = "aws:glue/dataQualityRuleset:DataQualityRuleset"
RULES = """Rules = [
    IsComplete "id",
    (ColumnValues "price" > 0) or (ColumnValues "price" = NULL),
    CustomSql "select count(*) from primary where a in (1, 2)" = 0
]"""


@pytest.fixture(scope="module")
def place(clients: Clients, key: str) -> dict[str, str]:
    """Roles, a key, a table."""
    make(clients.context(), DATABASE, name="curated")
    clients("glue").create_table(DatabaseName="curated", TableInput={"Name": "orders"})
    return {
        "role": role(clients, "jobs", "glue.amazonaws.com"),
        "other": role(clients, "other", "lambda.amazonaws.com"),
        "key": key,
    }


def inputs(place: dict[str, str], **more: Any) -> Props:
    """A job as the lakehouse makes it."""
    arguments: Props = {
        "name": "orders",
        "roleArn": place["role"],
        "glueVersion": "5.1",
        "command": {"name": "glueetl", "pythonVersion": "3", "scriptLocation": "s3://b/gate.py"},
        "workerType": "G.1X",
        "numberOfWorkers": 2,
        "timeout": 60,
        "executionProperty": {"maxConcurrentRuns": 3},
        "defaultArguments": {"--datalake-formats": "iceberg"},
        **more,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def test_a_job_is_encrypted_started_by_triggers_and_goes(clients: Clients, place: dict[str, str]) -> None:
    context = clients.context()
    kms = {"kmsKeyArn": place["key"]}
    security = make(
        context,
        SECURITY,
        name="jobs",
        encryptionConfiguration={
            "cloudwatchEncryption": {"cloudwatchEncryptionMode": "SSE-KMS", **kms},
            "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", **kms},
            "s3Encryption": {"s3EncryptionMode": "SSE-KMS", **kms},
        },
    )
    assert security.outputs["encryptionConfiguration"]["s3Encryption"]["kmsKeyArn"] == place["key"]
    job = make(context, JOB, **inputs(place, securityConfiguration="jobs"), tags={"team": "ml"})
    outputs = job.outputs
    assert outputs["arn"].endswith(":job/orders")
    assert (outputs["glueVersion"], outputs["workerType"], outputs["timeout"]) == ("5.1", "G.1X", 60)
    assert outputs["executionProperty"] == {"maxConcurrentRuns": 3}
    changed = job.update(numberOfWorkers=10, description="more", tags={"team": "x"})
    assert (changed["numberOfWorkers"], changed["description"]) == (10, "more")
    assert changed["securityConfiguration"] == "jobs"
    nightly = make(
        context,
        TRIGGER,
        name="nightly",
        type="SCHEDULED",
        schedule="cron(0 3 * * ? *)",
        startOnCreation=True,
        actions=[{"jobName": "orders", "arguments": {"--day": "1"}}],
        tags={"team": "ml"},
    )
    assert (nightly.outputs["state"], nightly.outputs["enabled"]) == ("ACTIVATED", True)
    assert nightly.update(schedule="cron(0 4 * * ? *)")["schedule"] == "cron(0 4 * * ? *)"
    assert nightly.update(enabled=False)["enabled"] is False
    after = make(
        context,
        TRIGGER,
        name="after",
        type="CONDITIONAL",
        actions=[{"jobName": "orders"}],
        predicate={"conditions": [{"jobName": "orders", "state": "SUCCEEDED", "logicalOperator": "EQUALS"}]},
    )
    for resource in (after, nightly, job, security):
        resource.delete()
        assert resource.read() is None
    left = clients.server._inventory.of(clients.server)
    assert not {"glue/jobs", "glue/triggers", "glue/security_configurations"} & set(left)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"roleArn": "other"}, "roleArn", "unable to assume provided role"),
        ({"glueVersion": "9.9"}, "glueVersion", "Glue version 9.9 is not supported"),
        ({"numberOfWorkers": 1}, "numberOfWorkers", "must be at least 2"),
        ({"numberOfWorkers": None}, "workerType", "go together"),
        (
            {"command": {"name": "spark", "scriptLocation": "s3://b/k"}},
            "command.name",
            "not one of glueetl",
        ),
        ({"command": {"name": "glueetl", "scriptLocation": "/k"}}, "command.scriptLocation", "must be in S3"),
        ({"securityConfiguration": "none"}, "securityConfiguration", "Security configuration none not found"),
        ({"connections": ["none"]}, "connections", "Connection none not found"),
    ],
)
def test_what_glue_refuses_of_a_job(
    clients: Clients, place: dict[str, str], change: Any, path: str, words: str
) -> None:
    changes = {name: place["other"] if value == "other" else value for name, value in change.items()}
    with pytest.raises(CloudError, match=words) as error:
        make(clients.context(), JOB, **inputs(place, **changes))
    assert error.value.path == path


def test_what_glue_refuses_of_a_trigger(clients: Clients) -> None:
    arguments: Props = {"name": "t", "type": "SCHEDULED", "actions": [{"jobName": "none"}]}
    for change, path, words in (
        ({"schedule": "cron(0 3 * * ? *)"}, "actions", "Job none not found"),
        ({"schedule": "daily"}, "schedule", "not a valid cron expression"),
        ({}, "schedule", "needs a schedule"),
        ({"type": "CONDITIONAL"}, "predicate", "needs a predicate"),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(clients.context(), TRIGGER, **{**arguments, **change})
        assert error.value.path == path


def test_a_ruleset_is_of_known_rules_and_of_a_table(clients: Clients) -> None:
    context = clients.context()
    target = {"databaseName": "curated", "tableName": "orders"}
    ruleset = make(context, RULESET, name="orders", ruleset=RULES, targetTable=target, tags={"a": "b"})
    assert ruleset.outputs["arn"].endswith(":dataQualityRuleset/orders")
    assert ruleset.update(ruleset="Rules = [ RowCount > 0 ]", description="d")["description"] == "d"
    for change, path, words in (
        ({"ruleset": 'Rules = [ Completes "id" ]'}, "ruleset", "unknown rule type Completes"),
        ({"ruleset": "RowCount > 0"}, "ruleset", "Ruleset parsing failed"),
        ({"targetTable": {**target, "tableName": "none"}}, "targetTable", "Table curated.none not found"),
        ({"name": "orders"}, "name", "already exists"),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(context, RULESET, **{"name": "other", "ruleset": RULES, "targetTable": target, **change})
        assert error.value.path == path
    assert clients.server._inventory.of(clients.server)["glue/data_quality_rulesets"] == ["orders"]
    ruleset.delete()
    assert ruleset.read() is None
    reasons = refused(
        context, SECURITY, name="x", encryptionConfiguration={"s3Encryption": {"s3EncryptionMode": "X"}}
    )
    assert reasons
