"""The profiles dev, staging and prod: defaults that an environment file may override.

A profile is a partial environment file. The file is merged over it: objects merge key by key, lists and
scalars replace. Values under `<name>` apply to each pool that the file lists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from aiplatform._shared.deep_merge import overlaid
from aiplatform.model_registry.database import OF_CREATED as OF_CREATED_DATABASE

# Services that nodes in private subnets call. Without a NAT gateway only these are reached, so staging and
# prod, which must survive its loss, have endpoints of all of them. Not here: `sqs` and `ssm`, which only
# Karpenter calls. While the NAT gateway is lost it receives no messages of EC2 and reads no images.
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
"""In a profile, the key for defaults of every entry of a topic whose keys are names."""

OPTIONAL: Final = (
    "addons",
    "guardrails",
    "queues",
    "training",
    "gateway",
    "pipelines",
    "continuous_training",
    "model_monitor",
    "observability",
    "lakehouse",
    "log_bucket",
    "feature_store",
    "container_registry",
    "model_registry",
    "model_store",
    "serving",
)
"""Topics that an environment has only where its file states them, if only as an empty object."""

EXCLUSIVE: Final[Mapping[str, tuple[str, ...]]] = {"network": ("existing", "zone_ids", "zone_count")}
"""Topic -> keys of which one is stated: in a file it replaces the others of its shared files and profile."""

# Capacity of GPU pools: cheap first, where an interruption only delays work.
_CHEAP_FIRST: Final = {EVERY: {"capacity": ["spot", "on_demand"]}}

# As GPU pools have by themselves.
_DISKS: Final = {EVERY: {"disk_gib": 100}}

# Defaults of a profile on every cloud.
_COMMON: Final[Mapping[str, Mapping[str, Any]]] = {
    # Cheap, quick to create and to destroy.
    "dev": {
        "network": {"zone_count": 2, "pods": 500, "flow_log_retention_days": 7},
        "cluster": {
            "log_retention_days": 7,
            "deletion_protection": False,
            "system_nodes": {"min": 2, "max": 3},
        },
        "node_pools": {EVERY: {"disk_gib": 50}},
        "gpu_pools": _CHEAP_FIRST,
        "lakehouse": {"access_log_days": 30},
        "addons": {"replicas": 1, "pods_ready": {"attempts": 3}},
        # What separates teams applies here, too.
        "guardrails": {
            "enforcement": "warn",
            "policies": {"accelerators": "deny", "namespaces": "deny", "queues": "deny"},
        },
        "observability": {
            "prometheus": {
                "retention_days": 7,
                "storage_gib": 20,
                "memory_gib": 1.25,
                "cpu": 0.2,
                "scrape_interval_seconds": 60,
            },
            "logs": {"retention_days": 7},
        },
        "feature_store": {"server": {"min_replicas": 1, "max_replicas": 2}},
        "model_registry": {
            "database": {"size": "micro", "backup_days": 1},
            "artifacts": {"deleted_days": 7, "access_log_days": 30},
        },
        "model_store": {"checkpoints": {"expire_days": 14}, "access_log_days": 30},
        "pipelines": {"expire_days": 14, "access_log_days": 30},
    },
    # Like prod, smaller.
    "staging": {
        "network": {"zone_count": 3, "pods": 2000, "flow_log_retention_days": 30},
        "cluster": {
            "log_retention_days": 30,
            "deletion_protection": False,
            "system_nodes": {"min": 2, "max": 4},
        },
        "node_pools": _DISKS,
        "gpu_pools": _CHEAP_FIRST,
        "lakehouse": {"access_log_days": 90},
        "addons": {"replicas": 2, "pods_ready": {"recovery_minutes": 15, "attempts": 5}},
        "training": {"replicas": 2},
        "observability": {
            "prometheus": {"memory_gib": 2, "cpu": 0.3},
            "logs": {"retention_days": 30},
            "traces": {},
        },
        "feature_store": {"server": {"min_replicas": 2, "max_replicas": 4}},
        "model_registry": {
            "replicas": 2,
            "database": {"size": "small", "backup_days": 7},
            "artifacts": {"deleted_days": 30, "access_log_days": 90},
        },
        "model_store": {"checkpoints": {"expire_days": 30}, "access_log_days": 90},
        "pipelines": {"replicas": 2},
    },
    # Survives the loss of a zone, and is not deleted by accident.
    "prod": {
        "network": {"zone_count": 3, "pods": 10000, "flow_log_retention_days": 365},
        "cluster": {
            "log_retention_days": 365,
            "deletion_protection": True,
            "system_nodes": {"min": 3, "max": 6},
        },
        "node_pools": _DISKS,
        # No serving or training ends because spot capacity is reclaimed.
        "gpu_pools": {EVERY: {"capacity": ["on_demand"]}},
        "lakehouse": {"access_log_days": 365},
        # Large models take long to load; a job that is stopped for a slow start loses its place.
        "addons": {
            "replicas": 2,
            "pods_ready": {"timeout_minutes": 60, "recovery_minutes": 15, "attempts": 10},
        },
        "guardrails": {"require_digests": True},
        "training": {"replicas": 2, "require_digests": True},
        "serving": {"require_digests": True},
        # Alerts survive the loss of a zone, and metrics the loss of the cluster.
        "observability": {
            "prometheus": {"replicas": 2, "storage_gib": 100},
            "alertmanager": {"replicas": 2},
            "long_term_storage": {},
            "logs": {"retention_days": 90},
            "traces": {"sampled_percent": 5, "replicas": 2},
        },
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
        "model_store": {
            "checkpoints": {"expire_days": 90},
            # What serves stays, also where the bucket's permissions change.
            "releases": {"retention": {"days": 365}},
            "access_log_days": 365,
        },
        "pipelines": {"replicas": 2, "expire_days": 90, "access_log_days": 365},
        # While the only Pod of Envoy Gateway is replaced, routes do not change. One Envoy for each zone.
        "gateway": {"controller_replicas": 2, "replicas": 3},
    },
}

_AWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {
        # For one query.
        "lakehouse": {"query_cutoff_bytes": 10 * GIB},
        "network": {"nat": "single"},
        # A third of the price of m7i.large. Every image that runs on system nodes exists for ARM, too.
        "cluster": {"system_nodes": {"instance_types": ["t4g.medium"]}},
        "cluster_autoscaler": {"replicas": 1, "scale_down_after_minutes": 5},
        "karpenter": {"consolidate_after_minutes": 5},
    },
    "staging": {
        # For one query.
        "lakehouse": {"query_cutoff_bytes": 100 * GIB},
        "network": {"nat": "single", "aws": {"endpoints": _ENDPOINTS}},
        "cluster": {"system_nodes": {"instance_types": ["m7i.large", "m6i.large"]}},
        "cluster_autoscaler": {"replicas": 2, "scale_down_after_minutes": 10},
    },
    "prod": {
        # For one query.
        "lakehouse": {"query_cutoff_bytes": 1024 * GIB},
        # The first is of the storage of metrics, which prod has.
        "network": {"nat": "per_zone", "aws": {"endpoints": ["aps-workspaces", *_ENDPOINTS]}},
        "cluster": {"system_nodes": {"instance_types": ["m7i.xlarge", "m6i.xlarge"]}},
        "cluster_autoscaler": {"replicas": 2, "scale_down_after_minutes": 10},
        # A node in use is not replaced for a new image or configuration: it goes once it is empty.
        "karpenter": {
            "disruption_budgets": [
                {"nodes": "0", "reasons": ["drifted"]},
                {"nodes": "20%", "reasons": ["empty", "underutilized"]},
            ]
        },
    },
}

_GCP: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {
        # The smallest; on RDS it is 20, the default.
        "model_registry": {"database": {"storage_gib": 10}},
        # For one principal a day.
        "lakehouse": {"query_cutoff_bytes": 1 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            "system_nodes": {"instance_types": ["e2-standard-2"]},
            "gke": {
                # The free tier of GKE includes one zonal control plane of a billing account.
                "control_plane": "zonal",
                "release_channel": "regular",
                "autoscaling_profile": "optimize_utilization",
                "managed_prometheus": False,
            },
        },
    },
    "staging": {
        # For one principal a day.
        "lakehouse": {"query_cutoff_bytes": 10 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            "system_nodes": {"instance_types": ["e2-standard-4"]},
            "gke": {"control_plane": "regional", "release_channel": "regular"},
        },
    },
    "prod": {
        "model_registry": {"database": {"backup_days": 14}},
        # For one principal a day.
        "lakehouse": {"query_cutoff_bytes": 100 * 1024 * GIB},
        "network": {"nat": "single"},
        "cluster": {
            "system_nodes": {"instance_types": ["n2-standard-4"]},
            "gke": {
                "control_plane": "regional",
                # Weeks behind regular: a version that reaches prod has run in staging before.
                "release_channel": "stable",
                "maintenance_window": {"start": "03:00", "hours": 6, "days": ["SA", "SU"]},
                # The nodes' releases and cluster.version are stated: nothing else changes them.
                "maintenance_exclusions": [
                    {
                        "name": "stated-versions",
                        "start": "2026-01-01T00:00:00Z",
                        "scope": "no_minor_or_node_upgrades",
                    }
                ],
            },
        },
    },
}

PROFILES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    cloud: {profile: overlaid(_COMMON[profile], specific[profile]) for profile in _COMMON}
    for cloud, specific in (("aws", _AWS), ("gcp", _GCP))
}
"""Cloud -> profile -> its defaults."""


def with_profile(cloud: str, profile: str, topics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the topics merged over the defaults of a profile. An unknown profile has none: the model refuses
    it."""
    defaults = {
        name: topic
        for name, topic in PROFILES.get(cloud, {}).get(profile, {}).items()
        if name not in OPTIONAL or name in topics
    }
    defaults = {
        name: without(topic, excluded_paths(name, topics.get(name))) for name, topic in defaults.items()
    }
    whole = overlaid({name: topic for name, topic in defaults.items() if EVERY not in topic}, topics)
    for name, topic in defaults.items():
        if EVERY in topic and isinstance(whole.get(name), Mapping):
            whole[name] = {pool: _merged(topic[EVERY], entry) for pool, entry in whole[name].items()}
    return whole


