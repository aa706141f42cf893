"""BigLake metastore's catalogs for Hive: catalogs, databases, tables."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Final

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.provider_interface import AutoName

_TIMES: Final = ("createTime", "deleteTime", "expireTime", "updateTime")
_COLLECTION: Final = "biglake.projects.locations.catalogs"


class Catalog(GcpResource):
    token = "gcp:biglake/catalog:Catalog"
    title = "Catalog"
    collection = _COLLECTION
    schema = "Catalog"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/catalogs/{name}"}
    create_params = {"parent": "projects/{project}/locations/{location}", "catalogId": "{name}"}
    id_form = "projects/{project}/locations/{location}/catalogs/{name}"
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    fields = {"name": Field(sent=False), **local("location"), **only_read(*_TIMES)}


class Database(GcpResource):
    token = "gcp:biglake/database:Database"
    title = "Database"
    collection = f"{_COLLECTION}.databases"
    schema = "Database"
    create_method = "create"
    params = {"name": "{catalog}/databases/{name}"}
    create_params = {"parent": "{catalog}", "databaseId": "{name}"}
    id_form = "{catalog}/databases/{name}"
    has_project = False
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    fields = {"name": Field(sent=False), **local("catalog"), **only_read(*_TIMES)}
    changes = (Change(("hiveOptions", "type"), mask=True),)
    volatile = frozenset({"updateTime"})


class Table(GcpResource):
    token = "gcp:biglake/table:Table"
    title = "Table"
    collection = f"{_COLLECTION}.databases.tables"
    schema = "Table"
    create_method = "create"
    params = {"name": "{database}/tables/{name}"}
    create_params = {"parent": "{database}", "tableId": "{name}"}
    id_form = "{database}/tables/{name}"
    has_project = False
    autoname = AutoName("name", max_length=255)
    names = frozenset({"name"})
    fields = {"name": Field(sent=False), **local("database"), **only_read(*_TIMES, "etag")}
    changes = (Change(("hiveOptions", "type"), mask=True),)
    volatile = frozenset({"updateTime", "etag"})
