"""Spec of identity.forbid_privilege_escalation."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _policy(*actions: str, **more: Any) -> Any:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:iam::1:role/ml-*", **more}
    return resource("aws:iam/rolePolicy:RolePolicy", {"policy": json.dumps({"Statement": [statement]})})


def _role(*permissions: Any) -> Any:
    return resource("gcp:projects/iAMCustomRole:IAMCustomRole", {"permissions": list(permissions)})


_BOUND = {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::1:policy/boundary"}}
_PERMISSION = "resourcemanager.projects.setIamPolicy"

SPEC = Spec(
    passes={
        "reading roles": _policy("iam:GetRole", "iam:ListRoles"),
        "making roles under a boundary": _policy("iam:PutRolePolicy", Condition=_BOUND),
        "a role that reads": _role("storage.objects.get"),
        "a predefined role that reads": resource(
            "gcp:projects/iAMMember:IAMMember",
            {"role": "roles/iam.securityReviewer", "member": "group:a@b.c"},
        ),
    },
    fails={
        "a policy that writes policies": Fails(
            _policy("iam:GetRole", "iam:PutRolePolicy"), "policy.Statement[0].Action[1]", "iam:PutRolePolicy"
        ),
        "one that attaches policies, by an action that begins so": Fails(
            _policy("iam:List*", "iam:Attach*"), "policy.Statement[0].Action[1]", "'iam:Attach*'"
        ),
        "one that makes keys of others": Fails(
            _policy("iam:CreateAccessKey"), "policy.Statement[0].Action[0]"
        ),
        "a role that changes a project's bindings": Fails(
            _role("storage.objects.get", _PERMISSION), "permissions[1]", _PERMISSION
        ),
        "a predefined role that does": Fails(
            resource(
                "gcp:projects/iAMMember:IAMMember",
                {"role": "roles/resourcemanager.projectIamAdmin", "member": "group:a@b.c"},
            ),
            "role",
        ),
    },
    unknown={
        "one permission of a role": _role("storage.objects.get", UNKNOWN),
        "a policy that names what is not there yet": resource(
            "aws:iam/rolePolicy:RolePolicy", {"policy": UNKNOWN}
        ),
    },
)
