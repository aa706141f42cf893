"""The managed add-ons: their objects in the cluster, and how they fare.

Each add-on is a file manifests/<cloud>/<name>.yaml with the names, labels, service accounts and tolerations
of the real one. Of its configuration, what decides where and how often it runs is honoured. metrics-server
comes without its APIService: nothing would serve it, and a broken API group fails every client's discovery.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from twin.instances import Instance
from twin.kubernetes import manifests
from twin.kubernetes.api import Kube, Object
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Addon, Cluster
from twin.kubernetes.informer import Mirror
from twin.kubernetes.time_scale import Clock

log = logging.getLogger(__name__)

GRACE: Final = 60.0
"""Seconds for which an add-on that is not complete counts as on its way, not as DEGRADED."""
AGAIN: Final = 5.0
BUDGET: Final = 1.5
"""Seconds of one round in which new add-ons are applied."""
SHORT: Final = "The add-on is unhealthy because it doesn't have the desired number of replicas."
"""EKS's words for its issue InsufficientNumberOfReplicas; the view gives it that code."""
WORKLOADS: Final = {"DaemonSet": "daemonsets", "Deployment": "deployments"}
DEFAULT_VERSIONS: Final = {
    "vpc-cni": "v1.20.4-eksbuild.1",
    "kube-proxy": "v1.34.0-eksbuild.4",
    "coredns": "v1.12.4-eksbuild.1",
}
SERVICE_CIDR: Final = "172.20.0.0/16"

SELF_MANAGED = ("vpc-cni", "kube-proxy", "coredns")
"""What EKS puts in where `bootstrapSelfManagedAddons` is true, which is its default."""

PodSpec = dict[str, Any]


@dataclass
class _State:
    fingerprint: str
    since: float
    sent: tuple[str, tuple[str, ...]] | None = None
    sent_at: float = 0.0


def objects(instance: Instance, addon: Addon, cluster: Cluster) -> list[Object]:
    """The add-on's objects, configured. Raises FileNotFoundError for one that the twin does not know."""
    version = addon.version or DEFAULT_VERSIONS.get(addon.name, "v1")
    network = ip_network(cluster.service_cidr or SERVICE_CIDR)
    values = {
        "VERSION": version,
        "RELEASE": version.partition("-")[0],
        "REGION": instance.region,
        "CLUSTER": cluster.name,
        "DNS": str(network[10]),
    }
    items = manifests.load(instance.cloud, addon.name, values)
    for item in items:
        labels = item["metadata"].setdefault("labels", {})
        labels["app.kubernetes.io/managed-by"] = "EKS" if instance.cloud == "aws" else "GKE"
        if item["kind"] == "ServiceAccount" and addon.service_account_role and _is_first(item, items):
            item["metadata"].setdefault("annotations", {})["eks.amazonaws.com/role-arn"] = (
                addon.service_account_role
            )
        if item["kind"] in WORKLOADS:
            configure(item, _section(addon, item))
    configured = CONFIGURE.get(addon.name)
    if configured:
        configured(items, addon.configuration)
    return items


def _is_first(item: Object, items: Sequence[Object]) -> bool:
    """The role goes to the add-on's main service account, the first in its file."""
    return item is next(other for other in items if other["kind"] == "ServiceAccount")


def _section(addon: Addon, item: Object) -> Mapping[str, Any]:
    """The EBS driver's configuration has a section for its controller and one for its nodes."""
    if addon.name == "aws-ebs-csi-driver":
        return addon.configuration.get("controller" if item["kind"] == "Deployment" else "node") or {}
    return addon.configuration


