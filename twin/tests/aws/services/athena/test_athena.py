"""Statements through the twin's Athena: what they give, what is refused as Athena does, and what Feast's
Athena offline store sends and reads of the answers."""

# ruff: noqa: S608 - the statements are made of names in this file

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.athena.asking import Asking, asking, parquet

BUCKET = "query-logs"
STAGING = "features-staging"
MEBIBYTE = 1024**2
CALLS = "n int, name string, day string"
NOW = datetime(2026, 11, 25, 12)
SOURCE = '"AwsDataCatalog"."features"."drivers"'
POINT_IN_TIME = Path(__file__).with_name("point_in_time.sql").read_text()


@pytest.fixture(scope="module")
def ask(clients: Clients) -> Asking:
    """A table of two Parquet files."""
    ask = asking(clients, BUCKET, "analysts", "logs", managed=True)
    for day, names in {"2026-11-24": ["one", None], "2026-11-25": ["three", "four"]}.items():
        first = 1 if day.endswith("24") else 3
        rows = pa.table(
            {"n": pa.array([first, first + 1], pa.int32()), "name": names, "day": [day, day], "more": [1, 2]}
        )
        clients("s3").put_object(Bucket=BUCKET, Key=f"calls/{day}.parquet", Body=parquet(rows))
    ask.done(f"CREATE EXTERNAL TABLE calls ({CALLS}) STORED AS PARQUET LOCATION 's3://{BUCKET}/calls/'")
    return ask


def test_a_table_has_the_rows_of_its_files(clients: Clients, ask: Asking) -> None:
    answered = ask.done("SELECT * FROM calls WHERE day = '2026-11-24' ORDER BY n")
    assert answered.rows == [["n", "name", "day"], ["1", "one", "2026-11-24"], ["2", None, "2026-11-24"]]
    files = clients("s3").list_objects_v2(Bucket=BUCKET, Prefix="calls/")["Contents"]
    assert answered.scanned == sum(file["Size"] for file in files)
    again = (
        "WITH calls AS (SELECT n FROM calls WHERE n > 2), more AS (SELECT * FROM calls) SELECT * FROM more"
    )
    assert ask.rows(f"{again} ORDER BY n") == [["3"], ["4"]], "a table within an expression of its name"
    place = f"STORED AS PARQUET LOCATION 's3://{BUCKET}/calls/'"
    ask.done(f"CREATE EXTERNAL TABLE wrong (n string) {place}")
    assert "Field n's type int32" in ask.refused("SELECT n FROM wrong")
    assert "AlreadyExistsException" in ask.refused(f"CREATE EXTERNAL TABLE calls ({CALLS}) {place}")


def test_values_are_written_as_athena_writes_them(ask: Asking) -> None:
    answered = ask.done(
        "SELECT 1 AS a, 'x', 1.5e0, CAST(1e10 AS double), DECIMAL '1.50', ARRAY[1, 2], "
        "MAP(ARRAY['k'], ARRAY[1]), true, DATE '2026-11-25', CAST(NULL AS varchar), "
        "from_iso8601_timestamp('2026-11-25T01:00:00Z'), -7 / 2"
    )
    names = [name for name, _ in answered.columns]
    assert names[:3] == ["a", "_col1", "_col2"]
    assert [kind for _, kind in answered.columns] == [
        *("integer", "varchar", "double", "double", "decimal", "array", "map", "boolean", "date", "varchar"),
        *("timestamp with time zone", "integer"),
    ]
    assert answered.rows[1] == [
        *("1", "x", "1.5", "1.0E10", "1.50", "[1, 2]", "{k=1}", "true", "2026-11-25", None),
        *("2026-11-25 01:00:00.000 UTC", "-3"),
    ]


