"""Spec of environment.separate_accounts."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource

_PROD = "999988887777"


def _bucket(project: Any) -> Any:
    return resource("gcp:storage/bucket:Bucket", {"name": "acme", "project": project})


_ATTACHMENT = resource(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    {"role": "server", "policyArn": f"arn:aws:iam::{_PROD}:policy/reads"},
)
_POD = resource(
    "kubernetes:core/v1:Pod",
    {"spec": {"containers": [{"image": f"{_PROD}.dkr.ecr.eu-central-1.amazonaws.com/server:1"}]}},
)
_FOREIGN = {"foreign": [_PROD, "acme-shop"]}

# The stack of every subject is called `dev`.
SPEC = Spec(
    passes={
        "a project of the environment": _bucket("acme-ml-dev"),
        "a project that disables it environment": _bucket("acme-ml"),
        "an account that no one listed": _ATTACHMENT,
    },
    fails={
        "a project of another environment": Fails(
            _bucket("acme-ml-prod"), "project", "the environment of the stack is 'dev'"
        ),
        "a provider of one": Fails(
            resource("pulumi:providers:gcp", {"project": "acme-staging-7f3a"}), "project", "acme-staging"
        ),
    },
    unknown={"a project that does not exist yet": _bucket(UNKNOWN)},
    configured={
        "a policy of prod's account": Case(_ATTACHMENT, _FOREIGN, fails=True),
        "an image of prod's registry": Case(_POD, _FOREIGN, fails=True),
        "a project that is listed": Case(_bucket("acme-shop"), _FOREIGN, fails=True),
    },
)
