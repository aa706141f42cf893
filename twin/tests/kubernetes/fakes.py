"""A cloud and an API server in memory, for tests of the simulation."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from twin.kubernetes.api import ApiError, Object
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import (
    Addon,
    Cluster,
    Group,
    InsufficientCapacity,
    Machine,
    Principal,
    Taint,
)

ROLE = "arn:aws:iam::123456789012:role/acme-dev-cluster-autoscaler"


def template(
    instance_type: str = "g6.xlarge",
    *,
    cpu: int = 4,
    memory: str = "16Gi",
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Taint] = (),
    devices: Mapping[str, int] | None = None,
) -> Machine:
    """A machine as a group would make it."""
    common = {
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": "us-west-2a",
        "topology.kubernetes.io/region": "us-west-2",
        "node.kubernetes.io/instance-type": instance_type,
    }
    capacity = {"cpu": str(cpu), "memory": memory, "pods": "58", "ephemeral-storage": "100Gi"}
    allocatable = {**capacity, "cpu": f"{cpu * 1000 - 80}m"}
    return Machine(
        "template",
        "",
        {**common, **(labels or {})},
        tuple(taints),
        capacity,
        allocatable,
        devices or {},
        instance_type=instance_type,
    )


@dataclass
class FakeView(CloudView):
    """A cloud whose groups make machines at once."""

    present: Cluster | None = None
    known: dict[str, Group] = field(default_factory=dict[str, Group])
    running: dict[str, Machine] = field(default_factory=dict[str, Machine])
    wanted_addons: dict[str, Addon] = field(default_factory=dict[str, Addon])
    roles: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    tokens: dict[str, Principal] = field(default_factory=dict[str, Principal])
    scarce: set[str] = field(default_factory=set[str])
    denied: set[str] = field(default_factory=set[str])
    calls: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    away: bool = False
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add_group(self, name: str, of: Machine, low: int, high: int, desired: int, **tags: str) -> None:
        """A managed node group and its Auto Scaling group."""
        labels = {"eks.amazonaws.com/nodegroup": name}
        machine = replace(of, labels={**of.labels, **labels}, group=f"eks-{name}")
        tags = {
            "k8s.io/cluster-autoscaler/enabled": "true",
            "k8s.io/cluster-autoscaler/acme-dev": "owned",
            **tags,
        }
        self.known[f"eks-{name}"] = Group(f"eks-{name}", low, high, desired, machine, tags, name)
        self._level(f"eks-{name}")

    def _level(self, name: str) -> None:
        group = self.known[name]
        mine = [machine for machine in self.running.values() if machine.group == name]
        for _ in range(group.desired - len(mine)):
            number = next(self._numbers)
            address = f"10.0.{number // 250}.{number % 250 + 4}"
            host = f"ip-{address.replace('.', '-')}.us-west-2.compute.internal"
            self.running[host] = replace(
                group.template,
                name=host,
                provider_id=f"aws:///us-west-2a/i-{number:017x}",
                internal_ip=address,
            )
        for machine in mine[group.desired :]:
            del self.running[machine.name]

    def _call(self, *call: Any) -> None:
        if self.away:
            raise ConnectionError("the cloud is away")
        self.calls.append(call)

    def cluster(self) -> Cluster | None:
        if self.away:
            raise ConnectionError("the cloud is away")
        return self.present

    def cluster_ready(self, endpoint: str, certificate_authority: str) -> None:
        self._call("cluster_ready", endpoint, certificate_authority)
        if self.present:
            self.present = replace(self.present, status="ACTIVE")

    def cluster_gone(self) -> None:
        self._call("cluster_gone")
        self.present = None

    def machines(self) -> Sequence[Machine]:
        if self.away:
            raise ConnectionError("the cloud is away")
        return list(self.running.values())

    def groups(self) -> Sequence[Group]:
        return list(self.known.values())

    def node_group_health(self, node_group: str, ready: int, issues: Sequence[str]) -> None:
        self._call("node_group_health", node_group, ready, tuple(issues))

    def set_desired(self, group: str, count: int, *, role: str) -> None:
        self._call("set_desired", group, count, role)
        if role in self.denied:
            raise PermissionError("autoscaling:SetDesiredCapacity")
        if group in self.scarce:
            raise InsufficientCapacity(f"we have no {self.known[group].template.instance_type} in us-west-2a")
        self.known[group] = replace(self.known[group], desired=count)
        self._level(group)

    def terminate(self, group: str, provider_id: str, *, role: str) -> None:
        self._call("terminate", group, provider_id, role)
        if role in self.denied:
            raise PermissionError("autoscaling:TerminateInstanceInAutoScalingGroup")
        self.known[group] = replace(self.known[group], desired=self.known[group].desired - 1)
        self.running = {
            name: machine for name, machine in self.running.items() if machine.provider_id != provider_id
        }

    def addons(self) -> Sequence[Addon]:
        return list(self.wanted_addons.values())

    def addon_status(self, name: str, status: str, issues: Sequence[str]) -> None:
        self._call("addon_status", name, status, tuple(issues))
        if status == "GONE":
            del self.wanted_addons[name]
        else:
            self.wanted_addons[name] = replace(self.wanted_addons[name], status=status)

    def workload_role(self, namespace: str, service_account: str) -> str | None:
        return self.roles.get((namespace, service_account))

    def authenticate(self, token: str) -> Principal | None:
        if self.away:
            raise ConnectionError("the cloud is away")
        return self.tokens.get(token)


class FakeKube:
    """Objects by their URL path; merge patches are applied, server-side apply replaces."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {"/version": {"gitVersion": "v1.36.5"}}
        self.requests: list[tuple[str, str]] = []
        self.forbidden: set[tuple[str, str]] = set()
        self._version = itertools.count(1)

    def get(self, where: str, **query: Any) -> Object:
        if where in self.objects:
            return copy.deepcopy(self.objects[where])
        inside = [o for at, o in self.objects.items() if at.startswith(f"{where}/") and at != "/version"]
        if where.rstrip("/").endswith("s") and "." not in where.rpartition("/")[2]:
            return {"items": inside, "metadata": {"resourceVersion": "1"}}
        raise ApiError(404, f"{where} not found", "NotFound")

    def find(self, where: str) -> Object | None:
        return copy.deepcopy(self.objects.get(where))

    def create(self, where: str, body: Mapping[str, Any]) -> Object:
        self.requests.append(("create", where))
        if where.endswith("subjectaccessreviews"):
            attributes = body["spec"]["resourceAttributes"]
            refused = (attributes["verb"], attributes["resource"]) in self.forbidden
            return {"status": {"allowed": not refused}}
        at = f"{where}/{body['metadata']['name']}"
        if at in self.objects:
            raise ApiError(409, f"{at} exists", "AlreadyExists")
        return self._put(at, copy.deepcopy(dict(body)))

    def merge(self, where: str, body: Mapping[str, Any], *, strategic: bool = False) -> Object:
        self.requests.append(("merge", where))
        at = where.removesuffix("/status")
        if at not in self.objects:
            raise ApiError(404, f"{at} not found", "NotFound")
        return self._put(at, _merged(self.objects[at], body))

    def apply(self, where: str, body: Mapping[str, Any], manager: str) -> Object:
        self.requests.append(("apply", where))
        return self._put(where, _merged(self.objects.get(where, {}), body))

    def delete(self, where: str, *, grace: int | None = None) -> bool:
        self.requests.append(("delete", where))
        return self.objects.pop(where, None) is not None

    def _put(self, at: str, item: Object) -> Object:
        item["metadata"]["resourceVersion"] = str(next(self._version))
        item["metadata"].setdefault("uid", f"uid-of-{at}")
        self.objects[at] = item
        return copy.deepcopy(item)

    def below(self, prefix: str) -> dict[str, Object]:
        """The objects of a collection by name."""
        return {
            at.rpartition("/")[2]: item
            for at, item in self.objects.items()
            if at.rpartition("/")[0] == prefix
        }

    def events(self) -> list[tuple[str, str]]:
        """(reason, message) of all events, in order."""
        return [(item["reason"], item["message"]) for at, item in self.objects.items() if "/events/" in at]


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


class FakeMirror:
    """Collections that a test fills."""

    def __init__(self, **collections: Sequence[Object]) -> None:
        self.collections = {kind: list(items) for kind, items in collections.items()}
        self.forgotten = 0

    def all(self, kind: str) -> list[Object]:
        return list(self.collections.get(kind, ()))

    def one(self, kind: str, name: str, namespace: str = "") -> Object | None:
        for item in self.all(kind):
            if item["metadata"]["name"] == name and item["metadata"].get("namespace", "") == namespace:
                return item
        return None

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Count it."""
        self.forgotten += 1
        yield