def test_what_duckdb_means_otherwise_is_meant_as_by_trino(ask: Asking) -> None:
    assert ask.rows(
        "SELECT date_diff('day', TIMESTAMP '2026-11-24 23:00:00', TIMESTAMP '2026-11-25 01:00:00'), "
        "CAST(2.5e0 AS bigint), regexp_extract('abc', 'x'), split_part('a,b', ',', 5), concat('a', NULL), "
        "extract(dow FROM DATE '2026-11-29'), date_add('month', 1, DATE '2026-01-31'), greatest(1, NULL), "
        "max_by(x, y), CAST(TIMESTAMP '2026-11-25 01:00:00' AS varchar), count(*) / 2, "
        "slice(ARRAY[1, 2, 3], 2, 2), array_position(ARRAY[5], 6), regexp_replace('ab', '(b)', '[$1]'), "
        "date_trunc('month', DATE '2026-11-29'), CAST('abc' AS varchar(2)), trim(BOTH 'x' FROM 'xax') "
        "FROM (VALUES ('a', 1), (NULL, 2), ('c', 0)) t(x, y)"
    ) == [
        [
            *("0", "3", None, None, None, "7", "2026-02-28", None, None, "2026-11-25 01:00:00", "1"),
            *("[2, 3]", "0", "a[b]", "2026-11-01", "ab", "a"),
        ]
    ]


def test_results_are_pages_and_a_file(clients: Clients, ask: Asking) -> None:
    place = {"OutputLocation": f"s3://{BUCKET}/results/"}
    clients("athena").create_work_group(Name="files", Configuration={"ResultConfiguration": place})
    ask = Asking(clients("athena"), "files", "logs")
    answered = ask.done("SELECT n, 'a \"b\"' AS q FROM UNNEST(sequence(1, 3)) AS t(n)")
    file = answered.execution["ResultConfiguration"]["OutputLocation"]
    id = answered.execution["QueryExecutionId"]
    assert file == f"s3://{BUCKET}/results/{id}.csv"
    body = clients("s3").get_object(Bucket=BUCKET, Key=f"results/{id}.csv")["Body"].read().decode()
    assert body.splitlines()[:2] == ['"n","q"', '"1","a ""b"""']
    first = ask.athena.get_query_results(QueryExecutionId=id, MaxResults=3)
    rest = ask.athena.get_query_results(QueryExecutionId=id, MaxResults=3, NextToken=first["NextToken"])
    cells = [row["Data"][0]["VarCharValue"] for page in (first, rest) for row in page["ResultSet"]["Rows"]]
    assert cells == ["n", "1", "2", "3"], "the header is a row of the first page"
    assert "NextToken" not in rest
    clients("s3").delete_object(Bucket=BUCKET, Key=f"results/{id}.csv")
    with pytest.raises(ask.athena.exceptions.InvalidRequestException, match="Could not find results"):
        ask.athena.get_query_results(QueryExecutionId=id)
    assert ask.athena.list_query_executions(WorkGroup="files")["QueryExecutionIds"][0] == id


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELEC 1", "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("SELECT missing FROM calls", "COLUMN_NOT_FOUND: Column 'missing' cannot be resolved"),
        ("SELECT * FROM missing", "TABLE_NOT_FOUND: Table 'awsdatacatalog.logs.missing' does not exist"),
        ("SELECT * FROM nowhere.t", "SCHEMA_NOT_FOUND: Schema 'nowhere' does not exist"),
        ("SELECT * FROM other.logs.calls", "CATALOG_NOT_FOUND: Catalog 'other' does not exist"),
        ("SELECT n FROM calls WHERE n = '1'", "TYPE_MISMATCH: Cannot apply operator: integer = varchar(1)"),
        ("SELECT name, count(*) FROM calls", "EXPRESSION_NOT_AGGREGATE: 'name'"),
        ("SELECT list_contains(ARRAY[1], 1)", "Function 'list_contains' not registered"),
        ("SELECT read_csv('/etc/passwd')", "Function 'read_csv' not registered"),
        ("SELECT * FROM '/etc/passwd'", "SYNTAX_ERROR"),
        ("SELECT n::varchar FROM calls", "mismatched input '::'"),
        ("SELECT * EXCLUDE (n) FROM calls", "mismatched input 'EXCEPT'"),
        ("SELECT `n` FROM calls", "backquoted identifiers are not supported"),
        ("SELECT n + 1 AS m FROM calls WHERE m > 1", "Column 'm' cannot be resolved"),
        ("SELECT n FROM calls LIMIT 1 OFFSET 1", "mismatched input 'OFFSET'"),
        ("SELECT INTERVAL 1 DAY", "mismatched input '1'"),
        ("SELECT string_agg(name, ',') FROM calls", "Function 'string_agg' not registered"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT CAST('x' AS int)", "INVALID_CAST_ARGUMENT"),
        ("OPTIMIZE calls REWRITE DATA USING BIN_PACK", "the twin's Athena does not translate this: OPTIMIZE"),
        ("SELECT format_datetime(now(), 'yyyy')", "the twin's Athena does not translate this"),
        ("CREATE TABLE t AS SELECT 1", "Column name not specified at position 1"),
        ("CREATE TABLE t AS SELECT now() AS at", "Unsupported Hive type: timestamp(6) with time zone"),
        (
            "CREATE TABLE t AS SELECT CAST(now() AS timestamp(6)) AS at",
            "Incorrect timestamp precision for timestamp(6); the configured precision is MILLISECONDS",
        ),
        ("CREATE EXTERNAL TABLE t (n int) STORED AS PARQUET", "No location was specified"),
        ("CREATE TABLE t (n int) LOCATION 's3://b/t'", "CREATE TABLE needs EXTERNAL"),
        (
            "CREATE EXTERNAL TABLE t (n int) LOCATION 's3://b/t'",
            "translate this: STORED AS TEXTFILE",
        ),
        ("CREATE EXTERNAL TABLE t (n uuid) STORED AS PARQUET LOCATION 's3://b/t'", "Unknown type"),
        ("CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 AS a", "does not translate this: CREATE TABLE AS"),
        ("MSCK REPAIR TABLE calls", "the twin's Athena does not translate this: MSCK"),
        ("DESCRIBE calls", "the twin's Athena does not translate this: DESCRIBE"),
        ("SHOW PARTITIONS calls", "the twin's Athena does not translate this: this SHOW"),
        ("ALTER TABLE calls DROP COLUMN n", "the twin's Athena does not translate this: ALTER TABLE"),
        (
            "ALTER TABLE calls ADD COLUMNS (o int)",
            "ALTER_TABLE_ADD_COLUMNS of a Hive table",
        ),
        ("INSERT INTO calls VALUES (1, 'x', 'y')", "does not translate this: INSERT of a Hive table"),
        ("SELECT * FROM information_schema.tables", "does not translate this: information_schema"),
        ("UNLOAD (SELECT n FROM calls) TO 's3://query-logs/out'", "UNLOAD needs the property format"),
        ("UNLOAD (SELECT x::int FROM calls) TO 's3://b/o' WITH (format = 'JSON')", "mismatched input '::'"),
        ("DELETE FROM calls WHERE n = 1", "Modifying Hive table rows is only supported"),
        ("SELECT ?", "Incorrect number of parameters: expected 1 but found 0"),
    ],
)
def test_what_athena_refuses_fails_with_the_reason(ask: Asking, sql: str, why: str) -> None:
    assert why in ask.refused(sql)


