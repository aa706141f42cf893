"""Secrets Manager's rules of rotation as AWS answers them; moto keeps half. Secrets of RDS have some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call


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


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "DescribeSecret": _mended,
    "ListSecrets": _mended,
}
