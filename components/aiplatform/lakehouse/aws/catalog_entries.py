"""Databases and tables of a lakehouse on AWS, the same for both stores."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import lakeformation

from aiplatform.lakehouse.tables import Zone


@dataclass(frozen=True)
class Database:
    """A zone's database."""

    resource: pulumi.Resource
    name: pulumi.Input[str]


@dataclass(frozen=True)
class Table:
    """A table as it was created."""

    resource: pulumi.Resource
    database_name: pulumi.Input[str]
    name: pulumi.Input[str]
    location: pulumi.Input[str]


@dataclass(frozen=True)
class MigratedTable(Table):
    """A table with the columns that are declared. migration: the call that adds what is missing; whatever
    names a column depends on it."""

    migration: pulumi.Resource


@dataclass(frozen=True)
class Store:
    """Databases and tables. tables: by their paths, `curated.orders`. locations: the zones' folders of tables
    as Lake Formation has them; none with S3 Tables."""

    databases: Mapping[Zone, Database]
    tables: Mapping[str, Table]
    locations: Mapping[Zone, lakeformation.Resource]


@dataclass(frozen=True)
class Catalog:
    """A `Store` whose tables are migrated."""

    databases: Mapping[Zone, Database]
    tables: Mapping[str, MigratedTable]
    locations: Mapping[Zone, lakeformation.Resource]