def test_a_query_that_reads_too_much_is_cancelled(clients: Clients, ask: Asking) -> None:
    clients("s3").put_object(Bucket=BUCKET, Key="large/a.parquet", Body=bytes(11 * MEBIBYTE))
    ask.done(f"CREATE EXTERNAL TABLE large (n int) STORED AS PARQUET LOCATION 's3://{BUCKET}/large/'")
    limited: dict[str, Any] = {"BytesScannedCutoffPerQuery": 10 * MEBIBYTE}
    clients("athena").update_work_group(WorkGroup="analysts", ConfigurationUpdates=limited)
    response = ask("SELECT count(*) FROM large")
    assert (response.state, response.reason) == ("CANCELLED", "Bytes scanned limit was exceeded")
    with pytest.raises(ask.athena.exceptions.InvalidRequestException, match="Final query state: CANCELLED"):
        ask.athena.get_query_results(QueryExecutionId=response.execution["QueryExecutionId"])


def test_views_are_read_until_they_are_dropped(ask: Asking) -> None:
    ask.done("CREATE VIEW one AS SELECT 1 AS a")
    assert ask.rows("SELECT a FROM one") == [["1"]]
    assert "View already exists" in ask.refused("CREATE VIEW one AS SELECT 2 AS a")
    ask.done("CREATE OR REPLACE VIEW one AS SELECT 2 AS a")
    assert ask.rows("SELECT a FROM one") == [["2"]]
    assert ["one"] in ask.done("SHOW TABLES IN logs").rows
    ask.done("DROP VIEW one")
    assert ["one"] not in ask.done("SHOW TABLES").rows


