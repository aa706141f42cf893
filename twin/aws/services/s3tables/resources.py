"""S3 Tables: table buckets, namespaces, tables and policies."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, to_api
from twin.provider_interface import Props

_MAINTENANCE: Final = entries.shape(__name__, "maintenance")


def _place(id: str) -> Props:
    return dict(zip(("tableBucketARN", "namespace", "name"), id.split(";"), strict=False))


class Maintained(AwsResource):
    """What S3 Tables maintains. what: the word for it in names of operations."""

    what: ClassVar[str]

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        wanted = to_api(_MAINTENANCE, inputs.get("maintenanceConfiguration") or {})
        for kind in sorted(wanted):
            params = {**_place(id), "type": kind, "value": wanted[kind]}
            context.call("s3tables", f"Put{self.what}MaintenanceConfiguration", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        answer = context.call("s3tables", f"Get{self.what}MaintenanceConfiguration", _place(id))
        encryption = context.call("s3tables", f"Get{self.what}Encryption", _place(id))
        return {
            "encryptionConfiguration": encryption["encryptionConfiguration"],
            "maintenanceConfiguration": from_api(_MAINTENANCE, answer["configuration"]),
        }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "maintenanceConfiguration" in self.changed(old, new):
            self.after_create(context, id, new, {})


class Table(Maintained):
    what = "Table"


class TableBucket(Maintained):
    what = "TableBucket"

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        if "encryptionConfiguration" in self.changed(old, new) and new.get("encryptionConfiguration"):
            params = {"tableBucketARN": id, "encryptionConfiguration": new["encryptionConfiguration"]}
            context.call("s3tables", "PutTableBucketEncryption", params)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        here = {"tableBucketARN": id}
        if state.get("forceDestroy"):
            for table in context.call("s3tables", "ListTables", here)["tables"]:
                named = {**here, "namespace": table["namespace"][0], "name": table["name"]}
                context.call("s3tables", "DeleteTable", named)
            for namespace in context.call("s3tables", "ListNamespaces", here)["namespaces"]:
                context.call("s3tables", "DeleteNamespace", {**here, "namespace": namespace["namespace"][0]})
        super().unmake(context, id, state)
