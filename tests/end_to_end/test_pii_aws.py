"""Each path to the values of a pii column on the twin's AWS, tried by principals with and without pii.

The principals have the permissions of a grant and no others, except `other`: a workload identity of another
team with wide IAM permissions. docs/security.md lists the paths.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end import clients
from tests.end_to_end.plain import Plain
from tests.end_to_end.tables import ORDERS
from twin import environment
from twin.tests.aws.services.athena.asking import Asking

pytestmark = pytest.mark.end_to_end

ALL = ["public", "internal", "pii"]
EMAIL = "a@x.example"
VISITS: Any = {
    "zone": "curated",
    "name": "visits",
    "columns": [{"name": "visit_id", "type": "long"}, {"name": "page", "type": "string"}],
}
GRANTS: dict[str, dict[str, Any]] = {
    "zone": {"actions": ["read"], "zones": ["curated"]},
    "table": {"actions": ["read"], "tables": ["curated.orders", "curated.visits"]},
    "rows": {"actions": ["read"], "tables": ["curated.orders"], "rows": "order_id > 1"},
    "writes": {"actions": ["read", "write"], "tables": ["curated.visits"]},
    "writes-zone": {"actions": ["read", "write"], "zones": ["curated"]},
}
"""Every kind of grant, without pii."""
WITHOUT = (*GRANTS, "other")
READERS = ("zone", "table", "rows", "writes-zone")
"""Principals that may read some columns of orders."""
SEES = tuple(f"{name}-pii" for name in ("zone", "table", "rows"))
FOLDERS = (
    "files/captures/shop/1.parquet",
    "files/errors/clicks/1.json",
    "files/spill/load/1.bin",
    "loose.csv",
)


def _trust(account: str) -> str:
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _program() -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    names = ("pipeline", "other", *GRANTS, *SEES)
    roles = {
        name: aws.iam.Role(name, name=f"pii-{name}", assume_role_policy=_trust(account)) for name in names
    }
    wide = [
        "s3:*",
        "kms:*",
        "glue:*",
        "athena:*",
        "lakeformation:GetDataAccess",
        "iam:PassRole",
        "sts:AssumeRole",
    ]
    everything = {"Effect": "Allow", "Action": wide, "Resource": "*"}
    aws.iam.RolePolicy(
        "other",
        role=roles["other"].name,
        policy=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    grants = [{"name": name, "principal": roles[name].arn, **grant} for name, grant in GRANTS.items()]
    grants += [
        {
            "name": name,
            "principal": roles[name].arn,
            **GRANTS[name.removesuffix("-pii")],
            "classifications": ALL,
        }
        for name in SEES
    ]
    args: Any = {
        "prefix": "acme-pii",
        "force_destroy": True,
        "writers": [roles["pipeline"].arn],
        "tables": [ORDERS, VISITS],
        "grants": grants,
    }
    pulumi.export("lake", Lakehouse("pii", args).outputs)


class Scenario:
    """The lakehouse with data, and clients of its principals."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.stack = plain.stack("pii", _program)
        self.lake: dict[str, Any] = self.stack.up().outputs["lake"].value
        self.database = next(table["database"] for table in self.lake["tables"] if table["name"] == "orders")
        self.buckets = {zone["name"]: zone["bucket"] for zone in self.lake["zones"]}
        self._keys: dict[str, dict[str, str]] = {}
        self.iceberg(("pipeline", "write", "orders"))
        rows = [{"visit_id": "1", "page": "/"}]
        self.iceberg(("pipeline", "append_as_writer", "visits"), rows=rows)
        writer = self.session(self.assumed(self.client("pipeline", "sts"), self.lake["writer_role_arn"]))
        for key in FOLDERS:
            writer.client("s3", endpoint_url=self.endpoint).put_object(
                Bucket=self.buckets["raw"], Key=key, Body=EMAIL.encode()
            )
        orders = plain.aws("glue").get_table(DatabaseName=self.database, Name="orders")["Table"]
        objects = plain.aws("s3").list_objects_v2(
            Bucket=self.buckets["curated"], Prefix="tables/orders/data/"
        )
        self.table = orders
        self.metadata_file: str = orders["Parameters"]["metadata_location"]
        self.data_file: str = next(
            entry["Key"] for entry in objects["Contents"] if entry["Key"].endswith(".parquet")
        )
        self.seen = self.athena("zone-pii").done("SELECT email FROM orders")

    @property
    def endpoint(self) -> str:
        """The twin's endpoint."""
        return environment.environment(self.plain.instance)["AWS_ENDPOINT_URL"]

    def arn(self, name: str) -> str:
        """Return the ARN of a role of the test."""
        return f"arn:aws:iam::{self.plain.instance.account}:role/pii-{name}"

    def assumed(self, sts: Any, arn: str) -> dict[str, str]:
        """Return the keys of a session."""
        key = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }

    def session(self, key: dict[str, str]) -> Any:
        """Return a boto3 session with keys."""
        return boto3.session.Session(
            key["AWS_ACCESS_KEY_ID"],
            key["AWS_SECRET_ACCESS_KEY"],
            key["AWS_SESSION_TOKEN"],
            self.plain.instance.region,
        )

    def keys(self, who: str) -> dict[str, str]:
        """Return the keys of a role."""
        if who not in self._keys:
            self._keys[who] = self.assumed(self.plain.aws("sts"), self.arn(who))
        return self._keys[who]

    def client(self, who: str, service: str) -> Any:
        """Return a boto3 client of a role."""
        return self.session(self.keys(who)).client(service, endpoint_url=self.endpoint)

    def athena(self, who: str) -> Asking:
        """Return Athena as a role, in the workgroup of its grant."""
        group = self.lake["workgroups"].get(who, self.lake["workgroups"]["zone-pii"])
        return Asking(self.client(who, "athena"), group, self.database)

    def iceberg(self, *deeds: tuple[str, str, str], **more: Any) -> list[dict[str, Any]]:
        """Run actions of PyIceberg, (role, action, table) each; return the answers."""
        asks = [
            {"identity": self.keys(who), "do": do, "table": f"{self.database}.{table}"}
            for who, do, table in deeds
        ]
        env_vars = environment.environment(self.plain.instance)
        place = {name: env_vars[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")}
        return clients.run("pyiceberg", "lake", {"lake": self.lake, "asks": asks, **more}, place)["answers"]


@pytest.fixture(scope="module")
def scenario(plain: Plain) -> Iterator[Scenario]:
    """A lakehouse whose orders have emails, with further files and a query of a principal with pii."""
    before = set(plain.inventory())
    scenario = Scenario(plain)
    yield scenario
    scenario.stack.destroy()
    assert set(plain.inventory()) == before


def _denied(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error: Any = caught.value.response
    code = error["Error"]["Code"]
    assert code in ("AccessDenied", "AccessDeniedException"), f"{code}: {error['Error']['Message']}"
    return error["Error"]["Message"]


@pytest.mark.parametrize("who", SEES)
def test_with_pii_in_the_grant_the_column_is_read(scenario: Scenario, who: str) -> None:
    emails = [row[0] for row in scenario.athena(who).rows("SELECT email FROM orders ORDER BY order_id")]
    assert emails[0] == ("b@x.example" if who.startswith("rows") else EMAIL)


@pytest.mark.parametrize("who", READERS)
def test_catalog_and_queries_hide_pii_columns(scenario: Scenario, who: str) -> None:
    ask = scenario.athena(who)
    assert "email" not in ask.done("SELECT * FROM orders").rows[0]
    assert "Column 'email' cannot be resolved" in ask.refused("SELECT email FROM orders")
    table = scenario.client(who, "glue").get_table(DatabaseName=scenario.database, Name="orders")["Table"]
    assert "email" not in [column["Name"] for column in table["StorageDescriptor"]["Columns"]]


@pytest.mark.parametrize("who", ["writes", "other"])
def test_a_table_without_a_grant_is_hidden(scenario: Scenario, who: str) -> None:
    if who != "other":
        assert "Insufficient Lake Formation" in scenario.athena(who).refused("SELECT email FROM orders")
    glue = scenario.client(who, "glue")
    assert "Insufficient Lake Formation" in _denied(
        glue.get_table, DatabaseName=scenario.database, Name="orders"
    )


@pytest.mark.parametrize("who", READERS)
def test_metadata_tables_have_no_value_of_pii(scenario: Scenario, who: str) -> None:
    columns = {column["Name"]: column for column in scenario.table["StorageDescriptor"]["Columns"]}
    number = columns["email"]["Parameters"]["iceberg.field.id"]
    for part in ("files", "partitions"):
        result = scenario.athena(who).done(f'SELECT * FROM "orders${part}"')  # noqa: S608 - names of this loop
        text = json.dumps(result.rows)
        assert "x.example" not in text, f"every reader of the table sees the bounds in {part}"
    bounds = scenario.athena(who).rows('SELECT lower_bounds FROM "orders$files"')
    assert all(f"{number}=" not in str(row[0]) for row in bounds)
    assert any("1=" in str(row[0]) for row in bounds), (
        "the bounds of other columns exist: the assertion above can fail"
    )


@pytest.mark.parametrize("who", WITHOUT)
def test_results_and_texts_of_another_principals_queries_are_denied(scenario: Scenario, who: str) -> None:
    athena, id = scenario.client(who, "athena"), scenario.seen.execution["QueryExecutionId"]
    _denied(athena.get_query_results, QueryExecutionId=id)
    if who == "other":
        return  # its IAM permissions allow queries in every workgroup, but not their results
    theirs = scenario.lake["workgroups"]["zone-pii"]
    _denied(athena.get_query_execution, QueryExecutionId=id)
    _denied(athena.batch_get_query_execution, QueryExecutionIds=[id])
    _denied(athena.list_query_executions, WorkGroup=theirs)
    _denied(athena.start_query_execution, QueryString="SELECT 1", WorkGroup=theirs)
    ids = athena.list_query_executions(WorkGroup=scenario.lake["workgroups"][who])["QueryExecutionIds"]
    assert id not in ids


def test_the_principal_of_a_query_reads_its_results(scenario: Scenario) -> None:
    id = scenario.seen.execution["QueryExecutionId"]
    results = scenario.client("zone-pii", "athena").get_query_results(QueryExecutionId=id)
    assert EMAIL in json.dumps(results["ResultSet"])


@pytest.mark.parametrize("who", [*WITHOUT, *SEES])
def test_no_object_is_read_directly(scenario: Scenario, who: str) -> None:
    s3 = scenario.client(who, "s3")
    for key in (scenario.data_file, scenario.metadata_file.split("/", 3)[3]):
        _denied(s3.get_object, Bucket=scenario.buckets["curated"], Key=key)
    for key in FOLDERS:
        why = _denied(s3.get_object, Bucket=scenario.buckets["raw"], Key=key)
        if who == "other":
            assert "explicit deny in a resource-based policy" in why, (
                f"{key}: its IAM permissions would allow it"
            )
    if who == "other":
        _denied(s3.put_object, Bucket=scenario.buckets["curated"], Key="platform/gate.py", Body=b"")


@pytest.mark.parametrize("who", WITHOUT)
def test_the_key_decrypts_no_results_of_another_principal(scenario: Scenario, who: str) -> None:
    theirs = f"arn:aws:athena:{scenario.plain.instance.region}:{scenario.plain.instance.account}:workgroup/"
    theirs += scenario.lake["workgroups"]["zone-pii"]
    kms = scenario.client(who, "kms")
    key = {"KeyId": scenario.lake["kms_key"], "KeySpec": "AES_256"}
    _denied(kms.generate_data_key, **key, EncryptionContext={"aws:athena:arn": theirs})
    if who != "other":
        _denied(kms.generate_data_key, **key)


def test_iceberg_clients_get_files_only_with_access_to_the_whole_table(scenario: Scenario) -> None:
    without = ("zone", "table", "rows", "writes-zone")
    refused = scenario.iceberg(*((who, "load_by_rest", "orders") for who in without))
    for who, answer in zip(without, refused, strict=True):
        assert "filter" in answer.get("refused", ""), f"{who}: {answer}"
    [stranger, whole, visits] = scenario.iceberg(
        ("other", "load_by_rest", "orders"),
        ("zone-pii", "load_by_rest", "orders"),
        ("writes", "load_by_rest", "visits"),
    )
    assert "Insufficient Lake Formation" in stranger["refused"]
    assert "email" in whole["columns"]
    assert visits == {"columns": ["visit_id", "page"], "rows": 1}


def _vended(scenario: Scenario, who: str, table: str) -> Any:
    region, account = scenario.plain.instance.region, scenario.plain.instance.account
    return scenario.client(who, "lakeformation").get_temporary_glue_table_credentials(
        TableArn=f"arn:aws:glue:{region}:{account}:table/{scenario.database}/{table}",
        Permissions=["SELECT"],
        SupportedPermissionTypes=["COLUMN_PERMISSION"],
    )


def test_credentials_of_one_table_read_no_other(scenario: Scenario) -> None:
    for who in ("zone", "table", "rows", "writes-zone", "writes", "other"):
        with pytest.raises(ClientError, match=r"PermissionTypeMismatch|Insufficient|AccessDenied"):
            _vended(scenario, who, "orders")
    credentials = _vended(scenario, "writes", "visits")
    names = {
        "AWS_ACCESS_KEY_ID": "AccessKeyId",
        "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
        "AWS_SESSION_TOKEN": "SessionToken",
    }
    s3 = scenario.session({name: credentials[key] for name, key in names.items()}).client(
        "s3", endpoint_url=scenario.endpoint
    )
    objects = s3.list_objects_v2(Bucket=scenario.buckets["curated"], Prefix="tables/visits/")["Contents"]
    assert s3.get_object(Bucket=scenario.buckets["curated"], Key=objects[0]["Key"])["Body"].read()
    _denied(s3.get_object, Bucket=scenario.buckets["curated"], Key=scenario.data_file)
    _denied(s3.list_objects_v2, Bucket=scenario.buckets["curated"], Prefix="tables/orders/")
    _denied(s3.get_object, Bucket=scenario.buckets["raw"], Key=FOLDERS[0])


@pytest.mark.parametrize("who", ["writes", "writes-zone"])
def test_a_writer_cannot_read_files_of_another_table_through_its_own(scenario: Scenario, who: str) -> None:
    glue = scenario.client(who, "glue")
    table = glue.get_table(DatabaseName=scenario.database, Name="visits")["Table"]
    unchanged = {key: table[key] for key in ("Name", "Parameters", "TableType")}
    descriptor = table["StorageDescriptor"]

    def point(**changed: Any) -> None:
        table_input = {**unchanged, "StorageDescriptor": descriptor, **changed}
        glue.update_table(DatabaseName=scenario.database, TableInput=table_input)

    elsewhere = {**descriptor, "Location": scenario.table["StorageDescriptor"]["Location"]}
    assert "Insufficient Lake Formation" in _denied(point, StorageDescriptor=elsewhere)
    point(Parameters={**unchanged["Parameters"], "metadata_location": scenario.metadata_file})
    try:
        why = scenario.athena(who).refused("SELECT * FROM visits")
        assert "Access Denied" in why, "the credentials are limited to the table's folder"
    finally:
        point()
    assert scenario.athena(who).rows("SELECT page FROM visits") == [["/"]], "the table is restored"


@pytest.mark.parametrize("who", [*GRANTS, "other"])
def test_roles_with_more_access_cannot_be_assumed_or_passed(scenario: Scenario, who: str) -> None:
    roles = scenario.plain.aws("iam").list_roles()["Roles"]
    platform = [role["Arn"] for role in roles if role["RoleName"].startswith("acme-pii-")]
    assert len(platform) >= 4, "roles for access, the writer, the optimizer and the table migrator"
    sts = scenario.client(who, "sts")
    for arn in platform:
        _denied(sts.assume_role, RoleArn=arn, RoleSessionName="test")
    if who == "other":
        location = scenario.plain.aws("lakeformation").describe_resource(
            ResourceArn=f"arn:aws:s3:::{scenario.buckets['curated']}/tables"
        )["ResourceInfo"]["RoleArn"]
        with pytest.raises(ClientError, match="assume"):
            scenario.client(who, "glue").create_job(
                Name="stolen",
                Role=location,
                Command={"Name": "glueetl", "ScriptLocation": "s3://somewhere/steal.py"},
            )


@pytest.mark.parametrize("who", WITHOUT)
def test_no_principal_grants_itself_more(scenario: Scenario, who: str) -> None:
    formation = scenario.client(who, "lakeformation")
    table = {"Table": {"DatabaseName": scenario.database, "Name": "orders"}}
    me = {"DataLakePrincipalIdentifier": scenario.arn(who)}
    _denied(formation.grant_permissions, Principal=me, Resource=table, Permissions=["SELECT"])
    _denied(formation.put_data_lake_settings, DataLakeSettings={"DataLakeAdmins": [me]})
    _denied(
        scenario.client(who, "iam").put_role_policy,
        RoleName=f"pii-{who}",
        PolicyName="more",
        PolicyDocument="{}",
    )
    lambda_ = scenario.client(who, "lambda")
    _denied(lambda_.invoke, FunctionName=scenario.lake["table_keeper"], Payload=b"{}")


def test_ddl_of_athena_needs_a_grant(scenario: Scenario) -> None:
    assert scenario.athena("zone").done("SHOW TABLES").rows
    other = Asking(scenario.client("other", "athena"), "primary", scenario.database)
    scenario.plain.aws("athena").update_work_group(
        WorkGroup="primary",
        ConfigurationUpdates={"ManagedQueryResultsConfigurationUpdates": {"Enabled": True}},
    )
    assert "Required Describe on default" in other.refused("SHOW TABLES")
