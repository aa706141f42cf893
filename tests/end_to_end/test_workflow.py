"""The chain of examples/workflow on the twin: retries, errors that are caught, timeouts and dead letters."""

from __future__ import annotations

import json
import runpy
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Plain, trust
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

EXAMPLE = ROOT / "examples" / "workflow"
SLOW = """
import time

def handle(event, context):
    time.sleep(20)
"""


def _slow() -> None:
    """Register a workflow whose function takes longer than its state permits."""
    from aiplatform.workflow import Workflow

    role = aws.iam.Role("slow", assume_role_policy=trust("lambda.amazonaws.com"))
    function = aws.lambda_.Function(
        "slow",
        runtime="python3.12",
        handler="slow.handle",
        timeout=60,
        role=role.arn,
        code=pulumi.AssetArchive({"slow.py": pulumi.StringAsset(SLOW)}),
    )
    definition = json.loads((EXAMPLE / "aws" / "definition.json").read_text())
    states = definition["States"]
    call = {**states["Validate"], "TimeoutSeconds": 1, "End": True}
    call["Retry"] = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    del call["Next"]
    definition["States"] = {
        "Validate": call,
        **{name: states[name] for name in ("DeadLetter", "Failed")},
    }
    args: Any = {
        "prefix": "acme-dev",
        "name": "slow",
        "owner": "search@acme.example",
        "definition": definition,
        "functions": {"validate": {"arn": function.arn}},
    }
    workflow = Workflow("slow", args)
    pulumi.export("slow", workflow.target)
    pulumi.export("slow_dead_letters", workflow.dead_letters)


def _program() -> None:
    runpy.run_path(str(EXAMPLE / "aws" / "__main__.py"))
    _slow()


@pytest.fixture(scope="module")
def before(plain: Plain) -> set[str]:
    return set(plain.inventory())


@pytest.fixture(scope="module")
def outputs(plain: Plain, before: set[str]) -> dict[str, str]:
    stack = plain.stack("workflow", _program)
    assert before is not None, "what there is before the stack"
    return {name: output.value for name, output in stack.up().outputs.items()}


def executed(plain: Plain, machine: str, data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Run an execution to its end; return its description and the types of its events."""
    client = plain.aws("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(data))["executionArn"]

    def ended() -> dict[str, Any] | None:
        described = client.describe_execution(executionArn=arn)
        return None if described["status"] == "RUNNING" else described

    described = eventually("the execution ends", ended, 90)
    events = client.get_execution_history(executionArn=arn)["events"]
    return described, [event["type"] for event in events]


def dead_letter(plain: Plain, queue: str) -> dict[str, Any]:
    """Take the message of a dead-letter queue."""
    client = plain.aws("sqs")
    [message] = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def test_boto3_shows_the_state_machine_with_what_it_calls(plain: Plain, outputs: dict[str, str]) -> None:
    machine = plain.aws("stepfunctions").describe_state_machine(stateMachineArn=outputs["state_machine"])
    assert machine["name"] == "acme-dev-scoring"
    states = json.loads(machine["definition"])["States"]
    function = states["Validate"]["Parameters"]["FunctionName"]
    assert plain.aws("lambda").get_function(FunctionName=function)["Configuration"]["Timeout"] == 30
    assert states["DeadLetter"]["Parameters"]["QueueUrl"] == outputs["dead_letters"]
    assert machine["encryptionConfiguration"]["type"] == "CUSTOMER_MANAGED_KMS_KEY"
    schedule = plain.aws("scheduler").get_schedule(Name="acme-dev-scoring")
    assert schedule["Target"]["Arn"] == outputs["state_machine"]
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"


def test_chain_of_functions_and_a_job_succeeds(plain: Plain, outputs: dict[str, str]) -> None:
    described, events = executed(plain, outputs["state_machine"], {"table": "trips", "rows": 120})
    assert described["status"] == "SUCCEEDED", described
    assert json.loads(described["output"]) == {"table": "trips", "rows": 120, "scores": "trips_scores"}
    assert events.count("TaskSucceeded") == 3


def test_failing_step_is_retried_caught_and_ends_in_the_dead_letter_queue(
    plain: Plain, outputs: dict[str, str]
) -> None:
    described, events = executed(plain, outputs["state_machine"], {"table": "trips", "rows": -1})
    assert (described["status"], described["error"]) == ("FAILED", "DeadLetter")
    assert events.count("TaskFailed") == 3, "the call and two retries"
    letter = dead_letter(plain, outputs["dead_letters"])
    assert (letter["table"], letter["rows"]) == ("trips", -1)
    assert letter["error"]["Error"] == "InvalidBatchError"
    assert "expected 1 to 1000000" in letter["error"]["Cause"]


def test_timeout_is_caught(plain: Plain, outputs: dict[str, str]) -> None:
    described, events = executed(plain, outputs["slow"], {"table": "trips"})
    assert (described["status"], described["error"]) == ("FAILED", "DeadLetter")
    assert events.count("TaskTimedOut") == 2, "the call and a retry"
    assert dead_letter(plain, outputs["slow_dead_letters"])["error"]["Error"] == "States.Timeout"


def test_role_cannot_call_what_the_arguments_do_not_list(plain: Plain, outputs: dict[str, str]) -> None:
    client = plain.aws("stepfunctions")
    scoring, slow = (
        client.describe_state_machine(stateMachineArn=outputs[name]) for name in ("state_machine", "slow")
    )
    arn = client.create_state_machine(
        name="other", definition=slow["definition"], roleArn=scoring["roleArn"]
    )["stateMachineArn"]
    described, _ = executed(plain, arn, {"table": "trips"})
    client.delete_state_machine(stateMachineArn=arn)
    assert described["status"] == "FAILED"
    events = client.get_execution_history(executionArn=described["executionArn"])["events"]
    causes = [event["taskFailedEventDetails"]["cause"] for event in events if event["type"] == "TaskFailed"]
    assert any("lambda:InvokeFunction" in cause for cause in causes), causes


def test_second_preview_shows_no_change_and_destroy_leaves_nothing(
    plain: Plain, before: set[str], outputs: dict[str, str]
) -> None:
    stack = plain.deployed("workflow")
    assert outputs
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before
