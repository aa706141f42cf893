"""What a workflow registers: definition, rights, dead letters, logs, alarms and schedule."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from aiplatform.log_bucket import LogBucket
from aiplatform.workflow import Workflow
from tests.components.aiplatform.schema import undocumented
from tests.components.aiplatform.workflow.example import FUNCTION, JOB, arguments, definition, recorded
from tests.components.recording import ACCOUNT, REGION, Recording, record

MACHINE = "aws:sfn/stateMachine:StateMachine"
WORKFLOW = "gcp:workflows/workflow:Workflow"
SCHEDULE = {"cron": "15 3 * * 1-5", "timezone": "Europe/Berlin", "input": {"table": "trips"}}
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def statements(recording: Recording, name: str) -> dict[str, dict[str, Any]]:
    document = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"])
    return {entry["Sid"]: entry for entry in document["Statement"]}


def test_it_is_documented() -> None:
    assert undocumented(Workflow) == []


def test_names_of_a_definition_become_arns_and_the_url_of_the_queue() -> None:
    machine = recorded("aws").one(MACHINE, "workflow").inputs
    states = json.loads(machine["definition"])["States"]
    assert states["Validate"]["Parameters"]["FunctionName"] == f"{FUNCTION}validate"
    assert states["Score"]["Parameters"]["JobName"] == "acme-dev-score"
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/acme-dev-scoring-dead-letter"
    assert states["DeadLetter"]["Parameters"]["QueueUrl"] == url
    assert "${" not in machine["definition"]


def test_whole_numbers_of_the_plugin_s_protocol_are_whole_in_the_definition() -> None:
    changed = definition("aws")
    changed["TimeoutSeconds"] = 3600.0
    text = recorded("aws", definition=changed).one(MACHINE, "workflow").inputs["definition"]
    assert '"TimeoutSeconds": 3600,' in text


def test_role_has_the_right_to_what_the_definition_calls_alone() -> None:
    rights = statements(recorded("aws"), "workflow-role")
    assert rights["Functions"]["Resource"] == [f"{FUNCTION}validate", f"{FUNCTION}publish"]
    assert rights["Jobs"]["Resource"] == [f"arn:aws:glue:{REGION}:{ACCOUNT}:job/acme-dev-score"]
    assert rights["DeadLetters"]["Resource"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-dev-scoring-dead-letter"
    everywhere = {sid for sid, entry in rights.items() if entry["Resource"] == "*"}
    assert everywhere == {"DeliverLogs", "Trace"}, "these two have no resources in IAM"


def test_workflow_without_jobs_has_no_rights_to_run_any() -> None:
    changed = definition("aws")
    changed["States"]["Validate"]["Next"] = "Publish"
    del changed["States"]["Score"]
    rights = statements(recorded("aws", definition=changed, jobs={}, tracing=False), "workflow-role")
    assert {"Jobs", "Trace"}.isdisjoint(rights)


def test_executions_logs_and_dead_letters_are_encrypted_with_one_key() -> None:
    recording = recorded("aws")
    key = recording.one("aws:kms/key:Key").state["arn"]
    machine = recording.one(MACHINE, "workflow").inputs
    assert machine["encryptionConfiguration"]["kmsKeyId"] == key
    assert recording.one("aws:cloudwatch/logGroup:LogGroup").inputs["kmsKeyId"] == key
    assert recording.one("aws:sqs/queue:Queue").inputs["kmsMasterKeyId"] == key
    brought = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    assert recorded("aws", kms_key=brought).all("aws:kms/key:Key") == []


def test_logs_have_data_only_where_everything_is_logged() -> None:
    logged = {
        level: recorded("aws", log_level=level).one(MACHINE, "workflow").inputs["loggingConfiguration"]
        for level in ("errors", "all")
    }
    assert (logged["errors"]["level"], logged["errors"]["includeExecutionData"]) == ("ERROR", False)
    assert (logged["all"]["level"], logged["all"]["includeExecutionData"]) == ("ALL", True)
    group = recorded("aws", log_days=30).one("aws:cloudwatch/logGroup:LogGroup").inputs
    assert (group["name"], group["retentionInDays"]) == ("/aws/vendedlogs/states/acme-dev-scoring", 30)


def test_execution_that_no_state_can_catch_is_a_dead_letter_too() -> None:
    recording = recorded("aws")
    pattern = json.loads(recording.one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"])
    assert pattern["detail"]["status"] == ["TIMED_OUT", "ABORTED"]
    target = recording.one("aws:cloudwatch/eventTarget:EventTarget").inputs
    assert target["arn"] == recording.one("aws:sqs/queue:Queue").state["arn"]


def test_alarms_of_failures_timeouts_and_dead_letters_reach_the_targets() -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
    alarms = recorded("aws", alarm_targets=[topic]).all("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert {alarm.inputs["metricName"] for alarm in alarms} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ApproximateNumberOfMessagesVisible",
    }
    assert all(alarm.inputs["alarmActions"] == [topic] for alarm in alarms)
    channel = "projects/acme-dev-0123/notificationChannels/12345"
    policies = recorded("gcp", alarm_targets=[channel]).all("gcp:monitoring/alertPolicy:AlertPolicy")
    assert len(policies) == 2
    assert all(policy.inputs["notificationChannels"] == [channel] for policy in policies)


def test_schedule_starts_this_workflow_alone_as_its_role() -> None:
    recording = recorded("aws", schedule=SCHEDULE)
    schedule = recording.one("aws:scheduler/schedule:Schedule").inputs
    assert schedule["scheduleExpression"] == "cron(15 3 ? * MON-FRI *)"
    assert schedule["scheduleExpressionTimezone"] == "Europe/Berlin"
    assert json.loads(schedule["target"]["input"]) == {"table": "trips"}
    rights = statements(recording, "workflow-schedule")
    assert rights["Start"]["Resource"] == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:acme-dev-scoring"
    assert recorded("aws").all("aws:scheduler/schedule:Schedule") == []


def test_schedule_on_google_cloud_executes_the_workflow_with_its_input() -> None:
    recording = recorded("gcp", schedule=SCHEDULE)
    job = recording.one("gcp:cloudscheduler/job:Job").inputs
    assert (job["schedule"], job["timeZone"]) == ("15 3 * * 1-5", "Europe/Berlin")
    body = json.loads(base64.b64decode(job["httpTarget"]["body"]))
    assert json.loads(body["argument"]) == {"table": "trips"}
    granted = recording.one("gcp:projects/iAMMember:IAMMember", "workflow-schedule").inputs
    role = recording.one("gcp:projects/iAMCustomRole:IAMCustomRole", "workflow-schedule")
    assert role.inputs["permissions"] == ["workflows.executions.create"], (
        "roles/workflows.invoker also reads and cancels executions of other workflows"
    )
    assert granted["role"] == role.state["name"]


def test_agent_of_workflows_has_its_role_and_leaves_it_to_others() -> None:
    grants = {grant.name: grant for grant in recorded("gcp").all("gcp:projects/iAMMember:IAMMember")}
    agent = grants["workflow-workflows-agent"]
    assert agent.inputs["role"] == "roles/workflows.serviceAgent", "Google grants none to an agent on request"
    assert grants["workflow-pubsub-agent"].inputs["role"] == "roles/pubsub.serviceAgent"


def test_workflow_of_google_has_its_definition_and_what_it_calls() -> None:
    workflow = recorded("gcp").one(WORKFLOW, "workflow").inputs
    assert json.loads(workflow["sourceContents"]) == definition("gcp")
    assert workflow["userEnvVars"]["validate"] == "https://validate-abc-ez.a.run.app"
    assert workflow["userEnvVars"]["score"] == JOB
    assert workflow["executionHistoryLevel"] == "EXECUTION_HISTORY_DETAILED"
    assert workflow["callLogLevel"] == "LOG_ERRORS_ONLY"


def test_service_account_invokes_the_services_and_runs_the_job_that_are_listed() -> None:
    recording = recorded("gcp")
    services = recording.all("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert {(grant.inputs["name"], grant.inputs["role"]) for grant in services} == {
        ("validate", "roles/run.invoker"),
        ("publish", "roles/run.invoker"),
    }
    job = recording.one("gcp:cloudrunv2/jobIamMember:JobIamMember").inputs
    assert (job["name"], job["role"]) == ("score", "roles/run.jobsExecutor")
    role = recording.one("gcp:projects/iAMCustomRole:IAMCustomRole").inputs
    assert role["permissions"] == ["run.operations.get"]
    of_project = {grant.inputs["role"] for grant in recording.all("gcp:projects/iAMMember:IAMMember")}
    known = {"roles/logging.logWriter", "roles/pubsub.serviceAgent", "roles/workflows.serviceAgent"}
    assert len(of_project - known) == 1, "and the role that reads operations"


def test_key_of_google_encrypts_workflow_topic_and_logs() -> None:
    recording = recorded("gcp")
    key = recording.one("gcp:kms/cryptoKey:CryptoKey").id
    assert recording.one(WORKFLOW, "workflow").inputs["cryptoKeyName"] == key
    assert recording.one("gcp:pubsub/topic:Topic").inputs["kmsKeyName"] == key
    bucket = recording.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
    assert bucket["cmekSettings"]["kmsKeyName"] == key
    assert bucket["retentionDays"] == 90
    ring = "projects/acme-dev-0123/locations/europe-west4/keyRings/ring/cryptoKeys/key"
    brought = recorded("gcp", kms_key=ring)
    assert brought.all("gcp:kms/cryptoKey:CryptoKey") == []
    assert brought.one(WORKFLOW, "workflow").inputs["cryptoKeyName"] == ring


def test_a_key_that_is_stated_later_is_that_of_a_new_log_bucket() -> None:
    bucket = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
    keys = [f"projects/p/locations/europe-west4/keyRings/ring/cryptoKeys/{name}" for name in ("one", "two")]
    created, first, second = (
        recorded("gcp", kms_key=key).one(bucket).inputs["bucketId"] for key in (None, *keys)
    )
    assert first.startswith(f"{created}-"), "Cloud Logging may refuse another key of a bucket"
    assert second.startswith(f"{created}-")
    assert first != second
    with_created = recorded("gcp")
    assert (
        with_created.one("aiplatform:index:Workflow").published["log_group"] == with_created.one(bucket).id
    ), "as with one that exists: project and location are part of it"


def test_workflow_with_a_log_bucket_that_exists_creates_none_and_no_exclusion() -> None:
    logs = "projects/acme-logs/locations/eu/buckets/workflows"
    recording = recorded("gcp", log_bucket=logs)
    logging = [resource.type for resource in recording.resources if resource.type.startswith("gcp:logging/")]
    assert logging == [], "a project has 50 exclusions"
    assert recording.one("aiplatform:index:Workflow").published["log_group"] == logs
    granted = {grant.name for grant in recording.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
    assert granted == {"workflow-key-pubsub", "workflow-key-workflows"}, "its key encrypts no logs"


def test_workflow_comes_after_the_exclusion_of_a_shared_log_bucket() -> None:
    def program() -> None:
        place = {"project": "acme-dev-0123", "region": "europe-west4"}
        settings: Any = {"prefix": "acme-dev", "cloud": "gcp", **place}
        logs = LogBucket("logs", settings)
        args: Any = arguments("gcp", log_bucket=logs.log_bucket)
        Workflow("workflow", args)

    recording = record(program)
    exclusion = recording.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert recording.depends(recording.one(WORKFLOW, "workflow"), exclusion), "no log is in `_Default`"


@CLOUDS
def test_owner_is_a_tag_of_everything_with_tags(cloud: str) -> None:
    for resource in recorded(cloud, schedule=SCHEDULE).resources:
        tags = resource.inputs.get("tags") or resource.inputs.get("labels")
        if tags is not None and not resource.type.startswith("gcp:kms/"):
            assert tags["owner"] == "search", resource.name


@CLOUDS
def test_outputs_name_what_other_programs_use(cloud: str) -> None:
    outputs: dict[str, Any] = {}

    def program() -> None:
        args: Any = arguments(cloud)
        outputs.update(Workflow("workflow", args).outputs)

    record(program)
    assert (outputs["cloud"], outputs["name"]) == (cloud, "acme-dev-scoring")
