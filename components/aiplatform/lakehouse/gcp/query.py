"""BigQuery: datasets for native tables and views, and the quota of scanned bytes."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from pulumi import Input
from pulumi_gcp import bigquery, serviceusage

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.gcp.context import Context
from aiplatform.lakehouse.gcp.rules import MIB
from aiplatform.lakehouse.tables import ZONES, Zone

_MOST_TRAVEL_DAYS: Final = 7

Datasets = Mapping[Zone, bigquery.Dataset]


def create_datasets(context: Context, key: DataKey) -> Datasets:
    """Create a dataset for each zone, for native tables and views of BigQuery."""
    return {
        zone: _dataset(
            context,
            key,
            zone,
            context.database(zone),
            f"Zone {zone} of {context.settings.prefix}'s lakehouse, "
            "beside its Iceberg tables",  # codespell:ignore beside
            _days(context, zone),
        )
        for zone in ZONES
    }


def create_streams_dataset(context: Context, key: DataKey) -> bigquery.Dataset:
    """Create the dataset of the tables of streams. They are declared, and no principal has a role on the
    dataset, unlike the zones' datasets, in which writers create, alter and delete tables."""
    return _dataset(
        context,
        key,
        "streams",
        context.streams_dataset,
        f"Tables of streams of {context.settings.prefix}'s lakehouse",
        _days(context, "raw"),
    )


def _dataset(
    context: Context, key: DataKey, purpose: str, dataset_id: str, description: str, travel_days: Input[int]
) -> bigquery.Dataset:
    """Create a dataset that only the project's owners access. travel_days: how long former rows can be
    queried; BigQuery accepts 2 to 7.

    BigQuery grants the project's basic readers and writers access to a new dataset unless its access list
    states otherwise. This one names only the project's owners; other principals are members in separate
    resources, which the same list contains, so later lists are not the program's.
    """
    return bigquery.Dataset(
        f"{context.name}-{purpose}",
        project=context.project,
        location=context.region,
        dataset_id=dataset_id,
        description=description,
        default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
            kms_key_name=key.key.id
        ),
        max_time_travel_hours=mapped(
            travel_days, lambda days: str(24 * min(_MOST_TRAVEL_DAYS, max(2, days)))
        ),
        accesses=[bigquery.DatasetAccessArgs(role="OWNER", special_group="projectOwners")],
        delete_contents_on_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(
            context.apis["bigquery"],
            *key.grants,
            data=True,
            delete_before_replace=True,
            ignore_changes=["accesses"],
        ),
    )


def _days(context: Context, zone: Zone) -> Input[int]:
    return context.settings.zones.of(zone).snapshot_days


def limit_queries(context: Context) -> None:
    """Limit what the queries of one principal scan in a day ("Create custom query quotas"). The quota applies
    to the whole project."""
    if not context.settings.account_settings:
        return
    serviceusage.ConsumerQuotaOverride(
        f"{context.name}-queries",
        project=context.project,
        service="bigquery.googleapis.com",
        # As parts of a path, in which the API has them.
        metric=quote("bigquery.googleapis.com/quota/query/usage", safe=""),
        limit=quote("/d/project/user", safe=""),
        override_value=mapped(context.settings.cutoff_bytes, lambda limit: str(limit // MIB)),
        # Without it the API refuses to lower a limit by more than a tenth.
        force=True,
        opts=context.options(context.apis["serviceusage"], context.apis["bigquery"]),
    )
