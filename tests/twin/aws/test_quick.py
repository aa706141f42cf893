"""The short cuts of a start answer what the long way answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.twin.aws.fronts import Clients
from twin.aws import quick


@pytest.mark.parametrize("service", ["ec2", "s3", "iam", "redshift-data", "nothing"])
def test_the_regions_of_a_service_are_those_that_botocore_finds(service: str) -> None:
    quick.regions()
    session = boto3.Session()
    inner: Any = session._session  # pyright: ignore[reportPrivateUsage]
    for partition in ("aws", "aws-cn"):
        found = session.get_available_regions(service, partition_name=partition)
        assert found == inner.twin_get_available_regions(service, partition)


def test_ids_have_the_form_of_ec2s(clients: Clients) -> None:
    ids = {clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(each) == 21 and int(each.removeprefix("vpc-"), 16) for each in ids)


def test_a_front_loads_no_test_framework() -> None:
    code = "import sys, twin.aws.front; sys.exit('pytest' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
