"""What RDS offers: versions of the engines, instance classes, what each engine takes.

Sources: "Release notes for Amazon RDS for PostgreSQL" (release calendar), "MySQL on Amazon RDS versions",
"MariaDB on Amazon RDS versions", "DB instance class types", "Amazon RDS DB instance storage". A version that
is newer than this table is refused here; one whose creation AWS has closed is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final


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


def _minors(major: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{major}.{minor}" for minor in range(first, last + 1))


ENGINES: Final = {
    "postgres": Engine(
        _minors("14", 18, 22)
        + _minors("15", 13, 17)
        + _minors("16", 9, 13)
        + _minors("17", 5, 9)
        + _minors("18", 1, 3),
        "postgresql-license",
        5432,
        frozenset({"postgresql", "upgrade", "iam-db-auth-error"}),
        frozenset({"admin", "rdsadmin", "rdsrepladmin", "rds_superuser", "public", "user", "current_user"}),
        128,
    ),
    "mysql": Engine(
        _minors("8.0", 40, 45) + _minors("8.4", 3, 8),
        "general-public-license",
        3306,
        frozenset({"audit", "error", "general", "slowquery", "iam-db-auth-error"}),
        frozenset({"rdsadmin", "rdsrepladmin", "mysql"}),
        41,
    ),
    "mariadb": Engine(
        _minors("10.6", 20, 25) + _minors("10.11", 10, 16) + _minors("11.4", 4, 10) + _minors("11.8", 3, 6),
        "general-public-license",
        3306,
        frozenset({"audit", "error", "general", "slowquery", "iam-db-auth-error"}),
        frozenset({"rdsadmin", "rdsrepladmin", "mariadb"}),
        41,
    ),
}
"""The engines of which the twin knows the versions; others pass with what moto says of them."""

_FAMILIES: Final = (
    *("t3", "t4g", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m6idn", "m6in", "m7g", "m7i", "m8g", "m8gd"),
    *("r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r6idn", "r6in", "r7g", "r7i", "r8g", "r8gd"),
    *("x1", "x1e", "x2g", "x2idn", "x2iedn", "x2iezn", "z1d"),
)
STORAGE: Final = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536)}
"""GiB from and to, by storage type; `standard` (magnetic) is from 5 to 3072."""
CERTIFICATES: Final = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
MONITORING: Final = (0, 1, 5, 10, 15, 30, 60)
"""Seconds between two reports of enhanced monitoring; 0: none."""
INSIGHTS: Final = (7, *[31 * months for months in range(1, 24)], 731)
"""Days that Performance Insights may keep its data."""


@cache
def _types() -> frozenset[str]:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return frozenset(INSTANCE_TYPES)


def offered(instance_class: str) -> bool:
    """Whether there is such a class: `db.` and the EC2 type, of a family that RDS has."""
    prefix, _, kind = instance_class.partition(".")
    family, _, size = kind.partition(".")
    if prefix != "db" or family not in _FAMILIES or "metal" in size or size == "nano":
        return False
    return kind in _types()
