"""What moto does not report, or AWS writes in another form, is no change after a refresh."""

from __future__ import annotations

from typing import Any

import pytest

from twin.aws.resources.table import table
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        pytest.param(
            "aws:cloudwatch/logGroup:LogGroup",
            {"name": "/read/again", "logGroupClass": "INFREQUENT_ACCESS"},
            {"logGroupClass": "INFREQUENT_ACCESS"},
            id="class of a log group",
        ),
        pytest.param(
            "aws:sqs/queue:Queue",
            {"name": "read-again"},
            {"fifoQueue": False, "contentBasedDeduplication": False},
            id="queue that is no FIFO",
        ),
    ],
)
def test_a_read_reports_what_is_stored(
    clients: Clients, token: str, inputs: dict[str, Any], expected: dict[str, Any]
) -> None:
    read = make(clients.context(), token, **inputs).read()
    assert read is not None
    assert {name: read.get(name) for name in expected} == expected


def test_a_job_without_the_name_of_its_command_is_one_of_spark(clients: Clients) -> None:
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": "glue.amazonaws.com"}}]}'
    )
    role = make(clients.context(), "aws:iam/role:Role", name="read-again", assumeRolePolicy=trust)
    command = {"scriptLocation": "s3://code/job.py"}
    job = make(
        clients.context(), "aws:glue/job:Job", name="again", roleArn=role.outputs["arn"], command=command
    )
    assert job.outputs["command"]["name"] == "glueetl"
    changed = job.update(maxRetries=1)
    assert changed["command"]["name"] == "glueetl", "an update sends the whole job"


def test_a_maintenance_window_means_the_same_in_capitals() -> None:
    instance = table()["aws:rds/instance:Instance"]
    assert instance.same("maintenanceWindow", "sun:05:00-sun:06:00", "Sun:05:00-Sun:06:00")
    assert not instance.same("maintenanceWindow", "sun:05:00-sun:06:00", "Mon:05:00-Mon:06:00")
    assert not instance.same("dbName", "app", "App")
