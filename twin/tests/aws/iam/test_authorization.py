"""What the API server lets sessions of roles do: buckets, keys, roles, tables that Lake Formation governs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from twin.aws.api_server.request import environ_of
from twin.tests.aws.api_servers import Clients

BUCKET = "access-data"
LOCATION = f"s3://{BUCKET}/tables/orders"
COLUMNS = [
    {"Id": 1, "Name": "id", "Required": True, "Type": "long"},
    {"Id": 2, "Name": "at", "Required": False, "Type": "timestamptz"},
    {"Id": 3, "Name": "email", "Required": False, "Type": "string"},
]
CATALOG = ["glue:GetCatalog", "glue:GetTable", "glue:GetTables", "glue:GetDatabase", "glue:GetDatabases"]


def document(*statements: dict[str, Any]) -> str:
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def role(clients: Clients, name: str, *statements: dict[str, Any], service: str = "") -> str:
    """A role that the account, or a service, may assume."""
    account = f"arn:aws:iam::{clients.server.instance.account}:root"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service} if service else {"AWS": account},
        "Action": "sts:AssumeRole",
    }
    iam = clients("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn


def session(clients: Clients, arn: str, **more: Any) -> Clients:
    """The clients of a session of a role."""
    credentials = clients("sts").assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
    return Clients(clients.server, credentials)


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and words by which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error: Any = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"]


@pytest.fixture(scope="module")
def lake(clients: Clients) -> dict[str, str]:
    """A bucket under a key, a governed table in it, and roles with grants of several kinds."""
    account = clients.server.instance.account
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    files = allow("s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey")
    keeper = role(clients, "keeper", files, service="lakeformation.amazonaws.com")
    s3 = clients("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    past = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{BUCKET}/tables/*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [keeper]}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(past))
    admin = {"DataLakePrincipalIdentifier": f"arn:aws:iam::{account}:role/platform-deployer"}
    formation = clients("lakeformation")
    formation.put_data_lake_settings(
        DataLakeSettings={"DataLakeAdmins": [admin], "AllowFullTableExternalDataAccess": True}
    )
    formation.register_resource(ResourceArn=f"arn:aws:s3:::{BUCKET}/tables", RoleArn=keeper)
    glue = clients("glue")
    glue.create_database(DatabaseInput={"Name": "shop", "LocationUri": f"s3://{BUCKET}/tables"})
    declared = {"Location": LOCATION, "Schema": {"Type": "struct", "Fields": COLUMNS}}
    glue.create_table(
        DatabaseName="shop",
        Name="orders",
        OpenTableFormatInput={
            "IcebergInput": {"MetadataOperation": "CREATE", "CreateIcebergTableInput": declared}
        },
    )
    asks = allow(*CATALOG, "glue:UpdateTable", "lakeformation:GetDataAccess")
    places = {"key": key, "keeper": keeper}
    for name in ("reader", "masked", "filtered", "writer", "stranger"):
        places[name] = role(clients, name, asks)
    table = {"DatabaseName": "shop", "Name": "orders"}
    formation.create_data_cells_filter(
        TableData={
            "TableCatalogId": account,
            "DatabaseName": "shop",
            "TableName": "orders",
            "Name": "few",
            "ColumnNames": ["id", "at"],
            "RowFilter": {"FilterExpression": "id > 3"},
        }
    )
    few = {"TableCatalogId": account, "DatabaseName": "shop", "TableName": "orders", "Name": "few"}
    for name, resource, permissions in (
        ("reader", {"Table": table}, ["DESCRIBE", "SELECT"]),
        ("masked", {"TableWithColumns": {**table, "ColumnNames": ["id"]}}, ["SELECT"]),
        ("filtered", {"DataCellsFilter": few}, ["SELECT"]),
        ("writer", {"Table": table}, ["ALTER", "DESCRIBE", "INSERT", "SELECT"]),
    ):
        who = {"DataLakePrincipalIdentifier": places[name]}
        formation.grant_permissions(Principal=who, Resource=resource, Permissions=permissions)
    return places


def rest(clients: Clients, method: str, path: str, body: Any = None, **more: str) -> tuple[int, Any]:
    """A signed request to Glue's Iceberg REST endpoint."""
    key = clients("glue")._request_signer._credentials
    url = f"http://127.0.0.1/iceberg/v1/{path}"
    text = json.dumps(body).encode() if body else b""
    request = AWSRequest(method, url, {"Host": "127.0.0.1", **more}, text)
    SigV4Auth(Credentials(key.access_key, key.secret_key, key.token), "glue", "us-west-2").add_auth(request)
    environ = environ_of(method, f"/iceberg/v1/{path}", list(request.headers.items()), text)
    answer = clients.server.handle(environ)
    return answer.status, json.loads(answer.body or b"null")


