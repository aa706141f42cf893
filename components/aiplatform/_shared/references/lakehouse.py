"""A lakehouse that something belongs to: the shape in which Lakehouse gives its outputs.

It takes every key that Lakehouse gives, on both clouds, so that its outputs can be handed on as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NotRequired, TypedDict

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Problem, got, read
from aiplatform._shared.cloud_support import Cloud
from aiplatform.lakehouse.tables import ZONES, Zone


class LakehouseZoneReferenceArgs(TypedDict):
    """A zone of a lakehouse, as Lakehouse.outputs gives it."""

    name: str
    """`raw`, `curated` or `serving`."""
    bucket: Input[str]
    """The bucket's name. Tables are under `tables/`, other files under `files/`."""
    bucket_arn: NotRequired[Input[str]]
    """AWS: the bucket's arn."""
    database: Input[str]
    """The database of its tables, as SQL and Iceberg's clients call it: Glue's database, the namespace of the
    Iceberg catalog on Google Cloud."""
    dataset: NotRequired[Input[str]]
    """Google Cloud: the BigQuery dataset through which teams read its tables."""


class LakehouseTableReferenceArgs(TypedDict):
    """A table of a lakehouse, as Lakehouse.outputs gives it."""

    zone: str
    """Its zone."""
    database: Input[str]
    """Its database; for the table of a stream on Google Cloud the dataset of streams."""
    name: Input[str]
    """Its name."""
    location: NotRequired[Input[str]]
    """Where its files are, `s3://...` or `gs://...`."""


class LakehouseReferenceArgs(TypedDict):
    """A lakehouse, as Lakehouse.outputs gives it."""

    cloud: NotRequired[str]
    """`aws` or `gcp`. Default `aws`."""
    project: NotRequired[str]
    """Google Cloud, and required there: its project's id."""
    region: NotRequired[str]
    """Its region. Required on Google Cloud."""
    catalog_id: Input[str]
    """Its Iceberg catalog: on AWS the account's id, on Google Cloud the catalog's name."""
    catalog_uri: NotRequired[Input[str]]
    """Where Iceberg's REST clients find the catalog, a URL."""
    warehouse: NotRequired[Input[str]]
    """What Iceberg's REST clients call the catalog: on AWS the account's id, on Google Cloud
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
    """AWS: what IAM must allow the principal of a grant, name of a grant -> policy document."""
    client_role: NotRequired[Input[str]]
    """Google Cloud: the role that lets a principal ask; grants decide what it gets."""
    streams: NotRequired[Input[dict[str, str]]]
    """AWS: its streams, name -> arn."""
    producer_policy_arn: NotRequired[Input[str]]
    """AWS: the policy that lets a role send events to its streams."""
    batches: NotRequired[Input[dict[str, str]]]
    """AWS: its batches, name -> Glue job."""
    capture_security_group_id: NotRequired[Input[str]]
    """AWS: the security group that its captures come from."""
    table_keeper: NotRequired[Input[str]]
    """AWS: the function that brings its tables to what is declared."""


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
        """The key of its data, by the name that its cloud has for keys."""
        return self.kms_key or self.kms_key_arn

    def check(self) -> Iterator[Problem]:
        """What a lakehouse must say of itself on its cloud."""
        for key in ("project", "region") if self.cloud == "gcp" else ():
            if getattr(self, key) is None:
                yield Problem(key, f"missing, expected the lakehouse's {key} as Lakehouse.outputs gives it")
        if not isinstance(self.zones, list):
            return
        yield from self._zones(self.zones)
        names = [zone.name for zone in self.zones]
        for index, table in enumerate(self.tables if isinstance(self.tables, list) else []):
            if table.zone not in names:
                reason = f"{got(table.zone)}, expected one of {', '.join(names)}"
                yield Problem(f"tables[{index}].zone", reason)

    def _zones(self, zones: list[LakehouseZoneReference]) -> Iterator[Problem]:
        names = [zone.name for zone in zones]
        for name in ZONES:
            if names.count(name) != 1:
                listed = ", ".join(names) or "none"
                yield Problem("zones", f"got {listed}, expected {name} once, as Lakehouse.outputs gives it")
        if self.cloud == "gcp":
            for index, zone in enumerate(zones):
                if zone.dataset is None:
                    yield Problem(f"zones[{index}].dataset", "missing, expected the zone's BigQuery dataset")


def _zone(zones: list[Any], name: Zone) -> LakehouseZoneReference:
    """Return a zone of a list that was an output; its entries as a program states them, or checked."""
    for zone in zones:
        checked = read(LakehouseZoneReference, zone, "lakehouse.zones")
        if checked.name == name:
            return checked
    raise ArgumentError(
        [Problem("lakehouse.zones", f"{name} is missing, expected it as Lakehouse.outputs gives it")]
    )
