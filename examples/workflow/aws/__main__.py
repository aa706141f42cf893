"""A chain of two functions and a job on AWS, as a team's program has it."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

from aiplatform.workflow import Workflow

HERE = Path(__file__).resolve().parent
FUNCTIONS = HERE.parent / "functions"


def role(name: str, service: str, policy: str) -> aws.iam.Role:
    """Create a role that a service assumes."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    created = aws.iam.Role(
        name, assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    aws.iam.RolePolicyAttachment(
        name, role=created.name, policy_arn=f"arn:aws:iam::aws:policy/service-role/{policy}"
    )
    return created


def function(name: str, of: aws.iam.Role) -> aws.lambda_.Function:
    """Create a function of one file."""
    return aws.lambda_.Function(
        name,
        runtime="python3.12",
        architectures=["arm64"],
        handler=f"{name}.handle",
        timeout=30,
        role=of.arn,
        code=pulumi.AssetArchive({f"{name}.py": pulumi.FileAsset(str(FUNCTIONS / f"{name}.py"))}),
    )


handlers = role("functions", "lambda.amazonaws.com", "AWSLambdaBasicExecutionRole")
runner = role("score", "glue.amazonaws.com", "AWSGlueServiceRole")
bucket = pulumi.Config().get("scripts") or "acme-dev-scripts"
job = aws.glue.Job(
    "score",
    name="acme-dev-score",
    role_arn=runner.arn,
    glue_version="5.0",
    worker_type="G.1X",
    number_of_workers=2,
    command=aws.glue.JobCommandArgs(
        name="glueetl", script_location=f"s3://{bucket}/score.py", python_version="3"
    ),
)
workflow = Workflow(
    "scoring",
    {
        "prefix": "acme-dev",
        "name": "scoring",
        "owner": "search@acme.example",
        "definition": json.loads((HERE / "definition.json").read_text()),
        "functions": {name: {"arn": function(name, handlers).arn} for name in ("validate", "publish")},
        "jobs": {"score": {"glue_job": job.name}},
        "schedule": {
            "cron": "0 3 * * *",
            "timezone": "Europe/Berlin",
            "input": {"table": "trips", "rows": 1},
        },
    },
)
pulumi.export("state_machine", workflow.target)
pulumi.export("dead_letters", workflow.dead_letters)
