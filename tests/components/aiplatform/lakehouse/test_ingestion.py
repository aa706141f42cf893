"""Ingestion on AWS: streams, captures, batches, and the quality gate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.lakehouse.example import EVENTS, ORDERS, lakehouse, problems
from tests.components.recording import ACCOUNT, REGION, Recording

STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
JOB = "aws:glue/job:Job"
PERMISSIONS = "aws:lakeformation/permissions:Permissions"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-replica-AbCdEf"
CAPTURE: dict[str, Any] = {
    "name": "shop",
    "engine": "postgresql",
    "database": "shop",
    "secret": SECRET,
    "tables": ["public.orders", "public.customer%"],
}
BATCH: dict[str, Any] = {
    "name": "load",
    "script": "s3://acme-scripts/load.py",
    "arguments": {"since": "yesterday"},
    "schedule": "15 3 * * 1-5",
    "publishes": ["curated.orders"],
}
RULED: dict[str, Any] = {
    **ORDERS,
    "quality": {
        "rules": [
            {"rule": "complete", "column": "id"},
            {"rule": "between", "column": "amount", "low": 0, "at_least": 0.99},
        ],
        "dqdl": ['ColumnLength "email" > 3'],
        "schedule": "0 6 * * *",
    },
}
NETWORK = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": ["subnet-a", "subnet-b"]}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def busy() -> Recording:
    """One with a stream, a capture, a batch that publishes, and rules that are looked at every morning."""
    return lakehouse(
        tables=[RULED, EVENTS],
        streams=[{"name": "clicks", "table": "raw.events", "buffer_seconds": 60}],
        captures=[CAPTURE],
        batches=[BATCH],
        network=NETWORK,
        quality_targets={"data-team": f"arn:aws:sns:{REGION}:{ACCOUNT}:data-team"},
    )


def _statements(policy: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_a_stream_appends_to_its_table_and_stores_events_that_do_not_fit(busy: Recording) -> None:
    stream = busy.one(STREAM).inputs
    assert (stream["name"], stream["destination"]) == ("acme-dev-clicks", "iceberg")
    assert stream["serverSideEncryption"]["keyType"] == "CUSTOMER_MANAGED_CMK"
    iceberg = stream["icebergConfiguration"]
    assert iceberg["appendOnly"] is True
    assert (iceberg["bufferingInterval"], iceberg["bufferingSize"]) == (60, 64)
    assert iceberg["destinationTableConfigurations"] == [
        {"databaseName": "acme_dev_raw", "tableName": "events"}
    ]
    errors = iceberg["s3Configuration"]["errorOutputPrefix"]
    assert errors.startswith("files/errors/clicks/!{firehose:error-output-type}/")


def test_a_stream_may_only_append_to_its_table(busy: Recording) -> None:
    granted = busy.one(PERMISSIONS, "lake-streams-raw.events").inputs
    assert granted["permissions"] == ["ALTER", "DESCRIBE", "INSERT"], "it reads no rows"
    policy = _statements(busy.one("aws:iam/rolePolicy:RolePolicy", "lake-streams").inputs["policy"])
    assert policy["Files"]["Resource"] == [
        f"arn:aws:s3:::acme-dev-raw-{ACCOUNT}/tables/events/*",
        f"arn:aws:s3:::acme-dev-raw-{ACCOUNT}/files/errors/*",
    ]
    trust = json.loads(busy.one("aws:iam/role:Role", "lake-streams").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    bucket = _statements(busy.one("aws:s3/bucketPolicy:BucketPolicy", "lake-raw").inputs["policy"])
    readers = bucket["PastGovernance"]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    arns = {
        name: busy.one("aws:iam/role:Role", name).state["arn"] for name in ("lake-streams", "lake-tester")
    }
    assert set(arns.values()) <= set(readers), "else the bucket would refuse them"
    producer = _statements(busy.one("aws:iam/policy:Policy", "lake-producer").inputs["policy"])
    assert producer["Send"]["Resource"] == [busy.one(STREAM).state["arn"]]


def test_a_stream_depends_on_its_columns_and_permissions(busy: Recording) -> None:
    stream = busy.one(STREAM)
    for first in (
        busy.one(PERMISSIONS, "lake-streams-raw.events"),
        busy.one("aws:lambda/invocation:Invocation", "lake-raw-events"),
        busy.one("aws:iam/rolePolicy:RolePolicy", "lake-streams"),
    ):
        assert busy.depends(stream, on=first), first.name


def test_a_capture_reads_its_credentials_only_from_the_secret(busy: Recording) -> None:
    source = busy.one("aws:dms/endpoint:Endpoint").inputs
    assert (source["engineName"], source["databaseName"], source["sslMode"]) == (
        "postgres",
        "shop",
        "require",
    )
    assert source["secretsManagerArn"] == SECRET
    assert not {"username", "password", "serverName"} & set(source)
    policy = _statements(busy.one("aws:iam/rolePolicy:RolePolicy", "lake-capture-shop").inputs["policy"])
    assert policy["Credentials"]["Resource"] == SECRET
    assert policy["Files"]["Resource"].endswith("/files/captures/shop/*")
    target = busy.one("aws:dms/s3Endpoint:S3Endpoint").inputs
    assert target["bucketFolder"] == "files/captures/shop"
    assert (target["encryptionMode"], target["dataFormat"]) == ("SSE_KMS", "parquet")
    config = busy.one("aws:dms/replicationConfig:ReplicationConfig").inputs
    assert config["replicationType"] == "full-load-and-cdc"
    rules = json.loads(config["tableMappings"])["rules"]
    assert [entry["object-locator"] for entry in rules] == [
        {"schema-name": "public", "table-name": "orders"},
        {"schema-name": "public", "table-name": "customer%"},
    ]
    assert config["computeConfig"]["maxCapacityUnits"] == 4


def test_mysql_is_verified_by_its_certificates() -> None:
    capture = {**CAPTURE, "engine": "mysql", "ca_certificate": CERTIFICATE}
    del capture["database"]
    recording = lakehouse(captures=[capture], network=NETWORK)
    source = recording.one("aws:dms/endpoint:Endpoint").inputs
    assert (source["engineName"], source["sslMode"]) == ("mysql", "verify-full")
    assert "databaseName" not in source


def test_captures_require_the_role_of_dms() -> None:
    answers = {"aws:iam/getRoles:getRoles": lambda _: {"arns": [], "names": [], "id": "none"}}
    reported = problems(answers=answers, captures=[CAPTURE], network=NETWORK)
    assert "the account has no role dms-vpc-role" in reported[0]


def test_a_batch_that_publishes_runs_behind_the_gate(busy: Recording) -> None:
    job = busy.one(JOB, "lake-batch-load").inputs
    curated = f"acme-dev-curated-{ACCOUNT}"
    assert job["command"]["scriptLocation"] == f"s3://{curated}/platform/gate.py"
    arguments = job["defaultArguments"]
    assert arguments["--gate_script"] == "s3://acme-scripts/load.py"
    assert arguments["--gate_tables"] == "acme_dev_curated.orders=acme-dev-curated-orders"
    assert arguments["--since"] == "yesterday"
    assert "spark.wap.branch=incoming" in arguments["--conf"]
    assert busy.one("aws:s3/bucketObjectv2:BucketObjectv2", "lake-gate").inputs["key"] == "platform/gate.py"
    table = busy.one("aws:glue/catalogTable:CatalogTable", "lake-curated-orders").inputs
    table_input = table["openTableFormatInput"]["icebergInput"]["icebergTableInput"]
    assert table_input["properties"]["write.wap.enabled"] == "true"
    trigger = busy.one("aws:glue/trigger:Trigger", "lake-batch-load").inputs
    assert trigger["schedule"] == "cron(15 3 ? * MON-FRI *)"


def test_a_batch_that_publishes_nothing_runs_its_script_directly() -> None:
    recording = lakehouse(batches=[{"name": "load", "script": "s3://acme-scripts/load.py"}])
    job = recording.one(JOB).inputs
    assert job["command"]["scriptLocation"] == "s3://acme-scripts/load.py"
    assert "spark.wap.branch" not in job["defaultArguments"]["--conf"]
    assert not recording.all("aws:glue/trigger:Trigger")
    assert not recording.all("aws:s3/bucketObjectv2:BucketObjectv2")


def test_jobs_run_as_the_writer_with_narrow_permissions(busy: Recording) -> None:
    writer = busy.one("aws:iam/role:Role", "lake-writer")
    assert busy.one(JOB, "lake-batch-load").inputs["roleArn"].startswith("arn:aws:iam::")
    trusted = json.loads(writer.inputs["assumeRolePolicy"])["Statement"]
    assert trusted[1]["Principal"] == {"Service": "glue.amazonaws.com"}
    rights = _statements(busy.one("aws:iam/rolePolicy:RolePolicy", "lake-writer-jobs").inputs["policy"])
    assert rights["ReadScripts"]["Resource"] == ["arn:aws:s3:::acme-scripts/load.py"]
    every = [action for statement in rights.values() for action in statement["Action"]]
    assert not [action for action in every if "*" in action]
    quiet = lakehouse()
    trusted = json.loads(quiet.one("aws:iam/role:Role", "lake-writer").inputs["assumeRolePolicy"])[
        "Statement"
    ]
    assert len(trusted) == 1, "no batches, no service"


def test_logs_of_jobs_are_encrypted_and_expire(busy: Recording) -> None:
    # The names are those that Glue uses with a security configuration: without the groups, the first run
    # would create them, and they would never expire.
    configuration = busy.one("aws:glue/securityConfiguration:SecurityConfiguration").inputs["name"]
    for purpose in ("writer", "tester"):
        role = busy.one("aws:iam/role:Role", f"lake-{purpose}").state["name"]
        for group in ("error", "output"):
            logs = busy.one("aws:cloudwatch/logGroup:LogGroup", f"lake-{purpose}-jobs-{group}").inputs
            assert logs["name"] == f"/aws-glue/jobs/{configuration}-role/{role}/{group}"
            assert logs["retentionInDays"] == 90
            assert logs["kmsKeyId"].startswith("arn:aws:kms:")
    quiet = lakehouse(batches=[{"name": "load", "script": "s3://acme-scripts/load.py"}])
    names = {entry.name for entry in quiet.all("aws:cloudwatch/logGroup:LogGroup")}
    assert "lake-tester-jobs-error" not in names, "no job evaluates rules"


def test_rules_are_a_ruleset_and_are_evaluated_on_the_schedule(busy: Recording) -> None:
    ruleset = busy.one("aws:glue/dataQualityRuleset:DataQualityRuleset").inputs
    assert ruleset["name"] == "acme-dev-curated-orders"
    assert ruleset["ruleset"] == (
        "Rules = [\n"
        '    IsComplete "id",\n'
        '    ColumnValues "amount" >= 0 with threshold >= 0.99,\n'
        '    ColumnLength "email" > 3\n'
        "]"
    )
    trigger = busy.one("aws:glue/trigger:Trigger", "lake-quality-curated-orders").inputs
    assert trigger["schedule"] == "cron(0 6 * * ? *)"
    assert trigger["actions"][0]["arguments"] == {
        "--gate_tables": "acme_dev_curated.orders=acme-dev-curated-orders"
    }
    job = busy.one(JOB, "lake-quality").inputs
    assert "--gate_script" not in job["defaultArguments"]
    assert busy.one(PERMISSIONS, "lake-tester-curated.orders").inputs["permissions"] == ["DESCRIBE", "SELECT"]
    pattern = json.loads(
        busy.one("aws:cloudwatch/eventRule:EventRule", "lake-quality").inputs["eventPattern"]
    )
    assert pattern["detail"]["state"] == ["FAILED"]
    assert pattern["detail"]["context"]["jobName"] == ["acme-dev-lakehouse-quality", "acme-dev-load"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"streams": [{"name": "a", "table": "curated.orders"}]}, "expected a table of raw"),
        ({"streams": [{"name": "a", "table": "raw.event"}]}, "did you mean 'raw.events'?"),
        (
            {"streams": [{"name": "a" * 60, "table": "raw.events"}]},
            "expected at most 55 characters: acme-dev-aaa",
        ),
        (
            {"streams": [{"name": "a", "table": "raw.events"}] * 2},
            "LakehouseArgs.streams[1].name: got 'a' twice",
        ),
        (
            {"streams": [{"name": "a", "table": "raw.events", "buffer_seconds": 901}]},
            "streams[0].buffer_seconds: got 901; expected 0 to 900 seconds",
        ),
        ({"captures": [CAPTURE]}, "network: missing; expected the network that `captures` reach"),
        (
            {"captures": [{**CAPTURE, "secret": "hunter2"}], "network": NETWORK},
            "captures[0].secret: expected the arn of a secret in Secrets Manager, never a password; the",
        ),
        (
            {"captures": [{**CAPTURE, "engine": "mysql"}], "network": NETWORK},
            "captures[0].ca_certificate: missing",
        ),
        (
            {"captures": [{**CAPTURE, "capacity": 3}], "network": NETWORK},
            "captures[0].capacity: got 3; expected one of 1, 2, 4, 8",
        ),
        (
            {"captures": [{**CAPTURE, "tables": ["orders"]}], "network": NETWORK},
            "captures[0].tables[0]: got 'orders'; expected schema.table",
        ),
        ({"batches": [{**BATCH, "publishes": ["raw.events"]}]}, "which has no `quality`"),
        (
            {"batches": [{**BATCH, "script": "gs://acme-scripts/load.py"}]},
            "expected one in a bucket of AWS, s3://...",
        ),
        (
            {"batches": [{**BATCH, "script": "load.py"}]},
            "expected the URL of a script, `s3://bucket/path/load.py`",
        ),
        ({"batches": [{**BATCH, "schedule": "daily"}]}, "expected cron's five fields"),
        ({"batches": [{**BATCH, "schedule": "0 25 * * *"}]}, "expected hour from 0 to 23, found '25'"),
        ({"batches": [{**BATCH, "schedule": "0 3 1 * 1"}]}, "expected day of the month or day of the week"),
        ({"batches": [{**BATCH, "arguments": {"conf": "x"}}]}, "the platform sets this one"),
        ({"batches": [{**BATCH, "arguments": {"--since": "x"}}]}, "without --"),
        ({"snapshots": [{"table": "raw.event", "name": "t"}]}, "snapshots[0].table: got 'raw.event'"),
        ({"snapshots": [{"table": "raw.events", "name": "main"}]}, "which is reserved"),
        (
            {"snapshots": [{"table": "raw.events", "name": "t"}] * 2},
            "snapshots[1].name: got 't' twice for raw.events",
        ),
    ],
)
def test_wrong_ingestion_is_refused(arguments: dict[str, Any], problem: str) -> None:
    reported = problems(**arguments)
    assert any(problem in line for line in reported), reported
