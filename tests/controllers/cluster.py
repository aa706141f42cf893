"""A control plane with real controllers of add-ons, and Nodes with GPUs.

The cloud's cluster has no node groups: Nodes are created here, and kwok runs what is bound to them. Kueue and
JobSet are installed from upstream's charts with the platform's values, as the component does it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import kubernetes
import pulumi
from kubernetes import client, dynamic
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from pulumi import automation

from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_namespace, install
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.kueue import MANAGED_NAMESPACES
from aiplatform.addons.values.setup import Setup
from tests.controllers.definitions import definitions
from tests.end_to_end.plain import Plain
from twin.kubernetes import kwok
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

ADDONS: Final = ("kueue", "jobset")
CONTROLLERS: Final = ",".join(ADDONS)
GPU: Final = "nvidia.com/gpu"
LAYER: Final = "topology.k8s.aws/network-node-layer-"
Object = Mapping[str, Any]


class Addons(pulumi.ComponentResource):
    """The add-ons with a controller that runs here. names: each after what it requires."""

    def __init__(
        self,
        names: Sequence[str] = ADDONS,
        setup: Setup | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tests:index:Addons", "addons", {}, opts)
        # The engine does not pass it on to children.
        before = pulumi.ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
        charts = str(ensure_charts())
        entries = [catalog()[name] for name in names]
        namespaces: dict[str, list[pulumi.Resource]] = {}
        for namespace in dict.fromkeys(addon.namespace for addon in entries if addon.namespace):
            inside = [addon for addon in entries if addon.namespace == namespace]
            ports = {port for addon in inside for port in addon.webhook_ports}
            namespaces[namespace] = create_namespace(self, "addons", namespace, "aws", ports)
        self.installed: dict[str, Installed] = {}
        for addon in entries:
            values = VALUES[addon.name](setup or Setup(ray=True)) if addon.name in VALUES else {}
            earlier = addon.ready_before(self.installed)
            required = [self.installed[name] for name in earlier if name in self.installed]
            # A manifest of definitions has none.
            namespace = namespaces.get(addon.namespace, [])
            self.installed[addon.name] = install(
                self, "addons", addon, locate(addon, charts), values, namespace, required, before
            )


class Objects:
    """Objects of any kind, as the user of a client."""

    def __init__(self, api: client.ApiClient) -> None:
        self.api = api
        self._dynamic: dynamic.DynamicClient | None = None

    def create(self, *objects: Object) -> None:
        """Create objects of any kind."""
        for item in objects:
            self._resource(item).create(body=item, namespace=item["metadata"].get("namespace"))

    def patch(self, item: Object, change: Object) -> None:
        """Change an object by a JSON merge patch."""
        metadata = item["metadata"]
        self._resource(item).patch(
            name=metadata["name"],
            namespace=metadata.get("namespace"),
            body=change,
            content_type="application/merge-patch+json",
        )

    def delete(self, *objects: Object) -> None:
        """Delete objects; those that are gone do not matter."""
        for item in objects:
            metadata = item["metadata"]
            try:
                self._resource(item).delete(
                    name=metadata["name"],
                    namespace=metadata.get("namespace"),
                    # Without it the Pods of a Job stay.
                    propagation_policy="Background",
                )
            except client.ApiException as error:
                if error.status != 404:
                    raise

    def list(self, api_version: str, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        resource = self._resource({"apiVersion": api_version, "kind": kind})
        listing = resource.get(namespace=namespace) if namespace else resource.get()
        return listing.to_dict()["items"]

    def get(self, item: Object) -> dict[str, Any]:
        """Return an object as it is now."""
        metadata = item["metadata"]
        return self._resource(item).get(name=metadata["name"], namespace=metadata.get("namespace")).to_dict()

    def refusal(self, item: Object) -> str:
        """Create an object. Returns the message with which it is refused; empty where it is created."""
        try:
            self.create(item)
        except client.ApiException as error:
            return str(json.loads(str(error.body))["message"])
        return ""

    def dry_run(self, item: Object) -> str:
        """Return the message with which an object would be refused; empty where it would be created."""
        try:
            self._resource(item).create(body=item, namespace=item["metadata"].get("namespace"), dry_run="All")
        except client.ApiException as error:
            return str(json.loads(str(error.body))["message"])
        return ""

    def accepted(self, item: Object) -> bool:
        """Return true where an object would be created; raise AssertionError with the refusal otherwise."""
        refusal = self.dry_run(item)
        assert not refusal, refusal
        return True

    def _resource(self, item: Object) -> Any:
        for _ in range(2):
            if self._dynamic is None:
                self._dynamic = dynamic.DynamicClient(self.api)
            try:
                return self._dynamic.resources.get(api_version=item["apiVersion"], kind=item["kind"])
            except ResourceNotFoundError:
                self._dynamic = None  # it may have been defined since
        raise AssertionError(f"the API server has no {item['kind']} of {item['apiVersion']}")


class Cluster(Objects):
    """A twin with controllers, before anything is installed. images: a table of images whose Pods run as
    processes."""

    def __init__(self, home: Path, name: str, controllers: str = CONTROLLERS, images: str = "") -> None:
        self.plain = Plain(home, name, "--controllers", controllers, images=images)
        self.base = self.plain.base()
        super().__init__(kubernetes.config.new_client_from_config(str(self.plain.instance.kubeconfig)))
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.batch: Any = client.BatchV1Api(self.api)
        self.custom: Any = client.CustomObjectsApi(self.api)

    def read_schema(self) -> None:
        """Read the schema of all kinds. The API server makes it again for new definitions: on a busy machine
        it takes longer than the 32 seconds that the engine's first request waits."""
        rest: Any = self.api.rest_client
        url = f"{self.api.configuration.host}/openapi/v2"
        eventually("the schema", lambda: rest.request("GET", url, _request_timeout=120).status == 200, 300)

    def add_nodes(self, gpu_nodes: int = 4, gpus: int = 8) -> None:
        """Create a system node for add-ons, and nodes with GPUs: two below each node of the network's third
        layer."""
        taint = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}
        self.create(node("system-0", cpu=8, taints=[taint]))
        for number in range(gpu_nodes):
            layers = {
                f"{LAYER}{layer}": f"nn-{layer}-{number // 2 if layer == 3 else 0}" for layer in (1, 2, 3)
            }
            pool = {"eks.amazonaws.com/nodegroup": "gpu", "node.kubernetes.io/instance-type": "p5.48xlarge"}
            gpu_taint = {"key": GPU, "effect": "NoSchedule"}
            labels = {**layers, **pool}
            self.create(node(f"gpu-{number}", cpu=192, gpus=gpus, labels=labels, taints=[gpu_taint]))

    def stack(self, name: str, program: Any = Addons) -> automation.Stack:
        """Return a stack of a program on this cluster; by default of its add-ons."""

        def run() -> None:
            program()

        stack = self.plain.stack(name, run)
        kubeconfig = str(self.plain.instance.kubeconfig)
        stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(kubeconfig))
        return stack

    def team(self, name: str) -> dict[str, Any]:
        """Create a namespace whose jobs Kueue manages. Returns it, for `delete`."""
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(MANAGED_NAMESPACES)},
        }
        self.create(namespace)
        eventually(
            f"service account of {name}", lambda: self.core.read_namespaced_service_account("default", name)
        )
        return namespace

    def jobs(self, namespace: str, condition: str) -> set[str]:
        """Return the names of Jobs with a condition: `Complete`, `Suspended`, `Failed`; `Running` are those
        with Pods that run."""

        def has(job: Any) -> bool:
            if condition == "Running":
                return bool(job.status.active) and not job.spec.suspend
            return any(
                entry.type == condition and entry.status == "True" for entry in job.status.conditions or ()
            )

        return {job.metadata.name for job in self.batch.list_namespaced_job(namespace).items if has(job)}

    def workloads(self, namespace: str) -> dict[str, dict[str, str]]:
        """Return the conditions of Kueue's Workloads by their owner: condition -> its message, where it is
        true, and `Pending` -> the reason why there is no quota."""
        workloads: dict[str, dict[str, str]] = {}
        for item in self.list("kueue.x-k8s.io/v1beta2", "Workload", namespace):
            owner = next(
                iter(item["metadata"].get("ownerReferences") or ()), {"name": item["metadata"]["name"]}
            )
            states: dict[str, str] = {}
            for condition in (item.get("status") or {}).get("conditions") or ():
                if condition["status"] == "True":
                    states[condition["type"]] = condition["message"]
                elif condition["type"] == "QuotaReserved":
                    states["Pending"] = condition["message"]
            workloads[owner["name"]] = states
        return workloads

    def ready(self, addon: str) -> bool:
        """Return whether all Deployments of an add-on are available."""
        deployments = self.apps.list_namespaced_deployment(catalog()[addon].namespace).items
        return bool(deployments) and all(
            (deployment.status.available_replicas or 0) >= deployment.spec.replicas
            for deployment in deployments
        )

    def remove(self) -> None:
        """Stop the twin and delete it."""
        self.plain.remove()


