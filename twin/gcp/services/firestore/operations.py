"""Firestore: databases, native or in Datastore mode, and their backup schedules."""

from __future__ import annotations

import re
import secrets
from typing import Final

from twin.gcp.api_server.errors import exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import check_place, serve

_PLACES: Final = frozenset({"nam5", "nam7", "eur3"})
_KEY_PLACES: Final = {"nam5": "us", "nam7": "us", "eur3": "europe"}
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _prepare(call: Call, database: Body) -> None:
    place = str(database.get("locationId") or "")
    check_place(place, _PLACES)
    kind = database.get("type")
    if _UUID.fullmatch(database["name"].rpartition("/")[2]):
        raise invalid("A database id must not look like a UUID.")
    key = (database.get("cmekConfig") or {}).get("kmsKeyName")
    check_key(call, key, _KEY_PLACES.get(place, place), "gcp-sa-firestore", "database")
    if key:
        database["cmekConfig"]["activeKeyVersion"] = [f"{key}/cryptoKeyVersions/1"]
    database.setdefault("concurrencyMode", "PESSIMISTIC" if kind == "FIRESTORE_NATIVE" else "OPTIMISTIC")
    database["keyPrefix"] = secrets.choice("abcdefgh")


def _check(call: Call, database: Body) -> None:
    recovery = database["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    database["versionRetentionPeriod"] = "604800s" if recovery else "3600s"
    database["earliestVersionTime"] = call.timestamp


def _vacate(_: Call, database: Body) -> None:
    if database["deleteProtectionState"] == "DELETE_PROTECTION_ENABLED":
        raise precondition(
            f"Database {database['name']} cannot be deleted because delete protection is enabled: disable it "
            "first."
        )


serve("firestore.projects.databases", prepare=_prepare, check=_check, vacate=_vacate)


def _check_schedule(call: Call, schedule: Body) -> None:
    kind = next(name for name in ("dailyRecurrence", "weeklyRecurrence") if name in schedule)
    if kind == "weeklyRecurrence" and not schedule[kind].get("day"):
        raise invalid("weekly_recurrence.day must be specified.")
    around = f"firestore/{schedule['name'].rpartition('/')[0]}/"
    for _, other in call.state.of("firestore.backupSchedules", around):
        if kind in other and other["name"] != schedule["name"]:
            raise exists(f"The database has a schedule with {kind} already: {other['name']}.")


serve("firestore.projects.databases.backupSchedules", check=_check_schedule)
