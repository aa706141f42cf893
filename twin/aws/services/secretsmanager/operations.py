"""Secrets Manager's rules of rotation as AWS answers them; moto keeps half. Secrets of RDS have some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call


def install() -> None:
    """Let moto report what it was given, once."""
    from moto.secretsmanager.models import FakeSecret

    kind: Any = FakeSecret
    if not hasattr(kind, "twin_to_dict"):
        kind.twin_to_dict, kind.to_dict = kind.to_dict, _to_dict


def _to_dict(self: Any) -> dict[str, Any]:
    reported: dict[str, Any] = self.twin_to_dict()
    rules = getattr(self, "rotation_rules", None)
    if "RotationRules" in reported and rules:
        reported["RotationRules"] = rules
    if not reported.get("RotationLambdaARN"):
        reported.pop("RotationLambdaARN", None)
    return reported


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "DescribeSecret": _mended,
    "ListSecrets": _mended,
}
