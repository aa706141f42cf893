"""The context of a lakehouse on Google Cloud, its service agents, and comparisons of principals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import organizations

from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.principals import identity
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp.rules import CATALOG, DATASET, bucket_name
from aiplatform.lakehouse.tables import LakehouseTableSettings, Zone

TABLES: Final = "tables"
"""The folder of tables in a bucket; the catalog issues credentials for it."""
FILES: Final = "files"
"""The folder of files that are not part of a table: what is uploaded to raw."""


@dataclass(frozen=True)
class Context(GcpDataContext[LakehouseSettings]):
    """The component, its settings, project, region and APIs."""

    administrators: list[Input[str]]
    """Members that apply the program; they see all of every table. The provider reads tables with a request
    for credentials, which the catalog refuses to principals that see less."""

    def bucket(self, zone: Zone) -> str:
        """Return the name of a zone's bucket."""
        return bucket_name(self.settings.prefix, zone, self.project)

    @property
    def batches_bucket(self) -> str:
        """The bucket that batches write their output to."""
        return bucket_name(self.settings.prefix, "batches", self.project)

    @property
    def streams_bucket(self) -> str:
        """The bucket that BigQuery writes the tables of streams to."""
        return bucket_name(self.settings.prefix, "streams", self.project)

    def database(self, zone: Zone) -> str:
        """Return the name of a zone's namespace and dataset. Hyphens would have to be quoted in every
        query."""
        return self._dataset(zone)

    @property
    def streams_dataset(self) -> str:
        """The dataset of the tables of streams."""
        return self._dataset("streams")

    @property
    def billing_dataset(self) -> str:
        """The dataset with the views of costs."""
        return self._dataset("billing")

    @property
    def billing_export_dataset(self) -> str:
        """The dataset that Cloud Billing writes to."""
        return self._dataset("billing_export")

    def _dataset(self, purpose: str) -> str:
        return DATASET.of(self.settings.prefix).replace("-", "_").removesuffix("curated") + purpose

    @property
    def catalog(self) -> str:
        """The name of the Iceberg catalog."""
        return CATALOG.of(self.settings.prefix)

    def four_part_name(self, table: LakehouseTableSettings) -> str:
        """Return the quoted name of a table of the catalog in a query."""
        return f"`{self.project}.{self.catalog}.{self.database(table.zone)}.{table.name}`"

    @property
    def stream_tables(self) -> list[LakehouseTableSettings]:
        """Tables that streams append to: BigQuery writes them."""
        paths = {stream.table for stream in self.settings.streams}
        return [table for table in self.settings.tables if table.path in paths]

    @property
    def catalog_tables(self) -> list[LakehouseTableSettings]:
        """All other tables: those of the Iceberg catalog."""
        stream_tables = self.stream_tables
        return [table for table in self.settings.tables if table not in stream_tables]


@dataclass(frozen=True)
class ServiceAgents:
    """Google's own service accounts of the project, as members; None of a service that is not used."""

    pubsub: Output[str] | None
    dataplex: Output[str] | None
    dataproc: Output[str] | None

    @property
    def pubsub_member(self) -> Output[str]:
        """Pub/Sub's, where it is used."""
        return self.pubsub if self.pubsub is not None else Output.from_input("")


def create_service_agents(context: Context) -> ServiceAgents:
    """Create the service agents of the services that the lakehouse uses."""
    settings = context.settings
    return ServiceAgents(
        pubsub=context.service_agent("pubsub") if uses_topics(settings) else None,
        dataplex=context.service_agent("dataplex") if uses_quality(settings) else None,
        dataproc=context.service_agent("dataproc") if settings.batches else None,
    )


def uses_quality(settings: LakehouseSettings) -> bool:
    """Whether a table has quality rules."""
    return any(table.quality is not None for table in settings.tables)


def uses_topics(settings: LakehouseSettings) -> bool:
    """Whether the lakehouse has topics of Pub/Sub."""
    return settings.arrival_events or bool(settings.streams) or bool(settings.quality_targets)


def administrators(parent: pulumi.ComponentResource, settings: LakehouseSettings) -> list[Input[str]]:
    """Return the principal that applies the program now, and the admins that are named."""
    user = organizations.get_client_open_id_user_info(opts=pulumi.InvokeOptions(parent=parent))
    kind = "serviceAccount" if user.email.endswith(".gserviceaccount.com") else "user"
    return unique([f"{kind}:{user.email}", *settings.admins])


def unique(principals: Sequence[Input[str]]) -> list[Input[str]]:
    """Return the principals without repetitions. Outputs are equal only to themselves."""
    seen: list[Input[str]] = []
    for principal in principals:
        if not any(same(principal, other) for other in seen):
            seen.append(principal)
    return seen


def without(principals: Sequence[Input[str]], others: Sequence[Input[str]]) -> list[Input[str]]:
    """Return the principals that are none of the others."""
    return [
        principal for principal in unique(principals) if not any(same(principal, other) for other in others)
    ]


def same(one: Input[str], other: Input[str]) -> bool:
    """Whether two principals are known to be equal. An output that only the engine knows equals only
    itself."""
    return identity(one) == identity(other)


def column_grantees(principals: Sequence[Input[str]]) -> Output[list[str]]:
    """Return principals in the form of column policies, sorted."""
    return Output.all(*principals).apply(
        lambda members: sorted({_grantee(str(member)) for member in members})
    )


def _grantee(member: str) -> str:
    """Return a member of an IAM policy by its identifier of IAM v2 ("Principal identifiers for deny
    policies")."""
    kind, _, email = member.partition(":")
    if kind == "group":
        return f"principalSet://goog/group/{email}"
    if kind == "user":
        return f"principal://goog/subject/{email}"
    return f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"
