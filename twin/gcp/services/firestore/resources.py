"""Firestore: databases and backup schedules."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.provider_interface import AutoName, Failure, Props


class Database(GcpResource):
    token = "gcp:firestore/database:Database"
    title = "Database"
    collection = "firestore.projects.databases"
    schema = "GoogleFirestoreAdminV1Database"
    create_method = "create"
    params = {"name": "projects/{project}/databases/{name}"}
    create_params = {"parent": "projects/{project}", "databaseId": "{name}"}
    id_form = "projects/{project}/databases/{name}"
    autoname = AutoName("name", max_length=63, lower=True)
    names = frozenset({"name"})
    default_policy = "ABANDON"
    fields = {
        "cmekConfig.activeKeyVersions": Field("activeKeyVersion", sent=False),
        **local("tags"),
        **only_read("createTime", "earliestVersionTime", "etag", "keyPrefix", "uid", "updateTime"),
        **only_read("versionRetentionPeriod"),
    }
    computed = frozenset(
        {"appEngineIntegrationMode", "concurrencyMode", "databaseEdition", "deleteProtectionState"}
        | {"firestoreDataAccessMode", "mongodbCompatibleDataAccessMode", "realtimeUpdatesMode", "project"}
    )
    nested_computed = frozenset({"cmekConfig.activeKeyVersions"})
    immutable = frozenset(
        {"locationId", "name", "cmekConfig", "databaseEdition", "firestoreDataAccessMode", "tags", "project"}
        | {"mongodbCompatibleDataAccessMode", "realtimeUpdatesMode"}
    )
    changes = (
        Change(
            (
                *("type", "appEngineIntegrationMode", "concurrencyMode", "deleteProtectionState"),
                "pointInTimeRecoveryEnablement",
            ),
            mask=True,
        ),
    )
    volatile = frozenset({"etag", "updateTime", "earliestVersionTime"})


class BackupSchedule(GcpResource):
    token = "gcp:firestore/backupSchedule:BackupSchedule"
    title = "BackupSchedule"
    collection = "firestore.projects.databases.backupSchedules"
    schema = "GoogleFirestoreAdminV1BackupSchedule"
    create_method = "create"
    params = {"name": "projects/{project}/databases/{database}/backupSchedules/{name}"}
    create_params = {"parent": "projects/{project}/databases/{database}"}
    id_form = "projects/{project}/databases/{database}/backupSchedules/{name}"
    names = frozenset({"name"})
    fields = {**local("database"), **only_read("name")}
    immutable = frozenset({"weeklyRecurrence"})
    changes = (Change(("retention",), mask=True),)

    def rules(self, inputs: Props) -> Iterator[Failure]:
        given = [each for each in ("dailyRecurrence", "weeklyRecurrence") if inputs.get(each) is not None]
        if len(given) != 1:
            yield Failure(
                "dailyRecurrence",
                f"exactly one of `dailyRecurrence,weeklyRecurrence` must be specified, got {given or 'none'}",
            )

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"database": id.split("/")[3]}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return False
