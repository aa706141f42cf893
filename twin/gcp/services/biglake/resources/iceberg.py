"""BigLake metastore: Iceberg REST catalogs with their namespaces and tables."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field, local
from twin.provider_interface import AutoName, Failure, Props

_OPTIONS: Final = "federatedCatalogOptions"
_OURS: Final = frozenset({"location"})
"""Properties of a namespace that the catalog sets too (icebergNamespaceIgnoredProperties)."""
_TABLES_OURS: Final = frozenset(
    {"location", "gcp.biglake.bigquery-advanced.enabled", "gcp.biglake.bigquery-dml.enabled"}
    | {"gcp.biglake.table-management.enabled", "write.parquet.compression-codec"}
)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def dashed(*paths: str, sent: bool = True) -> dict[str, Field]:
    """Properties whose fields have hyphens between the words, as Iceberg's REST API writes them."""
    return {path: Field(_kebab(path.rpartition(".")[2]), sent=sent) for path in paths}


class IcebergCatalog(GcpResource):
    token = "gcp:biglake/icebergCatalog:IcebergCatalog"
    title = "IcebergCatalog"
    collection = "biglakeiceberg.projects.catalogs"
    schema = "IcebergCatalog"
    create_method = "create"
    params = {"project": "{project}", "catalog": "{name}"}
    create_params = {"iceberg-catalog-id": "{name}", "primary_location": "{primaryLocation}"}
    id_form = "iceberg/v1/restcatalog/extensions/projects/{project}/catalogs/{name}"
    autoname = AutoName("name", max_length=63, lower=True)
    names = frozenset({"name"})
    fields = {
        "name": Field(sent=False),
        **local("primaryLocation"),
        **dashed("catalogType", "credentialMode", "defaultLocation", "restrictedLocationsConfig"),
        **dashed("restrictedLocationsConfig.restrictedLocations", _OPTIONS),
        **dashed(f"{_OPTIONS}.secretName", f"{_OPTIONS}.serviceDirectoryName", f"{_OPTIONS}.refreshOptions"),
        f"{_OPTIONS}.refreshStatuses": Field("refresh-status", sent=False),
        **dashed(f"{_OPTIONS}.refreshOptions.refreshSchedule", f"{_OPTIONS}.refreshOptions.refreshScope"),
        **dashed(f"{_OPTIONS}.refreshOptions.refreshSchedule.refreshInterval"),
        **dashed(f"{_OPTIONS}.refreshOptions.refreshScope.namespaceFilters"),
        **dashed(f"{_OPTIONS}.unityCatalogInfo", f"{_OPTIONS}.glueCatalogInfo"),
        **dashed(f"{_OPTIONS}.unityCatalogInfo.instanceName", f"{_OPTIONS}.unityCatalogInfo.catalogName"),
        **dashed(f"{_OPTIONS}.unityCatalogInfo.servicePrincipalApplicationId"),
        **dashed(f"{_OPTIONS}.glueCatalogInfo.awsRegion", f"{_OPTIONS}.glueCatalogInfo.awsRoleArn"),
        **dashed("biglakeServiceAccount", "biglakeServiceAccountId", "createTime", sent=False),
        **dashed("replicas", "storageRegions", "updateTime", sent=False),
    }
    immutable = frozenset(
        {"catalogType", "name", "primaryLocation", "project", f"{_OPTIONS}.glueCatalogInfo.awsRegion"}
        | {f"{_OPTIONS}.glueCatalogInfo.warehouse", f"{_OPTIONS}.unityCatalogInfo.catalogName"}
        | {f"{_OPTIONS}.unityCatalogInfo.instanceName"}
    )
    volatile = frozenset({"updateTime"})

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
    title = "IcebergNamespace"
    collection = "biglakeiceberg.projects.catalogs.namespaces"
    schema = "Namespace"
    create_method = "create"
    params = {"project": "{project}", "catalog": "{catalog}", "namespace": "{namespaceId}"}
    id_form = "projects/{project}/catalogs/{catalog}/namespaces/{namespaceId}"
    fields = {
        **local("catalog"),
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
    title = "IcebergTable"
    collection = "biglakeiceberg.projects.catalogs.namespaces.tables"
    schema = "Table"
    create_method = "create"
    params = {
        "project": "{project}",
        "catalog": "{catalog}",
        "namespace": "{namespace}",
        "table": "{name}",
    }
    id_form = "projects/{project}/catalogs/{catalog}/namespaces/{namespace}/tables/{name}"
    autoname = AutoName("name", max_length=255, separator="_")
    fields = {
        **local("catalog", "namespace"),
        **dashed("partitionSpec", "schema.identifierFieldIds", "partitionSpec.fields.sourceId"),
        **dashed("schema.schemaId", "partitionSpec.specId", "partitionSpec.fields.fieldId", sent=False),
        "sortOrder": Field("write-order"),
        **dashed("sortOrder.orderId", sent=False),
        **dashed("sortOrder.fields.sourceId", "sortOrder.fields.nullOrder"),
    }
    nested_computed = frozenset(
        {"schema.identifierFieldIds", "schema.schemaId", "partitionSpec.specId", "sortOrder.orderId"}
        | {"partitionSpec.fields.fieldId"}
    )

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for index, field in enumerate((inputs.get("schema") or {}).get("fields") or []):
            if isinstance(field.get("type"), str) and field["type"].lstrip().startswith("{"):
                yield Failure(
                    f"schema.fields[{index}].type", f"a primitive type is right, got {field['type']!r}"
                )

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        if isinstance(made.get("write-order"), dict):
            made["write-order"].setdefault("order-id", 1)
        return made, places

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        told = super().find(context, id, values)
        if told is None:
            return None
        metadata = told["metadata"]
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
            # The catalog adds a part of its own (icebergTableLocationDiffSuppress).
            return f"{str(old).rstrip('/')}/".startswith(f"{str(new).rstrip('/')}/")
        return _set_by_catalog(path, new, _TABLES_OURS)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        updates: list[Props] = []
        if "properties" in changed:
            told = _differences(old.get("properties"), new.get("properties"), _TABLES_OURS)
            updates += [
                {"action": "set-properties", "updates": told["updates"]},
                {"action": "remove-properties", "removals": told["removals"]},
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
    found = metadata.get(key) or []
    return next(
        (each for each in found if each.get(id) == metadata.get(current)), found[0] if found else None
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
