"""Each path to the bytes of a pii column on the twin's AWS, tried by real clients without pii and with it.

The principals have what a grant brings and nothing else, but for `other`: another team's workload identity
whose own IAM is as wide as teams make it. docs/security.md lists the paths.
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
from tests.twin.aws.athena.asking import Asking
from twin import environment as variables

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
"""Those that may read some columns of orders."""
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


class World:
    """The lakehouse with data, and whoever works with it."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.stack = plain.stack("pii", _program)
        self.lake: dict[str, Any] = self.stack.up().outputs["lake"].value
        self.database = next(each["database"] for each in self.lake["tables"] if each["name"] == "orders")
        self.buckets = {each["name"]: each["bucket"] for each in self.lake["zones"]}
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
        listed = plain.aws("s3").list_objects_v2(Bucket=self.buckets["curated"], Prefix="tables/orders/data/")
        self.table = orders
        self.metadata_file: str = orders["Parameters"]["metadata_location"]
        self.data_file: str = next(
            each["Key"] for each in listed["Contents"] if each["Key"].endswith(".parquet")
        )
        self.seen = self.athena("zone-pii").done("SELECT email FROM orders")

    @property
    def endpoint(self) -> str:
        """Where the cloud is."""
        return variables.environment(self.plain.world)["AWS_ENDPOINT_URL"]

    def arn(self, name: str) -> str:
        """A role of the test's."""
        return f"arn:aws:iam::{self.plain.world.account}:role/pii-{name}"

    def assumed(self, sts: Any, arn: str) -> dict[str, str]:
        """The keys of a session."""
        key = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }

    def session(self, key: dict[str, str]) -> Any:
        """boto3 as whoever has the keys."""
        return boto3.session.Session(
            key["AWS_ACCESS_KEY_ID"],
            key["AWS_SECRET_ACCESS_KEY"],
            key["AWS_SESSION_TOKEN"],
            self.plain.world.region,
        )

    def keys(self, who: str) -> dict[str, str]:
        """The keys of a role."""
        if who not in self._keys:
            self._keys[who] = self.assumed(self.plain.aws("sts"), self.arn(who))
        return self._keys[who]

    def client(self, who: str, service: str) -> Any:
        """boto3 as a role."""
        return self.session(self.keys(who)).client(service, endpoint_url=self.endpoint)

    def athena(self, who: str) -> Asking:
        """Athena, asked in the role's own workgroup."""
        group = self.lake["workgroups"].get(who, self.lake["workgroups"]["zone-pii"])
        return Asking(self.client(who, "athena"), group, self.database)

    def iceberg(self, *deeds: tuple[str, str, str], **more: Any) -> list[dict[str, Any]]:
        """PyIceberg as roles: who, what, which table."""
        asks = [
            {"identity": self.keys(who), "do": do, "table": f"{self.database}.{table}"}
            for who, do, table in deeds
        ]
        given = variables.environment(self.plain.world)
        place = {name: given[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")}
        return clients.run("pyiceberg", "lake", {"lake": self.lake, "asks": asks, **more}, place)["answers"]


@pytest.fixture(scope="module")
def world(plain: Plain) -> Iterator[World]:
    """A lakehouse whose orders have emails, with files beside tables and a query of a principal with pii."""
    before = set(plain.inventory())
    made = World(plain)
    yield made
    made.stack.destroy()
    assert set(plain.inventory()) == before


def _denied(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error: Any = caught.value.response
    code = error["Error"]["Code"]
    assert code in ("AccessDenied", "AccessDeniedException"), f"{code}: {error['Error']['Message']}"
    return error["Error"]["Message"]


@pytest.mark.parametrize("who", SEES)
def test_with_pii_in_the_grant_the_column_is_read(world: World, who: str) -> None:
    emails = [row[0] for row in world.athena(who).rows("SELECT email FROM orders ORDER BY order_id")]
    assert emails[0] == ("b@x.example" if who.startswith("rows") else EMAIL)


@pytest.mark.parametrize("who", READERS)
def test_catalog_and_queries_show_no_column_that_is_pii(world: World, who: str) -> None:
    ask = world.athena(who)
    assert "email" not in ask.done("SELECT * FROM orders").rows[0]
    assert "Column 'email' cannot be resolved" in ask.refused("SELECT email FROM orders")
    told = world.client(who, "glue").get_table(DatabaseName=world.database, Name="orders")["Table"]
    assert "email" not in [each["Name"] for each in told["StorageDescriptor"]["Columns"]]


@pytest.mark.parametrize("who", ["writes", "other"])
def test_a_table_that_no_grant_names_is_not_seen(world: World, who: str) -> None:
    if who != "other":
        assert "Insufficient Lake Formation" in world.athena(who).refused("SELECT email FROM orders")
    glue = world.client(who, "glue")
    assert "Insufficient Lake Formation" in _denied(
        glue.get_table, DatabaseName=world.database, Name="orders"
    )


@pytest.mark.parametrize("who", READERS)
def test_metadata_tables_hold_no_value_of_pii(world: World, who: str) -> None:
    columns = {each["Name"]: each for each in world.table["StorageDescriptor"]["Columns"]}
    number = columns["email"]["Parameters"]["iceberg.field.id"]
    for part in ("files", "partitions"):
        found = world.athena(who).done(f'SELECT * FROM "orders${part}"')  # noqa: S608 - a name from here
        text = json.dumps(found.rows)
        assert "x.example" not in text, f"{part} show bounds to readers of any column"
    bounds = world.athena(who).rows('SELECT lower_bounds FROM "orders$files"')
    assert all(f"{number}=" not in str(row[0]) for row in bounds)
    assert any("1=" in str(row[0]) for row in bounds), "bounds of other columns are there: the test can fail"


@pytest.mark.parametrize("who", WITHOUT)
def test_results_and_texts_of_anothers_queries_are_not_read(world: World, who: str) -> None:
    athena, id = world.client(who, "athena"), world.seen.told["QueryExecutionId"]
    _denied(athena.get_query_results, QueryExecutionId=id)
    if who == "other":
        return  # its own IAM lets it list and ask in every workgroup; what is kept there it does not open
    theirs = world.lake["workgroups"]["zone-pii"]
    _denied(athena.get_query_execution, QueryExecutionId=id)
    _denied(athena.batch_get_query_execution, QueryExecutionIds=[id])
    _denied(athena.list_query_executions, WorkGroup=theirs)
    _denied(athena.start_query_execution, QueryString="SELECT 1", WorkGroup=theirs)
    own = athena.list_query_executions(WorkGroup=world.lake["workgroups"][who])["QueryExecutionIds"]
    assert id not in own


def test_the_owner_of_results_reads_them(world: World) -> None:
    id = world.seen.told["QueryExecutionId"]
    found = world.client("zone-pii", "athena").get_query_results(QueryExecutionId=id)
    assert EMAIL in json.dumps(found["ResultSet"])


@pytest.mark.parametrize("who", [*WITHOUT, *SEES])
def test_no_object_is_read_past_the_catalog(world: World, who: str) -> None:
    s3 = world.client(who, "s3")
    for key in (world.data_file, world.metadata_file.split("/", 3)[3]):
        _denied(s3.get_object, Bucket=world.buckets["curated"], Key=key)
    for key in FOLDERS:
        why = _denied(s3.get_object, Bucket=world.buckets["raw"], Key=key)
        if who == "other":
            assert "explicit deny in a resource-based policy" in why, f"{key}: its own IAM would let it"
    if who == "other":
        _denied(s3.put_object, Bucket=world.buckets["curated"], Key="platform/gate.py", Body=b"")


@pytest.mark.parametrize("who", WITHOUT)
def test_the_key_opens_no_results_of_another(world: World, who: str) -> None:
    theirs = f"arn:aws:athena:{world.plain.world.region}:{world.plain.world.account}:workgroup/"
    theirs += world.lake["workgroups"]["zone-pii"]
    kms = world.client(who, "kms")
    key = {"KeyId": world.lake["kms_key"], "KeySpec": "AES_256"}
    _denied(kms.generate_data_key, **key, EncryptionContext={"aws:athena:arn": theirs})
    if who != "other":
        _denied(kms.generate_data_key, **key)


def test_iceberg_clients_get_files_for_whole_tables_alone(world: World) -> None:
    without = ("zone", "table", "rows", "writes-zone")
    refused = world.iceberg(*((who, "load_by_rest", "orders") for who in without))
    for who, answer in zip(without, refused, strict=True):
        assert "filter" in answer.get("refused", ""), f"{who}: {answer}"
    [stranger, whole, visits] = world.iceberg(
        ("other", "load_by_rest", "orders"),
        ("zone-pii", "load_by_rest", "orders"),
        ("writes", "load_by_rest", "visits"),
    )
    assert "Insufficient Lake Formation" in stranger["refused"]
    assert "email" in whole["columns"]
    assert visits == {"columns": ["visit_id", "page"], "rows": 1}


def _vended(world: World, who: str, table: str) -> Any:
    region, account = world.plain.world.region, world.plain.world.account
    return world.client(who, "lakeformation").get_temporary_glue_table_credentials(
        TableArn=f"arn:aws:glue:{region}:{account}:table/{world.database}/{table}",
        Permissions=["SELECT"],
        SupportedPermissionTypes=["COLUMN_PERMISSION"],
    )


def test_credentials_for_one_table_open_no_other(world: World) -> None:
    for who in ("zone", "table", "rows", "writes-zone", "writes", "other"):
        with pytest.raises(ClientError, match=r"PermissionTypeMismatch|Insufficient|AccessDenied"):
            _vended(world, who, "orders")
    given = _vended(world, "writes", "visits")
    names = {
        "AWS_ACCESS_KEY_ID": "AccessKeyId",
        "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
        "AWS_SESSION_TOKEN": "SessionToken",
    }
    s3 = world.session({name: given[key] for name, key in names.items()}).client(
        "s3", endpoint_url=world.endpoint
    )
    listed = s3.list_objects_v2(Bucket=world.buckets["curated"], Prefix="tables/visits/")["Contents"]
    assert s3.get_object(Bucket=world.buckets["curated"], Key=listed[0]["Key"])["Body"].read()
    _denied(s3.get_object, Bucket=world.buckets["curated"], Key=world.data_file)
    _denied(s3.list_objects_v2, Bucket=world.buckets["curated"], Prefix="tables/orders/")
    _denied(s3.get_object, Bucket=world.buckets["raw"], Key=FOLDERS[0])


@pytest.mark.parametrize("who", ["writes", "writes-zone"])
def test_a_writer_points_its_table_at_no_other_ones_files(world: World, who: str) -> None:
    glue = world.client(who, "glue")
    table = glue.get_table(DatabaseName=world.database, Name="visits")["Table"]
    kept = {key: table[key] for key in ("Name", "Parameters", "TableType")}
    descriptor = table["StorageDescriptor"]

    def point(**changed: Any) -> None:
        given = {**kept, "StorageDescriptor": descriptor, **changed}
        glue.update_table(DatabaseName=world.database, TableInput=given)

    elsewhere = {**descriptor, "Location": world.table["StorageDescriptor"]["Location"]}
    assert "Insufficient Lake Formation" in _denied(point, StorageDescriptor=elsewhere)
    point(Parameters={**kept["Parameters"], "metadata_location": world.metadata_file})
    try:
        why = world.athena(who).refused("SELECT * FROM visits")
        assert "Access Denied" in why, "the credentials are for the table's own folder"
    finally:
        point()
    assert world.athena(who).rows("SELECT page FROM visits") == [["/"]], "and it is its own again"


@pytest.mark.parametrize("who", [*GRANTS, "other"])
def test_no_role_that_reads_more_is_assumed_or_passed(world: World, who: str) -> None:
    roles = world.plain.aws("iam").list_roles()["Roles"]
    platform = [each["Arn"] for each in roles if each["RoleName"].startswith("acme-pii-")]
    assert len(platform) >= 4, "access, writer, optimizer, keeper"
    sts = world.client(who, "sts")
    for arn in platform:
        _denied(sts.assume_role, RoleArn=arn, RoleSessionName="test")
    if who == "other":
        location = world.plain.aws("lakeformation").describe_resource(
            ResourceArn=f"arn:aws:s3:::{world.buckets['curated']}/tables"
        )["ResourceInfo"]["RoleArn"]
        with pytest.raises(ClientError, match="assume"):
            world.client(who, "glue").create_job(
                Name="stolen",
                Role=location,
                Command={"Name": "glueetl", "ScriptLocation": "s3://somewhere/steal.py"},
            )


@pytest.mark.parametrize("who", WITHOUT)
def test_nobody_grants_itself_more(world: World, who: str) -> None:
    formation = world.client(who, "lakeformation")
    table = {"Table": {"DatabaseName": world.database, "Name": "orders"}}
    me = {"DataLakePrincipalIdentifier": world.arn(who)}
    _denied(formation.grant_permissions, Principal=me, Resource=table, Permissions=["SELECT"])
    _denied(formation.put_data_lake_settings, DataLakeSettings={"DataLakeAdmins": [me]})
    _denied(
        world.client(who, "iam").put_role_policy,
        RoleName=f"pii-{who}",
        PolicyName="more",
        PolicyDocument="{}",
    )
    lambda_ = world.client(who, "lambda")
    _denied(lambda_.invoke, FunctionName=world.lake["table_keeper"], Payload=b"{}")


def test_ddl_of_athena_works_for_whom_a_grant_names_and_for_nobody_else(world: World) -> None:
    assert world.athena("zone").done("SHOW TABLES").rows
    other = Asking(world.client("other", "athena"), "primary", world.database)
    world.plain.aws("athena").update_work_group(
        WorkGroup="primary",
        ConfigurationUpdates={"ManagedQueryResultsConfigurationUpdates": {"Enabled": True}},
    )
    assert "Required Describe on default" in other.refused("SHOW TABLES")