def orders(clients: Clients) -> str:
    """The path of the table."""
    return f"catalogs/{clients.server.instance.account}/namespaces/shop/tables/orders"


def test_a_buckets_policy_denies_by_its_conditions_the_deployer_too(
    clients: Clients, lake: dict[str, str]
) -> None:
    file = f"{LOCATION}/metadata/x".partition(f"{BUCKET}/")[2]
    code, why = refused(clients("s3").put_object, Bucket=BUCKET, Key=file, Body=b"")
    assert (code, "explicit deny in a resource-based policy" in why) == ("AccessDenied", True)
    assert clients("s3").put_object(Bucket=BUCKET, Key="other", Body=b"")
    _, why = refused(session(clients, lake["reader"])("s3").get_object, Bucket=BUCKET, Key="other")
    assert "no identity-based policy allows the s3:GetObject action" in why


def test_an_object_under_a_key_needs_the_key(clients: Clients, lake: dict[str, str]) -> None:
    clients("s3").put_object(Bucket=BUCKET, Key="secret", Body=b"x")
    arn = role(clients, "without-key", allow("s3:GetObject", "s3:PutObject"))
    mine = session(clients, arn)("s3")
    assert "kms:Decrypt" in refused(mine.get_object, Bucket=BUCKET, Key="secret")[1]
    assert "kms:GenerateDataKey" in refused(mine.put_object, Bucket=BUCKET, Key="new", Body=b"")[1]
    use = document(allow("kms:Decrypt", resource=lake["key"]))
    clients("iam").put_role_policy(RoleName="without-key", PolicyName="key", PolicyDocument=use)
    assert mine.get_object(Bucket=BUCKET, Key="secret")["Body"].read() == b"x"
    assert "s3:ListBucket" in refused(mine.get_object, Bucket=BUCKET, Key="absent")[1], (
        "the role may not list"
    )


def test_a_session_is_let_in_by_trust_and_bounded_by_its_policy(clients: Clients) -> None:
    service = role(clients, "of-a-service", service="glue.amazonaws.com")
    code, _ = refused(clients("sts").assume_role, RoleArn=service, RoleSessionName="test")
    assert code == "AccessDenied", "its trust policy names Glue alone"
    arn = role(clients, "bounded", allow("glue:GetDatabases", "glue:GetTables"))
    narrow = session(clients, arn, Policy=document(allow("glue:GetTables")))
    _, why = refused(narrow("glue").get_databases)
    assert "no session policy allows the glue:GetDatabases action" in why
    assert session(clients, arn)("glue").get_databases()["DatabaseList"] == [], "Lake Formation shows none"
    _, why = refused(session(clients, arn)("ec2").describe_vpcs)
    assert "ec2:DescribeVpcs" in why
    _, why = refused(narrow("sts").assume_role, RoleArn=arn, RoleSessionName="again")
    assert "sts:AssumeRole" in why, "the account is trusted, so its own policies decide"


def test_a_token_that_is_not_the_sessions_is_refused(clients: Clients, lake: dict[str, str]) -> None:
    credentials = clients("sts").assume_role(RoleArn=lake["reader"], RoleSessionName="test")["Credentials"]
    thief = Clients(clients.server, {**credentials, "SessionToken": "another"})
    assert refused(thief("sts").get_caller_identity)[0] == "InvalidClientTokenId"
    assert refused(thief("glue").get_databases)[0] == "UnrecognizedClientException"
    guesser = Clients(clients.server, {**credentials, "SecretAccessKey": "another"})
    assert refused(guesser("glue").get_databases)[0] == "InvalidSignatureException"
    assert refused(guesser("s3").list_buckets)[0] == "SignatureDoesNotMatch"
    assert refused(guesser("sts").get_caller_identity)[0] == "SignatureDoesNotMatch"


def test_glue_shows_a_table_as_far_as_it_is_granted(clients: Clients, lake: dict[str, str]) -> None:
    def columns(who: str) -> list[str]:
        response = session(clients, lake[who])("glue").get_table(DatabaseName="shop", Name="orders")["Table"]
        return [column["Name"] for column in response["StorageDescriptor"]["Columns"]]

    assert columns("reader") == ["id", "at", "email"]
    assert columns("masked") == ["id"]
    assert columns("filtered") == ["id", "at"]
    stranger = session(clients, lake["stranger"])("glue")
    code, why = refused(stranger.get_table, DatabaseName="shop", Name="orders")
    assert (code, why) == (
        "AccessDeniedException",
        "Insufficient Lake Formation permission(s): Required Describe on orders",
    )
    assert stranger.get_tables(DatabaseName="shop")["TableList"] == []
    reader = session(clients, lake["reader"])("glue")
    table = {"Name": "orders", "StorageDescriptor": {"Location": LOCATION}}
    assert "Required Alter" in refused(reader.update_table, DatabaseName="shop", TableInput=table)[1]


