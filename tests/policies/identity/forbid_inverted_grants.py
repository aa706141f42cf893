"""Spec of identity.forbid_inverted_grants."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _text(**statement: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})


SPEC = Spec(
    passes={
        "rights by name": resource("aws:iam/policy:Policy", {"policy": _text(Action="s3:ListAllMyBuckets")}),
        "a Deny of all but something": resource(
            "aws:iam/policy:Policy", {"policy": _text(Effect="Deny", NotAction="iam:*")}
        ),
    },
    fails={
        "all actions but one service's": Fails(
            resource("aws:iam/rolePolicy:RolePolicy", {"policy": _text(NotAction="iam:*")}),
            "policy.Statement[0].NotAction",
            "everything except 'iam:*'",
        ),
        "everyone but one": Fails(
            resource(
                "aws:sqs/queuePolicy:QueuePolicy",
                {"policy": _text(Action="sqs:SendMessage", NotPrincipal={"AWS": "111122223333"})},
            ),
            "policy.Statement[0].NotPrincipal",
        ),
    },
    unknown={
        "a policy that names what is not there yet": resource("aws:iam/policy:Policy", {"policy": UNKNOWN}),
    },
)
