"""What is read of an AWS account, on moto: tags, costs, what is in use, and deletions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.clients.aws import Client
from cli.estimate import table
from cli.sweep import costs, kinds
from cli.sweep.aws import machines, networks, records, retained
from cli.sweep.item import Item, Kind, Scope
from tests.cli.sweep import fakes
from tests.cli.sweep.fakes import HERITAGE, OURS

TAGS = [{"Key": key, "Value": value} for key, value in OURS.items()]
REGION = "us-west-2"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scope]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    # moto makes 1300 images in each new account, of which no test needs one: a second of CPU.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield fakes.scope(Client(REGION))


def aws(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


def tagged(of: Scope, kind: Kind) -> list[Item]:
    """Return what has tags: moto's accounts have resources from the start."""
    return [item for item in fakes.read(of, [kind]) if item.tags]


def monthly(item: Item) -> float | None:
    return costs.monthly(item, table.load("aws"))


def test_every_kind_of_an_empty_account_can_be_read(account: Scope) -> None:
    items = fakes.read(account, kinds.of("aws"))
    assert [item for item in items if item.tags or item.exact or item.reason] == []


def test_volume_has_its_tags_and_price_and_is_deleted(account: Scope) -> None:
    volume = {"AvailabilityZone": f"{REGION}a", "VolumeType": "gp3"}
    of_volume = [{"ResourceType": "volume", "Tags": TAGS}]
    aws("ec2").create_volume(**volume, Size=100, Iops=4000, Throughput=225, TagSpecifications=of_volume)
    (item,) = tagged(account, machines.VOLUMES)
    assert item.tags == OURS
    assert item.busy == ""
    assert monthly(item) == pytest.approx(100 * 0.08 + 1000 * 0.005 + 100 * 0.04)
    assert item.command == f"aws --region {REGION} ec2 delete-volume --volume-id {item.id}"
    assert item.delete is not None
    item.delete(account.client)
    assert tagged(account, machines.VOLUMES) == []


def test_attached_volume_is_in_use_and_its_instance_is_ended(account: Scope) -> None:
    ec2 = aws("ec2")
    image = ec2.register_image(Name="image")["ImageId"]
    karpenter = [{"ResourceType": "instance", "Tags": [{"Key": "eks:eks-cluster-name", "Value": "c"}]}]
    instance = ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="m7i.large", TagSpecifications=karpenter
    )["Instances"][0]["InstanceId"]
    (volume,) = fakes.read(account, [machines.VOLUMES])
    assert volume.busy == f"attached to {instance}"
    (item,) = tagged(account, machines.INSTANCES)
    assert monthly(item) == pytest.approx(730 * 0.1008)
    assert item.delete is not None
    item.delete(account.client)
    assert fakes.read(account, [machines.INSTANCES]) == []


def test_load_balancers_of_both_generations_have_tags_network_and_price(account: Scope) -> None:
    ec2 = aws("ec2")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.0.{place}.0/24", AvailabilityZone=f"{REGION}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for place, zone in enumerate("ab")
    ]
    for place in range(21):
        aws("elbv2").create_load_balancer(Name=f"k8s-{place}", Subnets=subnets, Type="network", Tags=TAGS)
    listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}
    aws("elb").create_load_balancer(LoadBalancerName="old", Listeners=[listener], Subnets=subnets, Tags=TAGS)
    balancers = tagged(account, networks.BALANCERS)
    assert len(balancers) == 21, "tags are read for twenty at a time"
    assert {(item.network, monthly(item)) for item in balancers} == {(network, 730 * 0.0225)}
    (old,) = tagged(account, networks.CLASSIC_BALANCERS)
    assert (old.network, monthly(old)) == (network, pytest.approx(730 * 0.025))
    for item in (old, *balancers):
        assert item.delete is not None
        item.delete(account.client)
    assert fakes.read(account, [networks.BALANCERS, networks.CLASSIC_BALANCERS]) == []


def test_default_group_and_interface_in_use_are_no_remains(account: Scope) -> None:
    ec2 = aws("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(GroupName="k8s-x", Description="x", VpcId=subnet["VpcId"])["GroupId"]
    interface = ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]
    assert [item.id for item in fakes.read(account, [networks.SECURITY_GROUPS])] == [group]
    assert interface["NetworkInterfaceId"] in {item.id for item in fakes.read(account, [networks.INTERFACES])}


