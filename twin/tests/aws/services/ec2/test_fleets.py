"""Fleets of the type `instant`, prices, dry runs and the lists that a provisioner of nodes reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.aws.services.ec2.operations import prices
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.test_functions import ask

CHEAP, DEAR = "g6.xlarge", "g5.xlarge"
TAGS = [{"Key": "team", "Value": "a"}]


@pytest.fixture(scope="module")
def subnets(clients: Clients) -> dict[str, str]:
    """Zone -> its default subnet, in two zones that offer both types."""
    subnets = clients("ec2").describe_subnets()["Subnets"]
    offered = clients("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [CHEAP]}]
    )["InstanceTypeOfferings"]
    zones = {offer["Location"] for offer in offered}
    return {one["AvailabilityZone"]: one["SubnetId"] for one in subnets if one["AvailabilityZone"] in zones}


@pytest.fixture(scope="module")
def template(clients: Clients) -> str:
    ec2 = clients("ec2")
    image = ec2.describe_images(Owners=["602401143452"])["Images"][0]["ImageId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    data = {"ImageId": image, "SecurityGroupIds": [group], "InstanceType": CHEAP}
    ec2.create_launch_template(LaunchTemplateName="fleet", LaunchTemplateData=data)
    return "fleet"


@pytest.fixture(autouse=True)
def clean(clients: Clients) -> Iterator[None]:
    yield
    clients.server.faults.clear()


def fleet(clients: Clients, template: str, subnets: dict[str, str], *types: str, **more: Any) -> Any:
    overrides = [
        {"InstanceType": kind, "SubnetId": subnet, "AvailabilityZone": zone}
        for kind in types
        for zone, subnet in subnets.items()
    ]
    return clients("ec2").create_fleet(
        **{
            "Type": "instant",
            "LaunchTemplateConfigs": [
                {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": template, "Version": "$Latest"},
                    "Overrides": overrides,
                }
            ],
            "TargetCapacitySpecification": {
                "TotalTargetCapacity": 1,
                "DefaultTargetCapacityType": "on-demand",
            },
            "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}],
            **more,
        }
    )


def described(clients: Clients, answer: Any) -> Any:
    (one,) = answer["Instances"]
    reservations = clients("ec2").describe_instances(InstanceIds=one["InstanceIds"])["Reservations"]
    return reservations[0]["Instances"][0]


def test_fleet_launches_the_cheapest_type(clients: Clients, template: str, subnets: dict[str, str]) -> None:
    answer = fleet(clients, template, subnets, DEAR, CHEAP)
    assert not answer["Errors"]
    assert answer["Instances"][0]["InstanceType"] == CHEAP, "the dearer one is first in the request"
    instance = described(clients, answer)
    assert instance["SecurityGroups"], "those of its launch template"
    assert {tag["Key"]: tag["Value"] for tag in instance["Tags"]}["team"] == "a"
    assert "SpotInstanceRequestId" not in instance


def test_fleet_reports_what_has_no_capacity_and_takes_the_next(
    clients: Clients, template: str, subnets: dict[str, str]
) -> None:
    clients.server.faults.add({"kind": "capacity", "instance_type": CHEAP})
    answer = fleet(clients, template, subnets, CHEAP, DEAR)
    assert answer["Instances"][0]["InstanceType"] == DEAR
    assert {error["ErrorCode"] for error in answer["Errors"]} == {"InsufficientInstanceCapacity"}
    overrides = [error["LaunchTemplateAndOverrides"]["Overrides"] for error in answer["Errors"]]
    assert {override["InstanceType"] for override in overrides} == {CHEAP}
    assert {override["AvailabilityZone"] for override in overrides} == set(subnets), "each zone is reported"


def test_shortage_of_one_market_leaves_the_other(
    clients: Clients, template: str, subnets: dict[str, str]
) -> None:
    clients.server.faults.add({"kind": "capacity", "market": "spot"})
    target = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"}
    spot = fleet(clients, template, subnets, CHEAP, TargetCapacitySpecification=target)
    assert not spot.get("Instances")
    assert fleet(clients, template, subnets, CHEAP)["Instances"], "on demand there is some"


def test_fleet_without_any_capacity_launches_nothing(
    clients: Clients, template: str, subnets: dict[str, str]
) -> None:
    clients.server.faults.add({"kind": "capacity"})
    answer = fleet(clients, template, subnets, CHEAP)
    assert not answer.get("Instances")
    assert answer["Errors"]


def test_spot_instance_has_a_request_and_a_lifecycle(
    clients: Clients, template: str, subnets: dict[str, str]
) -> None:
    target = {"TotalTargetCapacity": 2, "DefaultTargetCapacityType": "spot"}
    answer = fleet(clients, template, subnets, CHEAP, TargetCapacitySpecification=target)
    assert answer["Instances"][0]["Lifecycle"] == "spot"
    assert len(answer["Instances"][0]["InstanceIds"]) == 2
    instance = described(clients, answer)
    assert instance["SpotInstanceRequestId"].startswith("sir-")
    assert instance["InstanceLifecycle"] == "spot"


def test_fleet_fills_a_reservation_and_reports_when_it_is_full(
    clients: Clients, subnets: dict[str, str], template: str
) -> None:
    ec2, zone = clients("ec2"), next(iter(subnets))
    reservation = ec2.create_capacity_reservation(
        InstanceType=CHEAP, InstancePlatform="Linux/UNIX", AvailabilityZone=zone, InstanceCount=1
    )["CapacityReservation"]["CapacityReservationId"]
    data = ec2.describe_launch_template_versions(LaunchTemplateName=template, Versions=["$Latest"])
    specification = {
        "CapacityReservationPreference": "capacity-reservations-only",
        "CapacityReservationTarget": {"CapacityReservationId": reservation},
    }
    ec2.create_launch_template(
        LaunchTemplateName="reserved",
        LaunchTemplateData={
            **data["LaunchTemplateVersions"][0]["LaunchTemplateData"],
            "CapacityReservationSpecification": specification,
        },
    )
    clients.server.faults.add({"kind": "capacity", "instance_type": CHEAP})
    place = {zone: subnets[zone]}
    instance = described(clients, fleet(clients, "reserved", place, CHEAP))
    assert instance["CapacityReservationId"] == reservation, "a shortage does not concern what is reserved"
    preference = instance["CapacityReservationSpecification"]["CapacityReservationPreference"]
    assert preference == "capacity-reservations-only"
    full = fleet(clients, "reserved", place, CHEAP)
    assert [error["ErrorCode"] for error in full["Errors"]] == ["ReservationCapacityExceeded"]


def test_fleet_of_an_unknown_launch_template_is_refused(clients: Clients, subnets: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        fleet(clients, "missing", subnets, CHEAP)


def test_dry_run_launches_nothing(clients: Clients, template: str, subnets: dict[str, str]) -> None:
    before = clients("ec2").describe_instances()["Reservations"]
    with pytest.raises(ClientError, match="DryRunOperation"):
        fleet(clients, template, subnets, CHEAP, DryRun=True)
    assert clients("ec2").describe_instances()["Reservations"] == before


def test_profiles_are_listed_by_path(clients: Clients) -> None:
    iam = clients("iam")
    iam.create_instance_profile(InstanceProfileName="plain")
    iam.create_instance_profile(InstanceProfileName="below", Path="/karpenter/us-west-2/")
    instance_profiles = iam.list_instance_profiles(PathPrefix="/karpenter/")["InstanceProfiles"]
    assert [profile["InstanceProfileName"] for profile in instance_profiles] == ["below"]
    assert len(iam.list_instance_profiles()["InstanceProfiles"]) == 2


def test_products_are_filtered_and_paged(clients: Clients) -> None:
    price_by_type: dict[str, float] = {}
    pages = (
        clients("pricing")
        .get_paginator("get_products")
        .paginate(
            ServiceCode="AmazonEC2",
            Filters=[
                {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-west-2"},
                {"Type": "TERM_MATCH", "Field": "tenancy", "Value": "Shared"},
            ],
            PaginationConfig={"PageSize": 100},
        )
    )
    for page in pages:
        for text in page["PriceList"]:
            item = json.loads(text)
            (term,) = item["terms"]["OnDemand"].values()
            (dimension,) = term["priceDimensions"].values()
            kind = item["product"]["attributes"]["instanceType"]
            price_by_type[kind] = float(dimension["pricePerUnit"]["USD"])
    assert price_by_type[CHEAP] == prices.on_demand()[CHEAP]
    assert not any(".metal" in kind for kind in price_by_type), "bare metal has another tenancy"


def test_spot_price_is_below_the_price_on_demand(clients: Clients, subnets: dict[str, str]) -> None:
    history = clients("ec2").describe_spot_price_history(InstanceTypes=[CHEAP])["SpotPriceHistory"]
    assert {entry["AvailabilityZone"] for entry in history} >= set(subnets)
    assert all(0 < float(entry["SpotPrice"]) < prices.on_demand()[CHEAP] for entry in history)


def test_a_placement_group_stays_while_an_instance_of_a_fleet_has_it(
    clients: Clients, subnets: dict[str, str]
) -> None:
    ec2 = clients("ec2")
    ec2.create_placement_group(GroupName="close", Strategy="cluster")
    image = ec2.describe_images(Owners=["602401143452"])["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": CHEAP, "Placement": {"GroupName": "close"}}
    ec2.create_launch_template(LaunchTemplateName="close", LaunchTemplateData=data)
    [launched] = fleet(clients, "close", subnets, CHEAP)["Instances"]
    ec2.delete_launch_template(LaunchTemplateName="close")
    filters = [{"name": "placement-group-name", "values": ["clo*"]}]
    token = "aws:ec2/getInstances:getInstances"
    assert ask(clients.context(), token, filters=filters)["ids"] == launched["InstanceIds"]
    with pytest.raises(ClientError, match="is in use and may not be deleted"):
        ec2.delete_placement_group(GroupName="close")
    ec2.terminate_instances(InstanceIds=launched["InstanceIds"])
    ec2.delete_placement_group(GroupName="close")
