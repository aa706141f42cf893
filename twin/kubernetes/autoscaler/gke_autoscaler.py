"""The autoscaler that GKE runs next to the control plane: nothing in the cluster installs it.

It resizes the node pools whose `autoscaling` is on, by the same rules as the Cluster Autoscaler, orders node
pools by ComputeClasses, and grows queued node pools for ProvisioningRequests only.
Sources: "About GKE cluster autoscaling" (profiles, location policy, limits), "Autoscaling a cluster: Node
pool size mismatching" (no nodes are added to reach a minimum). Not verified: the times of the profile
optimize-utilization, of which is said only that it removes nodes sooner. GKE's choice among node pools goes
by price, the twin's by waste.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.autoscaler import compute_class
from twin.kubernetes.autoscaler.flags import Flags
from twin.kubernetes.autoscaler.groups import managed
from twin.kubernetes.autoscaler.provisioning import ProvisioningRequests
from twin.kubernetes.autoscaler.scale_down import ScaleDown
from twin.kubernetes.autoscaler.scale_up import ScaleUp, Scene
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Group, Machine
from twin.kubernetes.events import Recorder
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import by_node
from twin.kubernetes.time_scale import Clock

BALANCED: Final = Flags(cloud_provider="gce", expanders=("least-waste",), balance_similar=True)
EAGER: Final = replace(BALANCED, unneeded_time=120.0, unready_time=300.0, delay_after_add=120.0)
"""The profile optimize-utilization."""
STATUS: Final = "cluster-autoscaler-status"
CONSUMES: Final = (
    "autoscaling.x-k8s.io/consume-provisioning-request",
    "cluster-autoscaler.kubernetes.io/consume-provisioning-request",
)


class BuiltInAutoscaler:
    """What GKE does around a cluster's control plane to size its node pools."""

    def __init__(self, view: CloudView, kube: Kube, mirror: Mirror, clock: Clock) -> None:
        self._view = view
        self._kube = kube
        self._mirror = mirror
        self._clock = clock
        recorder = Recorder(kube, "cluster-autoscaler")
        self._up = ScaleUp(view, recorder, lambda _: None)
        self._down = ScaleDown(view, kube, recorder)
        self._requests = ProvisioningRequests(view, kube, recorder, clock)
        self._next = 0.0
        self._status: Object | None = None

    def forget(self) -> None:
        """The control plane was emptied."""
        self._status = None

    def step(self, groups: Sequence[Group], machines: Sequence[Machine], nodes: Mapping[str, Object]) -> None:
        """Once, if the interval is over."""
        now = self._clock.now()
        mine = [group for group in groups if group.built_in]
        if now < self._next or not mine:
            return
        flags = EAGER if self._view.autoscaling_profile() == "OPTIMIZE_UTILIZATION" else BALANCED
        self._next = now + flags.scan_interval
        classes = self._classes(mine)
        every = managed(compute_class.delayed(mine, classes), machines, nodes, self._clock.factor)
        ordinary = [managed for managed in every if not managed.group.queued]
        pods = self._mirror.all("pods")
        daemonsets = self._mirror.all("daemonsets")
        scene = Scene(
            pods=[pod for pod in pods if not consumes(pod)],
            by_node=by_node(pods),
            nodes=nodes,
            daemonsets=daemonsets,
            groups=ordinary,
            deployment=self._status_object(),
            flags=flags,
            role="",
            now=now,
            clock_factor=self._clock.factor,
            kind="ConfigMap",
            prefer=lambda options: compute_class.preferred(options, classes),
        )
        queued = [managed for managed in every if managed.group.queued]
        if self._requests.step(queued, daemonsets) or self._up.step(scene):
            self._mirror.wake()  # new machines are there to be made Nodes
        else:
            reserved = self._requests.reserved()
            free = [managed for managed in every if managed.group.node_group not in reserved]
            self._down.step(replace(scene, groups=free), grew=self._up.grew, failed=self._up.failed)

    def _classes(self, groups: Sequence[Group]) -> Mapping[str, Object]:
        """The ComputeClasses by name; they are asked for only where a node pool is of one."""
        if not any(compute_class.class_of(group) for group in groups):
            return {}
        classes = self._kube.find(path("cloud.google.com/v1", "computeclasses")) or {}
        return {item["metadata"]["name"]: item for item in classes.get("items", ())}

    def _status_object(self) -> Object:
        """The ConfigMap that GKE's autoscaler writes its state and events on."""
        if self._status is None:
            where = path("v1", "configmaps", "kube-system")
            body: Object = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": STATUS, "namespace": "kube-system"},
                "data": {"status": "autoscalerStatus: Running\n"},
            }
            self._status = self._kube.find(f"{where}/{STATUS}") or self._kube.create(where, body)
        return self._status


def consumes(pod: Mapping[str, Any]) -> bool:
    """Whether a Pod waits for the machines of a ProvisioningRequest: no other may be made for it."""
    annotations = pod["metadata"].get("annotations") or {}
    return any(name in annotations for name in CONSUMES)
