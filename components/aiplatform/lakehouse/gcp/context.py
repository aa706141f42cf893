"""What the parts of a lakehouse on Google Cloud share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import kms, organizations, projects

from aiplatform._shared.context import KeepingContext
from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.principals import identity
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp import rules as google_rules
from aiplatform.lakehouse.gcp.rules import CATALOG, DATASET
from aiplatform.lakehouse.tables import TableSettings, Zone

TABLES: Final = "tables"
"""The folder of a bucket that tables are in: what the catalog hands out credentials for."""
FILES: Final = "files"
"""The folder for files beside tables: what comes in to raw."""


@dataclass(frozen=True)
class Key:
    """The key of all data, and who may use it: what is encrypted waits for these."""

    key: kms.CryptoKey
    users: list[pulumi.Resource]


@dataclass(frozen=True)
class Context(KeepingContext[LakehouseSettings]):
    """The component, its settings and where it is made."""

    apis: Apis
    administrators: list[Input[str]]
    """Who applies the program, and who else does: members that see all of every table. The provider reads
    tables with a demand for credentials, and the catalog refuses that to whoever sees less."""

    @property
    def project(self) -> str:
        """The project."""
        return self.settings.project or ""

    @property
    def region(self) -> str:
        """The region."""
        return self.settings.region or ""

    @property
    def labels(self) -> dict[str, str] | None:
        """Labels of what has any."""
        return dict(self.settings.tags) or None

    def bucket(self, zone: Zone) -> str:
        """A zone's bucket."""
        return google_rules.bucket(self.settings.prefix, zone, self.project)

    @property
    def staging(self) -> str:
        """The bucket that batches write their output to."""
        return google_rules.bucket(self.settings.prefix, "batches", self.project)

    @property
    def streams_bucket(self) -> str:
        """The bucket that BigQuery writes the tables of streams to."""
        return google_rules.bucket(self.settings.prefix, "streams", self.project)

    def database(self, zone: Zone) -> str:
        """A zone's namespace and its dataset. Hyphens would have to be quoted in every query."""
        return self._dataset(zone)

    @property
    def streams_dataset(self) -> str:
        """The dataset of the tables of streams."""
        return self._dataset("streams")

    def _dataset(self, purpose: str) -> str:
        return DATASET.of(self.settings.prefix).replace("-", "_").removesuffix("curated") + purpose

    @property
    def catalog(self) -> str:
        """The Iceberg catalog."""
        return CATALOG.of(self.settings.prefix)

    def four_parts(self, table: TableSettings) -> str:
        """What a query calls a table of the catalog, in its quotes."""
        return f"`{self.project}.{self.catalog}.{self.database(table.zone)}.{table.name}`"

    def identity(self, service: str) -> projects.ServiceIdentity:
        """Google's own service account of a service in the project; asking for it makes it."""
        return projects.ServiceIdentity(
            f"{self.name}-{service}",
            project=self.project,
            service=f"{service}.googleapis.com",
            opts=self.options(self.apis[service]),
        )

    @property
    def streamed(self) -> list[TableSettings]:
        """Tables that streams append to: BigQuery writes them."""
        paths = {stream.table for stream in self.settings.streams}
        return [table for table in self.settings.tables if table.path in paths]

    @property
    def catalogued(self) -> list[TableSettings]:
        """All others: tables of the Iceberg catalog."""
        streamed = self.streamed
        return [table for table in self.settings.tables if table not in streamed]


def administrators(parent: pulumi.ComponentResource, settings: LakehouseSettings) -> list[Input[str]]:
    """Whoever applies the program now, and the admins that are named."""
    answer = organizations.get_client_open_id_user_info(opts=pulumi.InvokeOptions(parent=parent))
    kind = "serviceAccount" if answer.email.endswith(".gserviceaccount.com") else "user"
    return once([f"{kind}:{answer.email}", *settings.admins])


def once(principals: Sequence[Input[str]]) -> list[Input[str]]:
    """Principals without those that stand there before. Of outputs only the same one is the same."""
    seen: list[Input[str]] = []
    for principal in principals:
        if not any(same(principal, other) for other in seen):
            seen.append(principal)
    return seen


def without(principals: Sequence[Input[str]], others: Sequence[Input[str]]) -> list[Input[str]]:
    """Principals that are none of the others."""
    return [each for each in once(principals) if not any(same(each, other) for other in others)]


def same(one: Input[str], other: Input[str]) -> bool:
    """Whether two principals are known to be the same. Of outputs that only the engine knows, only the same
    object is."""
    return identity(one) == identity(other)


def grantees(principals: Sequence[Input[str]]) -> Output[list[str]]:
    """Principals as column policies call them, in one order."""
    return Output.all(*principals).apply(lambda members: sorted({_grantee(str(each)) for each in members}))


def _grantee(member: str) -> str:
    """A member of an IAM policy by the identifiers of IAM v2 ("Principal identifiers for deny policies")."""
    kind, _, email = member.partition(":")
    if kind == "group":
        return f"principalSet://goog/group/{email}"
    if kind == "user":
        return f"principal://goog/subject/{email}"
    return f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"
