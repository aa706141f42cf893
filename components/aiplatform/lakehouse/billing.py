"""The export of what an account or project costs: arguments, and the queries behind its views.

The queries are in two dialects: both clouds export rows with tags or labels, of which those of Pods name the
namespace and the workload.
"""

# ruff: noqa: S608 - what is inserted are constants, names of tables, and DNS labels

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, length, matches
from aiplatform._shared.cloud_support import Cloud
from aiplatform.lakehouse.inputs import LakehouseBillingExportArgs as LakehouseBillingExportArgs
from aiplatform.naming import dns_label

ACCOUNT: Final = matches(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", "a billing account, 01AB23-45CD67-89EF01")
SHARED: Final = "shared"
"""The team of what has no tag of a team."""
PLATFORM: Final = "platform"
"""The team of Pods in namespaces of no team."""
PREDICTOR: Final = "(-(blue|green))?-predictor$"
"""What KServe and a rollout add to the name of a service in that of its Deployment."""
BY_TEAM: Final = "cost_by_team"
BY_MODEL: Final = "cost_by_model"
"""The names of the views."""
_DAYS: Final = 1096

BillingGranularity = Literal["daily", "hourly"]


def _namespaces(value: Mapping[str, Any]) -> str | None:
    for name in (*value, *value.values()):
        if dns_label(name):
            return f"{name!r}: {dns_label(name)}"
    return None


@dataclass(frozen=True)
class LakehouseBillingExportSettings:
    """The export of what the account or project costs, as a table with views by team and by model, for grants
    with `billing`."""

    granularity: BillingGranularity | None = None
    """AWS: the time that a row is about: `daily`, or `hourly` with up to 24 times as many rows. Default
    `daily`."""
    days: Input[Annotated[int, between(60, 3650, "days")]] | None = None
    """AWS: how long a month's rows are retained, in days after its last export. 60 to 3650. Default 1096,
    three years."""
    team_namespaces: Annotated[dict[str, str], length(0, 200, "namespaces"), _namespaces] = field(
        default_factory=dict[str, str]
    )
    """Namespace -> its team, for the cost of Pods in the views. Default none: each namespace is a team."""
    billing_account: Annotated[str, ACCOUNT] | None = None
    """Google Cloud, and required there: the billing account whose export is read, `01AB23-45CD67-89EF01`."""
    linked: bool = False
    """Google Cloud: whether the dataset is linked to the billing account, so that the table exists, and views
    are created: BigQuery refuses views on a missing table. No API links it (docs/cost-visibility.md).
    Default false."""

    def check_on(self, cloud: Cloud) -> Iterator[Problem]:
        """Yield what is missing on a cloud."""
        if cloud == "gcp" and self.billing_account is None:
            yield Problem("billing_account", "missing; expected the billing account whose export is read")

    @property
    def retained_days(self) -> Input[int]:
        """Return `days`, or its default."""
        return _DAYS if self.days is None else self.days

    @property
    def google_table(self) -> str:
        """The name of the table of the detailed export ("Understand the Cloud Billing data tables in
        BigQuery")."""
        return f"gcp_billing_export_resource_v1_{(self.billing_account or '').replace('-', '_')}"

    def team_of(self, namespace: str) -> str:
        """Return the SQL expression of a namespace's team. namespace: the expression of the namespace."""
        if not self.team_namespaces:
            return namespace
        cases = " ".join(f"WHEN '{name}' THEN '{team}'" for name, team in self.team_namespaces.items())
        return f"CASE {namespace} {cases} ELSE '{PLATFORM}' END"


def athena_queries(settings: LakehouseBillingExportSettings, table: str) -> Mapping[str, str]:
    """Return the queries of the views in Athena's dialect, by their names.

    A node's price is replaced by its parts for each Pod, which split cost allocation data adds as further
    rows: what a Pod uses, and its share of what no Pod uses. Commitments are spread over the use that they
    cover, credits and taxes are left out (AWS, "Cost and Usage Report query library", amortized cost).
    """
    pods = "split_line_item_parent_resource_id <> ''"
    amortized = (
        "CASE line_item_line_item_type"
        " WHEN 'SavingsPlanCoveredUsage' THEN savings_plan_savings_plan_effective_cost"
        " WHEN 'SavingsPlanNegation' THEN 0"
        " WHEN 'SavingsPlanUpfrontFee' THEN 0"
        " WHEN 'SavingsPlanRecurringFee'"
        " THEN savings_plan_total_commitment_to_date - savings_plan_used_commitment"
        " WHEN 'DiscountedUsage' THEN reservation_effective_cost"
        " WHEN 'RIFee' THEN reservation_unused_amortized_upfront_fee_for_billing_period"
        " + reservation_unused_recurring_fee"
        " ELSE line_item_unblended_cost END"
    )
    of_pod = "coalesce(split_line_item_split_cost, 0) + coalesce(split_line_item_unused_cost, 0)"
    of_node = "line_item_operation LIKE 'RunInstances%' AND line_item_usage_type LIKE '%Usage:%'"
    namespace = "element_at(resource_tags, 'aws_eks_namespace')"
    workload = "element_at(resource_tags, 'aws_eks_workload_name')"
    day = "CAST(line_item_usage_start_date AS date)"
    by_team = (
        f"WITH parents AS (SELECT DISTINCT billing_period AS period, "
        f"split_line_item_parent_resource_id AS id FROM {table} WHERE {pods}), "
        f"priced AS ("
        f"SELECT billing_period, {day} AS day, {settings.team_of(namespace)} AS team, "
        f"line_item_product_code AS service, line_item_currency_code AS currency, {of_pod} AS cost "
        f"FROM {table} WHERE {pods} "
        f"UNION ALL SELECT billing_period, {day} AS day, "
        f"coalesce(nullif(element_at(resource_tags, 'user_team'), ''), '{SHARED}') AS team, "
        f"line_item_product_code AS service, line_item_currency_code AS currency, {amortized} AS cost "
        f"FROM {table} LEFT JOIN parents ON period = billing_period AND id = line_item_resource_id "
        f"WHERE coalesce(split_line_item_parent_resource_id, '') = '' "
        f"AND line_item_line_item_type NOT IN ('Credit', 'Refund', 'Tax') "
        f"AND NOT (id IS NOT NULL AND {of_node})) "
        f"SELECT billing_period, day, team, service, currency, sum(cost) AS cost FROM priced "
        f"GROUP BY billing_period, day, team, service, currency"
    )
    by_model = (
        f"WITH priced AS (SELECT billing_period, {day} AS day, {settings.team_of(namespace)} AS team, "
        f"{namespace} AS namespace, regexp_replace({workload}, '{PREDICTOR}', '') AS model, "
        f"line_item_currency_code AS currency, {of_pod} AS cost "
        f"FROM {table} WHERE {pods} AND regexp_like({workload}, '{PREDICTOR}')) "
        f"SELECT billing_period, day, team, namespace, model, currency, sum(cost) AS cost FROM priced "
        f"GROUP BY billing_period, day, team, namespace, model, currency"
    )
    return {BY_TEAM: by_team, BY_MODEL: by_model}


def bigquery_queries(settings: LakehouseBillingExportSettings, table: str, project: str) -> Mapping[str, str]:
    """Return the queries of the views in BigQuery's dialect, by their names. table: with its project and
    dataset. project: whose rows are read; the export has those of all projects of the billing account.

    GKE's cost allocation splits a node's rows by namespace and workload. Discounts are credits there, and
    promotions are, too, which are left out as on AWS.
    """

    def label(key: str) -> str:
        return f"(SELECT value FROM UNNEST(labels) WHERE key = '{key}' LIMIT 1)"

    discounts = (
        "(SELECT COALESCE(SUM(credit.amount), 0) FROM UNNEST(credits) AS credit WHERE credit.type IN "
        "('COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE', 'DISCOUNT', "
        "'SUBSCRIPTION_BENEFIT', 'SUSTAINED_USAGE_DISCOUNT'))"
    )
    day = "DATE(usage_start_time) AS day, FORMAT_TIMESTAMP('%Y-%m', usage_start_time) AS billing_period"
    cost = f"cost + {discounts} AS cost"
    rows = f"FROM `{table}` WHERE project.id = '{project}' AND cost_type = 'regular'"
    namespace, workload = "namespace_label", "workload_label"
    labelled = (
        f"SELECT {day}, {label('k8s-namespace')} AS {namespace}, {label('k8s-workload-name')} AS {workload}, "
        f"{label('team')} AS team_label, service.description AS service, currency, {cost} {rows}"
    )
    by_team = (
        f"WITH labelled AS ({labelled}), priced AS (SELECT *, "
        f"CASE WHEN {namespace} IS NOT NULL THEN {settings.team_of(namespace)} "
        f"ELSE COALESCE(NULLIF(team_label, ''), '{SHARED}') END AS team FROM labelled) "
        f"SELECT billing_period, day, team, service, currency, SUM(cost) AS cost FROM priced "
        f"GROUP BY billing_period, day, team, service, currency"
    )
    by_model = (
        f"WITH labelled AS ({labelled}), priced AS (SELECT *, {settings.team_of(namespace)} AS team, "
        f"REGEXP_REPLACE({workload}, r'{PREDICTOR}', '') AS model FROM labelled "
        f"WHERE REGEXP_CONTAINS({workload}, r'{PREDICTOR}')) "
        f"SELECT billing_period, day, team, {namespace} AS namespace, model, currency, SUM(cost) AS cost "
        f"FROM priced GROUP BY billing_period, day, team, namespace, model, currency"
    )
    return {BY_TEAM: by_team, BY_MODEL: by_model}
