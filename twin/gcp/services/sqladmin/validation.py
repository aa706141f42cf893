"""What Cloud SQL refuses of an instance: editions and machines, backups, network, disks, flags."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import rules
from twin.gcp.methods.cmek import check_key
from twin.gcp.services.compute.operations.generic import check_labels

_CUSTOM: Final = re.compile(r"db-custom-(\d+)-(\d+)")
_PERFORMANCE: Final = re.compile(
    r"db-perf-optimized-N-(2|4|8|16|32|48|64|80|96|128)|db-memory-optimized-N-(4|8|16|32|64)"
    r"|db-c4a-highmem-(4|8|16|32|48|64|72)"
)
_SHARED: Final = ("db-f1-micro", "db-g1-small")
_STANDARD: Final = re.compile(r"db-n1-(standard-(1|2|4|8|16|32|64|96)|highmem-(2|4|8|16|32|64|96))")
_PLUS_BY_DEFAULT: Final = 16
"""From this PostgreSQL on the edition is Enterprise Plus unless one is said. Source: "Cloud SQL editions"."""
_VERSIONS: Final = re.compile(
    r"POSTGRES_(9_6|1[0-8])|MYSQL_(5_6|5_7|8_0(_\d\d)?|8_4)|SQLSERVER_20(17|19|22)_(STANDARD|ENTERPRISE|EXPRESS|WEB)"
)
_SWITCHES: Final[frozenset[str]] = frozenset(services.tables("sqladmin")["switches"])
_FLAG: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?")


def postgres(instance: Body) -> int:
    """PostgreSQL's major version; 0 for another database."""
    match = re.fullmatch(r"POSTGRES_(\d+)(_\d+)?", instance["databaseVersion"])
    return int(match[1]) if match else 0


def check_version(instance: Body) -> None:
    """A version that Cloud SQL has."""
    version = instance.get("databaseVersion") or ""
    if not _VERSIONS.fullmatch(version):
        raise invalid(f"Invalid request: Invalid database version: {version}.")


def edition_of(instance: Body) -> str:
    """The edition said, or the version's default."""
    said = instance["settings"].get("edition")
    if said:
        return str(said)
    plus = postgres(instance) >= _PLUS_BY_DEFAULT or instance["databaseVersion"] == "MYSQL_8_4"
    return "ENTERPRISE_PLUS" if plus else "ENTERPRISE"


def check(call: Call, instance: Body) -> None:
    """All that must hold of an instance with its defaults. Raises 400, 403 and 404."""
    settings = instance["settings"]
    backup = settings.get("backupConfiguration") or {}
    mysql = instance["databaseVersion"].startswith("MYSQL")
    recovery = backup.get("binaryLogEnabled" if mysql else "pointInTimeRecoveryEnabled")
    rules.check(
        call, {**instance, "mysql": mysql, "recovery": recovery}, services.rules("sqladmin")["instance"]
    )
    _check_tier(instance, settings["tier"], settings["edition"])
    check_labels({"labels": settings.get("userLabels")}, "settings.userLabels")
    if recovery:
        _check_retention(backup)
    _check_network(call, instance, settings.get("ipConfiguration") or {})
    most, size = int(settings.get("storageAutoResizeLimit") or 0), int(settings.get("dataDiskSizeGb") or 10)
    if most and most < size:
        raise invalid(
            f"Invalid request: storageAutoResizeLimit ({most}) is less than the disk size ({size})."
        )
    _check_flags(settings.get("databaseFlags") or [])
    key = (instance.get("diskEncryptionConfiguration") or {}).get("kmsKeyName")
    check_key(call, key, instance["region"], "gcp-sa-cloud-sql", "instance")


def _check_tier(instance: Body, tier: str, edition: str) -> None:
    where = "https://cloud.google.com/sql/docs/postgres/create-instance#machine-types"
    if edition == "ENTERPRISE_PLUS":
        if not _PERFORMANCE.fullmatch(tier):
            raise invalid(
                f"Invalid request: Invalid Tier ({tier}) for (ENTERPRISE_PLUS) Edition. Use a predefined "
                f"Tier like db-perf-optimized-N-* instead. Learn more at {where}."
            )
        if postgres(instance) and postgres(instance) < 12:
            raise invalid(
                f"Invalid request: {instance['databaseVersion']} is not supported for the "
                "ENTERPRISE_PLUS edition."
            )
        return
    custom = _CUSTOM.fullmatch(tier)
    if custom:
        _check_custom(int(custom[1]), int(custom[2]), tier)
    elif tier in _SHARED or (_STANDARD.fullmatch(tier) and not postgres(instance)):
        return
    else:
        raise invalid(
            f"Invalid request: Invalid Tier ({tier}) for (ENTERPRISE) Edition. Use a predefined or a custom "
            f"Tier like db-custom-CPUS-MEMORY instead. Learn more at {where}."
        )