def test_parameters_fill_in_what_is_open(ask: Asking) -> None:
    assert ask.rows("SELECT ? + 1, ?", ExecutionParameters=["1", "'it''s'"]) == [["2", "it's"]]


def test_a_query_needs_a_workgroup_and_a_place_for_its_results(clients: Clients) -> None:
    athena = clients("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="WorkGroup nothing is not found"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="nothing")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="No output location provided"):
        athena.start_query_execution(QueryString="SELECT 1")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="was not found"):
        athena.get_query_execution(QueryExecutionId="5a2b3c4d-0000-0000-0000-000000000000")


# Feast


@pytest.fixture(scope="module")
def feast(clients: Clients) -> Asking:
    """A database with a table of features, uploaded as Feast does."""
    ask = asking(clients, STAGING, "features", "features")
    hours = [30, 5, 1, 2]
    rows = pa.table(
        {
            "driver_id": pa.array([1001, 1001, 1001, 1002], pa.int64()),
            "trips": pa.array([1, 5, 6, None], pa.int32()),
            "event_timestamp": pa.array([NOW - timedelta(hours=hour) for hour in hours], pa.timestamp("us")),
            "created": pa.array([NOW] * 4, pa.timestamp("us")),
        }
    )
    clients("s3").put_object(Bucket=STAGING, Key="drivers/drivers.parquet", Body=parquet(rows))
    columns = "`driver_id` bigint, `trips` int, `event_timestamp` timestamp, `created` timestamp"
    ask.done(
        f"CREATE EXTERNAL TABLE features.drivers ({columns}) STORED AS PARQUET "
        f"LOCATION 's3://{STAGING}/drivers' TBLPROPERTIES('parquet.compress' = 'SNAPPY') "
    )
    return ask


def _unloaded(clients: Clients, ask: Asking, name: str, query: str) -> pa.Table:
    """Read a query as Feast does: into files by CREATE TABLE AS, which are downloaded."""
    header = f"""
                                    CREATE TABLE {name}
                                    WITH (
                                    external_location = 's3://{STAGING}/unload/{name}',
                                    format = 'parquet',
                                    write_compression = 'snappy'
                                    )
                                    as
                                """
    ask.done(header + query)
    ask.done(f"DROP TABLE `features.{name}`")
    files = clients("s3").list_objects_v2(Bucket=STAGING, Prefix=f"unload/{name}/")["Contents"]
    bodies = [clients("s3").get_object(Bucket=STAGING, Key=file["Key"])["Body"].read() for file in files]
    return pa.concat_tables([pq.read_table(io.BytesIO(body)) for body in bodies])


def test_the_latest_features_of_each_driver_are_pulled(clients: Clients, feast: Asking) -> None:
    latest = _unloaded(
        clients,
        feast,
        "_latest",
        f"""
            SELECT
                driver_id, trips, event_timestamp, created
            FROM (
                SELECT driver_id, trips, event_timestamp, created,
                ROW_NUMBER() OVER(PARTITION BY driver_id ORDER BY event_timestamp DESC, created DESC)
                    AS _feast_row
                FROM {SOURCE}
                WHERE event_timestamp BETWEEN TIMESTAMP '2026-11-25 00:00:00'
                    AND TIMESTAMP '2026-11-25 12:00:00'
            )
            WHERE _feast_row = 1
            """,
    )
    rows = sorted(latest.to_pylist(), key=lambda row: row["driver_id"])
    assert [(row["driver_id"], row["trips"]) for row in rows] == [(1001, 6), (1002, None)]
    assert rows[0]["event_timestamp"] == NOW - timedelta(hours=1)


