"""The export of the project's costs: a dataset that is linked to the billing account by hand, and its views.

The export contains the costs of all projects of the billing account. Principals therefore read a dataset with
views of this project's rows alone, and none reads the export itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import Output
from pulumi_gcp import bigquery

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.principals import members
from aiplatform.lakehouse.billing import BY_MODEL, BY_TEAM, bigquery_queries
from aiplatform.lakehouse.gcp.context import Context, unique
from aiplatform.lakehouse.gcp.grants import Roles

BILLING: Final = "billing"
_EXPORT: Final = "billing-export"
_DESCRIPTIONS: Final[Mapping[str, str]] = {
    BY_TEAM: "Costs of each day by team and service, without taxes and promotions",
    BY_MODEL: "Costs of each day by served model: what its Pods request",
}


@dataclass(frozen=True)
class Billing:
    """The dataset with the views."""

    database: Output[str]


def create(context: Context, key: DataKey, roles: Roles) -> Billing | None:
    """Create both datasets, and the views once the table exists."""
    settings = context.settings.billing_export
    if settings is None:
        return None
    views = bigquery.Dataset(
        f"{context.name}-{BILLING}",
        project=context.project,
        location=context.region,
        dataset_id=context.billing_dataset,
        description=f"What the project of {context.settings.prefix} costs: views of its export",
        default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
            kms_key_name=key.key.id
        ),
        accesses=[bigquery.DatasetAccessArgs(role="OWNER", special_group="projectOwners")],
        delete_contents_on_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(
            context.apis["bigquery"], *key.grants, delete_before_replace=True, ignore_changes=["accesses"]
        ),
    )
    export = _export(context, views)
    if settings.linked:
        table = f"{context.project}.{context.billing_export_dataset}.{settings.google_table}"
        for name, query in bigquery_queries(settings, table, context.project).items():
            bigquery.Table(
                f"{context.name}-{name.replace('_', '-')}",
                project=context.project,
                dataset_id=views.dataset_id,
                table_id=name,
                description=_DESCRIPTIONS[name],
                view=bigquery.TableViewArgs(query=query, use_legacy_sql=False),
                # It has no rows.
                deletion_protection=False,
                labels=context.labels,
                opts=context.options(export, delete_before_replace=True),
            )
    _grant(context, views, roles)
    return Billing(views.dataset_id)


def _export(context: Context, views: bigquery.Dataset) -> bigquery.Dataset:
    """Create the dataset that Cloud Billing writes to. It adds its service account to the access list when
    the dataset is linked, which later updates leave there.

    Its views are authorized as a whole dataset: they read the export with its permissions. It has no key of
    the lakehouse: Cloud Billing is not documented to write with one. It has no expiry of tables either, which
    would delete the export's table.
    """
    return bigquery.Dataset(
        f"{context.name}-{_EXPORT}",
        project=context.project,
        location=context.region,
        dataset_id=context.billing_export_dataset,
        description="Written by Cloud Billing, with the costs of all projects of the billing account",
        accesses=[
            bigquery.DatasetAccessArgs(role="OWNER", special_group="projectOwners"),
            bigquery.DatasetAccessArgs(
                dataset=bigquery.DatasetAccessDatasetArgs(
                    dataset=bigquery.DatasetAccessDatasetDatasetArgs(
                        project_id=context.project, dataset_id=views.dataset_id
                    ),
                    target_types=["VIEWS"],
                )
            ),
        ],
        delete_contents_on_destroy=context.settings.force_destroy,
        labels=context.labels,
        opts=context.options(
            context.apis["bigquery"], data=True, delete_before_replace=True, ignore_changes=["accesses"]
        ),
    )


def _grant(context: Context, views: bigquery.Dataset, roles: Roles) -> None:
    """Allow the principals of grants with `billing` to read the views."""
    principals = unique([grant.principal for grant in context.settings.grants if grant.billing])
    for member in members(principals):
        if roles.read_rows is not None:
            bigquery.DatasetIamMember(
                f"{context.name}-{BILLING}-{member.key}",
                project=context.project,
                dataset_id=views.dataset_id,
                role=roles.read_rows.name,
                member=member.principal,
                opts=context.options(),
            )
