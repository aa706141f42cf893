"""Spec of environment.pin_accounts."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _aws(**config: Any) -> Any:
    return resource("pulumi:providers:aws", {"region": "eu-central-1", **config})


def _google(**config: Any) -> Any:
    return resource("pulumi:providers:gcp", {"region": "europe-west4", **config})


SPEC = Spec(
    passes={
        "an account": _aws(allowedAccountIds='["111122223333"]'),
        "a role, whose ARN names the account": _aws(
            assumeRoles='[{"roleArn": "arn:aws:iam::111122223333:role/deployer"}]'
        ),
        "a project": _google(project="acme-ml-dev"),
    },
    fails={
        "no account": Fails(_aws(), "allowedAccountIds", "of any account"),
        "an empty list": Fails(_aws(allowedAccountIds="[]"), "allowedAccountIds"),
        "no project": Fails(_google(), "project"),
    },
    unknown={
        "an account that is unknown": _aws(allowedAccountIds=UNKNOWN),
        "a project that is unknown": _google(project=UNKNOWN),
    },
)
