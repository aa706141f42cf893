"""The simulation of nodes, add-ons, autoscaler and access around a real control plane, on a cloud in memory.

The tests build on each other and run in the order in which they are written.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.client.exceptions import ApiException

from twin import instances
from twin.instances import Instance
from twin.kubernetes import control_plane, manifests
from twin.kubernetes.api import Object
from twin.kubernetes.cloud_interface import Addon, Cluster, Principal, Taint
from twin.kubernetes.controller import Controller
from twin.kubernetes.pods import phase, ready
from twin.kubernetes.time_scale import Clock
from twin.tests.kubernetes.fakes import ROLE, FakeView, template

pytestmark = pytest.mark.end_to_end

ADDONS = {
    "vpc-cni": "v1.20.4-eksbuild.2",
    "kube-proxy": "v1.34.0-eksbuild.2",
    "coredns": "v1.12.1-eksbuild.2",
    "eks-pod-identity-agent": "v1.3.9-eksbuild.3",
    "aws-ebs-csi-driver": "v1.50.1-eksbuild.1",
    "metrics-server": "v0.8.0-eksbuild.2",
    "eks-node-monitoring-agent": "v1.4.1-eksbuild.1",
}
L4 = template(
    devices={"nvidia.com/gpu": 1},
    labels={"k8s.amazonaws.com/accelerator": "nvidia-l4"},
    taints=[Taint("nvidia.com/gpu", "NoSchedule", "true")],
)
SYSTEM = template(
    "m6i.large", cpu=2, memory="8Gi", taints=[Taint("CriticalAddonsOnly", "NoSchedule", "true")]
)
PODS = "/api/v1/namespaces/default/pods"

AUTOSCALER = """
apiVersion: v1
kind: ServiceAccount
metadata: { name: cluster-autoscaler, namespace: kube-system }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cluster-autoscaler, namespace: kube-system }
spec:
  selector: { matchLabels: { app: cluster-autoscaler } }
  template:
    metadata: { labels: { app: cluster-autoscaler } }
    spec:
      serviceAccountName: cluster-autoscaler
      tolerations: [{ key: CriticalAddonsOnly, operator: Exists }]
      containers:
        - name: cluster-autoscaler
          image: registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0
          args:
            - --cloud-provider=aws
            - --node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled
            - --scale-down-unneeded-time=3m
            - --scale-down-delay-after-add=1m
"""
RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: cluster-autoscaler }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: cluster-autoscaler, namespace: kube-system }]
"""
PLUGIN = """
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: nvidia-device-plugin, namespace: kube-system }
spec:
  selector: { matchLabels: { app: nvidia-device-plugin } }
  template:
    metadata: { labels: { app: nvidia-device-plugin } }
    spec:
      nodeSelector: { k8s.amazonaws.com/accelerator: nvidia-l4 }
      tolerations: [{ operator: Exists }]
      containers:
        - name: plugin
          image: nvcr.io/nvidia/k8s-device-plugin:v0.18.0
          volumeMounts: [{ name: sockets, mountPath: /var/lib/kubelet/device-plugins }]
      volumes: [{ name: sockets, hostPath: { path: /var/lib/kubelet/device-plugins } }]
"""


