"""A reference to a lakehouse, with the same keys as the outputs of Lakehouse on both clouds, so that they can
be passed on unchanged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Problem, got, read
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.references.inputs import LakehouseReferenceArgs as LakehouseReferenceArgs
from aiplatform._shared.references.inputs import LakehouseTableReferenceArgs as LakehouseTableReferenceArgs
from aiplatform._shared.references.inputs import LakehouseZoneReferenceArgs as LakehouseZoneReferenceArgs
from aiplatform.lakehouse.tables import ZONES, Zone


@dataclass(frozen=True)
class LakehouseZoneReference:
    """A zone of a lakehouse, as in Lakehouse.outputs."""

    name: str
    """`raw`, `curated` or `serving`."""
    bucket: Input[str]
    """The bucket's name. Tables are under `tables/`, other files under `files/`."""
    database: Input[str]
    """The database of its tables for SQL and Iceberg clients: Glue's database, or the namespace of the
    Iceberg catalog on Google Cloud."""
    bucket_arn: Input[str] | None = None
    """AWS: the bucket's arn."""
    dataset: Input[str] | None = None
    """Google Cloud: the BigQuery dataset through which teams read its tables."""


@dataclass(frozen=True)
class LakehouseTableReference:
    """A table of a lakehouse, as in Lakehouse.outputs."""

    zone: str
    """Its zone."""
    database: Input[str]
    """Its database; for the table of a stream on Google Cloud the dataset of streams."""
    name: Input[str]
    """Its name."""
    location: Input[str] | None = None
    """The location of its files, `s3://...` or `gs://...`."""


@dataclass(frozen=True)
class LakehouseReference:
    """A lakehouse, as in Lakehouse.outputs."""

    may_be_output: ClassVar[bool] = True

    catalog_id: Input[str]
    """Its Iceberg catalog: on AWS the account's id, on Google Cloud the catalog's name."""
    zones: Input[list[LakehouseZoneReference]]
    """Its zones."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: str | None = None
    """Google Cloud, and required there: its project's id."""
    region: str | None = None
    """Its region. Required on Google Cloud."""
    catalog_uri: Input[str] | None = None
    """The URL of the catalog for Iceberg's REST clients."""
    warehouse: Input[str] | None = None
    """The catalog's name for Iceberg's REST clients: on AWS the account's id, on Google Cloud
    `bl://projects/PROJECT/catalogs/CATALOG`."""
    tables: Input[list[LakehouseTableReference]] = field(default_factory=list[LakehouseTableReference])
    """Its tables. Default none."""
    log_bucket: Input[str] | None = None
    """The bucket of its access logs; on Google Cloud the log bucket of Cloud Logging."""
    kms_key: Input[str] | None = None
    """The key of its data: on AWS an arn, on Google Cloud `projects/.../cryptoKeys/...`."""
    kms_key_arn: Input[str] | None = None
    """AWS: the key of its data."""
    workgroups: Input[dict[str, Input[str]]] | None = None
    """AWS: its Athena workgroups, name of a grant -> workgroup."""
    writer_role_arn: Input[str] | None = None
    """AWS: the role of pipelines."""
    client_policies: Input[dict[str, Input[str]]] | None = None
    """AWS: the permissions that the principal of a grant needs, name of a grant -> policy document."""
    client_role: Input[str] | None = None
    """Google Cloud: the role with which a principal can query; grants decide which data it can read."""
    streams: Input[dict[str, Input[str]]] | None = None
    """AWS: its streams, name -> arn."""
    producer_policy_arn: Input[str] | None = None
    """AWS: the policy that allows a role to send events to its streams."""
    batches: Input[dict[str, Input[str]]] | None = None
    """AWS: its batches, name -> Glue job."""
    capture_security_group_id: Input[str] | None = None
    """AWS: the security group of its captures."""
    table_keeper: Input[str] | None = None
    """AWS: the function that migrates its tables to their declaration."""

    def zone(self, name: Zone) -> LakehouseZoneReference:
        """Return one of its zones; its values are outputs where the zones are one."""
        if isinstance(self.zones, list):
            return next(zone for zone in self.zones if zone.name == name)
        zones = Output.from_input(self.zones)

        def value(key: str) -> Output[Any]:
            return zones.apply(lambda known: getattr(_zone(known, name), key))

        return LakehouseZoneReference(
            name, value("bucket"), value("database"), value("bucket_arn"), value("dataset")
        )

    @property
    def key(self) -> Input[str] | None:
        """The key of its data, `kms_key` or `kms_key_arn`."""
        return self.kms_key or self.kms_key_arn

    def check(self) -> Iterator[Problem]:
        """Return missing keys, and problems of its zones and tables."""
        for key in ("project", "region") if self.cloud == "gcp" else ():
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the lakehouse's {key} as in Lakehouse.outputs")
        if not isinstance(self.zones, list):
            return
        yield from self._zones(self.zones)
        names = [zone.name for zone in self.zones]
        for index, table in enumerate(self.tables if isinstance(self.tables, list) else []):
            if table.zone not in names:
                reason = f"{got(table.zone)}; expected one of {', '.join(names)}"
                yield Problem(f"tables[{index}].zone", reason)

    def _zones(self, zones: list[LakehouseZoneReference]) -> Iterator[Problem]:
        names = [zone.name for zone in zones]
        for name in ZONES:
            if names.count(name) != 1:
                yield Problem(
                    "zones",
                    f"got {', '.join(names) or 'none'}; expected {name} once, as in Lakehouse.outputs",
                )
        if self.cloud == "gcp":
            for index, zone in enumerate(zones):
                if zone.dataset is None:
                    yield Problem(f"zones[{index}].dataset", "missing; expected the zone's BigQuery dataset")


def _zone(zones: list[Any], name: Zone) -> LakehouseZoneReference:
    """Return a zone of a list that was an output; its entries as a program states them, or checked."""
    for zone in zones:
        checked = read(LakehouseZoneReference, zone, "lakehouse.zones")
        if checked.name == name:
            return checked
    raise ArgumentError(
        [Problem("lakehouse.zones", f"{name} is missing; expected it as in Lakehouse.outputs")]
    )
