"""What the parts of a lakehouse on AWS share."""

from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions

from aiplatform._aws import Place
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.aws_names import DATABASE
from aiplatform.lakehouse.quality import QualitySettings
from aiplatform.lakehouse.tables import ZONES, TableSettings, Zone

TABLES = "tables"
"""The folder of a bucket that tables are in: what Lake Formation governs."""
FILES = "files"
"""The folder for files beside tables: what comes in to raw."""
_CALLED = {"logs": "lakehouse-logs"}
"""What a bucket is called that is no zone's."""


@dataclass(frozen=True)
class Context:
    """The component, its settings and where it is made."""

    parent: pulumi.ComponentResource
    name: str
    settings: LakehouseSettings
    place: Place
    deployer_arn: str
    """The user that applies the program, or the role behind its session."""

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
        ignore_changes: list[str] | None = None,
    ) -> ResourceOptions:
        """Options of a child. data: whether it is or keeps data, and so is protected and retained."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=ignore_changes,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
            retain_on_delete=True if data and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
        )

    def tags(self, purpose: str) -> dict[str, str]:
        """Tags of a resource, with its name."""
        return {**self.settings.tags, "Name": f"{self.settings.prefix}-{purpose}"}

    def bucket(self, purpose: str) -> str:
        """A bucket's name; the account in it makes it the only one of all accounts."""
        called = _CALLED.get(purpose, purpose)
        return f"{self.settings.prefix}-{called}-{self.place.account_id}"

    def bucket_arn(self, purpose: str, path: str = "") -> str:
        """A bucket's arn, or that of what is in it."""
        return f"arn:{self.place.partition}:s3:::{self.bucket(purpose)}{path}"

    def database(self, zone: Zone) -> str:
        """A zone's database. Hyphens would have to be quoted in every query."""
        return DATABASE.of(self.settings.prefix).replace("-", "_").removesuffix("curated") + zone

    def location(self, table: TableSettings) -> str:
        """Where a table is."""
        return f"s3://{self.bucket(table.zone)}/{TABLES}/{table.name}"

    @property
    def warehouse(self) -> str:
        """The catalog's id, as Iceberg's clients name it."""
        return self.place.account_id

    @property
    def catalog_arn(self) -> str:
        """The catalog that tables are in."""
        return self.place.arn("glue", "catalog")

    @property
    def spark_catalog(self) -> dict[str, str]:
        """What Spark is told of the catalog."""
        return {
            "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            "glue.id": self.place.account_id,
            "warehouse": f"s3://{self.bucket('curated')}/{TABLES}",
        }

    @property
    def quality(self) -> dict[str, QualitySettings]:
        """The tables with rules, by their paths."""
        return {table.path: table.quality for table in self.settings.tables if table.quality is not None}

    @property
    def catalog_arns(self) -> list[str]:
        """The catalog, the zones' databases and their tables."""
        arns = [self.place.arn("glue", "catalog")]
        for zone in ZONES:
            database = self.database(zone)
            arns += [
                self.place.arn("glue", f"database/{database}"),
                self.place.arn("glue", f"table/{database}/*"),
            ]
        return arns
