"""The twin's Athena over declared Iceberg tables, by boto3: reads, writes, Lake Formation, restarts."""

# ruff: noqa: S608 - the statements are made of names in this file

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.harness import ROOT
from twin import instances
from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.server import ApiServer
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.services.athena.asking import Asking

pytestmark = pytest.mark.end_to_end
BUCKET = "lake-curated"
RESULTS = "athena-results"
DATABASE = "curated"
ROWS = (
    "(1, TIMESTAMP '2026-11-24 01:00:00 UTC', 'a@acme.example', 1.50, ARRAY['new', 'eu']), "
    "(2, TIMESTAMP '2026-11-25 01:00:00 UTC', NULL, 2.25, ARRAY[])"
)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """boto3 clients of a cloud in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        forget()
        local_clients = Clients(ApiServer(instances.create("queries")))
        yield local_clients
        local_clients.server.close()
        forget()


@pytest.fixture(scope="module")
def ask(clients: Clients) -> Asking:
    """A declared table of events with two rows, each in a separate file."""
    lake.bucket(clients, BUCKET)
    lake.bucket(clients, RESULTS)
    lake.database(clients, DATABASE)
    lake.table(clients, DATABASE, "events", f"s3://{BUCKET}/tables/events")
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}}
    clients("athena").create_work_group(Name="analysts", Configuration=configuration)
    ask = Asking(clients("athena"), "analysts", DATABASE)
    ask.done(f"INSERT INTO events VALUES {ROWS}")
    return ask


def test_a_declared_table_is_read_as_it_was_written(ask: Asking) -> None:
    result = ask.done("SELECT * FROM events ORDER BY id")
    assert result.rows == [
        ["id", "at", "email", "price", "tags"],
        ["1", "2026-11-24 01:00:00.000 UTC", "a@acme.example", "1.50", "[new, eu]"],
        ["2", "2026-11-25 01:00:00.000 UTC", None, "2.25", "[]"],
    ]
    both = result.scanned
    one = ask.done("SELECT id FROM events WHERE at < TIMESTAMP '2026-11-25 00:00:00 UTC'")
    assert one.rows[1:] == [["1"]]
    assert 0 < one.scanned < both, "the other day's file is not read"


def test_a_table_changes_and_is_read_as_it_was_before(clients: Clients, ask: Asking) -> None:
    lake.table(clients, DATABASE, "changing", f"s3://{BUCKET}/tables/changing")
    ask.done(f"INSERT INTO changing VALUES {ROWS}")
    ask.done("INSERT INTO changing (id, email) SELECT 3, 'c@acme.example'")
    ask.done("UPDATE changing SET email = 'b@acme.example' WHERE id = 2")
    ask.done("DELETE FROM changing WHERE id = 1")
    ask.done(
        "MERGE INTO changing t USING (VALUES (3, 'new'), (4, 'four')) s (id, email) ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET email = s.email "
        "WHEN NOT MATCHED THEN INSERT (id, email) VALUES (s.id, s.email)"
    )
    assert ask.rows("SELECT id, email FROM changing ORDER BY id") == [
        ["2", "b@acme.example"],
        ["3", "new"],
        ["4", "four"],
    ]
    first = ask.rows('SELECT snapshot_id FROM "changing$snapshots" ORDER BY committed_at')[0][0]
    assert ask.rows(f"SELECT count(*) FROM changing FOR VERSION AS OF {first}") == [["2"]]
    assert "Iceberg snapshot ID does not exists" in ask.refused("SELECT * FROM changing FOR VERSION AS OF 1")
    assert "No version history" in ask.refused(
        "SELECT * FROM changing FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00 UTC'"
    )
    ask.done("ALTER TABLE changing ADD COLUMNS (country string)")
    assert ask.rows("SELECT country FROM changing WHERE id = 4") == [[None]]
    assert "NOT NULL column: id" in ask.refused("INSERT INTO changing (email) VALUES ('x')")
    assert "mismatched column types" in ask.refused("INSERT INTO changing (id) VALUES ('x')")


def test_tables_are_created_from_queries_and_unloaded(clients: Clients, ask: Asking) -> None:
    place = f"s3://{BUCKET}/tables/days"
    ask.done(
        f"CREATE TABLE days WITH (table_type = 'ICEBERG', location = '{place}', is_external = false, "
        "partitioning = ARRAY['month(day)', 'bucket(id, 4)']) AS "
        "SELECT id, CAST(at AS date) AS day, CAST(at AS timestamp(6)) AS at FROM events"
    )
    assert ask.rows("SELECT day FROM days WHERE id = 1") == [["2026-11-24"]]
    assert "Incorrect timestamp precision for timestamp(6)" in ask.refused(
        "CREATE TABLE x AS SELECT at FROM days"
    )
    ask.done(f"UNLOAD (SELECT id, email FROM events) TO 's3://{RESULTS}/out/' WITH (format = 'JSON')")
    [file] = clients("s3").list_objects_v2(Bucket=RESULTS, Prefix="out/")["Contents"]
    body = clients("s3").get_object(Bucket=RESULTS, Key=file["Key"])["Body"].read()
    assert [json.loads(line)["id"] for line in body.splitlines()] == [1, 2]
    assert "already exists" in ask.refused(
        f"UNLOAD (SELECT 1 AS a) TO 's3://{RESULTS}/out/' WITH (format = 'JSON')"
    )
    ask.done("CREATE VIEW known AS SELECT id, email FROM events WHERE email IS NOT NULL")
    assert ask.rows("SELECT * FROM known") == [["1", "a@acme.example"]]
    ask.done("DROP TABLE days")
    left = clients("s3").list_objects_v2(Bucket=BUCKET, Prefix="tables/days/")
    assert left["KeyCount"] == 0, "dropping an Iceberg table deletes its files"


def test_lake_formation_shows_each_role_its_rows_and_columns(clients: Clients, ask: Asking) -> None:
    account = clients.server.instance.account
    location = lake.role(clients, "lake-location", "lakeformation.amazonaws.com")
    formation = clients("lakeformation")
    formation.register_resource(ResourceArn=f"arn:aws:s3:::{BUCKET}", RoleArn=location)
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    table = {"Table": {"DatabaseName": DATABASE, "Name": "events"}}
    admins = [{"DataLakePrincipalIdentifier": clients.server.identity.principal_arn("")}]
    formation.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": admins})
    formation.revoke_permissions(Principal=everybody, Resource=table, Permissions=["ALL"])
    formation.create_data_cells_filter(
        TableData={
            "TableCatalogId": account,
            "DatabaseName": DATABASE,
            "TableName": "events",
            "Name": "cheap",
            "RowFilter": {"FilterExpression": "price < 2"},
            "ColumnWildcard": {"ExcludedColumnNames": ["email"]},
        }
    )
    cells = {"TableCatalogId": account, "DatabaseName": DATABASE, "TableName": "events", "Name": "cheap"}
    analyst = _role(clients, "analyst")
    formation.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": f"arn:aws:iam::{account}:role/analyst"},
        Resource={"DataCellsFilter": cells},
        Permissions=["SELECT"],
    )
    assert analyst.rows("SELECT * FROM events")[0][:2] == ["1", "2026-11-24 01:00:00.000 UTC"]
    assert analyst.rows("SELECT count(*) FROM events") == [["1"]], (
        "the row above the filter's price is hidden"
    )
    assert "Column 'email' cannot be resolved or requester is not authorized" in analyst.refused(
        "SELECT email FROM events"
    )
    assert "Required Insert" in analyst.refused("INSERT INTO events (id) VALUES (9)")
    stranger = _role(clients, "stranger")
    assert "Insufficient" in stranger.refused("SELECT id FROM events")


def _role(clients: Clients, name: str) -> Asking:
    """Return Athena as a new role with the IAM permissions of a reader, and none on the tables' bucket."""
    account = clients.server.instance.account
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    arn = clients("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    rights = [
        ("athena:*", "*"),
        ("glue:Get*", "*"),
        ("lakeformation:GetDataAccess", "*"),
        ("s3:PutObject", f"arn:aws:s3:::{RESULTS}/*"),
        ("s3:GetObject", f"arn:aws:s3:::{RESULTS}/*"),
        ("s3:GetBucketLocation", f"arn:aws:s3:::{RESULTS}"),
    ]
    statements = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in rights]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    clients("iam").put_role_policy(RoleName=name, PolicyName="query", PolicyDocument=document)
    credentials = clients("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return Asking(Clients(clients.server, credentials)("athena"), "analysts", DATABASE)


def test_results_are_stored_only_where_the_caller_may_write(clients: Clients, ask: Asking) -> None:
    closed = lake.bucket(clients, "athena-closed").id
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    managed = {"Enabled": True, "EncryptionConfiguration": {"KmsKey": key}}
    for name, configuration in {
        "elsewhere": {"ResultConfiguration": {"OutputLocation": f"s3://{closed}/"}},
        "managed": {"ManagedQueryResultsConfiguration": managed},
    }.items():
        clients("athena").create_work_group(Name=name, Configuration=configuration)
    nosy = _role(clients, "nosy").athena
    with pytest.raises(ClientError, match=f"Unable to verify/create output bucket {closed}"):
        nosy.start_query_execution(QueryString="SELECT 1", WorkGroup="elsewhere")
    with pytest.raises(ClientError, match="not authorized to perform: kms:GenerateDataKey"):
        nosy.start_query_execution(QueryString="SELECT 1", WorkGroup="managed")
    result = Asking(clients("athena"), "managed", DATABASE).done("SELECT 1 AS a")
    assert result.rows == [["a"], ["1"]]
    assert "ResultConfiguration" not in result.execution, "the results are in no bucket"


def test_queries_and_their_results_remain_after_a_restart(clients: Clients, ask: Asking) -> None:
    before = ask.done("SELECT id, email FROM events ORDER BY id")
    id = before.execution["QueryExecutionId"]
    instance = clients.server.instance
    clients.server.close()
    forget()
    again = Clients(ApiServer(instance))
    try:
        other = Asking(again("athena"), "analysts", DATABASE)
        assert other.answered(id).rows == before.rows
        assert other.done("SELECT id, email FROM events ORDER BY id").rows == before.rows
        assert not again.server.replayed.renamed
    finally:
        again.server.close()


def test_a_twin_without_queries_loads_no_query_engine() -> None:
    heavy = "{'duckdb', 'sqlglot', 'pyarrow', 'pyiceberg'}"
    modules = "twin.aws.api_server.server, twin.aws.api_server.rules"
    program = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "set()", "they take a second to load, and memory"
