"""All add-ons and observability fit on the system nodes of each profile, in prod with one node lost.

Requests of the clouds' own Pods are those of the twin's manifests; what a node has for Pods is computed as
the clouds document it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from aiplatform.addons.catalog import catalog
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.observability.args import Alertmanager, Prometheus
from aiplatform.observability.logs.configuration import REQUESTS as OF_LOGS
from aiplatform.observability.traces.configuration import REQUESTS as COLLECTOR
from aiplatform.observability.values import values as values_of_observability
from aiplatform.observability.values.setup import Setup as Observability
from stacks.profiles import PROFILES
from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations import node_objects
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import allocatable as shape
from twin.kubernetes import manifests
from twin.kubernetes.quantity import Amounts, add, amounts

MANIFESTS = Path(manifests.__file__).parent / "manifests"
REPLICAS = {"dev": 1, "staging": 2, "prod": 2}
LOST = {"dev": 0, "staging": 0, "prod": 1}
AUTOSCALER = {"cpu": "100m", "memory": "600Mi"}
SINGLE = {"external-dns"}
"""Add-ons without leader election, of which there is never a second Pod."""
OF_ACCELERATORS = {"nvidia-gpu-device-plugin", "tpu-device-plugin"}
LATER = ("Gateway", "Pipelines")
"""Components that no file of this repository has."""
OF_SERVING = ("kserve",)
"""Add-ons that the topic serving enables, which no file of this repository has."""
ADDITIONAL = {("aws", "dev"): "m7i.large"}
"""Cloud, profile -> a node of the first pool, which runs while idle for the registries (docs/cost.md): a
system node of AWS' dev has 17 Pods at most."""
NODE_EXPORTER = amounts({"cpu": "10m", "memory": "32Mi", "pods": 1})
FLUENT_BIT = amounts({"cpu": OF_LOGS[0], "memory": OF_LOGS[1], "pods": 1})
CASES = [(cloud, profile) for cloud in PROFILES for profile in PROFILES[cloud]]


def addon_pods(cloud: str, replicas: int, *, everything: bool) -> Iterator[Amounts]:
    """Yield the requests of each Pod of the default add-ons on system nodes; with those of a gateway,
    pipelines and serving where `everything` is true."""
    setup = Setup(replicas=replicas, cloud=cast("Any", cloud))
    for name, values in VALUES.items():
        addon = catalog()[name]
        of_serving = name in OF_SERVING
        if cloud not in addon.clouds or not (addon.by_default or of_serving) or addon.on_gpu_nodes:
            continue
        if not everything and (of_serving or addon.installed_by in LATER):
            continue
        for part in _objects(values(setup)):
            if "resources" in part and "requests" in part["resources"]:
                for _ in range(1 if name in SINGLE else replicas):
                    yield amounts({**part["resources"]["requests"], "pods": 1})


def observability_pods(cloud: str, profile: str) -> Iterator[Amounts]:
    """Yield the requests of each Pod of observability but Grafana's: no alert needs it, and it may run on any
    node. The exporter of nodes is one for each node."""
    topic = PROFILES[cloud][profile]["observability"]
    setup = Observability(
        cloud=cast("Any", cloud),
        cluster="",
        prometheus=Prometheus(**topic["prometheus"]),
        alertmanager=Alertmanager(**topic.get("alertmanager", {})),
    )
    chart = values_of_observability(setup)
    operator = chart["prometheusOperator"]
    reloader = operator["prometheusConfigReloader"]["resources"]["requests"]
    instances = (chart["prometheus"]["prometheusSpec"], chart["alertmanager"]["alertmanagerSpec"])
    for spec in (operator, chart["kube-state-metrics"]):
        yield amounts({**spec["resources"]["requests"], "pods": 1})
    for spec in instances:
        for _ in range(spec["replicas"]):
            pod = amounts({**spec["resources"]["requests"], "pods": 1})
            add(pod, amounts(reloader))
            yield pod
    if "traces" in topic:
        cpu, memory = COLLECTOR
        for _ in range(topic["traces"].get("replicas", 1)):
            yield amounts({"cpu": cpu, "memory": memory, "pods": 1})


