"""Quality rules of tables, evaluated by data scans of Knowledge Catalog (Dataplex)."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import dataplex, logging

from aiplatform._shared.gcp.context import DataKey
from aiplatform.lakehouse.gcp.context import Context, ServiceAgents
from aiplatform.lakehouse.gcp.rules import data_scan
from aiplatform.lakehouse.gcp.topics import allow_publishing, create_target_subscriptions, create_topic
from aiplatform.lakehouse.quality import LakehouseQualitySettings, LakehouseRuleSettings
from aiplatform.lakehouse.tables import LakehouseTableSettings

Rule = dataplex.DatascanDataQualitySpecRuleArgs


def create_scans(
    context: Context, key: DataKey, scannable: Mapping[str, pulumi.Resource], agents: ServiceAgents
) -> None:
    """Create a scan for each table with rules, and notify the targets of failed rules. scannable: the role of
    Dataplex' agent on each table, by its path.

    A scan depends on that role and takes no property of it: when the role is replaced because policies
    change, the scan and its history must not be."""
    scanned: list[LakehouseTableSettings] = []
    for table in context.settings.tables:
        if table.quality is None:
            continue
        scanned.append(table)
        dataplex.Datascan(
            f"{context.name}-{table.zone}-{table.name}-quality",
            project=context.project,
            location=context.region,
            data_scan_id=data_scan(context.settings.prefix, table),
            description=f"Rules of {table.path}",
            data=dataplex.DatascanDataArgs(resource=_resource(context, table)),
            data_quality_spec=dataplex.DatascanDataQualitySpecArgs(rules=_rules(table, table.quality)),
            execution_spec=dataplex.DatascanExecutionSpecArgs(trigger=_trigger(table.quality)),
            labels=context.labels,
            opts=context.options(context.apis["dataplex"], scannable[table.path], delete_before_replace=True),
        )
    if scanned and context.settings.quality_targets:
        _notify_failed_rules(context, key, scanned, agents)


def _resource(context: Context, table: LakehouseTableSettings) -> str:
    if table in context.stream_tables:
        parent = f"//bigquery.googleapis.com/projects/{context.project}/datasets/{context.streams_dataset}"
    else:
        parent = (
            f"//biglake.googleapis.com/projects/{context.project}/catalogs/{context.catalog}"
            f"/namespaces/{context.database(table.zone)}"
        )
    return f"{parent}/tables/{table.name}"


def _trigger(quality: LakehouseQualitySettings) -> dataplex.DatascanExecutionSpecTriggerArgs:
    if quality.schedule is None:
        return dataplex.DatascanExecutionSpecTriggerArgs(
            on_demand=dataplex.DatascanExecutionSpecTriggerOnDemandArgs()
        )
    return dataplex.DatascanExecutionSpecTriggerArgs(
        schedule=dataplex.DatascanExecutionSpecTriggerScheduleArgs(cron=f"TZ=Etc/UTC {quality.schedule}")
    )


def _rules(table: LakehouseTableSettings, quality: LakehouseQualitySettings) -> Sequence[Rule]:
    types = {field.name: str(field.type) for field in table.fields}
    return [_rule(rule, types.get(rule.column or "", "")) for rule in quality.rules]


def _rule(rule: LakehouseRuleSettings, kind: str) -> Rule:
    share = rule.at_least if rule.at_least is not None else 1.0
    match rule.rule:
        case "complete":
            return Rule(
                dimension="COMPLETENESS",
                column=rule.column,
                threshold=share,
                non_null_expectation=dataplex.DatascanDataQualitySpecRuleNonNullExpectationArgs(),
            )
        case "unique":
            return Rule(
                dimension="UNIQUENESS",
                column=rule.column,
                threshold=share,
                uniqueness_expectation=dataplex.DatascanDataQualitySpecRuleUniquenessExpectationArgs(),
            )
        case "between":
            return Rule(
                dimension="VALIDITY",
                column=rule.column,
                threshold=share,
                range_expectation=dataplex.DatascanDataQualitySpecRuleRangeExpectationArgs(
                    min_value=_number(rule.low), max_value=_number(rule.high)
                ),
            )
        case "one_of":
            return Rule(
                dimension="VALIDITY",
                column=rule.column,
                threshold=share,
                set_expectation=dataplex.DatascanDataQualitySpecRuleSetExpectationArgs(
                    values=rule.values or []
                ),
            )
        case "matches":
            return Rule(
                dimension="VALIDITY",
                column=rule.column,
                threshold=share,
                regex_expectation=dataplex.DatascanDataQualitySpecRuleRegexExpectationArgs(
                    # Of the whole text, as the rule requires; Dataplex searches for a match.
                    regex=f"^(?:{rule.pattern})$"
                ),
            )
        case "rows":
            sides = ((">=", rule.low), ("<=", rule.high))
            conditions = " AND ".join(
                f"COUNT(*) {sign} {_number(end)}" for sign, end in sides if end is not None
            )
            return _table_rule("VOLUME", conditions)
        case "fresh":
            newest = f"MAX(`{rule.column}`)"
            when = newest if kind == "timestamptz" else f"TIMESTAMP({newest})"
            return _table_rule(
                "FRESHNESS",
                f"TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), {when}, SECOND) <= {(rule.hours or 0) * 3600}",
            )


def _table_rule(dimension: str, condition: str) -> Rule:
    return Rule(
        dimension=dimension,
        table_condition_expectation=dataplex.DatascanDataQualitySpecRuleTableConditionExpectationArgs(
            sql_expression=condition
        ),
    )


def _number(value: float | None) -> str | None:
    return None if value is None else format(value, ".15f").rstrip("0").rstrip(".")


def _notify_failed_rules(
    context: Context, key: DataKey, scanned: Sequence[LakehouseTableSettings], agents: ServiceAgents
) -> None:
    """Send the scans' log entries of failed results as messages."""
    topic = create_topic(context, key, "quality")
    ids = " OR ".join(f'"{data_scan(context.settings.prefix, table)}"' for table in scanned)
    sink = logging.ProjectSink(
        f"{context.name}-quality",
        project=context.project,
        name=f"{context.settings.prefix}-quality",
        description=f"Rules of tables of {context.settings.prefix} that do not hold",
        destination=topic.id.apply(lambda topic_id: f"pubsub.googleapis.com/{topic_id}"),
        filter=(
            'log_id("dataplex.googleapis.com/data_scan") AND '
            'resource.type="dataplex.googleapis.com/DataScan" '
            f"AND resource.labels.datascan_id=({ids}) AND "
            '(jsonPayload.dataQuality.passed=false OR jsonPayload.state="FAILED")'
        ),
        unique_writer_identity=True,
        opts=context.options(context.apis["logging"], delete_before_replace=True),
    )
    allow_publishing(context, "quality", topic, sink.writer_identity)
    create_target_subscriptions(context, "quality", topic, context.settings.quality_targets, agents)
