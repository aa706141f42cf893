"""Secrets Manager's rotation as AWS tells it; moto keeps half of its rules and leaves a secret without a
value.

A secret of RDS gets its new password at once. Of one with a function of the account's own the rules are kept
and the function is not called: that a rotation works is not shown here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call

_DAY: Final = 86400


def install() -> None:
    """Let moto tell what it was given, once."""
    from moto.secretsmanager.models import FakeSecret

    kind: Any = FakeSecret
    if not hasattr(kind, "twin_to_dict"):
        kind.twin_to_dict, kind.to_dict = kind.to_dict, _to_dict


def _to_dict(self: Any) -> dict[str, Any]:
    told: dict[str, Any] = self.twin_to_dict()
    rules = getattr(self, "rotation_rules", None)
    if "RotationRules" in told and rules:
        told["RotationRules"] = rules
    if not told.get("RotationLambdaARN"):
        told.pop("RotationLambdaARN", None)
    return told


def rotate(call: Call, backend: Any) -> Answer:
    """RotateSecret."""
    install()
    params = call.params
    secret = backend.secrets[params["SecretId"]]
    secret.rotation_requested = secret.rotation_enabled = True
    if params.get("RotationRules"):
        secret.rotation_rules = params["RotationRules"]
    secret.auto_rotate_after_days = secret.rotation_rules.get("AutomaticallyAfterDays", 0)
    secret.rotation_lambda_arn = params.get("RotationLambdaARN") or secret.rotation_lambda_arn
    now = int(time.time())
    secret.next_rotation_date = now + (secret.auto_rotate_after_days or 1) * _DAY
    if secret.owning_service == "rds" and params.get("RotateImmediately") is not False:
        _renew(backend, secret)
        secret.last_rotation_date = now
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], secret.to_short_dict().encode())


def _renew(backend: Any, secret: Any) -> None:
    from twin.aws.services.rds.operations import password

    known = json.loads(secret.secret_string)
    text = json.dumps({**known, "password": password()})
    backend._add_secret(secret.name, secret_string=text)


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "DescribeSecret": _mended,
    "ListSecrets": _mended,
    "RotateSecret": rotate,
}
