"""Faults on demand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from twin.aws.api_server.fault_injection import InjectedFaults, available
from twin.tests.aws.api_servers import Clients


def test_a_throttled_service_answers_so_as_often_as_asked(clients: Clients) -> None:
    clients.server.faults.add({"kind": "throttle", "service": "iam", "times": 2})
    for _ in range(2):
        with pytest.raises(ClientError, match="Throttling"):
            clients("iam").list_roles()
    assert clients("iam").list_roles()["Roles"]


def test_a_delete_fails_as_configured(clients: Clients) -> None:
    clients.server.faults.add(
        {
            "kind": "fail",
            "service": "ec2",
            "operation": "Delete*",
            "code": "DependencyViolation",
            "status": 400,
        }
    )
    vpc = clients("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    with pytest.raises(ClientError, match="DependencyViolation"):
        clients("ec2").delete_vpc(VpcId=vpc)
    clients("ec2").delete_vpc(VpcId=vpc)


def test_a_slow_call_is_slow_until_the_fault_is_off(clients: Clients) -> None:
    clients.server.faults.add({"kind": "slow", "service": "sts", "seconds": 0.2})
    begun = time.perf_counter()
    clients("sts").get_caller_identity()
    assert time.perf_counter() - begun >= 0.2
    clients.server.faults.clear("slow")
    assert clients.server.faults.every() == []


def test_a_fault_outlives_a_restart_and_a_wrong_one_says_what_is_right(tmp_path: Path) -> None:
    faults = InjectedFaults(tmp_path / "faults.json")
    faults.add({"kind": "capacity", "instance_type": "p5.48xlarge"})
    again = [(kind, zone) for kind, zone, _ in InjectedFaults(tmp_path / "faults.json").unavailable()]
    assert not available(again, "p5.48xlarge", "us-west-2a")
    assert available(again, "g5.xlarge", "us-west-2a")
    with pytest.raises(ValueError, match=r"one of capacity, fail, late_logs, new_account, quota, slow, thr"):
        faults.add({"kind": "ice"})
    with pytest.raises(ValueError, match="it takes"):
        faults.add({"kind": "capacity", "type": "x"})


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"zone": "us-west2a"}, "zone: got 'us-west2a'; did you mean 'us-west-2a'"),
        ({"zone": "us-west-2"}, "zone: got 'us-west-2'; did you mean 'us-west-2"),
        ({"zone": "usw2-az1"}, "zone: got 'usw2-az1'; "),
        ({"zone": "europe-west4-a"}, "zone: got 'europe-west4-a'"),
        ({"instance_type": "p5.48xlarg"}, "instance type: got 'p5.48xlarg'; did you mean 'p5.48xlarge'"),
        (
            {"instance_type": "a3-highgpu-8g"},
            "instance type: got 'a3-highgpu-8g'; expected a name",
        ),
        ({"market": "spott"}, "market: got 'spott'; did you mean 'spot'"),
        ({"machine_type": "p5.48xlarge"}, "unknown .'machine_type'"),
    ],
)
def test_capacity_of_what_does_not_exist_is_refused(
    tmp_path: Path, conditions: dict[str, str], message: str
) -> None:
    faults = InjectedFaults(tmp_path / "faults.json")
    with pytest.raises(ValueError, match=message):
        faults.add({"kind": "capacity", **conditions})
    assert not faults.every(), "it would have no effect"


def test_capacity_of_what_the_regions_offer_is_accepted(tmp_path: Path) -> None:
    faults = InjectedFaults(tmp_path / "faults.json")
    for zone in ("us-west-2a", "eu-central-1b", "ap-northeast-1d"):
        faults.add({"kind": "capacity", "zone": zone, "instance_type": "g5.xlarge", "market": "on-demand"})
    faults.add({"kind": "capacity"})
    assert len(faults.every()) == 4
