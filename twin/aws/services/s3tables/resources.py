"""S3 Tables: table buckets, namespaces, tables and policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props

_KEPT_UP: Final = {
    "icebergUnreferencedFileRemoval": {
        "unreferencedDays": "unreferencedDays",
        "nonCurrentDays": "nonCurrentDays",
    },
    "icebergCompaction": {"targetFileSizeMb": "targetFileSizeMB"},
    "icebergSnapshotManagement": {
        "maxSnapshotAgeHours": "maxSnapshotAgeHours",
        "minSnapshotsToKeep": "minSnapshotsToKeep",
    },
}
"""Kinds of upkeep, and their settings by the provider's and the API's names."""


def _upkeep(kind: str, values: Mapping[str, Any]) -> Props:
    value: Props = {"status": values.get("status")}
    settings = values.get("settings")
    if settings:
        names = _KEPT_UP[kind]
        reported = {names[name]: settings[name] for name in names if settings.get(name) is not None}
        value["settings"] = {kind: reported}
    return value


def _told_upkeep(configuration: Mapping[str, Any]) -> Props:
    maintenance: Props = {}
    for kind, value in configuration.items():
        settings = (value.get("settings") or {}).get(kind) or {}
        names = _KEPT_UP.get(kind, {})
        reported = {name: settings[api] for name, api in names.items() if settings.get(api) is not None}
        maintenance[kind] = {"status": value.get("status"), "settings": reported}
    return maintenance


class TableBucket(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._keep(context, id, inputs.get("maintenanceConfiguration") or {})

    @staticmethod
    def _keep(context: AwsContext, id: str, wanted: Props) -> None:
        for kind in sorted(wanted):
            if wanted[kind]:
                params = {"tableBucketARN": id, "type": kind, "value": _upkeep(kind, wanted[kind])}
                context.call("s3tables", "PutTableBucketMaintenanceConfiguration", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        here = {"tableBucketARN": id}
        upkeep = context.call("s3tables", "GetTableBucketMaintenanceConfiguration", here)["configuration"]
        reported = context.call("s3tables", "GetTableBucketEncryption", here)["encryptionConfiguration"]
        return {"encryptionConfiguration": reported, "maintenanceConfiguration": _told_upkeep(upkeep)}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if "encryptionConfiguration" in changed and new.get("encryptionConfiguration"):
            params = {"tableBucketARN": id, "encryptionConfiguration": new["encryptionConfiguration"]}
            context.call("s3tables", "PutTableBucketEncryption", params)
        if "maintenanceConfiguration" in changed:
            self._keep(context, id, new.get("maintenanceConfiguration") or {})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        here = {"tableBucketARN": id}
        if state.get("forceDestroy"):
            for table in context.call("s3tables", "ListTables", here)["tables"]:
                named = {**here, "namespace": table["namespace"][0], "name": table["name"]}
                context.call("s3tables", "DeleteTable", named)
            for namespace in context.call("s3tables", "ListNamespaces", here)["namespaces"]:
                context.call("s3tables", "DeleteNamespace", {**here, "namespace": namespace["namespace"][0]})
        super().unmake(context, id, state)


def _place(id: str) -> Props:
    return dict(zip(("tableBucketARN", "namespace", "name"), id.split(";"), strict=False))


class Table(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._keep(context, id, inputs.get("maintenanceConfiguration") or {})

    @staticmethod
    def _keep(context: AwsContext, id: str, wanted: Props) -> None:
        for kind in sorted(wanted):
            if wanted[kind]:
                params = {**_place(id), "type": kind, "value": _upkeep(kind, wanted[kind])}
                context.call("s3tables", "PutTableMaintenanceConfiguration", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        upkeep = context.call("s3tables", "GetTableMaintenanceConfiguration", _place(id))["configuration"]
        reported = context.call("s3tables", "GetTableEncryption", _place(id))["encryptionConfiguration"]
        return {"encryptionConfiguration": reported, "maintenanceConfiguration": _told_upkeep(upkeep)}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "maintenanceConfiguration" in self.changed(old, new):
            self._keep(context, id, new.get("maintenanceConfiguration") or {})
