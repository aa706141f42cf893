"""What AWS's API server refuses, of services whose rules are few; and that no rule is without effect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

from twin.aws.services import tables
from twin.tests.aws.api_servers import Clients

ALARM: Final = {
    "AlarmName": "errors",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "Errors",
    "Namespace": "AWS/Lambda",
    "Period": 60,
    "Statistic": "Sum",
    "Threshold": 1,
}
SCHEDULE: Final = {
    "Name": "nightly",
    "ScheduleExpression": "rate(1 hour)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:sqs:us-west-2:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/x"},
}
MACHINE: Final = {"name": "chain", "roleArn": "arn:aws:iam::123456789012:role/x"}
PARAMETER: Final = {"Name": "/acme/one", "Type": "String", "Value": "one"}
SELECTION: Final = {"countType": "imageCountMoreThan", "countNumber": 1}


def states(**first: Any) -> str:
    return json.dumps({"StartAt": "First", "States": {"First": {"Type": "Pass", **first}}})


def images(*selections: Mapping[str, Any], priority: int = 1) -> str:
    rules = [
        {"rulePriority": priority, "selection": {**SELECTION, **selection}, "action": {"type": "expire"}}
        for selection in selections
    ]
    return json.dumps({"rules": rules})


REFUSED: Final = {
    "more points than periods": (
        ("cloudwatch", "put_metric_alarm"),
        {**ALARM, "DatapointsToAlarm": 2},
        "must be less than or equal to EvaluationPeriods",
    ),
    "more than a day of minutes": (
        ("cloudwatch", "put_metric_alarm"),
        {**ALARM, "EvaluationPeriods": 1441},
        "more than 1 days",
    ),
    "an unknown time zone": (
        ("scheduler", "create_schedule"),
        {**SCHEDULE, "ScheduleExpressionTimezone": "Europe/Berln"},
        "ScheduleExpressionTimezone is not valid",
    ),
    "a schedule of five fields": (
        ("scheduler", "create_schedule"),
        {**SCHEDULE, "ScheduleExpression": "cron(0 12 * * *)"},
        "Invalid Schedule Expression",
    ),
    "a flexible window without its length": (
        ("scheduler", "create_schedule"),
        {**SCHEDULE, "FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        "MaximumWindowInMinutes is required",
    ),
    "a state that is missing": (
        ("stepfunctions", "create_state_machine"),
        {**MACHINE, "definition": states(Next="Second")},
        'No state found named "Second"',
    ),
    "no end": (
        ("stepfunctions", "create_state_machine"),
        {**MACHINE, "definition": states()},
        "No terminal state",
    ),
    "no JSON": (
        ("stepfunctions", "create_state_machine"),
        {**MACHINE, "definition": "{"},
        "INVALID_JSON_DESCRIPTION",
    ),
    "a value over 4 KB": (
        ("ssm", "put_parameter"),
        {**PARAMETER, "Value": "x" * 4097},
        "maximum parameter value of 4096",
    ),
    "a value over 8 KB": (
        ("ssm", "put_parameter"),
        {**PARAMETER, "Value": "x" * 8193, "Tier": "Advanced"},
        "maximum parameter value of 8192",
    ),
    "a value that breaks its pattern": (
        ("ssm", "put_parameter"),
        {**PARAMETER, "AllowedPattern": "^[0-9]+$"},
        "cannot be validated against allowedPattern",
    ),
    "a pattern that does not compile": (
        ("ssm", "put_parameter"),
        {**PARAMETER, "AllowedPattern": "("},
        "not a regular expression",
    ),
    "tagged images without a tag": (
        ("ecr", "put_lifecycle_policy"),
        {"repositoryName": "image", "lifecyclePolicyText": images({"tagStatus": "tagged"})},
        "must have one of tagPrefixList and tagPatternList",
    ),
    "untagged images with a tag": (
        ("ecr", "put_lifecycle_policy"),
        {
            "repositoryName": "image",
            "lifecyclePolicyText": images({"tagStatus": "any", "tagPrefixList": ["dev"]}),
        },
        "is for tagged images only",
    ),
    "two rules of one priority": (
        ("ecr", "put_lifecycle_policy"),
        {
            "repositoryName": "image",
            "lifecyclePolicyText": images({"tagStatus": "untagged"}, {"tagStatus": "any"}),
        },
        "priorities must be unique",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_request_that_aws_refuses_is_refused(clients: Clients, case: str) -> None:
    (service, operation), request, words = REFUSED[case]
    with pytest.raises(ClientError) as error:
        getattr(clients(service), operation)(**request)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("cloudwatch", "put_metric_alarm", {**ALARM, "EvaluationPeriods": 3, "DatapointsToAlarm": 3}),
        ("ssm", "put_parameter", {**PARAMETER, "Value": "x" * 8192, "Tier": "Intelligent-Tiering"}),
        ("ssm", "put_parameter", {**PARAMETER, "Name": "/acme/two", "AllowedPattern": "^[a-z]+$"}),
        ("scheduler", "create_schedule", {**SCHEDULE, "ScheduleExpressionTimezone": "Asia/Kathmandu"}),
    ],
)
def test_request_at_a_limit_is_accepted(
    clients: Clients, service: str, operation: str, request_: Mapping[str, Any]
) -> None:
    getattr(clients(service), operation)(**request_)


@pytest.fixture(scope="module")
def operations() -> dict[str, set[str]]:
    """The name with which requests are signed -> the operations of all services that have it."""
    session = get_session()
    operations: dict[str, set[str]] = {}
    for name in session.get_available_services():
        signed = session.get_service_model(name)
        operations.setdefault(signed.signing_name, set()).update(signed.operation_names)
    return operations


@pytest.mark.parametrize("kind", ["RULES", "OPERATIONS"])
def test_each_entry_is_an_operation_of_a_service_that_requests_name(
    kind: str, operations: Mapping[str, set[str]]
) -> None:
    unknown = [
        f"{service}: {operation}"
        for service, entries in tables(kind).items()
        for operation in entries
        if operation not in operations.get(service, set())
    ]
    assert not unknown, "an entry under another name is never used"
