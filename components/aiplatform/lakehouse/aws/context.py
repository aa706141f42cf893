"""The context of a lakehouse on AWS, and the folders of its buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.outputs import Tags, merged
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.aws.names import DATABASE, TABLE_BUCKET
from aiplatform.lakehouse.quality import LakehouseQualitySettings
from aiplatform.lakehouse.tables import ZONES, LakehouseTableSettings, Zone

PLATFORM = "platform"
"""The folder of the platform's own files."""
GATE_SCRIPT = f"{PLATFORM}/gate.py"
"""The key of the quality gate's script in curated's bucket: not under `files/`, which may expire."""
TABLES = "tables"
"""The folder of tables, which Lake Formation governs."""
FILES = "files"
"""The folder of files that are not part of a table: what is uploaded to raw."""
BILLING = "billing"
"""The purpose of the bucket and the database of the export of costs."""
SPILL = f"{FILES}/spill"
"""The folder of temporary files of jobs, in raw."""


@dataclass(frozen=True)
class Context(AwsDataContext[LakehouseSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {"logs": "lakehouse-logs"}

    deployer_arn: str
    """The user that applies the program, or the role of its session."""

    def tags(self, purpose: str) -> Tags:
        """Return the tags of a resource, its `Name` included."""
        return merged(self.settings.tags, {"Name": f"{self.settings.prefix}-{purpose}"})

    def database(self, zone: Zone) -> str:
        """Return the name of a zone's database. Hyphens would have to be quoted in every query."""
        return DATABASE.of(self.settings.prefix).replace("-", "_").removesuffix("curated") + zone

    @property
    def billing_database(self) -> str:
        """The name of the database of the export of costs, in the account's default catalog."""
        return f"{self.settings.prefix.replace('-', '_')}_{BILLING}"

    @property
    def billing_export(self) -> str:
        """The name of the export of costs."""
        return f"{self.settings.prefix}-costs"

    def location(self, table: LakehouseTableSettings) -> str:
        """Return the URL of a table's folder."""
        return f"s3://{self.bucket(table.zone)}/{TABLES}/{table.name}"

    @property
    def uses_s3_tables(self) -> bool:
        """Whether tables are in S3 Tables."""
        return self.settings.store == "s3_tables"

    @property
    def table_bucket(self) -> str:
        """The table bucket's name, unique in the account and region."""
        return TABLE_BUCKET.of(self.settings.prefix)

    @property
    def table_bucket_arn(self) -> str:
        """The table bucket's arn."""
        return self.account.arn("s3tables", f"bucket/{self.table_bucket}")

    @property
    def _catalog_path(self) -> list[str]:
        """The catalog's path in arns of Glue, below the account's default catalog."""
        return [f"s3tablescatalog/{self.table_bucket}"] if self.uses_s3_tables else []

    @property
    def warehouse(self) -> str:
        """The catalog's id, as Iceberg's clients name it."""
        return ":".join([self.account.account_id, *self._catalog_path])

    @property
    def catalog_id(self) -> str | None:
        """The catalog's id where an API requires it; None for the account's default catalog."""
        return self.warehouse if self.uses_s3_tables else None

    @property
    def catalog_arn(self) -> str:
        """The arn of the catalog of the tables."""
        return self.account.arn("glue", "/".join(["catalog", *self._catalog_path]))

    def table_arns(self, zone: Zone, *names: str) -> list[str]:
        """Return the arns of a zone's database and of tables in it; without names of all tables."""
        path = "/".join([*self._catalog_path, self.database(zone)])
        tables = [self.account.arn("glue", f"table/{path}/{name}") for name in names or ("*",)]
        return [self.account.arn("glue", f"database/{path}"), *tables]

    @property
    def spark_catalog(self) -> dict[str, str]:
        """Spark's configuration of the catalog."""
        if self.uses_s3_tables:
            return {
                "type": "rest",
                "uri": f"https://glue.{self.account.region}.{self.account.dns_suffix}/iceberg",
                "warehouse": self.warehouse,
                "rest.sigv4-enabled": "true",
                "rest.signing-name": "glue",
                "rest.signing-region": self.account.region,
            }
        return {
            "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            "glue.id": self.account.account_id,
            "warehouse": f"s3://{self.bucket('curated')}/{TABLES}",
        }

    @property
    def quality(self) -> dict[str, LakehouseQualitySettings]:
        """The quality rules of tables, by the tables' paths."""
        return {table.path: table.quality for table in self.settings.tables if table.quality is not None}

    @property
    def catalog_arns(self) -> list[str]:
        """The arns of the catalog, the zones' databases and their tables."""
        catalogs = [self.account.arn("glue", "catalog")]
        if self.uses_s3_tables:
            catalogs += [self.account.arn("glue", "catalog/s3tablescatalog"), self.catalog_arn]
        return catalogs + [arn for zone in ZONES for arn in self.table_arns(zone)]
