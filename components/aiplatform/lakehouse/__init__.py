"""A governed lakehouse: zones, Iceberg tables, who may read what, and a way to query it."""

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform.lakehouse.args import LakehouseArgs, LakehouseSettings

if TYPE_CHECKING:
    from aiplatform._shared.references.lakehouse import LakehouseReferenceArgs
    from aiplatform.lakehouse.aws.build import Built
from aiplatform.lakehouse.args import LakehouseLegalHoldArgs, LakehouseZoneArgs, LakehouseZonesArgs
from aiplatform.lakehouse.grants import LakehouseGrantArgs
from aiplatform.lakehouse.ingestion import LakehouseBatchArgs, LakehouseCaptureArgs, LakehouseStreamArgs
from aiplatform.lakehouse.perimeter import LakehousePerimeterArgs
from aiplatform.lakehouse.quality import LakehouseQualityArgs, LakehouseRuleArgs
from aiplatform.lakehouse.snapshots import LakehouseSnapshotArgs
from aiplatform.lakehouse.tables import (
    LakehouseColumnArgs,
    LakehousePartitionArgs,
    LakehouseSortArgs,
    LakehouseTableArgs,
)
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "Lakehouse",
    "LakehouseArgs",
    "LakehouseBatchArgs",
    "LakehouseCaptureArgs",
    "LakehouseColumnArgs",
    "LakehouseGrantArgs",
    "LakehouseLegalHoldArgs",
    "LakehousePartitionArgs",
    "LakehousePerimeterArgs",
    "LakehouseQualityArgs",
    "LakehouseRuleArgs",
    "LakehouseSnapshotArgs",
    "LakehouseSortArgs",
    "LakehouseStreamArgs",
    "LakehouseTable",
    "LakehouseTableArgs",
    "LakehouseZone",
    "LakehouseZoneArgs",
    "LakehouseZonesArgs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
]


class LakehouseZone(TypedDict):
    """A zone of a lakehouse."""

    name: str
    """`raw`, `curated` or `serving`."""
    bucket: str
    """The bucket's name. Tables are under `tables/`, other files under `files/`."""
    bucket_arn: NotRequired[str]
    """AWS: the bucket's arn."""
    database: str
    """The database of its tables, as SQL and Iceberg's clients call it: Glue's, or the namespace of the
    catalog on Google Cloud."""
    dataset: NotRequired[str]
    """Google Cloud: BigQuery's dataset for what is no table of the catalog."""


class LakehouseTable(TypedDict):
    """An Iceberg table of a lakehouse."""

    zone: str
    """Its zone."""
    database: str
    """Its database; for the table of a stream on Google Cloud the dataset of streams."""
    name: str
    """Its name."""
    location: str
    """Where its files are, `s3://...` or `gs://...`."""


