"""A reference to a lakehouse, with the same keys as the outputs of Lakehouse on both clouds, so that they can
be passed on unchanged.

It declares those that a component reads or checks; the other outputs are `passed_on`.
"""

from collections.abc import Collection, Iterator
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
    passed_on: ClassVar[Collection[str]] = LakehouseReferenceArgs.__annotations__.keys()

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
    tables: Input[list[LakehouseTableReference]] = field(default_factory=list[LakehouseTableReference])
    """Its tables. Default none."""
    kms_key: Input[str] | None = None
    """The key that encrypts it: on AWS its arn, `projects/.../cryptoKeys/...` on Google Cloud."""

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
