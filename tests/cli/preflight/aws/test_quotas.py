"""Quotas of an AWS account."""

from __future__ import annotations

from typing import Any

import pytest

from cli.clients.aws import ApiError
from cli.estimate.resources import Resource
from cli.preflight.aws import machines, quotas
from cli.preflight.scope import Scope, UncheckedError, run
from stacks.validation.availability import aws_quotas
from tests.cli.estimate.samples import eks_group, resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import Aws, states

STANDARD, SPOT, T4 = "L-1216C47A", "L-34B43A08", "L-DB2E81BA"
ENOUGH = {code.replace("-", "_"): 1000.0 for code, _ in (*machines.ON_DEMAND, *machines.SPOT)}


def account(**limits: float) -> Aws:
    return Aws({("service-quotas", "get_service_quota"): fakes.quotas(**{**ENOUGH, **limits})})


def by_code(of: Scope) -> dict[str, Any]:
    return {subject.rpartition("(")[2].rstrip(")"): r for subject, r in states(quotas.check, of).items()}


def test_codes_are_those_by_which_the_program_refuses() -> None:
    assert machines.ON_DEMAND == aws_quotas.ON_DEMAND
    assert machines.SPOT == aws_quotas.SPOT


def test_nodes_count_by_family_and_capacity_at_minimum_and_maximum() -> None:
    sizes = {"minSize": 2, "maxSize": 4, "desiredSize": 2}
    of = fakes.scope(
        account(L_1216C47A=5, L_34B43A08=8, L_DB2E81BA=0),
        *eks_group("system", scalingConfig=sizes),
        *eks_group("general-spot", capacityType="SPOT"),
        *eks_group("t4", instanceTypes=["g4dn.xlarge"]),
    )
    results = by_code(of)
    assert results[STANDARD].reason == ("limit 5 vCPUs, 0 in use, 8 needed at maximum: system 8")
    assert not results[STANDARD].blocks
    assert results[SPOT].state == "ok"
    assert results[T4].repair == (
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-DB2E81BA "
        "--region us-west-2 --desired-value 16"
    )


def test_instances_and_reservations_that_there_are_count_and_deployed_groups_only_grow() -> None:
    sizes = {"minSize": 2, "maxSize": 4, "desiredSize": 2}
    group, template = eks_group("system", scalingConfig=sizes)
    deployed = Resource(group.urn, group.type, group.name, group.parent, group.inputs, "same")
    client = account(L_1216C47A=10)
    running = {"InstanceType": "m7i.large"}
    client.answers["ec2", "describe_instances"] = {
        "Reservations": [{"Instances": [running, running, {**running, "InstanceLifecycle": "spot"}]}]
    }
    held_back = {"InstanceType": "m7i.large", "State": "active", "AvailableInstanceCount": 1}
    client.answers["ec2", "describe_capacity_reservations"] = {
        "CapacityReservations": [held_back, {**held_back, "State": "expired"}]
    }
    (result,) = by_code(fakes.scope(client, deployed, template)).values()
    assert result.reason == "limit 10 vCPUs, 6 in use, 6 needed at minimum, 10 at maximum"
    (in_another,) = by_code(fakes.scope(client, deployed, template, all_new=True)).values()
    assert "10 needed at minimum" not in in_another.reason
    assert in_another.is_problem, "in another account the same group is new"


def test_reserved_capacity_counted_when_it_was_created() -> None:
    labels = {"ai-platform/pool": "p5", "ai-platform/capacity": "reserved"}
    groups = eks_group("p5-reserved", instanceTypes=["p5.48xlarge"], labels=labels)
    assert by_code(fakes.scope(account(L_417A185B=0), *groups)) == {}


def test_networks_addresses_and_load_balancers_are_counted() -> None:
    client = account(L_F678F1CE=5, L_A4707A72=5, L_0263D0A3=1, L_FE5A380F=5, L_69A177A2=0)
    client.answers["ec2", "describe_vpcs"] = {"Vpcs": [{}] * 5}
    client.answers["ec2", "describe_nat_gateways"] = {"NatGateways": [{"SubnetId": "s1"}] * 4}
    client.answers["ec2", "describe_subnets"] = {
        "Subnets": [{"SubnetId": "s1", "AvailabilityZoneId": "usw2-az1"}]
    }
    of = fakes.scope(
        client,
        resource("aws:ec2/vpc:Vpc"),
        resource("aws:ec2/internetGateway:InternetGateway"),
        resource("aws:ec2/subnet:Subnet", availabilityZoneId="usw2-az1"),
        *(resource("aws:ec2/natGateway:NatGateway", f"nat-{n}-usw2-az1") for n in range(2)),
        *(resource("aws:ec2/eip:Eip", f"nat-{n}") for n in range(2)),
        resource("kubernetes:core/v1:Service", "gateway", spec={"type": "LoadBalancer"}),
        resource("kubernetes:core/v1:Service", "inner", spec={"type": "ClusterIP"}),
    )
    results = by_code(of)
    assert "5 in use, 6 needed at minimum" in results["L-F678F1CE"].reason
    assert results["L-A4707A72"].state == "ok"
    assert "2 needed at minimum: nat-0 1, nat-1 1" in results["L-0263D0A3"].reason
    assert "4 in use, 6 needed at minimum: NAT gateways in usw2-az1 2" in results["L-FE5A380F"].reason
    assert results["L-69A177A2"].reason.endswith("1 needed at minimum: gateway 1")
    assert "--service-code elasticloadbalancing" in results["L-69A177A2"].repair


def test_quota_that_was_never_changed_has_its_default_value() -> None:
    client = Aws(
        {
            ("service-quotas", "get_service_quota"): ApiError("NoSuchResourceException", "none"),
            ("service-quotas", "get_aws_default_service_quota"): fakes.quotas(L_1216C47A=5),
        }
    )
    results = states(quotas.check, fakes.scope(client, *eks_group("a"), resource("aws:ec2/eip:Eip")))
    assert results["quota of ec2 (L-1216C47A)"].reason.startswith("limit 5 vCPUs")
    assert results["L-0263D0A3"].state == "not checked", "the region has no such quota"
    assert results["L-0263D0A3"].reason == "Service Quotas has no such quota of ec2 in us-west-2"


def test_missing_permission_leaves_the_check_out_and_names_it() -> None:
    client = Aws(
        {("ec2", "describe_instances"): UncheckedError("it takes the permission ec2:DescribeInstances")}
    )
    client.answers["service-quotas", "get_service_quota"] = fakes.quotas(L_0263D0A3=5)
    of = fakes.scope(client, *eks_group("a"), resource("aws:ec2/eip:Eip"))
    results = by_code(of)
    assert (results[STANDARD].state, results[STANDARD].reason) == (
        "not checked",
        "it takes the permission ec2:DescribeInstances",
    )
    assert results["L-0263D0A3"].state == "ok", "the other quotas are checked"
    client.answers["service-quotas", "get_service_quota"] = ValueError("a bug is no missing permission")
    with pytest.raises(ValueError, match="a bug"):
        list(run([(quotas.CHECK, quotas.check)], of))


@pytest.mark.parametrize(
    "group", [eks_group("a", scalingConfig="unknown"), eks_group("a", capacityType="CAPACITY_BLOCK")]
)
def test_group_that_cannot_be_counted_is_reported(group: list[Resource]) -> None:
    (result,) = states(quotas.check, fakes.scope(account(), *group)).values()
    assert result.state == "not checked"
