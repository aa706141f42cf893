"""Every input that may be an output is accepted while it is unknown, as in the preview of a new stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.provider.experimental.analyzer import PropertyDefinition
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.proto.resource_pb2_grpc import add_ResourceMonitorServicer_to_server

from tests.components import recording
from tests.components.plugin_process import Monitor, Served, refused, serving
from tests.generating import components, examples

SOURCE = "urn:pulumi:dev::proj::aws:ec2/vpc:Vpc::made-elsewhere"
PROVIDERS = {
    package: f"urn:pulumi:dev::proj::pulumi:providers:{package}::{package}::0001"
    for package in ("aws", "gcp", "kubernetes")
}
UNUSED = {
    ("Lakehouse", "network"),
    ("Lakehouse", "queryCutoffBytes"),
    ("FeatureStore", "network"),
    ("ContainerRegistry", "nodeRoles"),
    ("ContainerRegistry", "cachedDays"),
    ("ComputeClass", "cluster"),
    ("Training", "cluster"),
    ("Gateway", "cluster"),
    ("ModelStore", "checkpoints"),
    ("ModelMonitor", "cluster"),
    ("ModelMonitor", "tags"),
    ("LogBucket", "tags"),
    ("Function", "lakehouse"),
    ("Function", "package"),
    ("Function", "event"),
}
"""Inputs that no resource of the example needs: it has no captures, grants, Valkey and caches. Of the cluster
of a ComputeClass, of Training and of a Gateway only the cloud matters; a bucket of checkpoints that exists is
for teams. With a bucket that exists a ModelMonitor creates nothing that has tags or needs the cluster, and
with a key that exists a LogBucket nothing that has labels. The Function of the example has an image and a
URL, with which a package and events are refused."""
INSTEAD: Mapping[tuple[str, str], str] = {("Observability", "longTermStorage"): "workspaceId"}
"""A key of a block with which the others are refused: it names what exists in place of what they describe."""
VALKEY_ONLY = ("FeatureStore", "expireDays")
"""An input that the example cannot have, as its online store is DynamoDB (test_data_output_arguments.py)."""
OF_CREATED = ("ModelMonitor", "accessLogBucket")
"""An input that is refused with `bucket` (test_existing_log_buckets.py)."""
OF_GOOGLE = (("Function", "logBucket"), ("Workflow", "logBucket"))
"""Inputs that the examples cannot have, which are on AWS (tests of the components have them as outputs)."""
ADDITIONAL: Mapping[str, Mapping[str, Any]] = {
    "Addons": {"options": {"karpenter": {"enabled": True}}},
    "Cluster": {"apiAccess": {"mode": "in_vpc"}},
    "DevicePlugins": {"neuron": True},
    "FeatureStore": {"registry": {"kind": "sql", "secret": "registry"}},
    "Runner": {
        "connectionArn": "arn:aws:codeconnections:eu-central-1:111122223333:connection/"
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "githubWorkflows": ["deploy"],
    },
    "Serving": {"prometheusUrl": "http://prometheus.monitoring:9090"},
}
"""Inputs of a component without which others are not needed."""
REQUIRED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("Serving", "rollouts"): {"image": f"registry.example/rollout@sha256:{'1' * 64}"},
}
"""Keys of a block that is in no example, without which it is refused."""
PLAIN = {("Workflow", "definition")}
"""Inputs that contain no outputs: a definition is checked, and names what it calls."""
REFERENCE = re.compile(r"\$\{.*\}")


def _example(component: str) -> dict[str, Any]:
    """The inputs of a component in examples/, where resource output of another one is unknown."""
    for program in examples.programs():
        for resource in program.resources.values():
            if resource["type"] == f"aiplatform:{component}":
                return _unknown(resource["properties"])
    raise LookupError(component)


def _unknown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unknown(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_unknown(entry) for entry in value]
    if not isinstance(value, str):
        return value
    # The recorded cloud's region is another one than that of the example.
    # `$${` is how YAML states the characters `${`.
    plain = value.replace("usw2-", "euc1-").replace("$${", "${")
    return rpc.UNKNOWN if REFERENCE.fullmatch(value) else plain


def _variants(properties: Mapping[str, PropertyDefinition]) -> Iterator[tuple[str, Any]]:
    """Inputs that may be outputs, or whose entries may be: (key, unknown value)."""
    for key, prop in properties.items():
        if not prop.plain:
            yield key, rpc.UNKNOWN
        elif prop.items is not None and not prop.items.plain:
            yield key, [rpc.UNKNOWN]
        elif prop.additional_properties is not None and not prop.additional_properties.plain:
            yield key, {"entry": rpc.UNKNOWN}


def source_of(key: str) -> str:
    """Return the URN of the resource that an input comes from."""
    return f"{SOURCE}-{key}"


def preview(
    served: Served, component: str, inputs: Mapping[str, Any], *unknown: str, **answers: Any
) -> Monitor:
    """Return what a component registers in a preview. unknown: inputs that depend on their `source_of`.
    answers: of the recorded cloud, as `recording.monitor` takes them."""
    monitor = Monitor()
    monitor.inner = recording.monitor(project="proj", stack="dev", **answers)
    struct = struct_pb2.Struct()
    struct.update(dict(inputs))
    sources = {
        key: provider_pb2.ConstructRequest.PropertyDependencies(urns=[source_of(key)]) for key in unknown
    }
    with serving(lambda server: add_ResourceMonitorServicer_to_server(monitor, server)) as address:
        request = provider_pb2.ConstructRequest(
            project="proj",
            stack="dev",
            type=f"aiplatform:index:{component}",
            name="component",
            inputs=struct,
            inputDependencies=sources,
            monitorEndpoint=address,
            providers=PROVIDERS,
            dryRun=True,
        )
        served.stub.Construct(request, timeout=60)
    return monitor


CASES: Mapping[str, Mapping[str, Any]] = {
    name: {
        key: value
        for key, value in _variants(definition.inputs)
        if (name, key) not in (VALKEY_ONLY, OF_CREATED, *OF_GOOGLE)
    }
    for name, definition in components.plugin().definitions.items()
}


ALONE = ("accessLogDays", "mirrors")
"""Inputs that are not needed where others are unknown: an image that a program states is at no mirror, and a
bucket of access logs that exists has its own retention."""


@pytest.mark.parametrize("component", [name for name, cases in CASES.items() if cases])
def test_unknown_inputs_are_accepted_and_the_dependency_of_each_is_kept(
    plugin: Served, component: str
) -> None:
    cases = CASES[component]
    alone = [[key] for key in cases if key in ALONE]
    needed: set[str] = set()
    for keys in ([key for key in cases if key not in ALONE], *alone):
        inputs = {**_example(component), **ADDITIONAL.get(component, {}), **{key: cases[key] for key in keys}}
        monitor = preview(plugin, component, inputs, *keys)
        # The objects of a chart are registered by the provider, with the values of the chart.
        children = [
            resource
            for resource in monitor.inner.recorded.values()
            if resource.custom or resource.type == "kubernetes:helm.sh/v4:Chart"
        ]
        assert children
        needed |= {key for key in keys if any(source_of(key) in resource.depends_on for resource in children)}
    unused = {key for name, key in UNUSED if name == component}
    assert needed == set(cases) - unused, "what needs the input comes after its source"


def _blocks() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Blocks whose keys may be outputs: component, key of the block, its keys unknown. Those of Google Cloud
    are refused on AWS, where the examples are."""
    for name, definition in components.plugin().definitions.items():
        for key, prop in definition.inputs.items():
            block = components.plugin().type_of(prop) if prop.plain else None
            unknown = dict(_variants(block.properties)) if block is not None else {}
            unknown.pop(INSTEAD.get((name, key), ""), None)
            if unknown and key not in ("gcp", "gke", "perimeter") and (name, key) not in UNUSED:
                yield name, key, unknown


