"""Spec of identity.limit_account_trust."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _role(who: Any, **condition: Any) -> Any:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return resource("aws:iam/role:Role", {"assumeRolePolicy": json.dumps({"Statement": [statement]})})


_ROOT = "arn:aws:iam::111122223333:root"

SPEC = Spec(
    passes={
        "one role": _role("arn:aws:iam::111122223333:role/pipelines"),
        "an account, but one role of it": _role(
            _ROOT, ArnEquals={"aws:PrincipalArn": "arn:aws:iam::111122223333:role/pipelines"}
        ),
        "a vendor who reports the secret": _role(_ROOT, StringEquals={"sts:ExternalId": "7c1d"}),
    },
    fails={
        "all of an account": Fails(
            _role(_ROOT), "assumeRolePolicy.Statement[0].Principal.AWS", "that may assume roles"
        ),
        "an account by its number": Fails(
            _role(["arn:aws:iam::111122223333:role/a", "444455556666"]),
            "assumeRolePolicy.Statement[0].Principal.AWS[1]",
            "'444455556666'",
        ),
    },
    unknown={"a trust policy that is unknown": resource("aws:iam/role:Role", {"assumeRolePolicy": UNKNOWN})},
)
