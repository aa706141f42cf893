"""The plugin as the engine runs it: a process, its schema, and Construct over gRPC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from aiplatform._plugin import COMPONENTS, Plugin
from tests.components import recording
from tests.components.plugin_process import AWS, Monitor, Served, refused
from tests.components.recording import Registered

ROOT = Path(__file__).parents[2]
NETWORK = "aiplatform:index:Network"
CLUSTER = "aiplatform:index:Cluster"
LAKEHOUSE = "aiplatform:index:Lakehouse"
GOOD: Mapping[str, Any] = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "zoneCount": 2}


def of_type(monitor: Monitor, type_: str) -> list[Registered]:
    return [resource for resource in monitor.inner.recorded.values() if resource.type == type_]


def test_the_process_serves_the_committed_schema(plugin: Served) -> None:
    served = json.loads(plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert served == json.loads((ROOT / "components" / "schema.json").read_text()), "make generate"


def test_network_of_the_plugin_has_its_resources_and_the_names_of_the_schema(
    plugin: Served,
) -> None:
    answer, monitor = plugin.construct(NETWORK, "network", GOOD)
    assert "aiplatform:index:Network::network" in answer.urn
    (vpc,) = of_type(monitor, "aws:ec2/vpc:Vpc")
    assert vpc.inputs["cidrBlock"] == "10.16.0.0/16"
    assert vpc.provider == f"{AWS}::0001", "the provider of the request"
    state: Any = rpc.deserialize_properties(answer.state)
    schema = json.loads((ROOT / "components" / "schema.json").read_text())
    network = schema["resources"][NETWORK]
    assert set(network["required"]) <= set(state) <= set(network["properties"]), "the rest is another cloud's"
    zone = schema["types"]["aiplatform:index:NetworkZone"]["properties"]
    assert [set(keys) for keys in state["zones"]] == [set(zone)] * 2, "objects in lists are camelCase too"


def test_unknown_and_missing_keys_are_reported_with_their_paths(plugin: Served) -> None:
    monitor = Monitor()
    network = {"vpcId": "vpc-1", "cidr": "10.0.0.0/16", "zones": [{"id": "usw2-az1", "privateSubnet": "s"}]}
    with refused() as problems:
        _, monitor = plugin.construct(
            CLUSTER, "cluster", {"prefix": "acme-dev", "versoin": "1.35", "network": network}
        )
    assert set(problems) == {
        "versoin",
        "version",
        "network.privateSubnetIds",
        "network.zones[0].privateSubnet",
        "network.zones[0].privateSubnetId",
    }
    assert "did you mean 'version'" in problems["versoin"]
    assert problems["version"] == "missing, expected a string"
    assert not monitor.inner.recorded, "nothing was registered"


def test_a_key_at_the_top_that_belongs_into_a_block_is_reported_with_its_place(plugin: Served) -> None:
    with refused() as problems:
        plugin.construct(NETWORK, "network", {**GOOD, "endpoints": ["sts"], "googleApis": "private"})
    assert problems == {
        "endpoints": "unknown key; did you mean 'aws.endpoints'?",
        "googleApis": "unknown key; did you mean 'gcp.googleApis'?",
    }


def test_a_problem_that_the_component_finds_has_the_names_of_the_schema(plugin: Served) -> None:
    with refused() as problems:
        plugin.construct(NETWORK, "network", {**GOOD, "zoneCount": 1, "nat": "singel"})
    assert set(problems) == {"zoneCount", "nat"}, "zone_count is Python's name"
    assert "did you mean 'single'" in problems["nat"]


def secret(value: Any) -> dict[str, Any]:
    """A secret, as the engine sends it."""
    return {**output(value), "secret": True}


def output(value: Any) -> dict[str, Any]:
    """A known output of another resource, as the engine sends it."""
    return {rpc._special_sig_key: rpc._special_output_value_sig, "value": value}


ZONES: Mapping[str, Any] = {"id": "usw2-az1", "privateSubnetId": "subnet-1"}
NETWORK_REFERENCE: Mapping[str, Any] = {
    "vpcId": "vpc-1",
    "cidr": "10.0.0.0/16",
    "privateSubnetIds": ["subnet-1"],
    "zones": [ZONES, {**ZONES, "id": "usw2-az2"}],
}
TABLE: Mapping[str, Any] = {
    "zone": "raw",
    "name": "events",
    "columns": [{"name": "id", "type": "long"}, {"name": "at", "type": "timestamp"}],
}


@pytest.mark.parametrize(
    ("wrong", "path", "reason"),
    [
        pytest.param({"vpcIdd": "vpc-1"}, "network.vpcIdd", "did you mean 'vpcId'", id="unknown key"),
        pytest.param(
            {"zones": [ZONES, {**ZONES, "nam": "a"}]},
            "network.zones[1].nam",
            "did you mean 'name'",
            id="unknown key in a list",
        ),
        pytest.param({"vpcId": 5}, "network.vpcId", "expected a string", id="wrong type"),
        pytest.param(
            {"privateSubnetIds": ["subnet-1", {"id": "subnet-2"}]},
            "network.privateSubnetIds[1]",
            "expected a string",
            id="wrong type in a list",
        ),
        pytest.param({"zones": ["usw2-az1"]}, "network.zones[0]", "an object with", id="no object in a list"),
        pytest.param({"vpcId": None}, "network.vpcId", "missing, expected a string", id="null"),
        pytest.param(
            {"privateSubnetIds": [None]},
            "network.privateSubnetIds[0]",
            "expected a string",
            id="null in a list",
        ),
        pytest.param({"cloud": secret("aws")}, "network.cloud", "got a secret", id="secret"),
        pytest.param({"cloud": rpc.UNKNOWN}, "network.cloud", "it decides what is created", id="output"),
        pytest.param({"cloud": "awz"}, "network.cloud", "did you mean 'aws'", id="wrong word"),
    ],
)
def test_a_wrong_value_in_an_object_is_refused_with_its_path(
    plugin: Served, wrong: Mapping[str, Any], path: str, reason: str
) -> None:
    network = {**NETWORK_REFERENCE, **wrong}
    with refused() as problems:
        plugin.construct(CLUSTER, "cluster", {"prefix": "acme-dev", "version": "1.35", "network": network})
    assert problems.keys() == {path}
    assert reason in problems[path]


@pytest.mark.parametrize(
    ("column", "key", "reason"),
    [
        pytest.param({"typ": "long"}, "typ", "did you mean 'type'", id="unknown key"),
        pytest.param({"type": 5}, "type", "expected a string", id="wrong type"),
        pytest.param({"type": None}, "type", "missing, expected a string", id="null"),
        pytest.param({"type": secret("long")}, "type", "got a secret", id="secret"),
        pytest.param({"type": rpc.UNKNOWN}, "type", "it decides what is created", id="output"),
        pytest.param({"classification": "pi"}, "classification", "did you mean 'pii'", id="wrong word"),
    ],
)
def test_a_wrong_value_in_a_list_of_objects_in_a_list_is_refused_with_its_path(
    plugin: Served, column: Mapping[str, Any], key: str, reason: str
) -> None:
    table = {**TABLE, "columns": [TABLE["columns"][0], {**TABLE["columns"][1], **column}]}
    with refused() as problems:
        plugin.construct(LAKEHOUSE, "lake", {"prefix": "acme-dev", "writers": [], "tables": [table]})
    path = f"tables[0].columns[1].{key}"
    assert path in problems
    assert reason in problems[path]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(secret(["usw2-az1", "usw2-az2"]), "got a secret", id="list"),
        pytest.param(["usw2-az1", secret("usw2-az2")], "got a secret", id="entry"),
    ],
)
def test_a_secret_that_decides_what_is_created_is_refused_without_its_value(
    plugin: Served, value: Any, reason: str
) -> None:
    inputs = {"prefix": "acme-dev", "cidr": "10.16.0.0/16", "zoneIds": value}
    with refused() as problems:
        plugin.construct(NETWORK, "network", inputs)
    assert problems
    assert all(reason in text and "usw2" not in text for text in problems.values())


def test_the_network_of_a_stack_in_python_is_taken_by_its_names_in_python(plugin: Served) -> None:
    network = {
        "vpc_id": "vpc-1",
        "cidr": "10.0.0.0/16",
        "private_subnet_ids": ["subnet-1", "subnet-2"],
        "zones": [{"id": "euc1-az1", "private_subnet_id": "subnet-1"}],
        "nat_public_ips": ["192.0.2.1"],
    }
    arguments = {"prefix": "acme-dev", "version": "1.35", "network": output(network)}
    _, monitor = plugin.construct(CLUSTER, "cluster", arguments)
    (cluster,) = of_type(monitor, "aws:eks/cluster:Cluster")
    assert cluster.inputs["vpcConfig"]["subnetIds"] == ["subnet-1", "subnet-2"]


def test_names_in_python_are_refused_where_the_program_itself_states_them(plugin: Served) -> None:
    network = {**NETWORK_REFERENCE, "vpc_id": "vpc-1"}
    with refused() as problems:
        plugin.construct(CLUSTER, "cluster", {"prefix": "acme-dev", "version": "1.35", "network": network})
    assert problems == {"network.vpc_id": "unknown key; did you mean 'vpcId'?"}


def test_an_unknown_network_is_refused_with_a_provider_of_google_cloud(plugin: Served) -> None:
    arguments = {"prefix": "acme-dev", "version": "1.35", "network": rpc.UNKNOWN}
    with refused() as problems:
        plugin.construct(CLUSTER, "cluster", arguments, provider="gcp")
    assert problems.keys() == {"network"}
    assert "expected an object with a plain `cloud`, `project` and `region`" in problems["network"]


def test_a_plain_argument_that_is_an_output_is_refused_with_the_reason() -> None:
    def program() -> None:
        # Created here: an output needs the event loop that the recording brings.
        arguments = {"prefix": "acme-dev", "cidr": pulumi.Output.from_input("10.16.0.0/16")}
        with pytest.raises(pulumi.errors.InputPropertiesError) as caught:
            Plugin("0.1.0").construct("network", NETWORK, arguments)
        assert not caught.value.errors, "the engine panics where it prints a value that is unknown"
        (message,) = caught.value.args
        assert "- property cidr has a problem: got an output" in message
        assert message.endswith("expected a string: it decides what is created")

    assert not recording.record(program).resources


def test_an_unknown_component_is_reported_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'Network'.*GpuPool"):
        Plugin("0.1.0").construct("network", "aiplatform:index:Netwrk", {})


def test_every_component_of_the_package_is_served() -> None:
    folders = {file.parent.name for file in (ROOT / "components" / "aiplatform").glob("[!_]*/args.py")}
    assert {component.__module__.rsplit(".", 1)[-1] for component in COMPONENTS} == folders