def test_log_groups_are_exact_or_similar_by_name_and_data_of_production(account: Scope) -> None:
    logs = aws("logs")
    for name in ("/aws/eks/acme-dev-cluster/cluster", "/aws/lambda/acme-dev-two-job", "/aws/lambda/other"):
        logs.create_log_group(logGroupName=name)
    logs.create_log_group(logGroupName="/ai-platform/acme-dev/containers", tags=OURS)
    items = {item.id: item for item in fakes.read(account, [records.LOG_GROUPS])}
    assert {id: (item.name, item.exact) for id, item in items.items()} == {
        "/aws/eks/acme-dev-cluster/cluster": ("/aws/eks/acme-dev-cluster/cluster", True),
        "/ai-platform/acme-dev/containers": ("/ai-platform/acme-dev/containers", True),
        "/aws/lambda/acme-dev-two-job": ("acme-dev-two-job", False),
    }
    assert not any(item.reason for item in items.values())
    prod = replace(account, identity=replace(fakes.DEV, retains=True))
    reasons = {item.id: item.reason for item in fakes.read(prod, [records.LOG_GROUPS])}
    assert "production" in reasons["/ai-platform/acme-dev/containers"]
    assert reasons["/aws/eks/acme-dev-cluster/cluster"] == "", "EKS wrote it again after the destroy"


def test_key_and_secret_in_deletion_cost_nothing_and_stay(account: Scope) -> None:
    kms, secrets = aws("kms"), aws("secretsmanager")
    tags = [{"TagKey": key, "TagValue": value} for key, value in OURS.items()]
    deleted, enabled = (kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.schedule_key_deletion(KeyId=deleted, PendingWindowInDays=7)
    items = {item.id: item for item in fakes.read(account, [retained.KEYS])}
    assert items[deleted].reason.startswith("in deletion until 2")
    assert (monthly(items[deleted]), monthly(items[enabled])) == (0, 1)
    assert all(item.delete is None for item in items.values())
    secrets.create_secret(Name="acme-dev/a", SecretString="x", Tags=TAGS)
    secrets.create_secret(Name="acme-dev/b", SecretString="x", Tags=TAGS)
    secrets.delete_secret(SecretId="acme-dev/a")
    by_name = {item.name: item for item in fakes.read(account, [retained.SECRETS])}
    assert "recovery window" in by_name["acme-dev/a"].reason
    assert (monthly(by_name["acme-dev/a"]), monthly(by_name["acme-dev/b"])) == (0, pytest.approx(0.4))


def test_bucket_of_the_prefix_stays_and_has_no_known_price(account: Scope) -> None:
    s3 = aws("s3")
    for name in ("acme-dev-raw-1", "acme-dev-new-1", "acme-prod-raw-1"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="acme-dev-raw-1", Tagging={"TagSet": TAGS})
    items = {item.id: item for item in fakes.read(account, [retained.BUCKETS])}
    assert {id: dict(item.tags) for id, item in items.items()} == {
        "acme-dev-raw-1": OURS,
        "acme-dev-new-1": {},
    }
    assert monthly(items["acme-dev-raw-1"]) is None


def test_records_of_external_dns_are_deleted_before_the_texts_that_state_their_owner(account: Scope) -> None:
    route53 = aws("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]

    def create(name: str, type_: str, value: str) -> None:
        record = {"Name": name, "Type": type_, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        change = {"Action": "CREATE", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})

    for name in ("web", "other", "a-web", "hand"):
        create(f"{name}.example.com", "A", "192.0.2.1")
    create("a-web.example.com", "TXT", f'"{HERITAGE.format("acme-dev-cluster")}"')
    create("a-other.example.com", "TXT", f'"{HERITAGE.format("acme-prod-cluster")}"')
    items = fakes.read(account, [records.DNS_RECORDS])
    of_dev = [item for item in items if "acme-dev-cluster" in item.owners.values()]
    id = zone.removeprefix("/hostedzone/")
    assert [item.id for item in of_dev] == [f"{id}/web.example.com/A", f"{id}/a-web.example.com/TXT"]
    for item in of_dev:
        assert item.delete is not None
        item.delete(account.client)
    names = {
        record["Name"]
        for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    }
    assert {"a-web.example.com.", "hand.example.com.", "other.example.com."} <= names
    assert "web.example.com." not in names
