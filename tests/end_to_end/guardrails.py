"""A cluster with the guardrails, and requests of its users. Only the control plane runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
from kubernetes import client, config

from aiplatform._shared.kubernetes.namespaces import NamespaceContents, create
from aiplatform.guardrails import Guardrails
from aiplatform.guardrails.args import POLICIES
from tests.components.recording import Recording, record
from twin import environment, instances
from twin.instances import Instance
from twin.kubernetes import control_plane

Object = dict[str, Any]

ADMIN: Final = ("", "")
"""The cluster's administrator: the user of the kubeconfig file."""

GROUPS: Final[Mapping[str, str]] = {
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    ),
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    ),
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "kubernetes:core/v1:Namespace": "/api/v1/namespaces",
    "kubernetes:core/v1:LimitRange": "/api/v1/namespaces/{}/limitranges",
    "kubernetes:core/v1:ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": (
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"
    ),
}
"""Type of a resource -> its collection."""

CUSTOM: Final = (
    ("jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets"),
    ("leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", "leaderworkersets"),
    ("ray.io", "v1", "RayCluster", "rayclusters"),
    ("ray.io", "v1", "RayJob", "rayjobs"),
    ("trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs"),
    ("argoproj.io", "v1alpha1", "Workflow", "workflows"),
    ("kueue.x-k8s.io", "v1beta2", "ClusterQueue", "clusterqueues"),
    ("kueue.x-k8s.io", "v1beta2", "LocalQueue", "localqueues"),
    ("kueue.x-k8s.io", "v1beta2", "Workload", "workloads"),
    ("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
    ("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices"),
)
"""Kinds of add-ons: group, version, kind, plural."""


class Cluster:
    """A control plane, and requests to it."""

    def __init__(self, instance: Instance) -> None:
        self._kubeconfig = str(instance.kubeconfig)

    def request(
        self, method: str, path: str, body: Object | None = None, user: tuple[str, str] = ADMIN
    ) -> tuple[int, str, Mapping[str, str]]:
        """Return status, body and headers. user: a name and a group; a service account has its groups by
        its name."""
        api = config.new_client_from_config(self._kubeconfig)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        name, group = user
        if name:
            headers["Impersonate-User"] = name
        if group:
            headers["Impersonate-Group"] = group
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        rest: Any = api.rest_client
        try:
            answer = rest.request(method, api.configuration.host + path, headers=headers, body=body)
        except client.ApiException as error:
            return int(error.status or 0), str(error.body), dict(error.headers or {})
        return int(answer.status), answer.read().decode(), dict(answer.getheaders())

    def create(self, path: str, body: Object) -> Object:
        """Create an object as the administrator."""
        status, text, _ = self.request("POST", path, body)
        assert status in (200, 201), text
        return json.loads(text)

    def refusal(self, body: Object, user: tuple[str, str], namespace: str = "team-a") -> str:
        """Return the message of the API server where it refuses an object; empty where it would create it."""
        path = f"{collection(body, namespace)}?dryRun=All"
        status, text, _ = self.request("POST", path, body, user)
        return "" if status in (200, 201) else str(json.loads(text)["message"])

    def apply(self, recorded: Recording) -> None:
        """Create what a program registers, namespaces first."""
        for resource in sorted(recorded.resources, key=lambda entry: not entry.type.endswith(":Namespace")):
            if resource.custom and resource.type in GROUPS:
                inputs = _whole_numbers(resource.inputs)
                self.create(_path(resource.type, inputs), inputs)


def _path(type_: str, inputs: Mapping[str, Any]) -> str:
    """Return the path of the collection of a resource."""
    return GROUPS[type_].format(inputs["metadata"].get("namespace", ""))


def _whole_numbers(value: Any) -> Any:
    """Return inputs with integers in place of the engine's floats."""
    if isinstance(value, Mapping):
        return {key: _whole_numbers(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_whole_numbers(entry) for entry in value]
    return int(value) if isinstance(value, float) else value


def collection(body: Object, namespace: str) -> str:
    """Return the path of the collection of an object."""
    plurals = {kind: plural for _, _, kind, plural in CUSTOM}
    kind = body["kind"]
    plural = plurals.get(kind) or (f"{kind.lower()}es" if kind.endswith("s") else f"{kind.lower()}s")
    version = body["apiVersion"]
    root = "/api" if "/" not in version else "/apis"
    inside = "" if kind == "Namespace" else f"/namespaces/{namespace}"
    return f"{root}/{version}{inside}/{plural}"


@contextmanager
def control_plane_of(home: Path) -> Iterator[Cluster]:
    """Start a control plane, with the definitions of the add-ons' kinds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(home))
        instance = instances.create("guardrails")
        environment.prepare(instance)
        try:
            control_plane.start(instance)
            cluster = Cluster(instance)
            for group, version, kind, plural in CUSTOM:
                cluster.create(
                    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                    definition(group, version, kind, plural),
                )
            yield cluster
        finally:
            control_plane.stop(instance, kill=True)


def definition(group: str, version: str, kind: str, plural: str) -> Object:
    """Return a custom resource definition that accepts every object of its kind."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "metadata": {
            "name": f"{plural}.{group}",
            # Groups of Kubernetes need it; these are no registered kinds here.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": group,
            "scope": "Cluster" if kind.startswith("Cluster") else "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [served],
        },
    }