def excluded_paths(name: str, topic: Any) -> frozenset[tuple[str, ...]]:
    """Return the paths of keys that a file's topic excludes: `zone_count`, where it states `zone_ids`; the
    size of a database that is created, where it states one that exists."""
    if not isinstance(topic, Mapping):
        return frozenset()
    stated = cast("Mapping[str, Any]", topic)
    keys = frozenset(EXCLUSIVE.get(name, ()))
    present = keys & set(stated)
    database = stated.get("database") if name == "model_registry" else None
    if isinstance(database, Mapping) and "existing" in database:
        return frozenset(("database", key) for key in OF_CREATED_DATABASE)
    return frozenset((key,) for key in keys - present) if present else frozenset()


def without(topic: Mapping[str, Any], paths: Collection[tuple[str, ...]]) -> dict[str, Any]:
    """Return a topic without the keys at these paths."""
    left: dict[str, Any] = {}
    for key, value in topic.items():
        if (key,) in paths:
            continue
        below = {path[1:] for path in paths if path[0] == key and len(path) > 1}
        left[key] = (
            without(cast("Mapping[str, Any]", value), below)
            if below and isinstance(value, Mapping)
            else value
        )
    return left


def _merged(defaults: Mapping[str, Any], entry: Any) -> Any:
    """Return the entry merged over the defaults; the model reports one that is no object."""
    return overlaid(defaults, cast("Mapping[str, Any]", entry)) if isinstance(entry, Mapping) else entry