def node(
    name: str,
    *,
    cpu: int,
    gpus: int = 0,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Object] = (),
) -> dict[str, Any]:
    """Return a Node that kwok keeps alive."""
    resources = {"cpu": str(cpu), "memory": f"{cpu * 8}Gi", "pods": "200", "ephemeral-storage": "500Gi"}
    if gpus:
        resources[GPU] = str(gpus)
    common = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**common, **(labels or {})},
            "annotations": {kwok.MANAGED[0]: kwok.MANAGED[1]},
        },
        "spec": {"taints": [*taints]},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            # Without it the API server reads no logs of the node's Pods.
            "addresses": [{"type": "InternalIP", "address": _address(name)}],
        },
    }


def _address(name: str) -> str:
    """Return an address for a Node, the same one for a name."""
    number = zlib.crc32(name.encode())
    return f"10.9.{number // 250 % 250}.{number % 250 + 1}"


def queue(name: str, gpus: int, **spec: Any) -> dict[str, Any]:
    """Return a ClusterQueue with a quota of GPUs, and as much of CPU and memory as there is."""
    quotas = {"cpu": 1000, "memory": "8000Gi", GPU: gpus}
    resources = [{"name": resource, "nominalQuota": quota} for resource, quota in quotas.items()]
    group = {"coveredResources": [*quotas], "flavors": [{"name": "gpu", "resources": resources}]}
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "ClusterQueue",
        "metadata": {"name": name},
        "spec": {"namespaceSelector": {}, "resourceGroups": [group], **spec},
    }


