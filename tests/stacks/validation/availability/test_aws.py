"""What AWS does not offer is reported before anything is created."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest

from stacks import foundation
from stacks.loading import SettingsError
from stacks.settings import Settings
from stacks.settings.cost import Cost
from tests.components.cloud_answers import RefusedError
from tests.components.recording import record
from tests.stacks.environments import STACKS, settings_of

ZONES = ("euc1-az1", "euc1-az2", "euc1-az3")
ASKED_ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"


def _offering(**zones_of: tuple[str, ...]) -> Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """EC2 offers these types in these zones, and all others in every zone; `__` is a dot."""
    special = {name.replace("__", "."): zones for name, zones in zones_of.items()}

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        requested = arguments["filters"][0]["values"]
        pairs = [(name, zone) for name in requested for zone in special.get(name, ZONES)]
        return {
            "id": "eu-central-1",
            "instanceTypes": [name for name, _ in pairs],
            "locations": [zone for _, zone in pairs],
            "locationTypes": [],
        }

    return {OFFERINGS: answer}


def _refused(settings: Settings, **zones_of: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The problems of the environment, and all that was registered."""

    def program() -> list[str]:
        with pytest.raises(SettingsError) as error:
            foundation.build(settings)
        return list(error.value.problems)

    recorded = record(program, answers=_offering(**zones_of), stack="aws-prod")
    return recorded.result, recorded.names()


def test_machines_that_no_zone_offers_are_all_reported_with_nothing_but_the_provider_registered() -> None:
    problems, registered = _refused(
        settings_of("aws-prod"), m7i__2xlarge=(), p5__48xlarge=("euc1-az9",), g6e__xlarge=()
    )
    assert registered == ["pulumi:providers:aws aws"], "no network is left behind"
    places = [problem.partition(": got")[0].partition(": no zone")[0] for problem in problems]
    assert [place.split(": ")[1] for place in places] == [
        "node_pools.general.instance_types[0]",
        "gpu_pools.serving.accelerator",
        "gpu_pools.training.accelerator",
    ]
    assert all(re.match(r"environments/Pulumi\.\S+\.yaml:\d+: ", place) for place in places), (
        "each with its line"
    )
    assert "no zone that the pool can use offers p5.48xlarge; zone ids that do: euc1-az9" in problems[2]


def test_system_nodes_that_no_zone_offers_are_reported_by_their_key() -> None:
    (problem,), registered = _refused(settings_of("aws-prod"), m7i__xlarge=())
    assert registered == ["pulumi:providers:aws aws"]
    assert "cluster.system_nodes.instance_types[0]: got 'm7i.xlarge', which no zone" in problem


def test_zone_of_a_pool_without_the_machine_is_reported_by_its_key() -> None:
    settings = settings_of("aws-prod")
    training = settings.gpu_pools["training"].model_copy(update={"zones": ["euc1-az2"]})
    settings = settings.model_copy(
        update={"gpu_pools": {"training": training}, "queues": None, "cost": Cost()}
    )
    problems, registered = _refused(settings, p5__48xlarge=("euc1-az1",))
    assert registered == ["pulumi:providers:aws aws"]
    assert len(problems) == 1
    assert "gpu_pools.training.zones[0]: got 'euc1-az2', which does not offer p5.48xlarge" in problems[0]


def test_zone_of_a_pool_that_the_network_does_not_have_is_reported() -> None:
    settings = settings_of("aws-prod")
    training = settings.gpu_pools["training"].model_copy(update={"zones": ["euc1-az9"]})
    settings = settings.model_copy(
        update={"gpu_pools": {"training": training}, "queues": None, "cost": Cost()}
    )
    problems, registered = _refused(settings)
    assert registered == ["pulumi:providers:aws aws"]
    assert any(
        "gpu_pools.training.zones[0]: got 'euc1-az9'; expected a zone id of the network" in problem
        for problem in problems
    ), problems


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "Throttling: Rate exceeded"])
def test_throttled_calls_are_reported_as_such_and_not_as_an_error_of_the_file(code: str) -> None:
    def throttled(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(f"reading EC2 Availability Zones: operation error EC2: {code}")

    def program() -> str:
        with pytest.raises(pulumi.RunError) as error:
            foundation.build(settings_of("aws-dev"))
        return str(error.value)

    message = record(program, answers={ASKED_ZONES: throttled}, stack="aws-dev").result
    assert "too many calls were made to it: " in message
    assert code in message
    assert "run the same command again" in message


def test_another_error_of_the_cloud_is_raised_as_it_is() -> None:
    def forbidden(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("operation error EC2: UnauthorizedOperation")

    def program() -> str:
        with pytest.raises(Exception, match="UnauthorizedOperation") as error:
            foundation.build(settings_of("aws-dev"))
        return str(error.value)

    message = record(program, answers={ASKED_ZONES: forbidden}, stack="aws-dev").result
    assert "too many calls" not in message


def test_zone_that_the_region_does_not_have_is_reported() -> None:
    settings = settings_of("aws-dev")
    network = settings.network.model_copy(update={"zone_ids": ["euc1-az1", "euc1-az9"], "zone_count": None})
    problems, registered = _refused(settings.model_copy(update={"network": network}))
    assert registered == ["pulumi:providers:aws aws"]
    assert len(problems) == 1
    assert "network.zone_ids[1]: got 'euc1-az9'; expected one of euc1-az1, euc1-az2, euc1-az3" in problems[0]


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.startswith("aws-")])
def test_ec2_is_asked_once_for_the_machines_of_all_pools_before_the_first_component(stack: str) -> None:
    settings = settings_of(stack)
    recorded = record(lambda: foundation.build(settings), stack=stack)
    calls = [call for call in recorded.calls if call.token == OFFERINGS]
    pools = len(settings.node_pools) + len(settings.gpu_pools)
    assert len(calls) == 1 + pools + 1, "and each pool for its own, and the cluster for its system nodes"
    assert recorded.calls[1].token == OFFERINGS, "after the zones, the first question of all"
    assert recorded.calls[1].provider.startswith(recorded.one("pulumi:providers:aws").urn)


def test_log_group_of_an_earlier_cluster_is_reported_by_the_name_of_the_environment() -> None:
    group = "/aws/eks/acme-dev-cluster/cluster"
    answers: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
        "aws:cloudwatch/getLogGroups:getLogGroups": lambda arguments: {**arguments, "logGroupNames": [group]},
        "aws:cloudwatch/getLogGroup:getLogGroup": lambda arguments: {
            **arguments,
            "kmsKeyId": "",
            "region": "r",
        },
        "aws:eks/getClusters:getClusters": lambda _: {"id": "r", "names": []},
    }

    def program() -> list[str]:
        with pytest.raises(SettingsError) as error:
            foundation.build(settings_of("aws-dev"))
        return list(error.value.problems)

    recorded = record(program, answers=answers, stack="aws-dev")
    assert recorded.names() == ["pulumi:providers:aws aws"], "no network is created before it"
    (problem,) = recorded.result
    assert "environment.name: got 'acme-dev', but the log group" in problem
    assert f"aws logs delete-log-group --log-group-name {group}" in problem