def configure(item: Object, values: Mapping[str, Any]) -> None:
    """What add-ons have in common: where their Pods run, how many, what the first container may use."""
    template = item["spec"]["template"]
    spec: PodSpec = template["spec"]
    replicas = values.get("replicaCount", values.get("replicas"))
    if item["kind"] == "Deployment" and isinstance(replicas, int):
        item["spec"]["replicas"] = replicas
    if "tolerations" in values:
        spec["tolerations"] = values["tolerations"]
    if values.get("tolerateAllTaints") is True:
        spec["tolerations"] = [{"operator": "Exists"}]
    for key in ("nodeSelector", "affinity", "topologySpreadConstraints", "priorityClassName"):
        if values.get(key):
            spec[key] = values[key]
    for key, target in (("podLabels", "labels"), ("podAnnotations", "annotations")):
        if values.get(key):
            template["metadata"].setdefault(target, {}).update(values[key])
    first = spec["containers"][0]
    if values.get("resources"):
        first["resources"] = values["resources"]
    if isinstance(values.get("env"), Mapping):
        variables = {name: str(value) for name, value in values["env"].items()}
        others = [variable for variable in first.get("env") or () if variable["name"] not in variables]
        first["env"] = [*others, *({"name": name, "value": value} for name, value in variables.items())]


def _vpc_cni(items: Sequence[Object], values: Mapping[str, Any]) -> None:
    enabled = str(values.get("enableNetworkPolicy", "false")).lower()
    for item in items:
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "amazon-vpc-cni":
            item["data"]["enable-network-policy-controller"] = enabled
        if item["kind"] == "DaemonSet":
            agent = item["spec"]["template"]["spec"]["containers"][1]
            agent["args"] = [
                f"--enable-network-policy={enabled}"
                if argument.startswith("--enable-network-policy=")
                else argument
                for argument in agent["args"]
            ]


def _coredns(items: Sequence[Object], values: Mapping[str, Any]) -> None:
    for item in items:
        if item["kind"] == "ConfigMap" and values.get("corefile"):
            item["data"]["Corefile"] = values["corefile"]


def _binary_authorization(items: Sequence[Object], values: Mapping[str, Any]) -> None:
    spec = items[0]["spec"]
    for item, key in ((spec["variables"][0], "expression"), (spec["validations"][0], "messageExpression")):
        for name, value in values.items():
            item[key] = item[key].replace(f"${name.upper()}", value)


CONFIGURE: Final[Mapping[str, Callable[[Sequence[Object], Mapping[str, Any]], None]]] = {
    "vpc-cni": _vpc_cni,
    "coredns": _coredns,
    "binary-authorization": _binary_authorization,
}


def preinstall(kube: Kube, instance: Instance, cluster: Cluster) -> None:
    """Apply the cloud's own objects. Repeated, it changes nothing.

    AWS: the StorageClass gp2, which is the default no longer (since EKS 1.30), the roles of EKS's own
    components, the CRDs of the VPC resource controller and the network policy controller. No ConfigMap
    aws-auth: it comes with the authentication mode CONFIG_MAP only.
    """
    manager = manifests.MANAGER[instance.cloud]
    if manifests.exists(instance.cloud, "preinstalled"):
        manifests.apply(kube, manifests.load(instance.cloud, "preinstalled"), manager)
    if cluster.self_managed_addons:
        for name in SELF_MANAGED:
            addon = Addon(name, "", "ACTIVE", {})
            manifests.apply(kube, objects(instance, addon, cluster), manager)