def flavor(name: str = "gpu", **spec: Any) -> dict[str, Any]:
    """Return the ResourceFlavor of the nodes with GPUs."""
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "ResourceFlavor",
        "metadata": {"name": name},
        "spec": {"nodeLabels": {"eks.amazonaws.com/nodegroup": "gpu"}, **spec},
    }


def local_queue(namespace: str, cluster_queue: str, name: str = "default") -> dict[str, Any]:
    """Return a LocalQueue."""
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "LocalQueue",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterQueue": cluster_queue},
    }


def job(
    namespace: str,
    name: str,
    *,
    gpus: int = 8,
    seconds: int | None = None,
    queue_name: str = "default",
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a Job of one Pod. seconds: how long it runs; None for as long as the test does."""
    limits = {"cpu": "8", "memory": "64Gi", **({GPU: str(gpus)} if gpus else {})}
    container = {"name": "main", "image": "registry.example/training:1", "resources": {"limits": limits}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"kueue.x-k8s.io/queue-name": queue_name, **(labels or {})},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"annotations": {kwok.RUN_FOR: f"{3600 if seconds is None else seconds}s"}},
                "spec": {"restartPolicy": "Never", "containers": [container]},
            },
        },
    }


def created(home: Path, name: str) -> Iterator[Cluster]:
    """Yield a cluster with nodes and add-ons, and remove it at the end."""
    cluster = Cluster(home, name)
    try:
        cluster.create(*definitions(home))
        cluster.add_nodes()
        cluster.read_schema()
        cluster.stack("addons").up()
        yield cluster
    finally:
        cluster.remove()


def jobset_of(item: Mapping[str, Any], replicas: int) -> dict[str, Any]:
    """Return a JobSet of as many Jobs like this one, with its name and in its queue."""
    template = {"spec": item["spec"]}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": item["metadata"],
        "spec": {"replicatedJobs": [{"name": "workers", "replicas": replicas, "template": template}]},
    }