def system_pods(cloud: str, kind: str) -> Iterator[Amounts]:
    """Yield the requests of the cloud's own Pods of Deployments, or of DaemonSets on a system node."""
    for file in sorted((MANIFESTS / cloud).glob("*.yaml")):
        for document in yaml.load_all(file.read_text(), yaml.CSafeLoader):
            if document and document["kind"] == kind and document["metadata"]["name"] not in OF_ACCELERATORS:
                containers = document["spec"]["template"]["spec"]["containers"]
                pod = amounts({"pods": 1})
                for container in containers:
                    add(pod, amounts((container.get("resources") or {}).get("requests") or {}))
                for _ in range(document["spec"].get("replicas", 1)):
                    yield pod


def allocatable(cloud: str, instance_type: str) -> Amounts:
    """Return what a system node has for Pods."""
    if cloud == "aws":
        group = SimpleNamespace(
            internal={"data": {}}, description={"amiType": "AL2023_x86_64_STANDARD", "diskSize": 50}
        )
        info = instance_type_info(instance_type)
        assert info is not None
        _, left = node_objects.resources(info, cast("Any", group))
    else:
        machine = capacity.machine_type(instance_type)
        assert machine is not None
        _, left = shape.resources(machine, {"diskSizeGb": 50}, 64)
    return amounts({name: left[name] for name in ("cpu", "memory", "pods")})


def nodes_of(cloud: str, profile: str, further: int = 0) -> list[Amounts]:
    """Return what DaemonSets leave for other Pods, on each of the fewest nodes of a profile and on further
    ones."""
    settings = PROFILES[cloud][profile]["cluster"]["system_nodes"]
    node = allocatable(cloud, settings["instance_types"][0])
    for pod in (*system_pods(cloud, "DaemonSet"), NODE_EXPORTER, FLUENT_BIT):
        node = {name: value - pod.get(name, 0) for name, value in node.items()}
    nodes = [dict(node) for _ in range(settings["min"] - LOST[profile] + further)]
    additional = ADDITIONAL.get((cloud, profile))
    return [*nodes, *([allocatable(cloud, additional)] if additional is not None else [])]


def pending(nodes: list[Amounts], pods: list[Amounts]) -> list[Amounts]:
    """Put each Pod, the largest first, on the first node with room. Returns those for which there is none."""
    left: list[Amounts] = []
    for pod in sorted(pods, key=lambda pod: -pod.get("memory", 0)):
        node = next((node for node in nodes if all(node[name] >= value for name, value in pod.items())), None)
        if node is None:
            left.append(pod)
        else:
            for name, value in pod.items():
                node[name] -= value
    return left


@pytest.mark.parametrize(("cloud", "profile"), CASES)
def test_all_addons_fit_on_the_system_nodes_of_a_profile(cloud: str, profile: str) -> None:
    _assert_fit(nodes_of(cloud, profile), _pods(cloud, profile, everything=False))


@pytest.mark.parametrize(("cloud", "profile"), CASES)
def test_a_gateway_pipelines_and_serving_fit_with_one_more_node(cloud: str, profile: str) -> None:
    _assert_fit(nodes_of(cloud, profile, further=1), _pods(cloud, profile, everything=True))


def _pods(cloud: str, profile: str, *, everything: bool) -> list[Amounts]:
    pods = [
        *system_pods(cloud, "Deployment"),
        *addon_pods(cloud, REPLICAS[profile], everything=everything),
        *observability_pods(cloud, profile),
    ]
    if cloud == "aws":
        replicas = PROFILES[cloud][profile]["cluster_autoscaler"]["replicas"]
        pods += [amounts({**AUTOSCALER, "pods": 1})] * replicas
    return pods


def _assert_fit(nodes: list[Amounts], pods: list[Amounts]) -> None:
    whole = {name: sum(node[name] for node in nodes) for name in ("cpu", "memory", "pods")}
    left = pending(nodes, pods)
    requested = {name: sum(pod.get(name, 0) for pod in pods) for name in whole}
    assert left == [], f"{len(left)} Pods stay pending: requested {requested}, there is {whole}"


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield cast("Mapping[str, Any]", value)
        for part in cast("Mapping[str, Any]", value).values():
            yield from _objects(part)
