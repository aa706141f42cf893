"""A cluster of EKS with Karpenter itself: the component Addons installs it, with its role and its queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_aws as aws
from kubernetes import client
from pulumi import automation

from aiplatform.addons import Addons
from aiplatform.gpu_pool import GpuPool
from aiplatform.karpenter import Karpenter
from tests.addon_options import only
from tests.controllers.cluster import Objects
from tests.end_to_end.plain import Base, Plain, location
from twin.toolchain.charts import ensure_charts

GPU: Final = "nvidia.com/gpu"
PREFIX: Final = "acme-dev"
POOL: Final = "l4"
RESERVED: Final = "kept"
QUEUE: Final = "acme-dev-karpenter"
NAMES: Final = ("karpenter-crd", "karpenter")
NODE_POOL: Final = "karpenter.sh/nodepool"
SPOT, ON_DEMAND = f"{POOL}-spot", f"{POOL}-on-demand"


class KarpenterCluster(Objects):
    """The twin, its base, system nodes, a device plugin and Karpenter."""

    def __init__(self, home: Path, name: str) -> None:
        self.plain = Plain(home, name, "--controllers", "karpenter")

    def deploy(self) -> None:
        """Deploy all of it."""
        self.base = self.plain.base()
        self.plain.stack("nodes", lambda: _nodes(self.base)).up()
        self._addons().up()
        self.connect()
        self.create(device_plugin())

    def connect(self) -> None:
        """Connect to the cluster, with the kinds that it has now."""
        super().__init__(kubernetes.config.new_client_from_config(str(self.plain.instance.kubeconfig)))
        self.core: Any = client.CoreV1Api(self.api)

    def deploy_pools(self) -> None:
        """Deploy a GPU pool whose nodes Karpenter creates."""
        self._pools().up()

    def reserved(self, reservation_id: str) -> automation.Stack:
        """Return a stack with a pool of nodes in a reservation, and on demand where it is used up."""
        return self._with_kubernetes("reserved", lambda: _reserved(self.base, reservation_id))

    def destroy(self) -> None:
        """Destroy the stacks, and assert that the cloud is empty."""
        self._pools().destroy()
        self._addons().destroy()
        self.plain.stack("nodes", lambda: _nodes(self.base)).destroy()
        self.plain.end()

    def _pools(self) -> automation.Stack:
        return self._with_kubernetes("pools", lambda: _pools(self.base))

    def _addons(self) -> automation.Stack:
        return self._with_kubernetes("addons", lambda: _addons(self.base))

    def _with_kubernetes(self, name: str, program: Callable[[], None]) -> automation.Stack:
        stack = self.plain.stack(name, program)
        stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(self.plain.instance.kubeconfig)))
        stack.set_config("aws:region", automation.ConfigValue(self.plain.instance.region))
        return stack

    def claims(self) -> list[dict[str, Any]]:
        """Return the NodeClaims."""
        return self.list("karpenter.sh/v1", "NodeClaim")

    def nodes(self, pool: str = "") -> list[Any]:
        """Return the Nodes that Karpenter made; pool: those of a NodePool only."""
        selector = f"{NODE_POOL}={pool}" if pool else NODE_POOL
        return self.core.list_node(label_selector=selector).items

    def pod(self, name: str) -> Any:
        """Return a Pod of the namespace default; None where there is none."""
        pods = self.core.list_namespaced_pod("default", field_selector=f"metadata.name={name}").items
        return pods[0] if pods else None

    def running(self, app: str) -> list[Any]:
        """Return the Pods with this label that run and stay."""
        pods = self.core.list_namespaced_pod("default", label_selector=f"app={app}").items
        return [
            pod for pod in pods if pod.status.phase == "Running" and pod.metadata.deletion_timestamp is None
        ]

    def queue_attributes(self) -> dict[str, str]:
        """Return the attributes of the queue of interruptions."""
        sqs = self.plain.aws("sqs")
        url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    def instances(self) -> list[dict[str, Any]]:
        """Return EC2's running instances outside of node groups."""
        filters = [
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
            {"Name": "tag-key", "Values": [NODE_POOL]},
        ]
        reservations = self.plain.aws("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in reservations for instance in reservation["Instances"]]


def node_class(name: str) -> dict[str, Any]:
    """Return what names an EC2NodeClass."""
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": name}}


def node_pool(name: str) -> dict[str, Any]:
    """Return what names a NodePool."""
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name}}


def pod(name: str, gpus: int = 1, **spec: Any) -> dict[str, Any]:
    """Return a Pod with GPUs, with an owner that recreates it nowhere."""
    limits = {GPU: str(gpus), "cpu": "1", "memory": "1Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "tolerations": [{"key": GPU, "operator": "Exists"}],
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {"name": "main", "image": "registry.example/training:1", "resources": {"limits": limits}}
            ],
            **spec,
        },
    }


def device_plugin() -> dict[str, Any]:
    """Return the DaemonSet of NVIDIA's device plugin."""
    folder = "/var/lib/kubelet/device-plugins"
    labels = {"app": "nvidia-device-plugin"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "nvidia-device-plugin", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [
                        {
                            "name": "plugin",
                            "image": "nvcr.io/nvidia/k8s-device-plugin:v0.20.0",
                            "volumeMounts": [{"name": "sockets", "mountPath": folder}],
                        }
                    ],
                    "volumes": [{"name": "sockets", "hostPath": {"path": folder}}],
                },
            },
        },
    }


def _nodes(base: Base) -> None:
    aws.eks.NodeGroup(
        "system",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m7i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=1, desired_size=1, max_size=1),
        taints=[aws.eks.NodeGroupTaintArgs(key="CriticalAddonsOnly", value="true", effect="NO_SCHEDULE")],
    )
    # A profile of others, unused and without a path: Karpenter must leave it alone.
    aws.iam.InstanceProfile("others", name="others")


def _pools(base: Base) -> None:
    pool = _pool(base, POOL, [{"type": "spot"}, {"type": "on_demand"}])
    pools = pool.outputs["karpenter_pools"]
    cluster: Any = location(base)["cluster"]
    Karpenter("karpenter", {"prefix": PREFIX, "cluster": cluster, "pools": pools})
    pulumi.export("pools", pools)


def _reserved(base: Base, reservation_id: str) -> None:
    reserved = {"type": "reserved", "reservation_id": reservation_id, "zone": base.zone_ids[0]}
    pools = _pool(base, RESERVED, [reserved, {"type": "on_demand"}]).outputs["karpenter_pools"]
    role = aws.iam.get_role(name=f"{PREFIX}-karpenter-nodes").arn
    # With the role of the other pools: the controller may pass no other to instances.
    cluster: Any = {**location(base)["cluster"], "node_role_arn": role}
    Karpenter("reserved", {"prefix": "acme-kept", "cluster": cluster, "pools": pools})


def _pool(base: Base, name: str, capacity: list[dict[str, Any]]) -> GpuPool:
    arguments: Any = {
        "prefix": PREFIX,
        "name": name,
        **location(base),
        "accelerator": "l4",
        "count": 1,
        "capacity": capacity,
        "max": 2,
        "node_provisioning": "karpenter",
    }
    return GpuPool(name, arguments)


def _addons(base: Base) -> None:
    addons = Addons(
        "addons",
        {
            "prefix": PREFIX,
            "cluster": {
                "name": base.cluster,
                "security_group_id": "sg-1",
                "vpc_id": base.vpc_id,
            },
            "charts": str(ensure_charts()),
            "options": only(NAMES),
        },
    )
    pulumi.export("ready", addons.ready)
