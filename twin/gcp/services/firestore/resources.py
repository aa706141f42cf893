"""Firestore: databases and backup schedules."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props


class BackupSchedule(GcpResource):
    token = "gcp:firestore/backupSchedule:BackupSchedule"

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"database": id.split("/")[3]}
