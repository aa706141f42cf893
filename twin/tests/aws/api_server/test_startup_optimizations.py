"""The short cuts of a start answer what the long way answers."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from twin.aws.api_server import startup_optimizations
from twin.aws.api_server.server import ApiServer
from twin.tests.aws.api_servers import Clients, opened
from twin.tests.aws.validation.conftest import refused


@pytest.mark.parametrize("service", ["ec2", "s3", "iam", "redshift-data", "nothing"])
def test_the_regions_of_a_service_are_those_that_botocore_finds(service: str) -> None:
    startup_optimizations.regions()
    session = boto3.Session()
    inner: Any = session._session  # pyright: ignore[reportPrivateUsage]
    for partition in ("aws", "aws-cn"):
        regions = session.get_available_regions(service, partition_name=partition)
        assert regions == inner.twin_get_available_regions(service, partition)


def test_ids_have_the_form_of_ec2s(clients: Clients) -> None:
    ids = {clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(id_) == 21 and int(id_.removeprefix("vpc-"), 16) for id_ in ids)


def test_a_symmetric_key_has_no_public_key(clients: Clients) -> None:
    key = clients("kms").create_key()["KeyMetadata"]["KeyId"]
    code, _ = refused(clients, "kms", "get_public_key", KeyId=key)
    assert code == "UnsupportedOperationException"
    pair = clients("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert clients("kms").get_public_key(KeyId=pair)["PublicKey"]


def test_a_front_loads_no_test_framework() -> None:
    code = "import sys, twin.aws.api_server.server; sys.exit('pytest' in sys.modules)"
    root = Path(__file__).parents[4]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def _beginning(server: ApiServer) -> dict[str, Any]:
    """All that is known of policies and images, and what is drawn after them."""
    iam, ec2 = server.moto.backend("iam"), server.moto.backend("ec2")
    things = [
        *iam.aws_managed_policies,
        *[version for policy in iam.aws_managed_policies for version in policy.versions],
        *ec2.amis.values(),
        *ec2.snapshots.values(),
        *[snapshot.volume for snapshot in ec2.snapshots.values()],
    ]
    assert all(getattr(thing, "ec2_backend", ec2) is ec2 for thing in things), "each in its own account"
    links = {"ec2_backend", "ebs_snapshot", "volume", "versions"}
    begun = datetime.fromtimestamp(server.moto.epoch, UTC).replace(tzinfo=None)
    resources = [
        {name: "begun" if value == begun else value for name, value in vars(thing).items()}
        for thing in things
    ]
    assert sum("begun" in resource.values() for resource in resources) > 4000, (
        "images, their snapshots and volumes"
    )
    return {
        "things": [{name: resource[name] for name in resource.keys() - links} for resource in resources],
        "vpc": ec2.default_vpc.id,
        "policies": list(iam.managed_policies),
    }


def _change(server: ApiServer) -> None:
    for image in server.moto.backend("ec2").amis.values():
        image.launch_permissions.append({"UserId": "111122223333"})
    for policy in server.moto.backend("iam").aws_managed_policies:
        policy.attachment_count = 7
        policy.versions[0].is_default = False
        policy.tags["team"] = {"Key": "team", "Value": "one"}


def test_what_is_copied_is_as_if_it_were_read_whatever_another_account_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup_optimizations.READ.clear()  # the module's own API server ends here: moto is one for the process
    images: list[dict[str, Any]] = []
    for number in range(3):
        day = SimpleNamespace(time=lambda number=number: 1_800_000_000 + 86400 * number)
        monkeypatch.setattr("twin.aws.api_server.server.time", day)
        with opened(tmp_path / str(number)) as clients:
            images.append(_beginning(clients.server))
            _change(clients.server)
    assert len(startup_optimizations.READ) == 2, "policies and images, each read once"
    assert images[1] == images[0]
    assert images[2] == images[0]
