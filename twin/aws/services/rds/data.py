"""What RDS offers: versions of the engines, instance classes, what each engine takes.

Sources: "Release notes for Amazon RDS for PostgreSQL" (release calendar), "MySQL on Amazon RDS versions",
"MariaDB on Amazon RDS versions", "DB instance class types", "Amazon RDS DB instance storage". A version that
is newer than this table is refused here; one whose creation AWS has closed is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from twin.aws.validation import stated


@dataclass(frozen=True)
class Engine:
    """An engine: versions oldest first, license, port, log types and what its users must not be called."""

    versions: tuple[str, ...]
    license: str
    port: int
    logs: frozenset[str]
    reserved: frozenset[str]
    password: int
    """The greatest length of the master password."""
    many_volumes: int = 400
    """GiB from which gp3 has several volumes, and IOPS and throughput of choice."""

    def full(self, wanted: str | None) -> str:
        """The version that a prefix means (`17` -> the newest 17), or nothing where there is none."""
        parts = (wanted or "").split(".")
        for version in reversed(self.versions):
            if not wanted or version.split(".")[: len(parts)] == parts:
                return version
        return ""

    def major(self, version: str) -> str:
        """`17` of PostgreSQL's 17.6, `8.4` of MySQL's 8.4.6."""
        return version.rpartition(".")[0]


def _engine(minors: dict[str, list[int]], logs: list[str], reserved: list[str], **rest: Any) -> Engine:
    versions = [
        f"{major}.{minor}" for major, (first, last) in minors.items() for minor in range(first, last + 1)
    ]
    return Engine(tuple(versions), logs=frozenset(logs), reserved=frozenset(reserved), **rest)


_STATED: Final = stated.read(__name__)
ENGINES: Final = {name: _engine(**engine) for name, engine in _STATED["engines"].items()}
"""The engines of which the twin knows the versions; others pass with what moto says of them."""
STORAGE: Final[dict[str, list[int]]] = _STATED["storage"]
"""GiB from and to, by storage type; `standard` (magnetic) is from 5 to 3072."""


@cache
def _types() -> frozenset[str]:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return frozenset(INSTANCE_TYPES)


def offered(instance_class: str) -> bool:
    """Whether there is such a class: `db.` and the EC2 type, of a family that RDS has."""
    prefix, _, kind = instance_class.partition(".")
    family, _, size = kind.partition(".")
    if prefix != "db" or family not in _STATED["families"] or "metal" in size or size == "nano":
        return False
    return kind in _types()
