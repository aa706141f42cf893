"""The kinds of resources of each cloud, in the order of their deletion: users before what they use."""

from __future__ import annotations

from collections.abc import Sequence

from cli.sweep.item import Kind


def of(cloud: str) -> Sequence[Kind]:
    """Return the kinds of a cloud."""
    return _aws() if cloud == "aws" else _gcp()


def _aws() -> Sequence[Kind]:
    from cli.sweep.aws import machines, networks, records, retained

    return (
        networks.NETWORKS,
        records.DNS_RECORDS,
        networks.BALANCERS,
        networks.CLASSIC_BALANCERS,
        networks.TARGET_GROUPS,
        machines.INSTANCES,
        machines.LAUNCH_TEMPLATES,
        networks.INTERFACES,
        networks.SECURITY_GROUPS,
        machines.ADDRESSES,
        machines.VOLUMES,
        machines.SNAPSHOTS,
        records.LOG_GROUPS,
        retained.KEYS,
        retained.SECRETS,
        retained.BUCKETS,
        retained.DATABASES,
        retained.DATABASE_SNAPSHOTS,
    )


def _gcp() -> Sequence[Kind]:
    from cli.sweep.gcp import compute, records, retained

    return (
        compute.NETWORKS,
        records.DNS_RECORDS,
        *compute.BALANCERS,
        compute.HEALTH_CHECKS,
        *compute.BACKENDS,
        *compute.MACHINES,
        compute.FIREWALLS,
        retained.KEYS,
        retained.SECRETS,
        retained.BUCKETS,
        retained.DATABASES,
        retained.LOG_BUCKETS,
    )
