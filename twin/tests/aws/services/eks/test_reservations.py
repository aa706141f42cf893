"""Node groups in capacity reservations and Capacity Blocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.scene import Names, group_params, view

NOWHERE = "cr-0123456789abcdef0"


@pytest.fixture
def reservation(clients: Clients) -> Iterator[str]:
    """One g5.xlarge in us-west-2a."""
    ec2 = clients("ec2")
    reservation_id = ec2.create_capacity_reservation(
        InstanceType="g5.xlarge",
        InstancePlatform="Linux/UNIX",
        AvailabilityZone="us-west-2a",
        InstanceCount=1,
        TagSpecifications=[
            {"ResourceType": "capacity-reservation", "Tags": [{"Key": "for", "Value": "tests"}]}
        ],
    )["CapacityReservation"]["CapacityReservationId"]
    yield reservation_id
    if ec2.describe_capacity_reservations(CapacityReservationIds=[reservation_id])["CapacityReservations"][0][
        "State"
    ] in ("active", "scheduled"):
        ec2.cancel_capacity_reservation(CapacityReservationId=reservation_id)


def _group(clients: Clients, names: Names, reservation: str, **more: Any) -> Names:
    data: dict[str, Any] = {
        "CapacityReservationSpecification": {
            "CapacityReservationTarget": {"CapacityReservationId": reservation}
        }
    }
    data |= more.pop("data", {})
    name = f"t{datetime.now(UTC).timestamp()}".replace(".", "-")
    launch_template = clients("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    template = {"id": launch_template["LaunchTemplate"]["LaunchTemplateId"]}
    full = {"launchTemplate": template, "subnets": names["subnets"][:1], **more}
    return group_params(names, **full)


def _refusal(clients: Clients, params: Names) -> str:
    with pytest.raises(ClientError) as caught:
        clients("eks").create_nodegroup(**params)
    error: Any = caught.value.response["Error"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert error["Code"] == "InvalidParameterException"
    return error["Message"]


def test_a_reservation_is_seen_as_it_was_made(clients: Clients, reservation: str) -> None:
    ec2 = clients("ec2")
    (seen,) = ec2.describe_capacity_reservations(Filters=[{"Name": "tag:for", "Values": ["tests"]}])[
        "CapacityReservations"
    ][-1:]
    assert (seen["CapacityReservationId"], seen["State"]) == (reservation, "active")
    assert (seen["TotalInstanceCount"], seen["AvailableInstanceCount"]) == (1, 1)
    assert seen["CapacityReservationArn"].endswith(f":capacity-reservation/{reservation}")
    ec2.cancel_capacity_reservation(CapacityReservationId=reservation)
    (seen,) = ec2.describe_capacity_reservations(CapacityReservationIds=[reservation])["CapacityReservations"]
    assert seen["State"] == "cancelled", "it is remembered, and holds nothing"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"InstanceType": "g5.nano"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "us-west-2z"}, "InvalidParameterValue"),
        ({"InstanceCount": 0}, "InvalidParameterValue"),
        ({"EndDateType": "limited"}, "InvalidParameterCombination"),
    ],
)
def test_a_reservation_that_cannot_be_is_refused(clients: Clients, change: Names, code: str) -> None:
    good = {
        "InstanceType": "g5.xlarge",
        "InstancePlatform": "Linux/UNIX",
        "AvailabilityZone": "us-west-2a",
        "InstanceCount": 1,
    }
    with pytest.raises(ClientError) as caught:
        clients("ec2").create_capacity_reservation(**{**good, **change})
    assert caught.value.response.get("Error", {}).get("Code") == code


def test_a_reservation_that_does_not_exist_is_refused(clients: Clients, names: Names) -> None:
    assert "InvalidCapacityReservationId.NotFound" in _refusal(clients, _group(clients, names, NOWHERE))
    block = _group(
        clients,
        names,
        NOWHERE,
        data={
            "InstanceMarketOptions": {"MarketType": "capacity-block"},
            "InstanceType": "p5.48xlarge",
        },
        instanceTypes=None,
        capacityType="CAPACITY_BLOCK",
    )
    assert NOWHERE in _refusal(clients, block)


def test_a_group_that_could_never_launch_in_its_reservation_is_refused(
    clients: Clients, names: Names, reservation: str
) -> None:
    other = _group(clients, names, reservation, instanceTypes=["g5.2xlarge"])
    assert "is of g5.xlarge" in _refusal(clients, other)
    elsewhere = _group(clients, names, reservation, subnets=names["subnets"][1:2])
    assert "is in us-west-2a" in _refusal(clients, elsewhere)
    clients("ec2").cancel_capacity_reservation(CapacityReservationId=reservation)
    assert "is cancelled" in _refusal(clients, _group(clients, names, reservation))


def test_no_more_machines_come_than_are_reserved(clients: Clients, names: Names, reservation: str) -> None:
    sizes = {"minSize": 2, "maxSize": 4, "desiredSize": 2}
    params = _group(clients, names, reservation, scalingConfig=sizes, nodegroupName="reserved")
    clients("eks").create_nodegroup(**params)
    (seen,) = clients("ec2").describe_capacity_reservations(CapacityReservationIds=[reservation])[
        "CapacityReservations"
    ]
    assert seen["AvailableInstanceCount"] == 0
    machines = view(clients, "machines")
    assert sum("reserved" in str(machine.get("group")) for machine in machines["machines"]) == 1, (
        "one is reserved"
    )
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName="reserved")


def test_a_capacity_block_is_bought_from_an_offering_and_begins_later(clients: Clients, names: Names) -> None:
    ec2 = clients("ec2")
    offerings = ec2.describe_capacity_block_offerings(
        InstanceType="p5.48xlarge",
        InstanceCount=2,
        CapacityDurationHours=48,
        StartDateRange=datetime.now(UTC) + timedelta(days=1),
    )["CapacityBlockOfferings"]
    offering = offerings[0]
    bought = ec2.purchase_capacity_block(
        CapacityBlockOfferingId=offering["CapacityBlockOfferingId"], InstancePlatform="Linux/UNIX"
    )["CapacityReservation"]
    assert (bought["State"], bought["ReservationType"]) == ("scheduled", "capacity-block")
    assert (bought["TotalInstanceCount"], bought["EndDate"]) == (2, offering["EndDate"])
    with pytest.raises(ClientError, match="cannot be cancelled"):
        ec2.cancel_capacity_reservation(CapacityReservationId=bought["CapacityReservationId"])
    as_reservation = _group(clients, names, bought["CapacityReservationId"], instanceTypes=["p5.48xlarge"])
    assert "is a Capacity Block" in _refusal(clients, as_reservation)
    with pytest.raises(ClientError, match="not supported for g5"):
        ec2.describe_capacity_block_offerings(InstanceType="g5.xlarge", CapacityDurationHours=24)
