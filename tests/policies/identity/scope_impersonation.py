"""Spec of identity.scope_impersonation."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _policy(action: str, on: Any) -> Any:
    statement = {"Effect": "Allow", "Action": action, "Resource": on}
    return resource("aws:iam/policy:Policy", {"policy": json.dumps({"Statement": [statement]})})


def _member(token: str, role: Any) -> Any:
    return resource(token, {"role": role, "member": "group:ml@acme.example"})


_PROJECT, _ACCOUNT = "gcp:projects/iAMMember:IAMMember", "gcp:serviceaccount/iAMMember:IAMMember"
_USER = "roles/iam.serviceAccountUser"

SPEC = Spec(
    passes={
        "one role": _policy("iam:PassRole", "arn:aws:iam::111122223333:role/training"),
        "roles that begin so": _policy("sts:AssumeRole", "arn:aws:iam::111122223333:role/ml-*"),
        "one service account": _member(_ACCOUNT, _USER),
    },
    fails={
        "passing every role": Fails(_policy("iam:PassRole", "*"), "policy.Statement[0].Resource", "on '*'"),
        "becoming every role of an account": Fails(
            _policy("sts:AssumeRole", ["arn:aws:iam::111122223333:role/*"]), "policy.Statement[0].Resource[0]"
        ),
        "passing every role, by an action that begins so": Fails(
            _policy("iam:Pass*", "*"), "policy.Statement[0].Resource"
        ),
        "every service account of a project": Fails(_member(_PROJECT, _USER), "role", _USER),
    },
    unknown={
        "a policy that names what is not there yet": resource("aws:iam/policy:Policy", {"policy": UNKNOWN}),
        "a role that is unknown": _member(_PROJECT, UNKNOWN),
    },
)
