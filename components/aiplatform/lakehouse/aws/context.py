"""What the parts of a lakehouse on AWS share."""

from dataclasses import dataclass

from aiplatform._shared.aws.account import Place
from aiplatform._shared.context import KeepingContext
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.aws.names import DATABASE, TABLE_BUCKET
from aiplatform.lakehouse.quality import QualitySettings
from aiplatform.lakehouse.tables import ZONES, TableSettings, Zone

PLATFORM = "platform"
"""The folder of what jobs run: the script of the gate."""
TABLES = "tables"
"""The folder of a bucket that tables are in: what Lake Formation governs."""
FILES = "files"
"""The folder for files beside tables: what comes in to raw."""
SPILL = f"{FILES}/spill"
"""What jobs put aside while they run, in raw."""
_CALLED = {"logs": "lakehouse-logs"}
"""What a bucket is called that is no zone's."""


@dataclass(frozen=True)
class Context(KeepingContext[LakehouseSettings]):
    """The component, its settings and where it is made."""

    place: Place
    deployer_arn: str
    """The user that applies the program, or the role behind its session."""

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
    def in_s3_tables(self) -> bool:
        """Whether tables are in S3 Tables."""
        return self.settings.store == "s3_tables"

    @property
    def table_bucket(self) -> str:
        """The table bucket's name, the only one of the account and region."""
        return TABLE_BUCKET.of(self.settings.prefix)

    @property
    def table_bucket_arn(self) -> str:
        """The table bucket's arn."""
        return self.place.arn("s3tables", f"bucket/{self.table_bucket}")

    @property
    def _catalog(self) -> str:
        """The catalog's path in arns of Glue, below the account's own catalog."""
        return f"s3tablescatalog/{self.table_bucket}" if self.in_s3_tables else ""

    @property
    def warehouse(self) -> str:
        """The catalog's id, as Iceberg's clients name it."""
        return ":".join([self.place.account_id, *([self._catalog] if self._catalog else [])])

    @property
    def catalog_id(self) -> str | None:
        """The catalog's id where it must be said: None for the account's own."""
        return self.warehouse if self.in_s3_tables else None

    @property
    def catalog_arn(self) -> str:
        """The catalog that tables are in."""
        return self.place.arn("glue", "/".join(["catalog", *([self._catalog] if self._catalog else [])]))

    def table_arns(self, zone: Zone, *names: str) -> list[str]:
        """A database and tables of it in Glue; without names all of them."""
        path = "/".join([*([self._catalog] if self._catalog else []), self.database(zone)])
        tables = [self.place.arn("glue", f"table/{path}/{name}") for name in names or ("*",)]
        return [self.place.arn("glue", f"database/{path}"), *tables]

    @property
    def spark_catalog(self) -> dict[str, str]:
        """What Spark is told of the catalog."""
        if self.in_s3_tables:
            return {
                "type": "rest",
                "uri": f"https://glue.{self.place.region}.{self.place.dns_suffix}/iceberg",
                "warehouse": self.warehouse,
                "rest.sigv4-enabled": "true",
                "rest.signing-name": "glue",
                "rest.signing-region": self.place.region,
            }
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
        above = [self.place.arn("glue", "catalog")]
        if self.in_s3_tables:
            above += [self.place.arn("glue", "catalog/s3tablescatalog"), self.catalog_arn]
        return above + [arn for zone in ZONES for arn in self.table_arns(zone)]
