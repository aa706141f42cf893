"""What dev, staging and prod mean: the defaults that an environment file may override.

A profile is a partial environment file. The file is laid over it, key by key; lists and scalars replace,
objects merge. What stands under `<name>` is for each pool that the file lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from aiplatform._shared.deep_merge import overlaid

# What nodes in private subnets call all the time. Without a NAT gateway these are the only way out, so
# staging and prod, which must live through its loss, have them all.
_ENDPOINTS: Final = [
    "athena",
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "glue",
    "kms",
    "lakeformation",
    "logs",
    "secretsmanager",
    "sts",
]

GIB: Final = 1024**3

EVERY: Final = "<name>"
"""In a profile, stands for every entry of a topic of the file's own names."""

OPTIONAL: Final = ("lakehouse", "feature_store", "container_registry", "model_registry")
"""Topics that an environment has only where its file says so, be it by an empty object."""

# Where GPUs come from: cheap first, where an interruption costs no more than a wait.
_CHEAP_FIRST: Final = {EVERY: {"capacity": ["spot", "on_demand"]}}

# What a profile means on every cloud.
_COMMON: Final[Mapping[str, Mapping[str, Any]]] = {
    # Cheap, quick to make and to destroy.
    "dev": {
        "network": {"zones": 2, "pods": 500, "flow_logs": {"retention_days": 7}},
        "cluster": {
            "log_retention_days": 7,
            "deletion_protection": False,
            "system_nodes": {"min": 2, "max": 3},
        },
        "gpu_pools": _CHEAP_FIRST,
        "lakehouse": {"access_log_days": 30},
        "feature_store": {"server": {"min_replicas": 1, "max_replicas": 2}},
        "model_registry": {
            "database": {"size": "small", "backup_days": 1},
            "artifacts": {"deleted_days": 7, "access_log_days": 30},
        },
    },
    # As prod, smaller.
    "staging": {
        "network": {"zones": 3, "pods": 2000, "flow_logs": {"retention_days": 30}},
        "cluster": {
            "log_retention_days": 30,
            "deletion_protection": False,
            "system_nodes": {"min": 2, "max": 4},
        },
        "gpu_pools": _CHEAP_FIRST,
        "lakehouse": {"access_log_days": 90},
        "feature_store": {"server": {"min_replicas": 2, "max_replicas": 4}},
        "model_registry": {
            "replicas": 2,
            "database": {"size": "small", "backup_days": 7},
            "artifacts": {"deleted_days": 30, "access_log_days": 90},
        },
    },
    # Stands when a zone falls, and is not deleted by accident.
    "prod": {
        "network": {"zones": 3, "pods": 10000, "flow_logs": {"retention_days": 365}},
        "cluster": {
            "log_retention_days": 365,
            "deletion_protection": True,
            "system_nodes": {"min": 3, "max": 6},
        },
        # Nothing that is served or trained there ends because somebody else pays more.
        "gpu_pools": {EVERY: {"capacity": ["on_demand"]}},
        "lakehouse": {"access_log_days": 365},
        "feature_store": {"server": {"min_replicas": 2, "max_replicas": 10}, "backup_days": 14},
        "model_registry": {
            "high_availability": True,
            "database": {
                "size": "medium",
                "storage_gib": 100,
                "most_storage_gib": 1000,
                "backup_days": 30,
                "deletion_protection": True,
            },
            "artifacts": {"deleted_days": 90, "access_log_days": 365},
        },
    },
}

_AWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {
        # Of one query.
        "lakehouse": {"query_cutoff_bytes": 10 * GIB},
        "network": {"nat": "single", "endpoints": []},
        "cluster": {
            "system_nodes": {"instance_types": ["m7i.large", "m6i.large"]},
            "autoscaling": {"replicas": 1, "scale_down_unneeded_minutes": 5},
        },
    },
    "staging": {
        # Of one query.
        "lakehouse": {"query_cutoff_bytes": 100 * GIB},
        "network": {"nat": "single", "endpoints": _ENDPOINTS},
        "cluster": {
            "system_nodes": {"instance_types": ["m7i.large", "m6i.large"]},
            "autoscaling": {"replicas": 2, "scale_down_unneeded_minutes": 10},
        },
    },
    "prod": {
        # Of one query.
        "lakehouse": {"query_cutoff_bytes": 1024 * GIB},
        "network": {"nat": "per_zone", "endpoints": _ENDPOINTS},
        "cluster": {
            "system_nodes": {"instance_types": ["m7i.xlarge", "m6i.xlarge"]},
            "autoscaling": {"replicas": 2, "scale_down_unneeded_minutes": 10},
        },
    },
}

_GCP: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {
        # Of one principal in a day.
        "lakehouse": {"query_cutoff_bytes": 1 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            # The free tier of GKE pays for one zonal control plane of a billing account.
            "control_plane": "zonal",
            "release_channel": "regular",
            "autoscaling_profile": "optimize_utilization",
            "managed_prometheus": False,
            "system_nodes": {"instance_types": ["e2-standard-4"]},
        },
    },
    "staging": {
        # Of one principal in a day.
        "lakehouse": {"query_cutoff_bytes": 10 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            "control_plane": "regional",
            "release_channel": "regular",
            "system_nodes": {"instance_types": ["e2-standard-4"]},
        },
    },
    "prod": {
        "model_registry": {"database": {"backup_days": 14}},
        # Of one principal in a day.
        "lakehouse": {"query_cutoff_bytes": 100 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            "control_plane": "regional",
            # Weeks behind regular: what reaches prod has run in staging before.
            "release_channel": "stable",
            "maintenance_window": {"start": "03:00", "hours": 6, "days": ["SA", "SU"]},
            "system_nodes": {"instance_types": ["n2-standard-4"]},
        },
    },
}

PROFILES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    cloud: {profile: overlaid(_COMMON[profile], own[profile]) for profile in _COMMON}
    for cloud, own in (("aws", _AWS), ("gcp", _GCP))
}
"""Cloud -> profile -> its defaults."""


def with_profile(cloud: str, profile: str, topics: Mapping[str, Any]) -> dict[str, Any]:
    """The topics laid over the defaults of a profile. An unknown one has none: the model refuses it."""
    defaults = {
        name: topic
        for name, topic in PROFILES.get(cloud, {}).get(profile, {}).items()
        if name not in OPTIONAL or name in topics
    }
    whole = overlaid({name: topic for name, topic in defaults.items() if EVERY not in topic}, topics)
    for name, topic in defaults.items():
        if EVERY in topic and isinstance(whole.get(name), Mapping):
            whole[name] = {pool: _laid_over(topic[EVERY], given) for pool, given in whole[name].items()}
    return whole


def _laid_over(defaults: Mapping[str, Any], given: Any) -> Any:
    """What is no object stays as it is: the model tells what it should be."""
    return overlaid(defaults, cast("Mapping[str, Any]", given)) if isinstance(given, Mapping) else given
