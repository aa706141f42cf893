"""Spec of identity.forbid_wildcard_resources."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _policy(*actions: str, on: Any = "*", **more: Any) -> Any:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}
    return resource("aws:iam/policy:Policy", {"policy": json.dumps({"Statement": [statement]})})


_TAGGED = {"StringEquals": {"aws:ResourceTag/team": "ml"}}

SPEC = Spec(
    passes={
        "listing everything": _policy(
            "ec2:DescribeInstances", "s3:ListAllMyBuckets", "ecr:GetAuthorizationToken"
        ),
        "writing to one bucket": _policy("s3:PutObject", on="arn:aws:s3:::acme/*"),
        "secrets that begin so": _policy(
            "secretsmanager:GetSecretValue", on="arn:aws:secretsmanager:*:111122223333:secret:ml/*"
        ),
        "interfaces that EC2 makes": _policy(
            "ec2:CreateNetworkInterface", on="arn:aws:ec2:*:111122223333:network-interface/*"
        ),
        "what knows no resource": _policy("cloudwatch:PutMetricData"),
        "what has a tag": _policy("ec2:TerminateInstances", Condition=_TAGGED),
        "a Deny": _policy("s3:DeleteBucket", Effect="Deny"),
    },
    fails={
        "writing to every bucket": Fails(
            _policy("s3:ListBucket", "s3:PutObject", "s3:DeleteObject"),
            "policy.Statement[0].Resource",
            "'s3:PutObject' and 1 more",
        ),
        "reading every object, by actions that begin so": Fails(
            _policy("s3:List*", "s3:Get*"), "policy.Statement[0].Resource", "'s3:Get*' on '*'"
        ),
        "every bucket by its ARN": Fails(
            _policy("s3:PutObject", on=["arn:aws:s3:::acme/*", "arn:aws:s3:::*/*"]),
            "policy.Statement[0].Resource[1]",
        ),
        "every key of the account by its ARN": Fails(
            _policy("kms:Decrypt", on="arn:aws:kms:eu-central-1:111122223333:key/*"),
            "policy.Statement[0].Resource",
        ),
        "reading every secret": Fails(
            _policy("secretsmanager:GetSecretValue", on=["arn:aws:s3:::acme", "*"]),
            "policy.Statement[0].Resource[1]",
        ),
        "using every key, in a role's own policy": Fails(
            resource(
                "aws:iam/role:Role",
                {
                    "inlinePolicies": [
                        {
                            "name": "keys",
                            "policy": json.dumps(
                                {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}}
                            ),
                        }
                    ]
                },
            ),
            "inlinePolicies[0].policy.Statement.Resource",
            "kms:Decrypt",
        ),
    },
    unknown={
        "a policy that names what is not there yet": resource("aws:iam/policy:Policy", {"policy": UNKNOWN}),
    },
)
