"""Databases: RDS and Cloud SQL, by class, zones and disk."""

from __future__ import annotations

import re
from typing import Final

from cli.estimate.context import Context
from cli.estimate.lines import HOURS, Amounts, always
from cli.estimate.resources import Resource

RDS: Final = "aws:rds/instance:Instance"
CLOUD_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_CUSTOM: Final = re.compile(r"db-custom-(?P<vcpus>\d+)-(?P<mib>\d+)")


def add(context: Context) -> None:
    """Add the lines of all databases."""
    for resource in context.resources.of(RDS):
        _rds(context, resource)
    for resource in context.resources.of(CLOUD_SQL):
        _cloud_sql(context, resource)


def _rds(context: Context, resource: Resource) -> None:
    # The standby is paid as the instance is.
    copies = 2 if resource.get("multiAz") else 1
    size, disk = resource.get("instanceClass"), resource.get("allocatedStorage")
    if size is None or disk is None:
        context.refuse(resource, "its class or disk is known only at `up`")
        return
    zones = ", two zones" if copies == 2 else ""
    context.add(resource, f"{size}{zones}", f"rds/{size}", always(copies * HOURS), "database")
    kind = str(resource.get("storageType", "gp2"))
    largest = float(resource.get("maxAllocatedStorage", disk))
    _disk(context, resource, f"disk, {kind}{zones}", f"rds/{kind}", copies, float(disk), largest)


def _cloud_sql(context: Context, resource: Resource) -> None:
    copies = 2 if resource.get("settings.availabilityType") == "REGIONAL" else 1
    tier, disk = resource.get("settings.tier"), float(resource.get("settings.diskSize", 10))
    if tier is None:
        context.refuse(resource, "its tier is known only at `up`")
        return
    zones = ", two zones" if copies == 2 else ""
    custom = _CUSTOM.fullmatch(str(tier))
    if custom:
        hours = copies * HOURS
        vcpus, gib = int(custom["vcpus"]), int(custom["mib"]) / 1024
        context.add(resource, f"{vcpus} vCPUs{zones}", "sql/vcpu", always(vcpus * hours), "database")
        context.add(resource, f"{gib:g} GiB{zones}", "sql/memory", always(gib * hours), "database")
    else:
        context.add(resource, f"{tier}{zones}", f"sql/{tier}", always(copies * HOURS), "database")
    kind = "hdd" if resource.get("settings.diskType") == "PD_HDD" else "ssd"
    # 0 is no limit.
    largest = float(resource.get("settings.diskAutoresizeLimit", 0)) or disk
    _disk(context, resource, f"disk, {kind}{zones}", f"sql/{kind}", copies, disk, max(disk, largest))


def _disk(
    context: Context, resource: Resource, item: str, price: str, copies: int, gib: float, largest: float
) -> None:
    quantity = Amounts(copies * gib, copies * gib, copies * largest)
    context.add(resource, item, price, quantity, "database")