class Lakehouse(ComponentResource):
    """Zones raw, curated and serving with Iceberg tables as they are declared, governed by the classification
    of their columns: who is granted nothing reads nothing.

    AWS: pipelines become the writer role, which alone has rights on the buckets. A grant brings all the
    rights that a role of this account needs to ask. Teams read through Athena, each role in a workgroup that
    no other role reads in, or with an Iceberg client through the catalog's REST endpoint, which hands out
    credentials for what they are granted; a role that sees but some rows or columns is refused there and
    reads through Athena.

    Google Cloud: nobody has rights on the tables' files. Pipelines and teams come with an Iceberg client
    through the catalog's REST endpoint, which hands out credentials to those that see all of a table; a
    principal that sees but some rows or columns is refused there and reads through BigQuery, where a table is
    called `project.catalog.database.table`. A grant brings all the rights that a principal needs to ask.

    A table's schema is Iceberg's once the table is made. What becomes of a declaration that changes is said
    by `tables`.

    Idle, it costs its key, about a dollar a month on AWS and six cents a version on Google Cloud, and what is
    stored. Queries cost by the bytes that they scan, the upkeep of tables and batches by the time that they
    take, and streams by what comes in.
    """

    cloud: Output[str]
    """`aws` or `gcp`."""
    project: Output[str | None]
    """Google Cloud: the project's id."""
    region: Output[str]
    """The region."""
    catalog_id: Output[str]
    """The Iceberg catalog: the account's id on AWS, the catalog's name on Google Cloud."""
    catalog_uri: Output[str]
    """Where Iceberg's REST clients find the catalog, a URL."""
    warehouse: Output[str]
    """What Iceberg's REST clients call the catalog: the account's id on AWS,
    `bl://projects/PROJECT/catalogs/CATALOG` on Google Cloud."""
    zones: Output[list[LakehouseZone]]
    """The zones, in the order in which data goes through them."""
    tables: Output[list[LakehouseTable]]
    """The tables that are declared."""
    log_bucket: Output[str]
    """The bucket of the access logs; on Google Cloud the log bucket of Cloud Logging."""
    kms_key: Output[str]
    """The key of all data: an arn on AWS, `projects/.../cryptoKeys/...` on Google Cloud."""
    kms_key_arn: Output[str | None]
    """AWS: the key of all data."""
    workgroups: Output[dict[str, str] | None]
    """AWS: the Athena workgroups to query in, name of a grant -> workgroup. A workgroup belongs to one
    principal: who may read in it gets the results of all of its queries."""
    writer_role_arn: Output[str | None]
    """AWS: the role of pipelines."""
    client_policies: Output[dict[str, str] | None]
    """AWS: what IAM must allow the principal of a grant, name of a grant -> policy document. Roles of this
    account have it; for a role of another account its owner attaches it."""
    client_role: Output[str | None]
    """Google Cloud: the role that lets a principal ask; grants give it, and decide what it gets."""
    streams: Output[dict[str, str] | None]
    """AWS: the streams, name -> arn of the Firehose stream to send events to."""
    producer_policy_arn: Output[str | None]
    """AWS: the policy that lets a role send events to the streams."""
    batches: Output[dict[str, str] | None]
    """AWS: the batches, name -> Glue job."""
    capture_security_group_id: Output[str | None]
    """AWS: the security group that captures come from: whom a database has to let in."""
    table_keeper: Output[str | None]
    """AWS: the function that brings tables to what is declared."""

    def __init__(self, name: str, args: LakehouseArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(LakehouseSettings, args, "LakehouseArgs")
        super().__init__("aiplatform:index:Lakehouse", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.lakehouse.gcp.build import build

            outputs = build(self, name, settings)
        else:
            from aiplatform.lakehouse.aws.build import build

            outputs = _on_aws(build(self, name, settings), settings)
        self.outputs = cast("LakehouseReferenceArgs", outputs)
        for key in Lakehouse.__annotations__:
            setattr(self, key, Output.from_input(self.outputs.get(key)))
        self.register_outputs(self.outputs)


def _on_aws(built: "Built", settings: LakehouseSettings) -> dict[str, Any]:
    return {
        "cloud": settings.cloud,
        "region": built.context.place.region,
        "catalog_id": built.context.warehouse,
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
                "location": built.tables[table.path].location,
            }
            for table in settings.tables
        ],
        "log_bucket": built.log_bucket.bucket,
        "catalog_uri": f"https://glue.{built.context.place.region}.{built.context.place.dns_suffix}/iceberg",
        "warehouse": built.context.warehouse,
        "kms_key": built.key.arn,
        "kms_key_arn": built.key.arn,
        "workgroups": built.queries.workgroups,
        "writer_role_arn": built.writer.arn,
        "client_policies": built.queries.policies,
        "streams": {name: stream.arn for name, stream in built.streams.items()},
        "producer_policy_arn": built.producer_policy.arn if built.producer_policy is not None else None,
        "batches": {name: job.name for name, job in built.jobs.items()},
        "capture_security_group_id": built.captures.id if built.captures is not None else None,
        "table_keeper": built.keeper.name,
    }
