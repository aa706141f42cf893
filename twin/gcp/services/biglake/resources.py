"""BigLake metastore: Iceberg REST catalogs with their namespaces and tables."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import Props

_OURS: Final = frozenset({"location"})
"""Properties of a namespace that the catalog sets too (icebergNamespaceIgnoredProperties)."""
_TABLES_OURS: Final = frozenset(
    {"location", "gcp.biglake.bigquery-advanced.enabled", "gcp.biglake.bigquery-dml.enabled"}
    | {"gcp.biglake.table-management.enabled", "write.parquet.compression-codec"}
)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


class IcebergCatalog(GcpResource):
    token = "gcp:biglake/icebergCatalog:IcebergCatalog"

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new) - {"deletionPolicy"}
        if not changed:
            return
        body, _ = self.body(context, new)
        params = self.filled(self.params, self.values(context, id, new))
        mask = ",".join(sorted(_kebab(name).replace("-", "_") for name in changed))
        context.call(f"{self.collection}.patch", params, body, {"updateMask": mask})


class IcebergNamespace(GcpResource):
    token = "gcp:biglake/icebergNamespace:IcebergNamespace"
    fields = {
        "namespaceId": Field(
            "namespace",
            encode=lambda value: value if isinstance(value, list) else [value],
            decode=lambda value: "\x1f".join(value) if isinstance(value, list) else value,
        ),
    }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return _set_by_catalog(path, new, _OURS)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if "properties" not in self.changed(old, new):
            return
        body = _differences(old.get("properties"), new.get("properties"), _OURS)
        params = self.filled(self.params, self.values(context, id, new))
        context.call(f"{self.collection}.updateProperties", params, body)


class IcebergTable(GcpResource):
    token = "gcp:biglake/icebergTable:IcebergTable"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        if isinstance(request_body.get("write-order"), dict):
            request_body["write-order"].setdefault("order-id", 1)
        return request_body, places

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        answered = super().find(context, id, values)
        if answered is None:
            return None
        metadata = answered["metadata"]
        return {
            "name": values["name"],
            "location": metadata.get("location"),
            "properties": metadata.get("properties") or {},
            "schema": _current(metadata, "schemas", "schema-id", "current-schema-id"),
            "partition-spec": _current(metadata, "partition-specs", "spec-id", "default-spec-id"),
            "write-order": _current(metadata, "sort-orders", "order-id", "default-sort-order-id"),
        }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == "location":
            # The catalog adds a part (icebergTableLocationDiffSuppress).
            return f"{str(old).rstrip('/')}/".startswith(f"{str(new).rstrip('/')}/")
        return _set_by_catalog(path, new, _TABLES_OURS)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        updates: list[Props] = []
        if "properties" in changed:
            answered = _differences(old.get("properties"), new.get("properties"), _TABLES_OURS)
            updates += [
                {"action": "set-properties", "updates": answered["updates"]},
                {"action": "remove-properties", "removals": answered["removals"]},
            ]
        body, _ = self.body(context, new)
        if "sortOrder" in changed and (body.get("write-order") or {}).get("fields"):
            updates += [
                {"action": "add-sort-order", "sort-order": body["write-order"]},
                {"action": "set-default-sort-order", "sort-order-id": -1},
            ]
        params = self.filled(self.params, self.values(context, id, new))
        if updates:
            # The provider sends no other change: columns evolve by Iceberg's own clients.
            context.call(f"{self.collection}.commit", params, {"requirements": [], "updates": updates})


def _current(metadata: Props, key: str, id: str, current: str) -> Any:
    versions = metadata.get(key) or []
    return next(
        (version for version in versions if version.get(id) == metadata.get(current)),
        versions[0] if versions else None,
    )


def _set_by_catalog(path: str, new: Any, ours: frozenset[str]) -> bool:
    """Whether a property that the program does not name is one that the catalog sets itself."""
    head, _, name = path.partition(".")
    return head == "properties" and name in ours and new in (None, "")


def _differences(old: Any, new: Any, ours: frozenset[str]) -> Props:
    before, after = dict(old or {}), dict(new or {})
    return {
        "removals": sorted(name for name in before if name not in after and name not in ours),
        "updates": {name: value for name, value in after.items() if name not in ours},
    }