BLOCKS = list(_blocks())


@pytest.mark.parametrize(
    ("component", "key", "unknown"), BLOCKS, ids=[f"{name}-{key}" for name, key, _ in BLOCKS]
)
def test_unknown_values_of_a_block_are_accepted_and_their_dependency_is_kept(
    plugin: Served, component: str, key: str, unknown: dict[str, Any]
) -> None:
    example = {**_example(component), **ADDITIONAL.get(component, {})}
    required = REQUIRED.get((component, key), {})
    inputs = {**example, key: {**example.get(key, {}), **required, **unknown}}
    monitor = preview(plugin, component, inputs, key)
    needed = [
        resource for resource in monitor.inner.recorded.values() if source_of(key) in resource.depends_on
    ]
    assert needed, "what needs the block comes after its source"


@pytest.mark.parametrize("component", components.plugin().definitions)
def test_all_outputs_of_an_example_may_be_unknown(plugin: Served, component: str) -> None:
    inputs = _example(component)
    monitor = preview(plugin, component, inputs, *(key for key in inputs if (component, key) not in PLAIN))
    assert [resource for resource in monitor.inner.recorded.values() if resource.custom]


def test_an_unknown_value_that_decides_the_shape_is_refused_with_its_path(plugin: Served) -> None:
    with refused() as problems:
        preview(
            plugin, "Network", {"prefix": "team-dev", "cidr": rpc.UNKNOWN, "zoneIds": rpc.UNKNOWN}, "cidr"
        )
    assert set(problems) == {"cidr", "zoneIds"}
    assert all("it decides what is created" in reason for reason in problems.values())


def test_a_pool_without_zones_says_what_to_state_where_those_of_the_network_are_unknown(
    plugin: Served,
) -> None:
    inputs = _example("GpuPool")
    del inputs["zones"]
    with refused() as problems:
        preview(plugin, "GpuPool", inputs, "network")
    assert "state the pool's `zones`" in problems["network.zones"]
