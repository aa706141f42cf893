"""Nodes with nothing but DaemonSet Pods on them go, after `--scale-down-unneeded-time`.

Under-used nodes that still have Pods stay: the twin drains none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from twin.kubernetes.api import Kube, passing_over, path
from twin.kubernetes.autoscaler.flags import Flags
from twin.kubernetes.autoscaler.groups import OPTIONS, Managed, Member
from twin.kubernetes.autoscaler.scale_up import NEVER, Scene
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Group
from twin.kubernetes.events import Recorder
from twin.kubernetes.pods import finished, owner_kind, ready
from twin.kubernetes.time_scale import seconds

log = logging.getLogger(__name__)

DISABLED: Final = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
DELETED: Final = "ToBeDeletedByClusterAutoscaler"
MIRROR: Final = "kubernetes.io/config.mirror"
BATCH: Final = 10
"""`--max-scale-down-parallelism`: the most nodes that go in one loop."""


@dataclass
class ScaleDown:
    """The shrinking half of the autoscaler."""

    view: CloudView
    kube: Kube
    recorder: Recorder
    shrank: float = NEVER
    _unneeded: dict[str, float] = field(default_factory=dict[str, float])

    def step(self, scene: Scene, *, grew: float, failed: float) -> None:
        """Once. grew, failed: when the other half last grew a group, and last failed to."""
        if not scene.flags.scale_down:
            self._unneeded.clear()
            return
        candidates = [
            (managed, member)
            for managed in scene.groups
            for member in managed.members
            if is_empty(member, scene.by_node)
        ]
        names = {member.machine.name for _, member in candidates}
        self._unneeded = {name: self._unneeded.get(name, scene.now) for name in names}
        if self._cooling(scene, grew, failed):
            return
        left = {managed.group.name: managed.group.desired - managed.group.minimum for managed in scene.groups}
        spare = _spare(scene)
        for managed, member in [pair for pair in candidates if self._due(*pair, scene)][:BATCH]:
            name, pool = managed.group.name, managed.group.node_group
            if left[name] > 0 and spare.get(pool, 1) > 0:
                left[name] -= 1
                if pool in spare:
                    spare[pool] -= 1
                self._remove(managed, member, scene)

    def _cooling(self, scene: Scene, grew: float, failed: float) -> bool:
        flags, now = scene.flags, scene.now
        return (
            now - grew < flags.delay_after_add
            or now - failed < flags.delay_after_failure
            or now - self.shrank < flags.delay_after_delete
        )

    def _due(self, managed: Managed, member: Member, scene: Scene) -> bool:
        flags = options(managed.group, scene.flags)
        node = member.node
        wait = flags.unneeded_time if node is not None and ready(node) else flags.unready_time
        return scene.now - self._unneeded[member.machine.name] >= wait

    def _remove(self, managed: Managed, member: Member, scene: Scene) -> None:
        group, machine = managed.group, member.machine
        node: Mapping[str, Any] = member.node or {"metadata": {"name": machine.name}}
        try:
            self._taint(node, scene.now)
            self.view.terminate(group.name, machine.provider_id, role=scene.role)
        except PermissionError as error:
            self._failed(machine.name, f"AccessDenied for role {scene.role}: {error}", scene)
            return
        except OSError:
            raise  # the cloud does not answer
        except Exception as error:  # noqa: BLE001 - whatever the cloud refused, the others may go
            self._failed(machine.name, str(error), scene)
            return
        log.info("scale-down: %s of group %s", machine.name, group.name)
        self.shrank = scene.now
        self._unneeded.pop(machine.name, None)
        self.recorder.event(node, "Node", "ScaleDown", "node removed by cluster autoscaler")
        self.recorder.event(
            scene.deployment,
            scene.kind,
            "ScaleDownEmpty",
            f"Scale-down: removing empty node {machine.name!r}",
        )

    def _failed(self, name: str, why: str, scene: Scene) -> None:
        self.recorder.event(
            scene.deployment,
            scene.kind,
            "ScaleDownFailed",
            f"failed to delete empty node {name}: {why}",
            warning=True,
        )

    def _taint(self, node: Mapping[str, Any], now: float) -> None:
        taints = [taint for taint in node.get("spec", {}).get("taints") or () if taint["key"] != DELETED]
        taints.append({"key": DELETED, "value": str(int(now)), "effect": "NoSchedule"})
        body = {
            "metadata": {"resourceVersion": node["metadata"].get("resourceVersion")},
            "spec": {"taints": taints},
        }
        with passing_over(404):
            self.kube.merge(path("v1", "nodes", name=node["metadata"]["name"]), body)


def _spare(scene: Scene) -> dict[str, int]:
    """For node pools with a minimum over all of their groups: how many nodes they have above it."""
    spare: dict[str, int] = {}
    for managed in scene.groups:
        group = managed.group
        if group.total_maximum:
            spare[group.node_group] = spare.get(group.node_group, -group.total_minimum) + group.desired
    return spare


def is_empty(member: Member, by_node: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Whether nothing but DaemonSet and mirror Pods is on the node, and nothing forbids its removal."""
    node = member.node
    if node is None:
        return False
    if (node["metadata"].get("annotations") or {}).get(DISABLED) == "true":
        return False
    return all(
        finished(pod)
        or owner_kind(pod) == "DaemonSet"
        or MIRROR in (pod["metadata"].get("annotations") or {})
        for pod in by_node.get(member.machine.name, ())
    )


def options(group: Group, flags: Flags) -> Flags:
    """The flags as a group's own tags (`.../autoscaling-options/scaledownunneededtime`) change them."""
    changed = flags
    for name, attribute in (
        ("scaledownunneededtime", "unneeded_time"),
        ("scaledownunreadytime", "unready_time"),
    ):
        value = group.tags.get(OPTIONS + name)
        if value is None:
            continue
        try:
            changed = replace(changed, **{attribute: seconds(value)})
        except ValueError as error:
            log.warning("group %s, tag %s: %s", group.name, OPTIONS + name, error)
    return changed
