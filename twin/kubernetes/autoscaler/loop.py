"""The autoscaler's loop, at the interval that its flags say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.autoscaler.expander import PRIORITIES
from twin.kubernetes.autoscaler.groups import discover, managed
from twin.kubernetes.autoscaler.install import Installation, NotWorking
from twin.kubernetes.autoscaler.scale_down import ScaleDown
from twin.kubernetes.autoscaler.scale_up import ScaleUp, Scene
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Group, Machine
from twin.kubernetes.events import Recorder
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import by_node
from twin.kubernetes.time_scale import Clock

PROVIDERS = {"aws": "aws", "gcp": "gce"}


class Autoscaler:
    """What a Cluster Autoscaler in the cluster would do, done in its place."""

    def __init__(self, view: CloudView, kube: Kube, mirror: Mirror, clock: Clock, cloud: str) -> None:
        self._kube = kube
        self._mirror = mirror
        self._clock = clock
        self._recorder = Recorder(kube, "cluster-autoscaler")
        self._installation = Installation(view, kube, mirror, PROVIDERS.get(cloud, cloud))
        self._up = ScaleUp(view, self._recorder, self._config_map)
        self._down = ScaleDown(view, kube, self._recorder)
        self._next = 0.0

    def step(self, groups: Sequence[Group], machines: Sequence[Machine], nodes: Mapping[str, Object]) -> None:
        """Once, if the interval is over."""
        now = self._clock.now()
        if now < self._next:
            return
        try:
            installed = self._installation.find()
        except NotWorking as error:
            self._next = now + 10.0
            self._recorder.event(error.deployment, "Deployment", error.reason, str(error), warning=True)
            return
        if installed is None:
            return
        self._next = now + installed.flags.scan_interval
        pods = self._mirror.all("pods")
        scene = Scene(
            pods=pods,
            by_node=by_node(pods),
            nodes=nodes,
            daemonsets=self._mirror.all("daemonsets"),
            groups=managed(discover(groups, installed.flags), machines, nodes, self._clock.factor),
            deployment=installed.deployment,
            flags=installed.flags,
            role=installed.role,
            now=now,
            clock_factor=self._clock.factor,
        )
        if self._up.step(scene):
            self._mirror.wake()  # new machines are there to be made Nodes
        else:
            self._down.step(scene, grew=self._up.grew, failed=self._up.failed)

    def _config_map(self, namespace: str) -> Mapping[str, Any] | None:
        return self._kube.find(path("v1", "configmaps", namespace, PRIORITIES))
