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
