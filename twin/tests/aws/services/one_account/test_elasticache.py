"""ElastiCache through the API server: authorization, and a serverless cache."""

from __future__ import annotations

from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make

USER = "aws:elasticache/user:User"
GROUP = "aws:elasticache/userGroup:UserGroup"
CACHE = "aws:elasticache/serverlessCache:ServerlessCache"
ACCESS = "on ~* -@all +@read +@write +@connection -@dangerous +cluster|slots +command"
PASSWORD = "p" * 20


@pytest.fixture(scope="module")
def place(clients: Clients, key: str) -> dict[str, Any]:
    """A network of two zones, a group in it and one elsewhere, a key."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-west-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for i, zone in enumerate("aab")
    ]
    groups = [
        ec2.create_security_group(GroupName="cache", Description="d", VpcId=vpc_id)["GroupId"]
        for vpc_id in (vpc, other)
    ]
    return {"vpc": vpc, "subnets": subnets, "group": groups[0], "other": groups[1], "key": key}


def user(**more: Any) -> Props:
    """A user as the feature store makes it."""
    arguments = {"userId": "feast", "userName": "feast", "engine": "valkey", "accessString": ACCESS}
    return {**arguments, "passwords": [PASSWORD], **more}


def test_a_cache_with_its_users_lives_and_goes(clients: Clients, place: dict[str, Any]) -> None:
    context = clients.context()
    feast = make(context, USER, **user(), tags={"team": "ml"})
    assert feast.outputs["authenticationMode"] == {"type": "password", "passwordCount": 1}
    assert feast.update(accessString="on ~f:* +@read")["accessString"] == "on ~f:* +@read"
    reader = make(
        context,
        USER,
        **{
            **user(userId="reader", userName="reader"),
            "passwords": None,
            "authenticationMode": {"type": "iam"},
        },
    )
    group = make(context, GROUP, userGroupId="features", engine="valkey", userIds=["feast"])
    assert sorted(group.update(userIds=["feast", "reader"])["userIds"]) == ["feast", "reader"]
    arguments: Props = {
        "name": "features",
        "engine": "valkey",
        "majorEngineVersion": "8",
        "kmsKeyId": place["key"],
        "securityGroupIds": [place["group"]],
        "subnetIds": place["subnets"][1:],
        "userGroupId": "features",
        "snapshotRetentionLimit": 7,
        "dailySnapshotTime": "04:00",
    }
    for change, path, words in (
        ({"subnetIds": place["subnets"][:2]}, "subnetIds", "in different zones"),
        ({"subnetIds": place["subnets"][:1]}, "subnetIds", "two or three subnets"),
        ({"securityGroupIds": [place["other"]]}, "securityGroupIds", "not in the VPC of the cache"),
        ({"majorEngineVersion": "6"}, "majorEngineVersion", "Invalid major engine version 6"),
        ({"userGroupId": "none"}, "userGroupId", "User Group none not found"),
        ({"snapshotRetentionLimit": 36}, "snapshotRetentionLimit", "between 0 and 35"),
        ({"kmsKeyId": "arn:aws:kms:us-west-2:1:key/none"}, "kmsKeyId", "does not exist"),
        (
            {"cacheUsageLimits": {"ecpuPerSeconds": [{"maximum": 10}]}},
            "cacheUsageLimits",
            "ECPUPerSecond must be between",
        ),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(context, CACHE, **{**arguments, **change})
        assert error.value.path == path
    cache = make(context, CACHE, **arguments, tags={"team": "ml"})
    outputs = cache.outputs
    assert outputs["endpoints"][0]["port"] == 6379
    assert outputs["endpoints"][0]["address"].endswith(".serverless.usw2.cache.amazonaws.com")
    assert outputs["fullEngineVersion"].startswith("8.")
    limits = {"dataStorage": {"maximum": 10, "unit": "GB"}, "ecpuPerSeconds": [{"maximum": 5000}]}
    assert cache.update(cacheUsageLimits=limits)["cacheUsageLimits"] == limits
    elasticache = clients("elasticache")
    with pytest.raises(elasticache.exceptions.InvalidUserGroupStateFault, match="in use by the cache"):
        elasticache.delete_user_group(UserGroupId="features")
    for resource in (cache, group, reader, feast):
        resource.delete()
        assert resource.read() is None
    assert not [name for name in clients.server._inventory.of(clients.server) if "cache" in name]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"passwords": ["short"]}, "passwords", "between 16-128 characters"),
        ({"passwords": None}, "authenticationMode", "needs a password"),
        ({"passwords": None, "noPasswordRequired": True}, "authenticationMode", "engine valkey must have"),
        ({"accessString": "~* +@all"}, "accessString", "begins with `on` or `off`"),
        ({"accessString": "on ~* +@everything"}, "accessString", "is no rule"),
        (
            {"passwords": None, "authenticationMode": {"type": "iam"}, "userName": "other"},
            "userName",
            "must be the same",
        ),
    ],
)
def test_what_elasticache_refuses_of_a_user(clients: Clients, change: Any, path: str, words: str) -> None:
    with pytest.raises(CloudError, match=words) as error:
        make(clients.context(), USER, **user(**change))
    assert error.value.path == path


def test_a_new_user_has_none_of_the_tags_of_one_that_was_called_so(clients: Clients) -> None:
    first = make(clients.context(), USER, **user(), tags={"team": "ml"})
    first.delete()
    again = make(clients.context(), USER, **user())
    assert again.outputs["tagsAll"] == {}
    again.delete()
