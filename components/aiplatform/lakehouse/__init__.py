"""A governed lakehouse: zones, Iceberg tables, who may read what, and a way to query it."""

from typing import Any, TypedDict

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._args import read
from aiplatform.lakehouse.args import LakehouseArgs, LakehouseSettings

__all__ = ["Lakehouse", "LakehouseArgs", "LakehouseTable", "LakehouseZone"]


class LakehouseZone(TypedDict):
    """A zone of a lakehouse."""

    name: str
    """`raw`, `curated` or `serving`."""
    bucket: str
    """The bucket's name. Tables are under `tables/`, other files under `files/`."""
    bucket_arn: str
    """The bucket's arn."""
    database: str
    """The database of its tables, as SQL and Iceberg's clients call it."""


class LakehouseTable(TypedDict):
    """An Iceberg table of a lakehouse."""

    zone: str
    """Its zone."""
    database: str
    """Its database."""
    name: str
    """Its name."""
    location: str
    """Where its files are, `s3://...`."""


class Lakehouse(ComponentResource):
    """Zones raw, curated and serving with Iceberg tables as they are declared, governed by the classification
    of their columns: who is granted nothing reads nothing, whatever else IAM says.

    Pipelines become the writer role, which alone has rights on the buckets. Teams attach the client policy to
    their roles and read through Athena, or with an Iceberg client through the catalog's REST endpoint, which
    hands out credentials for what they are granted; a role that sees but some rows or columns is refused
    there and reads through Athena. A table's schema is Iceberg's once the table is made: a declaration that
    changes later changes nothing.

    Idle, it costs its key, about a dollar a month, and what is stored. Queries cost by the bytes that they
    scan, and the upkeep of tables by the time that it takes.
    """

    cloud: Output[str]
    """`aws`."""
    region: Output[str]
    """The region."""
    catalog_id: Output[str]
    """The catalog: the account's id."""
    zones: Output[list[LakehouseZone]]
    """The zones, in the order in which data goes through them."""
    tables: Output[list[LakehouseTable]]
    """The tables that are declared."""
    log_bucket: Output[str]
    """The bucket of the access logs."""
    kms_key_arn: Output[str]
    """The key of all data."""
    workgroup: Output[str]
    """The Athena workgroup to query in."""
    writer_role_arn: Output[str]
    """The role of pipelines."""
    client_policy_arn: Output[str]
    """The policy that lets a team's role ask; grants decide what it gets."""

    def __init__(self, name: str, args: LakehouseArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(LakehouseSettings, args, "LakehouseArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.lakehouse import aws

        super().__init__("aiplatform:index:Lakehouse", name, {}, opts)
        built = aws.build(self, name, settings)
        self.outputs: dict[str, Any] = {
            "cloud": settings.cloud,
            "region": built.context.place.region,
            "catalog_id": built.context.place.account_id,
            "zones": [
                {
                    "name": zone,
                    "bucket": bucket.bucket,
                    "bucket_arn": bucket.arn,
                    "database": built.databases[zone].name,
                }
                for zone, bucket in built.buckets.items()
            ],
            "tables": [
                {
                    "zone": table.zone,
                    "database": built.tables[table.path].database_name,
                    "name": built.tables[table.path].name,
                    "location": built.context.location(table),
                }
                for table in settings.tables
            ],
            "log_bucket": built.log_bucket.bucket,
            "kms_key_arn": built.key.arn,
            "workgroup": built.workgroup.name,
            "writer_role_arn": built.writer.arn,
            "client_policy_arn": built.client_policy.arn,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
