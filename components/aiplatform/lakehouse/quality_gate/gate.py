"""Stops rows that break their table's rules before readers see them.

A batch writes to the branch `incoming` of each table that it publishes (Spark's setting `spark.wap.branch`).
What it wrote is then judged by the table's rules (Glue Data Quality), and when all hold for all tables the
branch becomes the table (Iceberg's `fast_forward`); else the job fails, and the table is as it was.

Without a script it judges the tables as they are, and fails where a rule does not hold.
"""

import importlib
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

BRANCH = "incoming"
CATALOG = "glue_catalog"


class QualityError(Exception):
    """Rules do not hold; nothing was published."""


Evaluate = Callable[[str, str, bool], Sequence[Mapping[str, Any]]]
"""(table, ruleset, whether its branch is meant) -> the outcome of each rule."""


def publish(
    sql: Callable[[str], Sequence[Any]],
    tables: Mapping[str, str],
    batch: Callable[[], None],
    evaluate: Evaluate,
) -> list[str]:
    """Run a batch and publish what it wrote; answers which tables changed. tables: `database.table` -> its
    ruleset. Raises QualityError where a rule does not hold."""
    for table in tables:
        # What an earlier run left that was refused.
        sql(f"ALTER TABLE {CATALOG}.{table} DROP BRANCH IF EXISTS {BRANCH}")
    batch()
    written = [table for table in tables if _has_branch(sql, table)]
    judge({table: tables[table] for table in written}, evaluate, branch=True)
    for table in written:
        sql(f"CALL {CATALOG}.system.fast_forward('{table}', 'main', '{BRANCH}')")
        sql(f"ALTER TABLE {CATALOG}.{table} DROP BRANCH {BRANCH}")
    return written


def _has_branch(sql: Callable[[str], Sequence[Any]], table: str) -> bool:
    # The names are those of the job's own arguments.
    return bool(sql(f"SELECT 1 FROM {CATALOG}.{table}.refs WHERE name = '{BRANCH}'"))  # noqa: S608


def judge(tables: Mapping[str, str], evaluate: Evaluate, *, branch: bool) -> None:
    """Look at the rules of all tables. Raises QualityError with every rule that does not hold."""
    problems = [
        f"{table}: {outcome['Rule']}: {outcome.get('FailureReason') or outcome['Outcome']}"
        for table, ruleset in tables.items()
        for outcome in evaluate(table, ruleset, branch)
        if outcome["Outcome"] != "Passed"
    ]
    if problems:
        raise QualityError("rules do not hold:\n" + "\n".join(problems))


def parsed(tables: str) -> dict[str, str]:
    """`database.table=ruleset,...` as a mapping."""
    return dict(each.split("=", 1) for each in tables.split(","))


def _module(name: str) -> Any:
    """A module of Glue's Spark, which is not there elsewhere."""
    return importlib.import_module(name)


def main(arguments: Sequence[str]) -> None:
    """What Glue starts: `--gate_tables`, and `--gate_script` where there is a batch."""
    boto3 = _module("boto3")
    scripts = ["gate_script"] if "--gate_script" in arguments else []
    options = _module("awsglue.utils").getResolvedOptions(list(arguments), ["gate_tables", *scripts])
    spark = _module("pyspark.context").SparkContext.getOrCreate()
    context = _module("awsglue.context").GlueContext(spark)
    frames = _module("awsglue.dynamicframe").DynamicFrame
    judges = _module("awsgluedq.transforms").EvaluateDataQuality

    def sql(statement: str) -> list[Any]:
        return list(context.spark_session.sql(statement).collect())

    def evaluate(table: str, ruleset: str, branch: bool) -> list[dict[str, Any]]:
        reader = context.spark_session.read
        rows = (reader.option("branch", BRANCH) if branch else reader).table(f"{CATALOG}.{table}")
        outcome = judges.apply(
            frame=frames.fromDF(rows, context, "rows"),
            ruleset=boto3.client("glue").get_data_quality_ruleset(Name=ruleset)["Ruleset"],
            publishing_options={
                "dataQualityEvaluationContext": ruleset,
                "enableDataQualityCloudWatchMetrics": True,
                "enableDataQualityResultsPublishing": True,
            },
        )
        return [row.asDict() for row in outcome.toDF().collect()]

    def batch() -> None:
        bucket, _, key = str(options["gate_script"]).removeprefix("s3://").partition("/")
        boto3.client("s3").download_file(bucket, key, "batch.py")
        runpy.run_path("batch.py", run_name="__main__")

    tables = parsed(str(options["gate_tables"]))
    if scripts:
        publish(sql, tables, batch, evaluate)
    else:
        judge(tables, evaluate, branch=False)


if __name__ == "__main__":
    main(sys.argv)