def test_credentials_are_for_the_tables_folder_and_for_who_may_read_all_of_it(
    clients: Clients, lake: dict[str, str]
) -> None:
    arn = f"arn:aws:glue:us-west-2:{clients.server.instance.account}:table/shop/orders"

    def vend(who: str) -> Any:
        return session(clients, lake[who])("lakeformation").get_temporary_glue_table_credentials

    credentials = vend("reader")(TableArn=arn)
    assert credentials["VendedS3Path"] == [LOCATION]
    s3 = Clients(clients.server, credentials)("s3")
    where = clients("glue").get_table(DatabaseName="shop", Name="orders")["Table"]["Parameters"]
    file = where["metadata_location"].partition(f"{BUCKET}/")[2]
    assert s3.get_object(Bucket=BUCKET, Key=file)["Body"].read()
    assert "no session policy" in refused(s3.get_object, Bucket=BUCKET, Key="other")[1]
    assert "no session policy" in refused(s3.put_object, Bucket=BUCKET, Key=file, Body=b"")[1]
    assert refused(vend("masked"), TableArn=arn)[0] == "PermissionTypeMismatchException"
    assert refused(vend("filtered"), TableArn=arn)[0] == "PermissionTypeMismatchException"
    assert "Required Select" in refused(vend("stranger"), TableArn=arn)[1]


def test_the_rest_endpoint_reads_by_grant_and_commits_by_leave_to_alter(
    clients: Clients, lake: dict[str, str]
) -> None:
    delegated = {"X-Iceberg-Access-Delegation": "vended-credentials"}
    reader, writer = session(clients, lake["reader"]), session(clients, lake["writer"])
    status, config = rest(reader, "GET", "config?warehouse=" + clients.server.instance.account)
    assert (status, config["overrides"]["prefix"]) == (200, f"catalogs/{clients.server.instance.account}")
    status, loaded = rest(reader, "GET", orders(clients), **delegated)
    assert (status, loaded["storage-credentials"][0]["prefix"]) == (200, LOCATION)
    assert [field["name"] for field in loaded["metadata"]["schemas"][0]["fields"]] == ["id", "at", "email"]
    assert "config" in loaded
    assert not rest(writer, "GET", orders(clients))[1]["config"], "none were asked for"
    for who in ("masked", "filtered", "stranger"):
        status, refusal = rest(session(clients, lake[who]), "GET", orders(clients), **delegated)
        assert (status, refusal["error"]["type"]) == (403, "AccessDeniedException"), who
    change = {
        "requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0}],
        "updates": [{"action": "set-properties", "updates": {"team": "shop"}}],
    }
    assert rest(reader, "POST", orders(clients), change)[0] == 403
    status, response = rest(writer, "POST", orders(clients), change)
    assert (status, response["metadata"]["properties"]) == (200, {"team": "shop"})
    assert response["metadata"]["metadata-log"][0]["metadata-file"] == loaded["metadata-location"]
    stale = {**change, "requirements": [{"type": "assert-current-schema-id", "current-schema-id": 7}]}
    status, refusal = rest(writer, "POST", orders(clients), stale)
    assert (status, refusal["error"]["type"]) == (409, "CommitFailedException")


def moved_to(clients: Clients, location: str) -> dict[str, Any]:
    """UpdateTable's arguments that point the table to a location."""
    table = clients("glue").get_table(DatabaseName="shop", Name="orders")["Table"]
    table_input = {key: table[key] for key in ("Name", "Parameters", "TableType") if key in table}
    return {
        "DatabaseName": "shop",
        "TableInput": {
            **table_input,
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
        },
    }


def test_a_table_is_pointed_elsewhere_with_leave_for_the_new_place_alone(
    clients: Clients, lake: dict[str, str]
) -> None:
    writer = session(clients, lake["writer"])
    update = writer("glue").update_table
    update(**moved_to(clients, LOCATION))
    code, why = refused(update, **moved_to(clients, f"s3://{BUCKET}/tables/customers"))
    assert (code, why.split(" on ")[0]) == (
        "AccessDeniedException",
        "Insufficient Lake Formation permission(s)",
    ), "its database's own location is leave to create a table and not to move one"
    moved = {"updates": [{"action": "set-location", "location": f"s3://{BUCKET}/tables/customers"}]}
    assert rest(writer, "POST", orders(clients), {"requirements": [], **moved})[0] == 403


