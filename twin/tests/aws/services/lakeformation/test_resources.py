"""Lake Formation through the API server: administrators, places, tags, grants, filters, as strict as AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.server import ApiServer
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.resources.life import Made, make, refused

SETTINGS = "aws:lakeformation/dataLakeSettings:DataLakeSettings"
LOCATION = "aws:lakeformation/resource:Resource"
TAG = "aws:lakeformation/lfTag:LfTag"
TAGS = "aws:lakeformation/resourceLfTags:ResourceLfTags"
ONE_TAG = "aws:lakeformation/resourceLfTag:ResourceLfTag"
GRANT = "aws:lakeformation/permissions:Permissions"
FILTER = "aws:lakeformation/dataCellsFilter:DataCellsFilter"


def filter_of(account: str, **more: Any) -> dict[str, Any]:
    return {
        "tableCatalogId": account,
        "databaseName": "lake",
        "tableName": "events",
        "name": "no-mail",
        "rowFilter": {"filterExpression": "price > 10"},
        "columnWildcard": {"excludedColumnNames": ["email"]},
        **more,
    }


@pytest.fixture(scope="module")
def place(clients: Clients) -> dict[str, str]:
    account = clients.server.instance.account
    context = clients.context()
    early = lake.database(clients, "early")
    everybody = [
        {"permissions": ["ALL"], "principal": {"dataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}
    ]
    assert early.outputs["createTableDefaultPermissions"] == everybody
    resource = {"Database": {"Name": "early"}}
    list_permissions = clients("lakeformation").list_permissions
    assert list_permissions(Resource=resource)["PrincipalResourcePermissions"][0]["Permissions"] == ["ALL"]
    early.delete()
    assert not list_permissions(Resource=resource)["PrincipalResourcePermissions"]
    with pytest.raises(CloudError) as caught:
        make(context, TAG, key="early", values=["x"])
    assert caught.value.code == "AccessDeniedException", "the deployer is no administrator yet"
    deployer = f"arn:aws:iam::{account}:role/platform-deployer"
    created = make(context, SETTINGS, admins=[deployer])
    assert created.outputs["admins"] == [deployer]
    settings = clients("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert not settings.get("CreateTableDefaultPermissions"), "what is left out is cleared"
    lake.bucket(clients, "lake-raw")
    lake.database(clients, "lake")
    lake.table(clients, "lake", "events", "s3://lake-raw/events")
    assert not list_permissions()["PrincipalResourcePermissions"], (
        "no principal has access by IAM alone any more"
    )
    place = {"account": account, "arn": "arn:aws:s3:::lake-raw"}
    place["keeper"] = lake.role(clients, "lake-keeper", "lakeformation.amazonaws.com")
    place["team"] = lake.role(clients, "lake-team", "ec2.amazonaws.com")
    make(context, TAG, key="class", values=["public", "pii"])
    make(context, FILTER, tableData=filter_of(account))
    return place


def test_a_place_is_a_bucket_with_a_role_that_can_be_assumed(clients: Clients, place: dict[str, str]) -> None:
    context = clients.context()
    location = make(context, LOCATION, arn=place["arn"], roleArn=place["keeper"], hybridAccessEnabled=False)
    assert location.outputs["roleArn"] == place["keeper"]
    for arn, role, path in (
        (place["arn"], place["keeper"], "arn"),
        ("arn:aws:s3:::not-there", place["keeper"], "arn"),
        ("arn:aws:s3:::lake-raw/x", place["team"], "roleArn"),
    ):
        with pytest.raises(CloudError) as caught:
            make(context, LOCATION, arn=arn, roleArn=role)
        assert caught.value.path == path
    where = {"dataLocation": {"arn": f"{place['arn']}/events"}}
    grant = make(context, GRANT, principal=place["team"], permissions=["DATA_LOCATION_ACCESS"], **where)
    grant.delete()
    location.delete()
    with pytest.raises(CloudError, match="register the S3 path"):
        make(context, GRANT, principal=place["team"], permissions=["DATA_LOCATION_ACCESS"], **where)


def test_an_lf_tag_changes_its_values_and_is_put_on_things(clients: Clients, place: dict[str, str]) -> None:
    context = clients.context()
    tag = make(context, TAG, key="team", values=["a", "b"])
    assert tag.update(values=["b", "c"])["values"] == ["b", "c"]
    on: list[Made] = [
        make(context, TAGS, database={"name": "lake"}, lfTags=[{"key": "team", "value": "b"}]),
        make(
            context,
            TAGS,
            tableWithColumns={"databaseName": "lake", "name": "events", "columnNames": ["email"]},
            lfTags=[{"key": "class", "value": "pii"}],
        ),
    ]
    table = {"DatabaseName": "lake", "Name": "events", "ColumnNames": ["email"]}
    tags = clients("lakeformation").get_resource_lf_tags(Resource={"TableWithColumns": table})
    assert tags["LFTagsOnColumns"][0]["LFTags"] == [
        {"CatalogId": place["account"], "TagKey": "class", "TagValues": ["pii"]},
        {"CatalogId": place["account"], "TagKey": "team", "TagValues": ["b"]},
    ], "a column has its database's tags too"
    with pytest.raises(CloudError) as caught:
        make(context, TAGS, database={"name": "lake"}, lfTags=[{"key": "team", "value": "z"}])
    assert caught.value.path == "lfTags"
    for resource in on:
        resource.delete()
        assert resource.read() is None
    tag.delete()
    for key, values, path in (("k" * 51, ["v"], "key"), ("k", ["v" * 51], "values")):
        with pytest.raises(CloudError, match="at most 50") as caught:
            make(context, TAG, key=key, values=values)
        assert caught.value.path == path


def test_one_lf_tag_lets_others_be_and_a_list_of_them_does_not(
    clients: Clients, place: dict[str, str]
) -> None:
    """As the provider reads them: `aws_lakeformation_resource_lf_tags` sets all tags that it finds."""
    context, database = clients.context(), {"name": "lake"}
    tags = [make(context, TAG, key=key, values=["yes"]) for key in ("mine", "theirs")]
    listed_tags = make(context, TAGS, database=database, lfTags=[{"key": "mine", "value": "yes"}])
    theirs = make(context, ONE_TAG, database=database, lfTag={"key": "theirs", "value": "yes"})
    read = theirs.read()
    assert read is not None
    assert read["lfTag"]["key"] == "theirs"
    drifted = listed_tags.read()
    assert drifted is not None
    assert {lf_tag["key"] for lf_tag in drifted["lfTags"]} == {"mine", "theirs"}, (
        "a replacement, for the provider"
    )
    theirs.delete()
    assert theirs.read() is None
    still = listed_tags.read()
    assert still is not None
    assert [lf_tag["key"] for lf_tag in still["lfTags"]] == ["mine"]
    for resource in (listed_tags, *tags):
        resource.delete()


def test_a_grant_is_read_back_and_revoked(clients: Clients, place: dict[str, str]) -> None:
    context = clients.context()
    columns = {"databaseName": "lake", "name": "events", "wildcard": True, "excludedColumnNames": ["email"]}
    policy = {"resourceType": "TABLE", "expressions": [{"key": "class", "values": ["public"]}]}
    cells = filter_of(place["account"])
    of = {name: cells[name] for name in ("tableCatalogId", "databaseName", "tableName", "name")}
    for wanted, permissions in (
        ({"database": {"name": "lake"}}, ["DESCRIBE"]),
        ({"table": {"databaseName": "lake", "name": "events"}}, ["SELECT", "DESCRIBE"]),
        ({"table": {"databaseName": "lake", "wildcard": True}}, ["DESCRIBE"]),
        ({"tableWithColumns": columns}, ["SELECT"]),
        ({"lfTagPolicy": policy}, ["SELECT"]),
        ({"dataCellsFilter": of}, ["SELECT"]),
    ):
        grant = make(context, GRANT, principal=place["team"], permissions=permissions, **wanted)
        assert grant.outputs["permissions"] == permissions, "the order of the program stays"
        assert "lakeformation/lf_grants" in clients.server._inventory.of(clients.server)
        grant.delete()
        assert grant.read() is None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"principal": "arn:aws:iam::{account}:role/absent"}, "principal"),
        ({"permissions": ["SELECT"], "table": None, "database": {"name": "lake"}}, "permissions"),
        ({"table": {"databaseName": "nowhere", "name": "events"}}, "database.name"),
        ({"table": {"databaseName": "lake", "name": "nothing"}}, "table.name"),
        (
            {
                "table": None,
                "tableWithColumns": {"databaseName": "lake", "name": "events", "columnNames": ["nothing"]},
            },
            "tableWithColumns.columnNames",
        ),
        (
            {
                "table": None,
                "lfTagPolicy": {
                    "resourceType": "TABLE",
                    "expressions": [{"key": "class", "values": ["secret"]}],
                },
            },
            "lfTagPolicy.expressions",
        ),
        ({"permissionsWithGrantOptions": ["INSERT"]}, "permissionsWithGrantOptions"),
    ],
)
def test_a_grant_that_means_nothing_is_refused(
    clients: Clients, place: dict[str, str], changes: dict[str, Any], path: str
) -> None:
    grant_inputs: dict[str, Any] = {
        "principal": place["team"],
        "permissions": ["SELECT"],
        "table": {"databaseName": "lake", "name": "events"},
        **changes,
    }
    grant_inputs["principal"] = grant_inputs["principal"].format(**place)
    with pytest.raises(CloudError) as caught:
        make(
            clients.context(),
            GRANT,
            **{name: value for name, value in grant_inputs.items() if value is not None},
        )
    assert caught.value.path == path


def test_a_grant_is_of_exactly_one_thing(clients: Clients, place: dict[str, str]) -> None:
    failures = refused(
        clients.context(),
        GRANT,
        principal=place["team"],
        permissions=["DESCRIBE"],
        database={"name": "lake"},
        table={"databaseName": "lake", "name": "events"},
    )
    assert "only one of" in failures["database"]


def test_a_filter_names_columns_that_are_there(clients: Clients, place: dict[str, str]) -> None:
    context, account = clients.context(), place["account"]
    data = filter_of(account, name="other")
    filter_ = make(context, FILTER, tableData=data)
    assert filter_.id == f"lake,other,{account},events"
    changed = filter_.update(tableData={**data, "rowFilter": {"filterExpression": "price > 20"}})
    assert changed["tableData"]["rowFilter"] == {"filterExpression": "price > 20"}
    filter_.delete()
    assert filter_.read() is None
    with pytest.raises(CloudError) as caught:
        make(context, FILTER, tableData=filter_of(account, columnWildcard=None, columnNames=["x"]))
    assert caught.value.path == "tableData.columnNames"


def test_a_killed_front_remembers_and_a_table_that_goes_takes_its_grants_along(
    clients: Clients, place: dict[str, str]
) -> None:
    lake.table(clients, "lake", "going", "s3://lake-raw/going")
    table = {"databaseName": "lake", "name": "going"}
    make(clients.context(), GRANT, principal=place["team"], permissions=["SELECT"], table=table)
    forget()
    clients.server.close()
    clients.server = ApiServer(clients.server.instance)
    assert not clients.server.replayed.renamed
    resource = {"Table": {"DatabaseName": "lake", "Name": "going"}}
    list_permissions = clients("lakeformation").list_permissions
    assert len(list_permissions(Resource=resource)["PrincipalResourcePermissions"]) == 1
    clients("glue").delete_table(DatabaseName="lake", Name="going")
    assert not list_permissions(Resource=resource)["PrincipalResourcePermissions"]


def test_an_administrator_must_exist(clients: Clients, place: dict[str, str]) -> None:
    absent = {"DataLakePrincipalIdentifier": f"arn:aws:iam::{place['account']}:role/absent"}
    with pytest.raises(ClientError, match="Invalid principal"):
        clients("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [absent]})