def test_features_join_as_they_were_at_each_moment(clients: Clients, feast: Asking) -> None:
    moments = pa.table(
        {
            "driver_id": pa.array([1001, 1001, 1002, 1003], pa.int64()),
            "event_timestamp": pa.array(
                [NOW - timedelta(hours=3), NOW, NOW - timedelta(hours=4), NOW], pa.timestamp("ns")
            ),
        }
    )
    folder = "entity_df/feast_entity_df_1"
    clients("s3").put_object(Bucket=STAGING, Key=f"{folder}/feast_entity_df_1.parquet", Body=parquet(moments))
    feast.done(
        "CREATE EXTERNAL TABLE features.feast_entity_df_1 (`driver_id` bigint, `event_timestamp` timestamp) "
        f"STORED AS PARQUET LOCATION 's3://{STAGING}/{folder}' TBLPROPERTIES('parquet.compress' = 'SNAPPY') "
    )
    rows = _unloaded(clients, feast, "_joined", POINT_IN_TIME.replace("{source}", f"SELECT * FROM {SOURCE}"))
    feast.done("DROP TABLE IF EXISTS features.feast_entity_df_1")
    feast.done("DROP TABLE IF EXISTS features.feast_entity_df_1")
    trips = {(row["driver_id"], row["event_timestamp"]): row["trips"] for row in rows.to_pylist()}
    assert trips == {
        (1001, NOW - timedelta(hours=3)): 5,  # what came later is not known yet
        (1001, NOW): 6,
        (1002, NOW - timedelta(hours=4)): None,
        (1003, NOW): None,
    }


def test_moments_that_are_a_query_have_their_range(feast: Asking) -> None:
    query = "SELECT driver_id, event_timestamp FROM drivers"
    feast.done(f"CREATE TABLE feast_entity_df_2 AS ({query})")
    [[low, high]] = feast.rows(
        f"SELECT MIN(event_timestamp) AS min, MAX(event_timestamp) AS max FROM ({query})"
    )
    assert datetime.strptime(str(low), "%Y-%m-%d %H:%M:%S.%f") == NOW - timedelta(hours=30)
    assert datetime.strptime(str(high), "%Y-%m-%d %H:%M:%S.%f") == NOW - timedelta(hours=1)
    assert len(feast.rows("SELECT * FROM feast_entity_df_2")) == 4
    feast.done("DROP TABLE IF EXISTS features.feast_entity_df_2")


def test_a_source_is_known_by_its_columns(clients: Clients, feast: Asking) -> None:
    metadata = clients("athena").get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="features", TableName="drivers"
    )["TableMetadata"]
    assert [(column["Name"], column["Type"]) for column in metadata["Columns"]][:2] == [
        ("driver_id", "bigint"),
        ("trips", "int"),
    ]
    answered = feast.done(f"SELECT * FROM (SELECT driver_id, trips, event_timestamp FROM {SOURCE}) LIMIT 1")
    assert answered.columns == [
        ("driver_id", "bigint"),
        ("trips", "integer"),
        ("event_timestamp", "timestamp"),
    ]
    with pytest.raises(clients("athena").exceptions.MetadataException, match="EntityNotFoundException"):
        clients("athena").get_table_metadata(
            CatalogName="AwsDataCatalog", DatabaseName="features", TableName="nothing"
        )


def test_a_saved_data_set_becomes_a_table_in_the_workgroups_place(clients: Clients, feast: Asking) -> None:
    answered = feast.done(f'CREATE TABLE "training" AS (SELECT driver_id, trips FROM {SOURCE});\n')
    table = clients("glue").get_table(DatabaseName="features", Name="training")["Table"]
    id = answered.execution["QueryExecutionId"]
    assert table["StorageDescriptor"]["Location"] == f"s3://{STAGING}/results/tables/{id}"
    assert feast.rows("SELECT count(*), sum(trips) FROM training") == [["4", "12"]]
    feast.done("DROP TABLE training")


def test_where_the_workgroup_says_where_feast_cannot_unload(clients: Clients, feast: Asking) -> None:
    place = {"OutputLocation": f"s3://{STAGING}/enforced/"}
    configuration = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": place}
    clients("athena").create_work_group(Name="enforced", Configuration=configuration)
    other = Asking(clients("athena"), "enforced", "features")
    reason = other.refused(
        f"CREATE TABLE x WITH (external_location = 's3://{STAGING}/unload/x', format = 'parquet') "
        "as SELECT 1 AS a"
    )
    assert "enforces a centralized output location" in reason
