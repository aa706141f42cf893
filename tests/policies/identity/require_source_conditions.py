"""Spec of identity.require_source_conditions."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _document(service: Any, action: str, **condition: Any) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Statement": [statement]})


def _role(service: Any, **condition: Any) -> Any:
    return resource(
        "aws:iam/role:Role", {"assumeRolePolicy": _document(service, "sts:AssumeRole", **condition)}
    )


_OWN = {"aws:SourceAccount": "111122223333"}
_PERMISSION = "aws:lambda/permission:Permission"

SPEC = Spec(
    passes={
        "a build's role, for the own account": _role("codebuild.amazonaws.com", StringEquals=_OWN),
        "a machine's role, for which EC2 sends no source": _role("ec2.amazonaws.com"),
        "a function that one bucket calls": resource(
            _PERMISSION,
            {
                "principal": "s3.amazonaws.com",
                "sourceArn": "arn:aws:s3:::acme",
                "sourceAccount": "111122223333",
            },
        ),
        "a function that a rule calls": resource(
            _PERMISSION,
            {
                "principal": "events.amazonaws.com",
                "sourceArn": "arn:aws:events:eu-central-1:111122223333:rule/arrivals",
            },
        ),
        "a function that a role calls": resource(
            _PERMISSION, {"principal": "arn:aws:iam::111122223333:role/caller"}
        ),
    },
    fails={
        "a build's role for everyone": Fails(
            _role(["codebuild.amazonaws.com"]),
            "assumeRolePolicy.Statement[0].Principal.Service[0]",
            "of any account",
        ),
        "a condition that may be missing": Fails(
            _role("states.amazonaws.com", StringEqualsIfExists=_OWN),
            "assumeRolePolicy.Statement[0].Principal.Service",
        ),
        "a topic of everyone's buckets": Fails(
            resource(
                "aws:sns/topicPolicy:TopicPolicy", {"policy": _document("s3.amazonaws.com", "sns:Publish")}
            ),
            "policy.Statement[0].Principal.Service",
        ),
        "a function that a bucket of this name calls": Fails(
            resource(_PERMISSION, {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::acme"}),
            "sourceAccount",
            "of another account",
        ),
        "a function that everyone's buckets call": Fails(
            resource(_PERMISSION, {"principal": "s3.amazonaws.com"}), "sourceArn", "is not set"
        ),
    },
    unknown={
        "a trust policy that is unknown": resource("aws:iam/role:Role", {"assumeRolePolicy": UNKNOWN}),
        "a principal that is unknown": resource(_PERMISSION, {"principal": UNKNOWN}),
    },
)