def guardrails(**arguments: Any) -> Recording:
    """Return what the component registers."""
    overrides: Any = arguments
    return record(lambda: Guardrails("guardrails", overrides))


def replace_policies(cluster: Cluster, *names: str, **arguments: Any) -> None:
    """Replace these policies by those of guardrails with other arguments."""
    root = "/apis/admissionregistration.k8s.io/v1"
    for collection_ in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        for name in names:
            cluster.request("DELETE", f"{root}/{collection_}/ai-platform-{name}")
    others = {name: "off" for name in POLICIES if name not in names}
    cluster.apply(guardrails(**arguments, policies=others, priority_classes={}))


def namespace(name: str, **contents: Any) -> Recording:
    """Return what a team's namespace has."""

    def program() -> None:
        parent = pulumi.ComponentResource("tests:index:Team", name)
        create(parent, name, NamespaceContents(name, **contents))

    return record(program)


def until(condition: Any, seconds: float = 30) -> Any:
    """Return the first true value of a condition, or its last value after the time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.2)


@contextmanager
def before_policy(cluster: Cluster, policy: str, user: tuple[str, str], probe: Object) -> Iterator[None]:
    """A time before a policy was enforced. It ends when the user is refused the probe again."""
    collection = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    path = f"{collection}/ai-platform-{policy}"
    binding = json.loads(cluster.request("GET", path)[1])
    assert cluster.request("DELETE", path)[0] == 200
    assert until(lambda: not cluster.refusal(probe, user, "scratch"))
    yield
    for key in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        binding["metadata"].pop(key, None)
    cluster.create(collection, binding)
    assert until(lambda: cluster.refusal(probe, user, "scratch"))


def pods_of(cluster: Cluster, prefix: str) -> list[str]:
    """Return the Pods of team-a whose names begin like this."""
    _, text, _ = cluster.request("GET", "/api/v1/namespaces/team-a/pods")
    names = [item["metadata"]["name"] for item in json.loads(text)["items"]]
    return [name for name in names if name.startswith(prefix)]


def replicas_of(cluster: Cluster, path: str, image_name: str) -> list[int]:
    """Return the replicas of the ReplicaSets with an image."""
    items = json.loads(cluster.request("GET", path)[1])["items"]
    return [
        item["spec"]["replicas"]
        for item in items
        if item["spec"]["template"]["spec"]["containers"][0]["image"] == image_name
    ]