def _check_custom(cpus: int, memory: int, tier: str) -> None:
    """1 or an even number of vCPUs, 0.9 to 6.5 GiB each, 3.75 GiB at least. Source: "Machine type"."""
    low, high = max(3840, int(cpus * 0.9 * 1024)), int(cpus * 6.5 * 1024)
    even = cpus == 1 or (cpus % 2 == 0 and cpus <= 96)
    if not even or memory % 256 or not low <= memory <= high:
        raise invalid(
            f"Invalid request: Invalid Tier ({tier}): a custom machine has 1 or an even number of vCPUs up "
            f"to 96, and memory in steps of 256 MiB, here from {low} to {high}."
        )


def _check_retention(backup: Body) -> None:
    """Backups are retained no less than the logs."""
    logs = int(backup.get("transactionLogRetentionDays") or 7)
    backups = int((backup.get("backupRetentionSettings") or {}).get("retainedBackups") or 7)
    if backups < logs:
        raise invalid(
            f"Invalid request: retainedBackups ({backups}) must not be less than "
            f"transactionLogRetentionDays ({logs})."
        )


def _check_network(call: Call, instance: Body, config: dict[str, Any]) -> None:
    private = config.get("privateNetwork") or ""
    if not private:
        return
    name = (
        private.rpartition("/projects/")[2]
        if private.startswith("http")
        else private.removeprefix("projects/")
    )
    network = f"projects/{name}"
    if call.state.get(f"compute/{network}") is None:
        raise not_found(f"The resource '{network}' was not found")
    last = network.rsplit("/", 1)[-1]
    connection = call.state.get(
        f"servicenetworking/networks/{last}/connections/servicenetworking-googleapis-com"
    )
    if connection is None:
        raise invalid(
            f"Invalid request: Incorrect Service Networking config for instance: {call.project}:"
            f"{instance['name']}:NETWORK_NOT_PEERED."
        )
    wanted = config.get("allocatedIpRange")
    if wanted and wanted not in connection["reservedPeeringRanges"]:
        raise invalid(
            f"Invalid request: allocatedIpRange '{wanted}' is not among the ranges of the private connection "
            f"({', '.join(connection['reservedPeeringRanges'])})."
        )


def _check_flags(flags: list[Body]) -> None:
    seen: set[str] = set()
    for flag in flags:
        name, value = str(flag.get("name", "")), str(flag.get("value", ""))
        if name in seen:
            raise invalid(f"Invalid request: Duplicate flag: {name}.")
        seen.add(name)
        if not _FLAG.fullmatch(name) or (name.startswith("cloudsql.") and name not in _SWITCHES):
            raise invalid(f"Invalid request: Invalid flag name: {name}.")
        if name in _SWITCHES and value not in ("on", "off"):
            raise invalid(f"Invalid request: Invalid value for flag {name}: {value}; on or off is right.")


def check_change(before: Body, after: Body) -> None:
    """What an instance that is there cannot become. Raises 400."""
    old, new = before["settings"], after["settings"]
    if int(new.get("dataDiskSizeGb") or 10) < int(old.get("dataDiskSizeGb") or 10):
        raise invalid("Invalid request: Disk size cannot be decreased.")
    if new.get("dataDiskType") != old.get("dataDiskType"):
        raise invalid("Invalid request: The data disk type of an instance cannot be changed.")
    network = (old.get("ipConfiguration") or {}).get("privateNetwork")
    if network and not (new.get("ipConfiguration") or {}).get("privateNetwork"):
        raise invalid("Invalid request: Private network cannot be removed from an instance.")
    if before.get("diskEncryptionConfiguration") != after.get("diskEncryptionConfiguration"):
        raise invalid("Invalid request: The key of an instance cannot be changed.")
    if before["region"] != after["region"]:
        raise invalid("Invalid request: The region of an instance cannot be changed.")
    if postgres(after) < postgres(before):
        raise invalid(
            f"Invalid request: {before['databaseVersion']} cannot be downgraded to "
            f"{after['databaseVersion']}."
        )


def protected() -> GoogleError:
    """A delete of an instance that its settings protect."""
    return GoogleError(
        400,
        "FAILED_PRECONDITION",
        "The instance is protected. Please disable the deletion protection and try again. To disable "
        "deletion protection, update the instance settings with deletionProtectionEnabled set to false.",
        "invalid",
    )
