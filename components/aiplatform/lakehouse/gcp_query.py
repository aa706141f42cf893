"""BigQuery beside the catalog: datasets for what is no Iceberg table, and how much may be scanned."""

from typing import Final
from urllib.parse import quote

from pulumi_gcp import bigquery, serviceusage

from aiplatform.lakehouse.gcp_context import Context, Key
from aiplatform.lakehouse.google_rules import MIB
from aiplatform.lakehouse.tables import ZONES, Zone

_MOST_TRAVEL_DAYS: Final = 7


def datasets(context: Context, key: Key) -> dict[Zone, bigquery.Dataset]:
    """A dataset a zone, for tables and views that BigQuery has alone; streams arrive in raw's.

    BigQuery lets the project's basic readers and writers into a new dataset unless its list of access says
    otherwise. This one names the project's owners alone; who else reads or writes is a member of its own,
    which the same list shows, so later lists are not the program's.
    """
    return {
        zone: bigquery.Dataset(
            f"{context.name}-{zone}",
            project=context.project,
            location=context.region,
            dataset_id=context.database(zone),
            description=f"Zone {zone} of {context.settings.prefix}'s lakehouse, beside its Iceberg tables",
            default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
                kms_key_name=key.key.id
            ),
            max_time_travel_hours=str(24 * min(_MOST_TRAVEL_DAYS, max(2, _days(context, zone)))),
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
        for zone in ZONES
    }


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