@dataclass
class Story:
    """The twin instance, its cloud, and the running simulation."""

    instance: Instance
    view: FakeView
    controller: Controller

    @property
    def nodes(self) -> list[Object]:
        """The Node objects."""
        return self.controller.kube.get("/api/v1/nodes")["items"]

    def apply(self, text: str) -> None:
        """Apply objects."""
        manifests.apply(self.controller.kube, yaml.safe_load_all(text), "test")

    def delete(self, text: str) -> None:
        """Delete objects."""
        manifests.remove(self.controller.kube, yaml.safe_load_all(text))

    def run_gpu_pod(self, name: str) -> None:
        """Create a Pod that requests a GPU and has no toleration."""
        container = {"name": "main", "image": "busybox", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
        self.controller.kube.create(PODS, {"metadata": {"name": name}, "spec": {"containers": [container]}})

    def phase(self, name: str) -> str:
        """Return a Pod's phase."""
        return phase(self.controller.kube.get(f"{PODS}/{name}"))

    def events(self, reason: str) -> list[str]:
        """Return the messages of events with a reason."""
        items = self.controller.kube.get("/api/v1/events")["items"]
        return [item["message"] for item in items if item["reason"] == reason]

    def as_user(self, token: str) -> CoreV1Api:
        """Return a client with a bearer token."""
        configuration = Configuration(host=control_plane.endpoint(self.instance))
        configuration.ca_cert_data = base64.b64decode(
            control_plane.certificate_authority(self.instance)
        ).decode()
        configuration.api_key = {"authorization": f"Bearer {token}"}
        return CoreV1Api(ApiClient(configuration))


def until(holds: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"the condition was not true within {seconds} seconds"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def story(home: Path) -> Iterator[Story]:
    instance = instances.create("simulation")
    control_plane.start(instance)
    view = FakeView(Cluster("acme-dev", "CREATING", "1.34", uid="one"))
    controller = Controller(instance, view, clock=Clock(30))
    thread = threading.Thread(target=controller.run, daemon=True)
    thread.start()
    yield Story(instance, view, controller)
    controller.stop()
    thread.join(10)
    control_plane.stop(instance)


def test_a_cluster_becomes_active_with_what_eks_preinstalls(story: Story) -> None:
    until(lambda: story.view.present is not None and story.view.present.status == "ACTIVE")
    gp2 = story.controller.kube.get("/apis/storage.k8s.io/v1/storageclasses/gp2")
    assert "annotations" not in gp2["metadata"]
    assert story.nodes == []


def test_addons_of_deployments_are_degraded_without_nodes_and_those_of_daemonsets_active(
    story: Story,
) -> None:
    story.view.wanted_addons = {
        name: Addon(name, version, "CREATING", {}) for name, version in ADDONS.items()
    }
    until(lambda: story.view.wanted_addons["coredns"].status == "DEGRADED")
    until(lambda: story.view.wanted_addons["vpc-cni"].status == "ACTIVE")


def test_machines_become_ready_nodes_and_every_addon_active(story: Story) -> None:
    story.view.add_group("system", SYSTEM, 2, 4, 2)
    story.view.add_group("l4", L4, 0, 3, 0)
    until(lambda: all(addon.status == "ACTIVE" for addon in story.view.wanted_addons.values()))
    assert [ready(node) for node in story.nodes] == [True, True]
    until(lambda: ("node_group_health", "system", 2, ()) in story.view.calls)


def test_without_an_autoscaler_a_gpu_pod_stays_pending(story: Story) -> None:
    story.run_gpu_pod("train")
    story.apply(PLUGIN)
    time.sleep(1.5)  # some rounds of the simulation, and of an autoscaler if one ran
    assert story.phase("train") == "Pending"
    assert story.view.known["eks-l4"].desired == 0


def test_an_autoscaler_without_rbac_or_a_role_reports_it_and_scales_nothing(story: Story) -> None:
    story.apply(AUTOSCALER)
    until(lambda: story.events("Forbidden"))
    assert "may not list nodes" in story.events("Forbidden")[0]
    story.apply(RIGHTS)
    until(lambda: story.events("NoCredentials"))
    assert story.view.known["eks-l4"].desired == 0


def test_with_autoscaler_role_and_plugin_the_pool_scales_up_and_the_pod_runs(story: Story) -> None:
    story.view.roles["kube-system", "cluster-autoscaler"] = ROLE
    until(lambda: story.phase("train") == "Running")
    assert story.view.known["eks-l4"].desired == 1
    assert story.events("TriggeredScaleUp") == ["pod triggered scale-up: [{eks-l4 0->1 (max: 3)}]"]


def test_a_restart_of_the_api_server_loses_no_node_or_pod(story: Story) -> None:
    before = {node["metadata"]["uid"] for node in story.nodes}
    process = control_plane.daemons(story.instance)["kube-apiserver"].process()
    assert process is not None
    process.kill()
    process.wait(5)
    control_plane.start(story.instance)
    until(lambda: story.controller.mirror.synced)
    time.sleep(1)
    assert {node["metadata"]["uid"] for node in story.nodes} == before
    assert story.phase("train") == "Running"


def test_an_unavailable_cloud_deletes_no_node(story: Story) -> None:
    story.view.away = True
    time.sleep(1)
    story.view.away = False
    assert len(story.nodes) == 3


def test_tokens_have_the_permissions_of_their_access_entry(story: Story) -> None:
    story.view.tokens = {
        "viewer": Principal("viewer", [], policies=[("AmazonEKSViewPolicy", ("default",))]),
        "admin": Principal("admin", [], policies=[("AmazonEKSClusterAdminPolicy", ())]),
    }
    assert story.as_user("admin").list_node().items
    assert story.as_user("viewer").list_namespaced_pod("default").items
    for token, call, status in (
        ("viewer", lambda api: api.list_namespaced_pod("kube-system"), 403),
        ("viewer", lambda api: api.list_node(), 403),
        ("unknown", lambda api: api.list_namespaced_pod("default"), 401),
    ):
        with pytest.raises(ApiException) as refused:
            call(story.as_user(token))
        assert refused.value.status == status, token


def test_an_empty_node_is_deleted_after_its_delay(story: Story) -> None:
    story.controller.kube.delete(f"{PODS}/train")
    until(lambda: story.view.known["eks-l4"].desired == 0)
    until(lambda: len(story.nodes) == 2)


def test_without_the_device_plugin_the_pod_stays_pending_after_the_pool_scaled_up(story: Story) -> None:
    story.delete(PLUGIN)
    story.run_gpu_pod("blind")
    until(lambda: story.view.known["eks-l4"].desired == 1)
    until(lambda: len(story.nodes) == 3 and all(ready(node) for node in story.nodes))
    time.sleep(1)
    assert story.phase("blind") == "Pending"
    story.apply(PLUGIN)
    until(lambda: story.phase("blind") == "Running")


def test_deleting_an_addon_and_the_cluster_leaves_an_empty_control_plane(story: Story) -> None:
    name = "eks-node-monitoring-agent"
    story.view.wanted_addons[name] = replace(story.view.wanted_addons[name], status="DELETING")
    until(lambda: name not in story.view.wanted_addons)
    story.view.wanted_addons.clear()
    for group in list(story.view.known):
        del story.view.known[group]
    story.view.running.clear()
    until(lambda: not story.nodes)
    story.view.present = replace(story.view.present or Cluster("", "", ""), status="DELETING")
    until(lambda: story.view.present is None)
    assert story.controller.kube.get("/apis/storage.k8s.io/v1/storageclasses")["items"] == []
    assert story.controller.kube.get("/apis/apps/v1/deployments")["items"] == []
    assert story.controller.authenticate("admin") is None
