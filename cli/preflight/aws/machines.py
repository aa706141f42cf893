"""vCPUs of instance types, and the quota that an instance counts against.

Source of the codes: EC2 user guide, "Amazon EC2 quotas" and "Spot Instance quotas". A test compares them with
those by which the program refuses an environment (stacks/validation/availability/aws_quotas.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from cli.preflight.scope import Scope

_STANDARD: Final = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
_G: Final = frozenset({"g", "gr", "vt"})
ON_DEMAND: Final = (
    ("L-1216C47A", _STANDARD),
    ("L-DB2E81BA", _G),
    ("L-417A185B", frozenset({"p"})),
    ("L-1945791B", frozenset({"inf"})),
    ("L-2C3B7624", frozenset({"trn"})),
)
SPOT: Final = (
    ("L-34B43A08", _STANDARD),
    ("L-3819A6DF", _G),
    ("L-7212CCBC", frozenset({"p2", "p3", "p4"})),
    ("L-C4BD4855", frozenset({"p5"})),
    ("L-B5D1601B", frozenset({"inf"})),
    ("L-6B0D517C", frozenset({"trn"})),
)
"""(quota code, families that count against it): the letters before the first digit, or with it."""
_FAMILY: Final = re.compile(r"([a-z]+)(\d*)")


def code_of(instance_type: str, *, spot: bool) -> str | None:
    """Return the quota that an instance of a type counts against; None where it is not known."""
    family = _FAMILY.match(instance_type)
    kinds = {family[1], family[1] + family[2]} if family else set[str]()
    return next((code for code, families in (SPOT if spot else ON_DEMAND) if kinds & families), None)


def vcpus(scope: Scope, instance_types: Iterable[str]) -> dict[str, int]:
    """Return instance type -> vCPUs, of the types that the region knows."""
    names = sorted(set(instance_types))
    if not names:
        return {}
    # A type that does not exist is an error as an argument, and matches nothing as a filter.
    named = {"Name": "instance-type", "Values": names}
    types: list[Any] = scope.client.pages("ec2", "describe_instance_types", "InstanceTypes", Filters=[named])
    return {entry["InstanceType"]: int(entry["VCpuInfo"]["DefaultVCpus"]) for entry in types}
