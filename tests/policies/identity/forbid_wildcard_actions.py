"""Spec of identity.forbid_wildcard_actions."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _policy(*actions: str, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "arn:aws:s3:::acme"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _member(role: Any) -> Any:
    return resource("gcp:projects/iAMMember:IAMMember", {"role": role, "member": "serviceAccount:a@b.c"})


SPEC = Spec(
    passes={
        "a policy that names its actions": resource(
            "aws:iam/policy:Policy", {"policy": _policy("s3:GetObject")}
        ),
        "a deny of everything": resource(
            "aws:iam/rolePolicy:RolePolicy", {"policy": _policy("*", effect="Deny")}
        ),
        "a predefined role": _member("roles/storage.objectViewer"),
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
        "a basic role in an organization's binding": Fails(
            resource(
                "gcp:organizations/iAMBinding:IAMBinding", {"role": "roles/owner", "members": ["group:a@b.c"]}
            ),
            "role",
        ),
        "a basic role in a whole policy": Fails(
            resource(
                "gcp:projects/iAMPolicy:IAMPolicy",
                {"policyData": json.dumps({"bindings": [{"role": "roles/editor", "members": []}]})},
            ),
            "policyData.bindings[0].role",
        ),
        "a basic role": Fails(_member("roles/editor"), "role", "roles/editor"),
    },
    unknown={
        "a policy that names what is not there yet": resource("aws:iam/policy:Policy", {"policy": UNKNOWN}),
        "a role that is unknown": _member(UNKNOWN),
    },
)
