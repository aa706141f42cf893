"""BigQuery beside the catalog: datasets for what is no Iceberg table, and how much may be scanned."""

from typing import Final
from urllib.parse import quote

from pulumi_gcp import bigquery, serviceusage

from aiplatform.lakehouse.gcp.context import Context, Key
from aiplatform.lakehouse.gcp.rules import MIB
from aiplatform.lakehouse.tables import ZONES, Zone

_MOST_TRAVEL_DAYS: Final = 7


def datasets(context: Context, key: Key) -> dict[Zone, bigquery.Dataset]:
    """A dataset a zone, for tables and views that BigQuery has alone."""
    return {
        zone: _dataset(
            context,
            key,
            zone,
            context.database(zone),
            f"Zone {zone} of {context.settings.prefix}'s lakehouse, beside its Iceberg tables",
            _days(context, zone),
        )
        for zone in ZONES
    }


def streams(context: Context, key: Key) -> bigquery.Dataset:
    """The dataset of the tables of streams. They are declared, and no principal has a role on the dataset: in
    those of zones writers make, alter and delete tables."""
    return _dataset(
        context,
        key,
        "streams",
        context.streams_dataset,
        f"Tables of streams of {context.settings.prefix}'s lakehouse",
        _days(context, "raw"),
    )


def _dataset(
    context: Context, key: Key, purpose: str, dataset_id: str, description: str, travel_days: int
) -> bigquery.Dataset:
    """A dataset that admits the project's owners alone. travel_days: how long old rows can be queried;
    BigQuery takes 2 to 7.

    BigQuery lets the project's basic readers and writers into a new dataset unless its list of access says
    otherwise. This one names the project's owners alone; who else reads or writes is a member of its own,
    which the same list shows, so later lists are not the program's.
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
        max_time_travel_hours=str(24 * min(_MOST_TRAVEL_DAYS, max(2, travel_days))),
        accesses=[bigquery.DatasetAccessArgs(role="OWNER", special_group="projectOwners")],
        delete_contents_on_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(
            context.apis["bigquery"],
            *key.users,
            data=True,
            delete_before_replace=True,
            ignore_changes=["accesses"],
        ),
    )


def _days(context: Context, zone: Zone) -> int:
    return context.settings.zones.of(zone).snapshot_days


def quota(context: Context) -> None:
    """What the queries of one principal may scan in a day ("Create custom query quotas"). It holds for the
    whole project."""
    if not context.settings.account_settings:
        return
    serviceusage.ConsumerQuotaOverride(
        f"{context.name}-queries",
        project=context.project,
        service="bigquery.googleapis.com",
        # As parts of a path: the API has them there.
        metric=quote("bigquery.googleapis.com/quota/query/usage", safe=""),
        limit=quote("/d/project/user", safe=""),
        override_value=str(context.settings.cutoff_bytes // MIB),
        # Lower by more than a tenth is what it is for.
        force=True,
        opts=context.options(context.apis["serviceusage"], context.apis["bigquery"]),
    )
