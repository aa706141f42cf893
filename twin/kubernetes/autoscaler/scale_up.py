"""Pods that no node has room for make a group grow."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.autoscaler.expander import Option, choose
from twin.kubernetes.autoscaler.flags import Flags
from twin.kubernetes.autoscaler.groups import Managed, headroom, similar, takes_pods
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import InsufficientCapacity
from twin.kubernetes.events import Recorder
from twin.kubernetes.pods import condition, finished, leaving, node_of
from twin.kubernetes.scheduling_predicates import Bin, Pod, fill, misfits, opened, overheads, pack, shape_of

log = logging.getLogger(__name__)

IN_BACKOFF: Final = "in backoff after failed scale-up"
AT_MAXIMUM: Final = "max node group size reached"
NEVER: Final = float("-inf")


@dataclass
class Backoff:
    """Groups that failed to grow, and until when (in twin seconds) they are left alone."""

    until: dict[str, float] = field(default_factory=dict[str, float])
    last: dict[str, float] = field(default_factory=dict[str, float])

    def failed(self, group: str, now: float, flags: Flags) -> float:
        """Note a failure; each doubles the wait, up to the maximum. Returns the wait in seconds."""
        wait = min(self.last.get(group, flags.initial_backoff / 2) * 2, flags.max_backoff)
        self.last[group], self.until[group] = wait, now + wait
        return wait

    def holds(self, group: str, now: float) -> bool:
        """Whether the group is to be left alone now."""
        return self.until.get(group, NEVER) > now

    def recovered(self, group: str) -> None:
        """The group grew: the next failure begins with the shortest wait."""
        self.until.pop(group, None)
        self.last.pop(group, None)


@dataclass(frozen=True)
class Scene:
    """The cluster as one loop of the autoscaler sees it."""

    pods: Sequence[Object]
    by_node: Mapping[str, Sequence[Object]]
    nodes: Mapping[str, Object]
    daemonsets: Sequence[Object]
    groups: Sequence[Managed]
    deployment: Object
    flags: Flags
    role: str
    now: float
    clock_factor: float
    kind: str = "Deployment"
    """Of what the autoscaler's own events are written on."""
    prefer: Callable[[Sequence[Option]], Sequence[Option]] | None = None
    """Leaves those that come first (a ComputeClass's priorities), before the expanders choose."""


