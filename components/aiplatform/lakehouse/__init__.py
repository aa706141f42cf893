"""A governed lakehouse: zones, Iceberg tables, grants, and a query engine."""

from typing import NotRequired, TypedDict, cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform._shared.references.inputs import LakehouseReferenceArgs
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.inputs import (
    LakehouseArgs,
    LakehouseBatchArgs,
    LakehouseCaptureArgs,
    LakehouseColumnArgs,
    LakehouseGrantArgs,
    LakehouseLegalHoldArgs,
    LakehousePartitionArgs,
    LakehousePerimeterArgs,
    LakehouseQualityArgs,
    LakehouseRuleArgs,
    LakehouseSnapshotArgs,
    LakehouseSortArgs,
    LakehouseStreamArgs,
    LakehouseTableArgs,
    LakehouseZoneArgs,
    LakehouseZonesArgs,
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
    """Google Cloud: BigQuery's dataset for native tables and views."""


class LakehouseTable(TypedDict):
    """An Iceberg table of a lakehouse."""

    zone: str
    """Its zone."""
    database: str
    """Its database; for the table of a stream on Google Cloud the dataset of streams."""
    name: str
    """Its name."""
    location: str
    """The URL of its files, `s3://...` or `gs://...`."""


class Lakehouse(ComponentResource):
    """The zones raw, curated and serving with declared Iceberg tables, governed by the classification of
    their columns. A principal without a grant reads nothing.

    AWS: pipelines assume the writer role, the only one with permissions on the buckets. A grant includes all
    permissions that a role of this account needs for queries. Teams read through Athena, each role in a
    workgroup in which no other role reads, or with an Iceberg client through the catalog's REST endpoint,
    which issues credentials for what they are granted; a role that sees only some rows or columns is refused
    there and reads through Athena.

    Google Cloud: no principal has a role on the tables' files. Pipelines and teams use an Iceberg client
    through the catalog's REST endpoint, which issues credentials to principals that see all of a table; a
    principal that sees only some rows or columns is refused there and reads through BigQuery, where a table
    has the name `project.catalog.database.table`. A grant includes all permissions that a principal needs for
    queries.

    After its creation a table's schema is managed by Iceberg. `tables` states what a changed declaration
    does.

    Idle, it costs its key, about a dollar a month on AWS and six cents a version on Google Cloud, and
    storage. Queries cost by the bytes that they scan, maintenance of tables and batches by their run time,
    and streams by the data that they ingest.
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
    """The URL of the catalog for Iceberg's REST clients."""
    warehouse: Output[str]
    """The catalog's name for Iceberg's REST clients: the account's id on AWS,
    `bl://projects/PROJECT/catalogs/CATALOG` on Google Cloud."""
    zones: Output[list[LakehouseZone]]
    """The zones, in the order in which data passes through them."""
    tables: Output[list[LakehouseTable]]
    """The declared tables."""
    log_bucket: Output[str]
    """The bucket of the access logs; on Google Cloud the log bucket of Cloud Logging."""
    kms_key: Output[str]
    """The key of all data: an arn on AWS, `projects/.../cryptoKeys/...` on Google Cloud."""
    kms_key_arn: Output[str | None]
    """AWS: the key of all data."""
    workgroups: Output[dict[str, str] | None]
    """AWS: the Athena workgroups for queries, name of a grant -> workgroup. A workgroup belongs to one
    principal, as every principal with read access to it gets the results of all of its queries."""
    writer_role_arn: Output[str | None]
    """AWS: the role of pipelines."""
    client_policies: Output[dict[str, str] | None]
    """AWS: what IAM must allow the principal of a grant, name of a grant -> policy document. It is attached
    to roles of this account; the owner of a role of another account attaches it."""
    client_role: Output[str | None]
    """Google Cloud: the role to run queries, which every principal of a grant has; grants decide what the
    queries return."""
    streams: Output[dict[str, str] | None]
    """AWS: the streams, name -> arn of the Firehose stream to send events to."""
    producer_policy_arn: Output[str | None]
    """AWS: the policy that allows a role to send events to the streams."""
    batches: Output[dict[str, str] | None]
    """AWS: the batches, name -> Glue job."""
    capture_security_group_id: Output[str | None]
    """AWS: the security group of captures, which the databases must allow."""
    table_keeper: Output[str | None]
    """AWS: the function that migrates tables to their declarations."""
    billing_database: Output[str | None]
    """The database with the table `costs` and the views of `billing_export`; on Google Cloud the dataset with
    the views."""

    def __init__(self, name: str, args: LakehouseArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(LakehouseSettings, args, "LakehouseArgs")
        super().__init__("aiplatform:index:Lakehouse", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.lakehouse.gcp.build import build
        else:
            from aiplatform.lakehouse.aws.build import build
        self.outputs = cast("LakehouseReferenceArgs", build(self, name, settings))
        publish(self, self.outputs)
