"""The properties by which the clouds refuse to delete a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .resource import Resource

PROTECTION: Final[Mapping[str, tuple[str, Any, Any]]] = {
    "aws:rds/instance:Instance": ("deletionProtection", True, False),
    "aws:rds/cluster:Cluster": ("deletionProtection", True, False),
    "aws:docdb/cluster:Cluster": ("deletionProtection", True, False),
    "aws:neptune/cluster:Cluster": ("deletionProtection", True, False),
    "aws:dynamodb/table:Table": ("deletionProtectionEnabled", True, False),
    "aws:eks/cluster:Cluster": ("deletionProtection", True, False),
    # `deletionProtection` of Cloud SQL belongs to the provider, and is on by default; this one is the
    # cloud's.
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
"""Type -> property path of the protection, its value when it is on, and its default."""


def is_protected(resource: Resource) -> bool:
    """Return whether the cloud refuses to delete a resource. Raises Deferred where that is unknown."""
    path, enabled, default = PROTECTION[resource.type]
    value = resource.known(path)
    return (default if value is None else value) == enabled
