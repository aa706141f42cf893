"""The resources of the queues."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from aiplatform._shared.args import read
from aiplatform.gpu_pool import GpuPool
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.planned import planned as planned_gpu_pool
from aiplatform.node_pool import NodePool
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.planned import planned as planned_node_pool
from aiplatform.queues import Queues
from aiplatform.queues.pools import GpuPoolReference, NodePoolReference
from aiplatform.training.pools import TrainingGpuPoolReference, TrainingNodePoolReference
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK, machine_types
from tests.components.aiplatform.queues import example
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

KUEUE = "kubernetes:kueue.x-k8s.io/v1beta2"


def queues(**more: Any) -> Recording:
    arguments: Any = example.arguments(**more)
    return record(lambda: Queues("queues", arguments))


def test_the_logical_names_are_a_contract() -> None:
    recorded = queues(
        gpu_pools=[example.gpu_pool(), example.queued_pool()], topologies={"training": "network"}
    )
    assert recorded.names() == [
        "aiplatform:index:Queues queues",
        f"{KUEUE}:AdmissionCheck queues-check-queued",
        f"{KUEUE}:ClusterQueue queues-queue-language",
        f"{KUEUE}:ClusterQueue queues-queue-vision",
        f"{KUEUE}:Cohort queues-cohort-research",
        f"{KUEUE}:LocalQueue queues-local-queue-language.default",
        f"{KUEUE}:LocalQueue queues-local-queue-vision.default",
        f"{KUEUE}:ProvisioningRequestConfig queues-provisioning-queued",
        f"{KUEUE}:ResourceFlavor queues-flavor-general",
        f"{KUEUE}:ResourceFlavor queues-flavor-queued",
        f"{KUEUE}:ResourceFlavor queues-flavor-training",
        f"{KUEUE}:Topology queues-topology-network",
        f"{KUEUE}:WorkloadPriorityClass queues-priority-best-effort",
        f"{KUEUE}:WorkloadPriorityClass queues-priority-interactive",
        f"{KUEUE}:WorkloadPriorityClass queues-priority-serving",
        f"{KUEUE}:WorkloadPriorityClass queues-priority-training",
        f"{KUEUE}:WorkloadPriorityClass queues-priority-training-high",
    ]


def test_it_is_documented() -> None:
    assert undocumented(Queues) == []


def test_a_priority_class_has_its_value_next_to_the_metadata() -> None:
    resource = queues().one(f"{KUEUE}:WorkloadPriorityClass", "queues-priority-serving")
    assert resource.inputs["value"] == 10_000
    assert "spec" not in resource.inputs, "Kueue's definition has none"


def test_each_object_waits_for_what_it_refers_to() -> None:
    recorded = queues(topologies={"training": "network"})
    local = recorded.named("queues-local-queue-vision.default")
    queue = recorded.named("queues-queue-vision")
    for other in ("queues-flavor-training", "queues-flavor-general", "queues-cohort-research"):
        assert recorded.depends(queue, recorded.named(other)), "Kueue deletes none of them while it is in use"
    assert recorded.depends(local, queue)
    assert recorded.depends(
        recorded.named("queues-flavor-training"), recorded.named("queues-topology-network")
    )


def test_each_object_waits_for_the_resources_of_kueue() -> None:
    arguments: Any = example.arguments()

    def program() -> None:
        kueue = pulumi.CustomResource("kubernetes:apps/v1:Deployment", "kueue", {})
        Queues("queues", arguments, pulumi.ResourceOptions(depends_on=[kueue]))

    recorded = record(program)
    kueue = recorded.named("kueue")
    objects = [resource for resource in recorded.resources if resource.type.startswith(KUEUE)]
    assert objects
    for resource in objects:
        assert recorded.depends(resource, kueue), "its webhook answers first, and removes finalizers last"


def test_the_outputs_name_what_others_refer_to() -> None:
    outputs = queues().one("aiplatform:index:Queues").outputs
    assert outputs == {
        "flavors": ["general", "training"],
        "cluster_queues": ["vision", "language"],
        "priorities": ["serving", "interactive", "training-high", "training", "best-effort"],
    }


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_it_takes_the_outputs_of_pools_as_they_are(cloud: str) -> None:
    google = cloud == "gcp"
    where: Any = {
        "prefix": "acme-dev",
        "cluster": GOOGLE_CLUSTER if google else CLUSTER,
        "network": GOOGLE_NETWORK if google else NETWORK,
    }
    types = ["n2-standard-8"] if google else ["m7i.2xlarge"]
    cpu_pool: Any = {**where, "name": "general", "instance_types": types, "max": 10}
    capacity = [{"type": "spot"}]
    gpu_pool: Any = {**where, "name": "training", "accelerator": "h100", "count": 8, "capacity": capacity}

    def program() -> None:
        cpu = NodePool("cpu", cpu_pool)
        fixed: Any = {**gpu_pool, "min": 4, "max": 4}
        gpu = GpuPool("gpu", fixed)
        pools: Any = {"node_pools": [cpu.outputs], "gpu_pools": [gpu.outputs]}
        arguments: Any = {**example.arguments(), "topologies": {"training": "network"}, **pools}
        Queues("queues", arguments)

    recorded = record(program, answers=machine_types() if google else None)
    flavor = recorded.named("queues-flavor-training").inputs["spec"]
    taints = {entry["key"] for entry in flavor["tolerations"]}
    if google:
        assert flavor["nodeLabels"] == {"cloud.google.com/compute-class": "training"}
        assert taints == {"nvidia.com/gpu", "cloud.google.com/compute-class"}
    else:
        assert flavor["nodeLabels"] == {"ai-platform/pool": "training"}
        assert taints == {"nvidia.com/gpu"}
    levels = recorded.named("queues-topology-network").inputs["spec"]["levels"]
    assert len(levels) == 4


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_a_reference_before_the_pool_exists_has_the_values_of_its_outputs(cloud: str) -> None:
    google = cloud == "gcp"
    where: Any = {
        "prefix": "acme-dev",
        "cluster": GOOGLE_CLUSTER if google else CLUSTER,
        "network": GOOGLE_NETWORK if google else NETWORK,
    }
    sharing = {"strategy": "time_slicing", "replicas": 4}
    capacity = [{"type": "spot"}, {"type": "on_demand"}]
    gpu: Any = {
        **where,
        "name": "l4",
        "accelerator": "l4",
        "count": 1,
        "sharing": sharing,
        "capacity": capacity,
    }
    types = ["c4a-standard-8"] if google else ["m7g.2xlarge"]
    cpu: Any = {**where, "name": "general", "instance_types": types, "capacity": ["spot", "on_demand"]}
    components: list[Any] = []

    def program() -> None:
        components.extend((NodePool("cpu", cpu), GpuPool("gpu", gpu)))

    record(program, answers=machine_types() if google else None)
    node_pool, gpu_pool = (component.outputs for component in components)
    planned_cpu = planned_node_pool(read(NodePoolSettings, cpu, "Args"))
    planned_gpu = planned_gpu_pool(read(GpuPoolSettings, gpu, "Args"))
    for of_cpu, of_gpu in (
        (NodePoolReference, GpuPoolReference),
        (TrainingNodePoolReference, TrainingGpuPoolReference),
    ):
        assert read(of_cpu, planned_cpu, "planned") == read(of_cpu, node_pool, "outputs")
        # The networks of GPUDirect are known when they exist.
        outputs = {**gpu_pool, "network_interfaces": None}
        assert read(of_gpu, planned_gpu, "planned") == read(of_gpu, outputs, "outputs")
