"""Spec of identity.forbid_wildcard_actions."""

from __future__ import annotations

import json

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _policy(*actions: str, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "arn:aws:s3:::acme"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


SPEC = Spec(
    passes={
        "a policy that names its actions": resource(
            "aws:iam/policy:Policy", {"policy": _policy("s3:GetObject")}
        ),
        "a deny of everything": resource(
            "aws:iam/rolePolicy:RolePolicy", {"policy": _policy("*", effect="Deny")}
        ),
        "a role whose trust policy alone is said": resource(
            "aws:iam/role:Role", {"assumeRolePolicy": _policy("sts:*")}
        ),
    },
    fails={
        "every action": Fails(
            resource("aws:iam/policy:Policy", {"policy": _policy("s3:GetObject", "*")}),
            "policy.Statement[0].Action[1]",
            "allows '*'",
        ),
        "every action of a service, in a role's own policy": Fails(
            resource("aws:iam/role:Role", {"inlinePolicies": [{"name": "all", "policy": _policy("s3:*")}]}),
            "inlinePolicies[0].policy.Statement[0].Action[0]",
            "'s3:*'",
        ),
        "every action of a service on what does not exist yet, in a document as an object": Fails(
            resource(
                "aws:iam/rolePolicy:RolePolicy",
                {"policy": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": [UNKNOWN]}]}},
            ),
            "policy.Statement[0].Action",
            "'s3:*'",
        ),
    },
    unknown={
        "a policy that names what is not there yet": resource("aws:iam/policy:Policy", {"policy": UNKNOWN}),
    },
)