class Addons:
    """Keeps the cluster's add-ons as the cloud was asked for."""

    def __init__(self, view: CloudView, kube: Kube, mirror: Mirror, instance: Instance, clock: Clock) -> None:
        self._view = view
        self._kube = kube
        self._mirror = mirror
        self._instance = instance
        self._clock = clock
        self._known: dict[str, _State] = {}
        self._made: dict[str, tuple[str, list[Object]]] = {}

    def forget(self) -> None:
        """The control plane was emptied: nothing is applied any more."""
        self._known.clear()
        self._made.clear()

    def step(self, addons: Iterable[Addon], cluster: Cluster) -> None:
        """Once over all: apply what changed, remove what is to go, report.

        New ones that do not fit into BUDGET wait for the next round: nodes must not wait for all of them.
        """
        began, late = time.monotonic(), False
        wanted = {addon.name: addon for addon in addons}
        self._known = {name: state for name, state in self._known.items() if name in wanted}
        for addon in wanted.values():
            if not manifests.exists(self._instance.cloud, addon.name):
                self._unknown(addon)
                continue
            items = self._items(addon, cluster)
            if addon.status == "DELETING":
                self._remove(addon, items)
            elif addon.name not in self._known and time.monotonic() - began > BUDGET:
                late = True
            else:
                self._keep(addon, items)
        if late:
            self._mirror.wake()

    def _items(self, addon: Addon, cluster: Cluster) -> list[Object]:
        fingerprint = _fingerprint(addon)
        cached = self._made.get(addon.name)
        if cached is None or cached[0] != fingerprint:
            cached = self._made[addon.name] = (fingerprint, objects(self._instance, addon, cluster))
        return cached[1]

    def _unknown(self, addon: Addon) -> None:
        state = self._known.setdefault(addon.name, _State("", self._clock.now()))
        if addon.status == "DELETING":
            self._report(addon, state, "GONE", ())
        else:
            # Nothing of it runs in the twin; that the cloud takes it is all that can be said.
            self._report(addon, state, "ACTIVE", ())

    def _remove(self, addon: Addon, items: Sequence[Object]) -> None:
        manifests.remove(self._kube, items)
        self._known.pop(addon.name, None)
        log.info("add-on %s is removed", addon.name)
        self._view.addon_status(addon.name, "GONE", [])

    def _keep(self, addon: Addon, items: Sequence[Object]) -> None:
        fingerprint = _fingerprint(addon)
        state = self._known.get(addon.name)
        missing = [item for item in items if item["kind"] in WORKLOADS and self._workload(item) is None]
        if state is None or state.fingerprint != fingerprint or (missing and state.sent is not None):
            log.info("add-on %s %s is applied", addon.name, addon.version)
            manifests.apply(self._kube, items, manifests.MANAGER[self._instance.cloud])
            state = self._known[addon.name] = _State(fingerprint, self._clock.now())
            return
        if missing or not all(
            complete(self._workload(item) or {}) for item in items if item["kind"] in WORKLOADS
        ):
            if self._clock.now() - state.since > GRACE:
                self._report(addon, state, "DEGRADED", (SHORT,))
            return
        state.since = self._clock.now()
        self._report(addon, state, "ACTIVE", ())

    def _workload(self, item: Object) -> Object | None:
        metadata = item["metadata"]
        return self._mirror.one(WORKLOADS[item["kind"]], metadata["name"], metadata["namespace"])

    def _report(self, addon: Addon, state: _State, status: str, issues: tuple[str, ...]) -> None:
        now = self._clock.now() / self._clock.factor
        same = state.sent == (status, issues) and addon.status == status
        if same or (state.sent == (status, issues) and now - state.sent_at < AGAIN):
            return
        self._view.addon_status(addon.name, status, list(issues))
        log.info("add-on %s is %s", addon.name, status)
        state.sent, state.sent_at = (status, issues), now


def _fingerprint(addon: Addon) -> str:
    return json.dumps(
        [addon.version, addon.configuration, addon.service_account_role], sort_keys=True, default=str
    )


def complete(workload: Object) -> bool:
    """Whether a rollout is through. A DaemonSet without a node to run on is."""
    if not workload:
        return False
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 1):
        return False
    if "updateStrategy" in workload["spec"]:
        number = status.get("desiredNumberScheduled", 0)
        return status.get("numberReady", 0) >= number and status.get("updatedNumberScheduled", 0) >= number
    number = workload["spec"].get("replicas", 1)
    return status.get("availableReplicas", 0) >= number and status.get("updatedReplicas", 0) >= number
