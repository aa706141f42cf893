"""How the clouds are asked to refuse that something is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .resource import Resource
from .values import UNKNOWN

GUARDS: Final[Mapping[str, tuple[str, Any, Any]]] = {
    "aws:rds/instance:Instance": ("deletionProtection", True, False),
    "aws:rds/cluster:Cluster": ("deletionProtection", True, False),
    "aws:docdb/cluster:Cluster": ("deletionProtection", True, False),
    "aws:neptune/cluster:Cluster": ("deletionProtection", True, False),
    "aws:dynamodb/table:Table": ("deletionProtectionEnabled", True, False),
    "aws:eks/cluster:Cluster": ("deletionProtection", True, False),
    # `deletionProtection` of Cloud SQL is the provider's own, and on by default; this one is the cloud's.
    "gcp:sql/databaseInstance:DatabaseInstance": ("settings.deletionProtectionEnabled", True, False),
    "gcp:firestore/database:Database": (
        "deleteProtectionState",
        "DELETE_PROTECTION_ENABLED",
        "DELETE_PROTECTION_DISABLED",
    ),
    "gcp:container/cluster:Cluster": ("deletionProtection", True, True),
    "gcp:bigtable/instance:Instance": ("deletionProtection", True, True),
    "gcp:alloydb/cluster:Cluster": ("deletionProtection", True, True),
}
"""Type -> property path of the protection, its value when it is on, and what holds where nothing is said."""


def guarded(resource: Resource) -> Any:
    """Whether its deletion is refused: true, false or UNKNOWN."""
    path, right, default = GUARDS[resource.type]
    value = resource.get(path)
    return UNKNOWN if value is UNKNOWN else (default if value is None else value) == right