@dataclass
class ScaleUp:
    """The growing half of the autoscaler."""

    view: CloudView
    recorder: Recorder
    config_map: Callable[[str], Mapping[str, Any] | None]
    backoff: Backoff = field(default_factory=Backoff)
    grew: float = NEVER
    failed: float = NEVER
    _coming_since: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])

    def step(self, scene: Scene) -> bool:
        """Once: True when a group was asked to grow."""
        self._late(scene)
        pending = [pod for pod in scene.pods if waits(pod, scene)]
        if not pending:
            return False
        pending = self._without_room(pending, scene)
        if not pending:
            return False
        options, rejected = self._options(pending, scene)
        if scene.prefer is not None:
            options = list(scene.prefer(options))
        best = self._best(options, scene) if options else None
        if best is None:
            self._explain(pending, rejected)
            return False
        return self._grow(best, options, scene)

    def _best(self, options: Sequence[Option], scene: Scene) -> Option | None:
        def warn(text: str) -> None:
            self.recorder.event(scene.deployment, scene.kind, "PriorityConfigMapInvalid", text, warning=True)

        return choose(scene.flags.expanders, options, lambda: self._priorities(scene), warn)

    def _priorities(self, scene: Scene) -> Mapping[str, Any] | None:
        return self.config_map(scene.deployment["metadata"]["namespace"])

    def _late(self, scene: Scene) -> None:
        """A node that does not come within `--max-node-provision-time` counts as a failure of its group."""
        for managed in scene.groups:
            name = managed.group.name
            if not managed.coming:
                self._coming_since.pop(name, None)
                continue
            target, since = self._coming_since.get(name, (-1, scene.now))
            if managed.group.desired > target:
                since = scene.now
            self._coming_since[name] = (managed.group.desired, since)
            late = scene.now - since > scene.flags.max_provision_time
            if late and not self.backoff.holds(name, scene.now):
                self.backoff.failed(name, scene.now, scene.flags)
                self.failed = scene.now
                self._say(
                    scene,
                    "ScaleUpTimedOut",
                    f"Nodes added to group {name} failed to register within "
                    f"{scene.flags.max_provision_time:.0f}s",
                )

    def _waited_for(self, managed: Managed, scene: Scene) -> int:
        _, since = self._coming_since.get(managed.group.name, (0, scene.now))
        return 0 if scene.now - since > scene.flags.max_provision_time else managed.coming

    def _without_room(self, pending: Sequence[Object], scene: Scene) -> list[Pod]:
        """Leave out Pods that will find a place on nodes that are there, or that were asked for already."""
        away = {
            member.machine.name
            for managed in scene.groups
            for member in managed.members
            if member not in managed.usable
        }
        bins: list[Bin] = []
        for name, node in scene.nodes.items():
            if name in away or not takes_pods(node):
                continue
            there = [pod for pod in scene.by_node.get(name, ()) if not finished(pod)]
            bins.append(opened(shape_of(node), there))
        for managed in scene.groups:
            overhead = overheads(scene.daemonsets, managed.shape)
            bins += [opened(managed.shape, overhead) for _ in range(self._waited_for(managed, scene))]
        return fill(pending, bins)

    def _options(self, pending: Sequence[Pod], scene: Scene) -> tuple[list[Option], dict[int, Counter[str]]]:
        options: list[Option] = []
        rejected: dict[int, Counter[str]] = {id(pod): Counter() for pod in pending}
        room = _room(scene)
        for managed in scene.groups:
            skipped = self._skipped(managed, scene)
            if skipped:
                for reasons in rejected.values():
                    reasons[skipped] += 1
                continue
            overhead = overheads(scene.daemonsets, managed.shape)
            fresh = opened(managed.shape, overhead)
            fitting: list[Pod] = []
            for pod in pending:
                reasons = misfits(pod, fresh.shape, fresh.free)
                rejected[id(pod)].update(reasons)
                if not reasons:
                    fitting.append(pod)
            limit = min(headroom(managed, scene.groups), room)
            count, placed, bins = pack(fitting, managed.shape, limit, overhead)
            if count:
                options.append(Option(managed, count, placed, bins))
        return options, rejected

    def _skipped(self, managed: Managed, scene: Scene) -> str:
        if self.backoff.holds(managed.group.name, scene.now):
            return IN_BACKOFF
        return "" if headroom(managed, scene.groups) > 0 else AT_MAXIMUM

    def _explain(self, pending: Sequence[Pod], rejected: Mapping[int, Counter[str]]) -> None:
        for pod in pending:
            reasons = sorted(rejected[id(pod)].items())
            words = ", ".join(f"{count} {reason}" for reason, count in reasons)
            self.recorder.event(
                pod, "Pod", "NotTriggerScaleUp", f"pod didn't trigger scale-up: {words}".rstrip(": ")
            )

    def _grow(self, best: Option, options: Sequence[Option], scene: Scene) -> bool:
        plan = self._balanced(best, options, scene)
        done: list[str] = []
        for managed, count in plan:
            group = managed.group
            size = group.desired + count
            words = f"{group.name} {group.desired}->{size} (max: {group.maximum})"
            try:
                self.view.set_desired(group.name, size, role=scene.role)
            except InsufficientCapacity as error:
                self._failed(group.name, f"the cloud has no capacity: {error}", scene)
            except PermissionError as error:
                self._failed(group.name, f"AccessDenied for role {scene.role}: {error}", scene)
            except OSError:
                raise  # the cloud does not answer: that is no failure of the group
            except Exception as error:  # noqa: BLE001 - whatever the cloud refused, the group is left alone
                self._failed(group.name, str(error), scene)
            else:
                log.info("scale-up: %s, for %d Pods", words, len(best.pods))
                self.backoff.recovered(group.name)
                self.grew = scene.now
                self._coming_since[group.name] = (size, scene.now)
                done.append(f"{{{words}}}")
                self._say(
                    scene,
                    "ScaledUpGroup",
                    f"Scale-up: setting group {group.name} size to {size} instead of {group.desired} "
                    f"(max: {group.maximum})",
                    warning=False,
                )
        for pod in best.pods if done else ():
            self.recorder.event(pod, "Pod", "TriggeredScaleUp", f"pod triggered scale-up: [{' '.join(done)}]")
        return bool(done)

    def _failed(self, group: str, why: str, scene: Scene) -> None:
        wait = self.backoff.failed(group, scene.now, scene.flags)
        self.failed = scene.now
        self._say(
            scene,
            "FailedToScaleUpGroup",
            f"Scale-up failed for group {group}: {why}; left alone for {wait:.0f}s",
        )

    def _say(self, scene: Scene, reason: str, message: str, *, warning: bool = True) -> None:
        self.recorder.event(scene.deployment, scene.kind, reason, message, warning=warning)

    def _balanced(self, best: Option, options: Sequence[Option], scene: Scene) -> list[tuple[Managed, int]]:
        """Spread over groups that differ by zone alone, the smallest first, where the flag asks for it."""
        if not scene.flags.balance_similar or best.managed.group.location_policy == "ANY":
            return [(best.managed, best.nodes)]
        ignored = scene.flags.balancing_ignored
        alike = [
            option.managed
            for option in options
            if option.managed is best.managed or similar(option.managed, best.managed, ignored)
        ]
        size = {managed.group.name: managed.group.desired for managed in alike}
        for _ in range(best.nodes):
            growing = [m for m in alike if size[m.group.name] < m.group.maximum]
            if not growing:
                break
            smallest = min(growing, key=lambda m: (size[m.group.name], m is not best.managed, m.group.name))
            size[smallest.group.name] += 1
        plan = [(managed, size[managed.group.name] - managed.group.desired) for managed in alike]
        return [(managed, count) for managed, count in plan if count]


def _room(scene: Scene) -> int:
    """How many nodes `--max-nodes-total` still allows."""
    if not scene.flags.max_nodes_total:
        return 1000
    coming = sum(managed.coming for managed in scene.groups)
    return max(0, scene.flags.max_nodes_total - len(scene.nodes) - coming)


def waits(pod: Object, scene: Scene) -> bool:
    """Whether the scheduler has found no node for the Pod, and the autoscaler may act on it."""
    if node_of(pod) or leaving(pod) or finished(pod):
        return False
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return False
    if (pod["spec"].get("priority") or 0) < scene.flags.expendable_priority:
        return False
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    age = (datetime.now(UTC) - created).total_seconds() * scene.clock_factor
    return age >= scene.flags.new_pod_delay
