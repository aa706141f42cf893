"""A reference to a lakehouse, with the same keys as the outputs of Lakehouse on both clouds, so that they can
be passed on unchanged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NotRequired, TypedDict

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Problem, got, read
from aiplatform._shared.cloud_support import Cloud
from aiplatform.lakehouse.tables import ZONES, Zone


class LakehouseZoneReferenceArgs(TypedDict):
    """A zone of a lakehouse, as in Lakehouse.outputs."""

    name: str
    """`raw`, `curated` or `serving`."""
    bucket: Input[str]
    """The bucket's name. Tables are under `tables/`, other files under `files/`."""
    bucket_arn: NotRequired[Input[str]]
    """AWS: the bucket's arn."""
    database: Input[str]
    """The database of its tables for SQL and Iceberg clients: Glue's database, or the namespace of the
    Iceberg catalog on Google Cloud."""
    dataset: NotRequired[Input[str]]
    """Google Cloud: the BigQuery dataset through which teams read its tables."""


class LakehouseTableReferenceArgs(TypedDict):
    """A table of a lakehouse, as in Lakehouse.outputs."""

    zone: str
    """Its zone."""
    database: Input[str]
    """Its database; for the table of a stream on Google Cloud the dataset of streams."""
    name: Input[str]
    """Its name."""
    location: NotRequired[Input[str]]
    """The location of its files, `s3://...` or `gs://...`."""


class LakehouseReferenceArgs(TypedDict):
    """A lakehouse, as in Lakehouse.outputs."""

    cloud: NotRequired[str]
    """`aws` or `gcp`. Default `aws`."""
    project: NotRequired[str]
    """Google Cloud, and required there: its project's id."""
    region: NotRequired[str]
    """Its region. Required on Google Cloud."""
    catalog_id: Input[str]
    """Its Iceberg catalog: on AWS the account's id, on Google Cloud the catalog's name."""
    catalog_uri: NotRequired[Input[str]]
    """The URL of the catalog for Iceberg's REST clients."""
    warehouse: NotRequired[Input[str]]
    """The catalog's name for Iceberg's REST clients: on AWS the account's id, on Google Cloud
    `bl://projects/PROJECT/catalogs/CATALOG`."""
    zones: Input[list[LakehouseZoneReferenceArgs]]
    """Its zones."""
    tables: NotRequired[Input[list[LakehouseTableReferenceArgs]]]
    """Its tables. Default none."""
    log_bucket: NotRequired[Input[str]]
    """The bucket of its access logs; on Google Cloud the log bucket of Cloud Logging."""
    kms_key: NotRequired[Input[str]]
    """The key of its data: on AWS an arn, on Google Cloud `projects/.../cryptoKeys/...`."""
    kms_key_arn: NotRequired[Input[str]]
    """AWS: the key of its data."""
    workgroups: NotRequired[Input[dict[str, str]]]
    """AWS: its Athena workgroups, name of a grant -> workgroup."""
    writer_role_arn: NotRequired[Input[str]]
    """AWS: the role of pipelines."""
    client_policies: NotRequired[Input[dict[str, str]]]
    """AWS: the permissions that the principal of a grant needs, name of a grant -> policy document."""
    client_role: NotRequired[Input[str]]
    """Google Cloud: the role with which a principal can query; grants decide which data it can read."""
    streams: NotRequired[Input[dict[str, str]]]
    """AWS: its streams, name -> arn."""
    producer_policy_arn: NotRequired[Input[str]]
    """AWS: the policy that allows a role to send events to its streams."""
    batches: NotRequired[Input[dict[str, str]]]
    """AWS: its batches, name -> Glue job."""
    capture_security_group_id: NotRequired[Input[str]]
    """AWS: the security group of its captures."""
    table_keeper: NotRequired[Input[str]]
    """AWS: the function that migrates its tables to their declaration."""


@dataclass(frozen=True)
class LakehouseZoneReference:
    """A checked LakehouseZoneReferenceArgs."""

    name: str
    bucket: Input[str]
    database: Input[str]
    bucket_arn: Input[str] | None = None
    dataset: Input[str] | None = None


@dataclass(frozen=True)
class LakehouseTableReference:
    """A checked LakehouseTableReferenceArgs."""

    zone: str
    database: Input[str]
    name: Input[str]
    location: Input[str] | None = None


@dataclass(frozen=True)
class LakehouseReference:
    """A checked LakehouseReferenceArgs."""

    may_be_output: ClassVar[bool] = True

    catalog_id: Input[str]
    zones: Input[list[LakehouseZoneReference]]
    cloud: Cloud = "aws"
    project: str | None = None
    region: str | None = None
    catalog_uri: Input[str] | None = None
    warehouse: Input[str] | None = None
    tables: Input[list[LakehouseTableReference]] = field(default_factory=list[LakehouseTableReference])
    log_bucket: Input[str] | None = None
    kms_key: Input[str] | None = None
    kms_key_arn: Input[str] | None = None
    workgroups: Input[dict[str, Input[str]]] | None = None
    writer_role_arn: Input[str] | None = None
    client_policies: Input[dict[str, Input[str]]] | None = None
    client_role: Input[str] | None = None
    streams: Input[dict[str, Input[str]]] | None = None
    producer_policy_arn: Input[str] | None = None
    batches: Input[dict[str, Input[str]]] | None = None
    capture_security_group_id: Input[str] | None = None
    table_keeper: Input[str] | None = None

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
