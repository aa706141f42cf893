"""Executions of state machines: as the role of the state machine, and stopped on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from twin.aws.server import application, bind
from twin.tests.aws.api_servers import Clients

TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
SEND = {
    "StartAt": "Send",
    "States": {
        "Send": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "", "MessageBody.$": "$"},
            "End": True,
        }
    },
}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}


@pytest.fixture(scope="module")
def served(clients: Clients) -> Iterator[Clients]:
    """The API server on its port: an execution calls it as any program does."""
    server = bind(clients.server.instance)
    server.app = lambda environ, start: application(clients.server)(environ, start)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield clients
    server.shutdown()
    server.server_close()
    thread.join()


def role(clients: Clients, name: str, trusted: Any = TRUST, **statement: Any) -> str:
    iam = clients("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statement:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy)
    return arn


def machine(clients: Clients, name: str, arn: str, definition: Any) -> str:
    state_machine = clients("stepfunctions").create_state_machine(
        name=name, roleArn=arn, definition=json.dumps(definition)
    )
    return state_machine["stateMachineArn"]


def ended(clients: Clients, execution: str) -> dict[str, Any]:
    for _ in range(600):
        described = clients("stepfunctions").describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return described
        time.sleep(0.1)
    raise AssertionError("the execution did not end in a minute")


@pytest.fixture(scope="module")
def queue(served: Clients) -> str:
    return served("sqs").create_queue(QueueName="letters")["QueueUrl"]


def sending(queue: str) -> dict[str, Any]:
    definition = json.loads(json.dumps(SEND))
    definition["States"]["Send"]["Parameters"]["QueueUrl"] = queue
    return definition


def test_execution_calls_with_the_rights_of_the_role_alone(served: Clients, queue: str) -> None:
    client = served("stepfunctions")
    allowed = role(served, "allowed", Action="sqs:SendMessage", Resource="*")
    arn = machine(served, "allowed", allowed, sending(queue))
    execution = client.start_execution(stateMachineArn=arn, input='{"a": 1}')["executionArn"]
    assert ended(served, execution)["status"] == "SUCCEEDED"
    [message] = served("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"a": 1}
    events = client.get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionSucceeded"

    arn = machine(served, "denied", role(served, "denied"), sending(queue))
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    described = ended(served, execution)
    assert described["status"] == "FAILED"
    assert "sqs:SendMessage" in described["cause"], described


def test_role_that_the_service_cannot_assume_starts_nothing(served: Clients) -> None:
    other = {**TRUST, "Principal": {"Service": "lambda.amazonaws.com"}}
    arn = machine(served, "other", role(served, "other", other), WAIT)
    with pytest.raises(Exception, match="nor the regional one"):
        served("stepfunctions").start_execution(stateMachineArn=arn)


def test_execution_that_is_stopped_is_aborted(served: Clients) -> None:
    client = served("stepfunctions")
    arn = machine(served, "waiting", role(served, "waiting"), WAIT)
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    client.stop_execution(executionArn=execution)
    assert ended(served, execution)["status"] == "ABORTED"


def test_job_of_glue_is_awaited(served: Clients) -> None:
    glue = {**TRUST, "Principal": {"Service": "glue.amazonaws.com"}}
    served("glue").create_job(
        Name="score",
        Role=role(served, "score", glue),
        Command={"Name": "glueetl", "ScriptLocation": "s3://scripts/score.py"},
        GlueVersion="5.0",
    )
    actions = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
    allowed = role(served, "runs-score", Action=actions, Resource="*")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": "score", "Arguments": {"--table.$": "$.table"}},
        "End": True,
    }
    arn = machine(served, "jobs", allowed, {"StartAt": "Score", "States": {"Score": task}})
    started = served("stepfunctions").start_execution(stateMachineArn=arn, input='{"table": "trips"}')
    described = ended(served, started["executionArn"])
    assert described["status"] == "SUCCEEDED", described
    [run] = served("glue").get_job_runs(JobName="score")["JobRuns"]
    assert run["Arguments"] == {"--table": "trips"}