def test_a_role_is_given_to_a_job_by_whom_may_pass_it_alone(clients: Clients) -> None:
    mighty = role(clients, "mighty", allow("s3:GetObject"), service="glue.amazonaws.com")
    create = allow("glue:CreateJob")
    job = {"Name": "steal", "Role": mighty, "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"}}
    without = session(clients, role(clients, "makes-jobs", create))
    code, why = refused(without("glue").create_job, **job)
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {mighty}" in why
    narrow = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    elsewhere = {**allow("iam:PassRole", resource=mighty), "Condition": narrow}
    refused(session(clients, role(clients, "passes-elsewhere", create, elsewhere))("glue").create_job, **job)
    passes = role(clients, "passes", create, allow("iam:PassRole", resource=mighty))
    assert session(clients, passes)("glue").create_job(**job)["Name"] == "steal"


def test_a_request_that_was_signed_by_another_is_refused(clients: Clients, lake: dict[str, str]) -> None:
    mine = session(clients, lake["reader"])
    key = mine("glue")._request_signer._credentials
    key.secret_key = "not-mine"
    status, refusal = rest(mine, "GET", orders(clients))
    assert (status, refusal["error"]["type"]) == (403, "InvalidSignatureException")
    unsigned = clients.server.handle(environ_of("GET", "/iceberg/v1/config", [], b""))
    assert (unsigned.status, b"Missing Authentication Token" in unsigned.body) == (403, True)


def evolve(clients: Clients, *columns: dict[str, Any], **more: Any) -> None:
    """UpdateTable with a declared schema."""
    update = {"Schema": {"Type": "struct", "Fields": [*COLUMNS, *columns]}, "Location": LOCATION, **more}
    clients("glue").update_table(
        DatabaseName="shop",
        Name="orders",
        UpdateOpenTableFormatInput={"UpdateIcebergInput": {"UpdateIcebergTableInput": {"Updates": [update]}}},
    )


def column(id: int, kind: str = "string", *, required: bool = False) -> dict[str, Any]:
    """Another column."""
    return {"Id": id, "Name": f"c{id}", "Required": required, "Type": kind}


def test_update_table_evolves_a_schema_as_iceberg_does(clients: Clients, lake: dict[str, str]) -> None:
    evolve(clients, column(4, "int"))
    spec = {"Fields": [{"Name": "at_day", "SourceId": 2, "Transform": "day"}]}
    evolve(clients, column(4, "long"), PartitionSpec=spec)
    metadata = rest(clients, "GET", orders(clients))[1]["metadata"]
    assert [schema["schema-id"] for schema in metadata["schemas"]] == [0, 1, 2]
    assert metadata["current-schema-id"] == 2
    assert metadata["partition-specs"][-1]["fields"][0]["field-id"] == 1000
    before = clients("glue").get_table(DatabaseName="shop", Name="orders")["Table"]["Parameters"]
    evolve(clients, column(4, "long"), PartitionSpec=spec)
    after = clients("glue").get_table(DatabaseName="shop", Name="orders")["Table"]["Parameters"]
    assert after == before, "what is so already writes nothing"
    for bad, why in (
        (column(4, "string"), "Cannot change column type: c4: long -> string"),
        (column(5, required=True), "cannot add required column without a default value: c5"),
        (column(3), "multiple fields for id 3"),
        (column(5, "money"), "Cannot parse type string to primitive: money"),
    ):
        with pytest.raises(ClientError, match=why):
            evolve(clients, bad)


def test_a_secret_is_read_by_whom_its_policy_or_its_own_lets_and_under_its_key(clients: Clients) -> None:
    named = role(clients, "secret-named")
    allowed = role(clients, "secret-allowed", allow("secretsmanager:GetSecretValue"))
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": named},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.us-west-2.amazonaws.com"}},
    }
    root = {"AWS": f"arn:aws:iam::{clients.server.instance.account}:root"}
    account = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    key = clients("kms").create_key(Policy=document(account, statement))["KeyMetadata"]["Arn"]
    secrets = clients("secretsmanager")
    secret = secrets.create_secret(Name="held", SecretString="x", KmsKeyId=key)["ARN"]
    params = {"SecretId": secret}
    read = session(clients, named)("secretsmanager").get_secret_value
    assert "no identity-based policy" in refused(read, **params)[1]
    policy = {
        "Effect": "Allow",
        "Principal": {"AWS": named},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=document(policy))
    assert read(**params)["SecretString"] == "x", "secret and key name it: it needs no other permission"
    code, why = refused(session(clients, allowed)("secretsmanager").get_secret_value, **params)
    assert (code, "kms:Decrypt" in why) == ("AccessDeniedException", True), "the key asks, too"
