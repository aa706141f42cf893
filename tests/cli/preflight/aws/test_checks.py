"""Credentials, zones, reservations, versions and names of an AWS account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.clients.aws import ApiError
from cli.clients.errors import UncheckedError
from cli.estimate.resources import UNKNOWN, Resource
from cli.preflight.aws import account, names, offerings, reservations, versions
from tests.cli.estimate.samples import eks_group, resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import ACCOUNT, Aws, named, problems, states

ZONES = ("usw2-az1", "usw2-az2")
SUBNETS = [
    resource(
        "aws:ec2/subnet:Subnet",
        f"private-{zone}",
        availabilityZoneId=zone,
        tags={"ai-platform/tier": "private"},
    )
    for zone in ZONES
]


def offers(**zones: tuple[str, ...]) -> Aws:
    """Return an account whose region offers types (`g4dn` for g4dn.xlarge) in zones."""
    entries = [
        {"InstanceType": f"{family}.xlarge", "Location": zone} for family in zones for zone in zones[family]
    ]
    return Aws({("ec2", "describe_instance_type_offerings"): {"InstanceTypeOfferings": entries}})


def group(name: str, **inputs: Any) -> list[Resource]:
    return eks_group(name, instanceTypes=["g4dn.xlarge"], **{"subnetIds": UNKNOWN, **inputs})


def test_account_of_the_credentials_is_compared() -> None:
    arn = "arn:aws:iam::444455556666:user/me"
    client = Aws({("sts", "get_caller_identity"): {"Account": "444455556666", "Arn": arn}})
    (result,) = account.check(fakes.scope(client))
    assert result.is_problem
    assert f"expected account {ACCOUNT}, which environments/Pulumi.aws-dev.yaml states" in result.reason
    client.answers["sts", "get_caller_identity"] = {"Account": ACCOUNT, "Arn": arn}
    assert [entry.state for entry in account.check(fakes.scope(client))] == ["ok"]


@pytest.mark.parametrize(
    "error", [ApiError("ExpiredToken", "x"), UncheckedError("Unable to locate credentials")]
)
def test_missing_credentials_are_a_problem_with_the_login(error: Exception) -> None:
    client = Aws({("sts", "get_caller_identity"): error})
    (result,) = account.check(fakes.scope(client))
    assert "aws sso login" in result.repair


def test_type_that_no_zone_of_the_network_offers_blocks() -> None:
    of = fakes.scope(offers(g4dn=("usw2-az4",)), *group("t4"), *SUBNETS)
    result = states(offerings.check, of)["t4"]
    assert result.blocks
    assert result.reason == "g4dn.xlarge: not offered in usw2-az1, usw2-az2; it is offered in usw2-az4"
    assert "--filters Name=instance-type,Values=g4dn.xlarge" in result.repair


def test_pools_leave_zones_out_and_system_nodes_do_not() -> None:
    system = group("cluster-system", labels={"ai-platform/pool": "system"})
    of = fakes.scope(offers(g4dn=("usw2-az2",)), *system, *group("t4"), *SUBNETS)
    results = states(offerings.check, of)
    assert results["t4"].state == "ok"
    assert "not in usw2-az1" in results["t4"].reason
    assert results["cluster-system"].is_problem
    assert not results["cluster-system"].blocks, "its nodes start in the other zone"


def test_zones_of_known_subnets_are_asked_for() -> None:
    client = offers(g4dn=("usw2-az1",))
    client.answers["ec2", "describe_subnets"] = {
        "Subnets": [{"SubnetId": f"subnet-{zone}", "AvailabilityZoneId": zone} for zone in ZONES]
    }
    known = group("t4", subnetIds=[f"subnet-{zone}" for zone in ZONES])
    result = states(offerings.check, fakes.scope(client, *known))["t4"]
    assert "not offered in usw2-az2" in result.reason
    result = states(offerings.check, fakes.scope(client, *group("t4")))["t4"]
    assert result.state == "not checked"


def reserved(**entry: Any) -> Any:
    groups = eks_group(
        "p5", instanceTypes=["p5.48xlarge"], scalingConfig={"minSize": 2, "maxSize": 2, "desiredSize": 2}
    )
    template = groups[1]
    target = {"capacityReservationTarget": {"capacityReservationId": "cr-1"}}
    stated = resource(template.type, template.name, capacityReservationSpecification=target)
    facts = {"InstanceType": "p5.48xlarge", "State": "active", "AvailableInstanceCount": 2}
    answer = {"CapacityReservations": [{"CapacityReservationId": "cr-1", **facts, **entry}]}
    client = Aws({("ec2", "describe_capacity_reservations"): answer})
    return fakes.scope(client, groups[0], stated)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, ""),
        ({"State": "scheduled", "AvailableInstanceCount": 0}, ""),
        ({"CapacityReservationId": "cr-2"}, "has none in us-west-2"),
        ({"State": "expired"}, "expected active or scheduled"),
        ({"InstanceType": "p4d.24xlarge"}, "expected p5.48xlarge"),
        ({"AvailableInstanceCount": 1}, "expected 2"),
    ],
)
def test_reservation_exists_and_fits(entry: dict[str, Any], problem: str) -> None:
    (result,) = reservations.check(reserved(**entry))
    assert result.is_problem == bool(problem)
    assert problem in result.reason


@pytest.mark.parametrize(
    ("version", "state", "blocks"),
    [("1.35", "ok", True), ("1.32", "problem", False), ("1.20", "problem", True)],
)
def test_version_is_supported(version: str, state: str, blocks: bool) -> None:
    end = datetime(2027, 3, 1, tzinfo=UTC)
    ends = {"endOfStandardSupportDate": end, "endOfExtendedSupportDate": end}
    entries = [
        {"clusterVersion": "1.35", "versionStatus": "STANDARD_SUPPORT", **ends},
        {"clusterVersion": "1.32", "versionStatus": "EXTENDED_SUPPORT", **ends},
        {"clusterVersion": "1.20", "versionStatus": "UNSUPPORTED", **ends},
    ]
    client = Aws({("eks", "describe_cluster_versions"): {"clusterVersions": entries}})
    cluster = resource("aws:eks/cluster:Cluster", version=version)
    (result,) = versions.check(fakes.scope(client, cluster))
    assert (result.state, result.blocks) == (state, blocks)
    if state == "problem":
        assert result.repair == "state cluster.version as one of 1.35"


BUCKET = resource("aws:s3/bucket:Bucket", "raw", bucket="acme-raw")


def test_bucket_that_exists_is_a_problem_unless_the_stack_has_it() -> None:
    client = Aws({("s3", "head_bucket"): {}})
    (result,) = problems(names.check(fakes.scope(client, BUCKET)))
    assert result.subject == "acme-raw"
    assert "aws s3 rb s3://acme-raw --force" in result.repair
    deployed = Resource(BUCKET.urn, BUCKET.type, BUCKET.name, BUCKET.parent, BUCKET.inputs, "same")
    assert not list(names.check(fakes.scope(client, deployed)))


def test_bucket_of_another_account_is_a_problem() -> None:
    client = Aws({("s3", "head_bucket"): ApiError("403", "Forbidden")})
    (result,) = problems(names.check(fakes.scope(client, BUCKET)))
    assert "another account has it" in result.reason


def test_free_names_are_counted_and_prefixes_are_not_names() -> None:
    client = Aws({("s3", "head_bucket"): ApiError("404", "Not Found")})
    role = resource("aws:iam/role:Role", namePrefix="acme-")
    results = list(names.check(fakes.scope(client, BUCKET, role)))
    assert [(result.subject, result.reason) for result in results] == [
        ("aws:s3/bucket:Bucket", "1 looked for")
    ]


def test_other_errors_are_not_checked() -> None:
    client = Aws({("s3", "head_bucket"): ApiError("503", "slow down")})
    (result,) = names.check(fakes.scope(client, BUCKET))
    assert (result.subject, result.state) == ("acme-raw", "not checked")


def test_secret_in_its_recovery_window_keeps_its_name() -> None:
    secret = named("aws:secretsmanager/secret:Secret", "acme/admin")
    client = Aws({("secretsmanager", "describe_secret"): {"DeletedDate": datetime.now(UTC)}})
    (result,) = problems(names.check(fakes.scope(client, secret)))
    assert "recovery window" in result.reason
    assert result.repair.startswith("aws secretsmanager restore-secret --secret-id acme/admin")


def test_log_group_is_compared_by_its_whole_name() -> None:
    logs = named("aws:cloudwatch/logGroup:LogGroup", "/aws/eks/a/cluster")
    client = Aws({("logs", "describe_log_groups"): {"logGroups": [{"logGroupName": "/aws/eks/a/cluster2"}]}})
    assert not problems(names.check(fakes.scope(client, logs)))
    client.answers["logs", "describe_log_groups"]["logGroups"][0]["logGroupName"] = "/aws/eks/a/cluster"
    assert len(problems(names.check(fakes.scope(client, logs)))) == 1


@pytest.mark.parametrize("type_", sorted(names.KINDS))
def test_calls_are_those_of_the_sdk(type_: str) -> None:
    """Each operation, parameter and code of an error is one that botocore knows."""
    from botocore.session import Session

    kind = names.KINDS[type_]
    model = Session().get_service_model(kind.service)
    operation = {name.lower(): name for name in model.operation_names}[
        kind.operation.replace("_", "").lower()
    ]
    shape = model.operation_model(operation).input_shape
    assert set(kind.parameters("name")) <= set(shape.members)  # pyright: ignore
    known = {error.metadata.get("error", {}).get("code") or error.name for error in model.error_shapes}
    names_of_shapes = {error.name.removesuffix("Exception") for error in model.error_shapes} | known
    # HEAD has no body, and SQS had another name in its old protocol.
    if kind.service not in ("s3",):
        assert {code for code in kind.absent if "." not in code} & (known | names_of_shapes)
