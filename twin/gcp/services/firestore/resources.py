"""Firestore: databases and backup schedules."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class BackupSchedule(GcpResource):
    token = "gcp:firestore/backupSchedule:BackupSchedule"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        recurrences = [
            name for name in ("dailyRecurrence", "weeklyRecurrence") if inputs.get(name) is not None
        ]
        if len(recurrences) != 1:
            yield Failure(
                "dailyRecurrence",
                "exactly one of `dailyRecurrence,weeklyRecurrence` must be specified, got "
                f"{recurrences or 'none'}",
            )

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"database": id.split("/")[3]}
