"""Firestore: databases, native or in Datastore mode, and their backup schedules."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from twin.gcp.api_server.errors import exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import Standard, check_place, serve

_PLACES: Final = frozenset({"nam5", "nam7", "eur3"})
_KEY_PLACES: Final = {"nam5": "us", "nam7": "us", "eur3": "europe"}
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST: Final = 14 * 7 * 86400
"""Seconds that a backup is kept at most: 14 weeks. Source: "Back up and restore data"."""
_SCHEDULES: Final = "firestore.projects.databases.backupSchedules"


def _prepare(call: Call, database: Body) -> None:
    place = str(database.get("locationId") or "")
    check_place(place, _PLACES)
    kind = database.get("type")
    if kind not in ("FIRESTORE_NATIVE", "DATASTORE_MODE"):
        raise invalid("database.type must be FIRESTORE_NATIVE or DATASTORE_MODE.")
    if _UUID.fullmatch(database["name"].rpartition("/")[2]):
        raise invalid("A database id must not look like a UUID.")
    key = (database.get("cmekConfig") or {}).get("kmsKeyName")
    if key:
        email = f"service-{call.project_number}@gcp-sa-firestore.iam.gserviceaccount.com"
        check_key(call, key, _KEY_PLACES.get(place, place), email, "database")
        database["cmekConfig"]["activeKeyVersion"] = [f"{key}/cryptoKeyVersions/1"]
    database.setdefault("databaseEdition", "STANDARD")
    database.setdefault("concurrencyMode", "PESSIMISTIC" if kind == "FIRESTORE_NATIVE" else "OPTIMISTIC")
    database.setdefault("appEngineIntegrationMode", "DISABLED")
    database.setdefault("pointInTimeRecoveryEnablement", "POINT_IN_TIME_RECOVERY_DISABLED")
    database.setdefault("deleteProtectionState", "DELETE_PROTECTION_DISABLED")
    database["keyPrefix"] = secrets.choice("abcdefgh")


def _check(call: Call, database: Body) -> None:
    if database["databaseEdition"] == "ENTERPRISE" and database["type"] == "DATASTORE_MODE":
        raise invalid("The Enterprise edition is not supported in Datastore mode.")
    if (
        database["type"] == "FIRESTORE_NATIVE"
        and database["concurrencyMode"] == "OPTIMISTIC_WITH_ENTITY_GROUPS"
    ):
        raise invalid("OPTIMISTIC_WITH_ENTITY_GROUPS is for Datastore mode only.")
    recovery = database["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    database["versionRetentionPeriod"] = "604800s" if recovery else "3600s"
    database["earliestVersionTime"] = call.timestamp


def _vacate(_: Call, database: Body) -> None:
    if database["deleteProtectionState"] == "DELETE_PROTECTION_ENABLED":
        raise precondition(
            f"Database {database['name']} cannot be deleted because delete protection is enabled: disable it "
            "first."
        )


serve(
    Standard(
        methods="firestore.projects.databases",
        title="Database",
        id="databaseId",
        pattern=r"\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]",
        right="(default), or lower-case letters, digits and hyphens, a letter first, 4 to 63",
        mutable=frozenset(
            {"type", "concurrencyMode", "appEngineIntegrationMode", "pointInTimeRecoveryEnablement"}
            | {"deleteProtectionState"}
        ),
        response="google.firestore.admin.v1.Database",
        prepare=_prepare,
        check=_check,
        vacate=_vacate,
        uid=True,
        tag=True,
        places=None,
    )
)


def _seconds(schedule: Body) -> float:
    return float(str(schedule.get("retention") or "0s").removesuffix("s"))


def _check_schedule(call: Call, schedule: Body) -> None:
    kinds = [each for each in ("dailyRecurrence", "weeklyRecurrence") if each in schedule]
    if len(kinds) != 1:
        raise invalid("Exactly one of daily_recurrence and weekly_recurrence must be set.")
    if not 86400 <= _seconds(schedule) <= _LONGEST:
        raise invalid(
            f"retention must be from 86400s to {_LONGEST}s (14 weeks), got {schedule.get('retention')}."
        )
    if kinds[0] == "weeklyRecurrence" and not schedule["weeklyRecurrence"].get("day"):
        raise invalid("weekly_recurrence.day must be specified.")
    around = f"firestore/{schedule['name'].rpartition('/')[0]}/"
    for _, other in call.state.of("firestore.backupSchedules", around):
        if kinds[0] in other and other["name"] != schedule["name"]:
            raise exists(f"The database has a schedule with {kinds[0]} already: {other['name']}.")


serve(
    Standard(
        methods=_SCHEDULES,
        title="BackupSchedule",
        mutable=frozenset({"retention"}),
        check=_check_schedule,
        places=None,
        mask_needed=False,
    )
)


@handles("firestore.projects.databases.list")
def databases(call: Call) -> dict[str, Any]:
    """The project's databases."""
    parent = call.parameters["parent"]
    return generic.listed(call, f"firestore/{parent}/databases/", "firestore.databases")
