"""A ValidatingAdmissionPolicy in parts, and the expressions that several policies share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.kubernetes.node_labels import DEVICE_ALLOCATION
from aiplatform.accelerators.cards import CARDS
from aiplatform.accelerators.fabric import EFA
from aiplatform.addons.values.kueue import EXCLUDED_RESOURCES, MANAGED_NAMESPACES
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.system_namespaces import SYSTEM_PREFIX, fixed_system_namespaces

PREFIX: Final = "ai-platform-"
"""The first part of the names of policies and bindings."""
QUEUE: Final = "kueue.x-k8s.io/queue-name"
"""The label of a workload that states its queue."""
CREATE: Final = ("CREATE",)
WRITE: Final = ("CREATE", "UPDATE")


@dataclass(frozen=True)
class Rule:
    """What a policy is evaluated for: resources of an API group."""

    group: str
    resources: Sequence[str]
    operations: Sequence[str] = WRITE
    versions: Sequence[str] = ("*",)


@dataclass(frozen=True)
class Validation:
    """What must be true, and the error where it is not."""

    expression: Input[str]
    message: str
    """In the form of the project's errors: what is wrong; what is expected."""


@dataclass(frozen=True)
class Policy:
    """A ValidatingAdmissionPolicy."""

    name: str
    rules: Sequence[Rule]
    validations: Sequence[Validation]
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name -> expression, in the order in which they refer to each other; evaluated where one is read."""
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name -> expression: requests for which one is false are not evaluated."""
    every_namespace: bool = False
    """Whether it is evaluated in the system's namespaces, too."""


def literal(value: Any) -> str:
    """Return a value as CEL writes it. Its strings, lists and maps are those of JSON."""
    return json.dumps(value, sort_keys=True)


def strings(values: Sequence[str]) -> str:
    """Return a list of strings in CEL. CEL infers no type for an empty one."""
    return literal(list(values)) if values else "[''].filter(s, false)"


def system_namespaces(settings: GuardrailsSettings) -> list[str]:
    """Return the namespaces that no policy evaluates. A principal that writes to them controls the
    cluster."""
    fixed = fixed_system_namespaces(settings.cloud)
    return sorted({*fixed, *settings.system_namespaces} - set(settings.fabric_namespaces))


def namespace_conditions(settings: GuardrailsSettings) -> dict[str, str]:
    """Return the condition that leaves out namespaces by their prefix, which a selector cannot."""
    prefix = SYSTEM_PREFIX.get(settings.cloud)
    if prefix is None:
        return {}
    return {"no-namespace-of-gke": f"!request.?namespace.orValue('').startsWith('{prefix}')"}


POD: Final = Rule("", ("pods",), CREATE)
WORKLOADS: Final = (
    Rule("apps", ("deployments", "statefulsets", "daemonsets", "replicasets")),
    Rule("", ("replicationcontrollers",)),
    Rule("batch", ("jobs", "cronjobs")),
    Rule("jobset.x-k8s.io", ("jobsets",)),
    Rule("leaderworkerset.x-k8s.io", ("leaderworkersets",)),
    Rule("ray.io", ("rayclusters", "rayjobs", "rayservices")),
)
"""Kinds that contain templates of Pods. Their Pods are evaluated anyway; a workload that is refused itself
gives the user an error where a refused Pod is only an event."""

PODS: Final = (
    "request.kind.kind == 'Pod' ? [variables.spec] : "
    "request.kind.kind == 'CronJob' ? [variables.spec.jobTemplate.spec.template.spec] : "
    "request.kind.kind == 'JobSet' ? "
    "dyn(variables.spec.?replicatedJobs.orValue([])).map(job, job.template.spec.template.spec) : "
    "request.kind.kind == 'LeaderWorkerSet' ? "
    "[?variables.spec.leaderWorkerTemplate.?leaderTemplate.?spec, "
    "?variables.spec.leaderWorkerTemplate.?workerTemplate.?spec] : "
    "request.kind.kind in ['RayCluster', 'RayJob', 'RayService'] ? "
    "[?variables.ray.?headGroupSpec.?template.?spec] "
    "+ dyn(variables.ray.?workerGroupSpecs.orValue([])).map(group, group.template.spec) : "
    "[?variables.spec.?template.?spec]"
)
RAY: Final = (
    "request.kind.kind == 'RayCluster' ? variables.spec : "
    "request.kind.kind == 'RayJob' ? variables.spec.?rayClusterSpec.orValue({}) : "
    "request.kind.kind == 'RayService' ? variables.spec.?rayClusterConfig.orValue({}) : dyn({})"
)
CONTAINERS_OF_POD: Final = (
    "(dyn(pod.?containers.orValue([])) + pod.?initContainers.orValue([]) "
    "+ pod.?ephemeralContainers.orValue([]))"
)
CONTAINERS: Final = f"variables.pods.map(pod, {CONTAINERS_OF_POD})"
SPEC: Final = "dyn(object.spec)"
"""The specification, without its type: the API server checks the types of expressions for each kind, and what
one kind has another has not."""
POD_VARIABLES: Final[Mapping[str, str]] = {
    "spec": SPEC,
    "ray": RAY,
    "pods": PODS,
    "containers": CONTAINERS,
}
"""`pods`: the specifications of Pods in the object; `containers`: a list of the containers of each."""


def of_old_object(expression: str) -> str:
    """Return the expression of a variable of Pods, of the object before an update."""
    return expression.replace("variables.", "variables.old_").replace("(object.", "(oldObject.")


TEAM_NAMESPACE: Final = " && ".join(
    f"namespaceObject.metadata.?labels[?{literal(key)}].orValue('') == {literal(value)}"
    for key, value in MANAGED_NAMESPACES.items()
)
"""Whether Kueue manages the workloads of the namespace: what makes it a team's."""


def is_accelerator(name: str) -> str:
    """Return the expression by which the name of a resource is an accelerator: every device that Kueue
    counts. name: an expression."""
    others = " || ".join(
        f"{name}.startsWith({literal(prefix)})" for prefix in EXCLUDED_RESOURCES if "/" in prefix
    )
    return f"{name}.contains('/') && !({others})"


_REQUESTED: Final = (
    "container.?resources.?{kind}.orValue({{}}).exists(name, {accelerator} "
    "&& string(container.resources.{kind}[name]) != '0')"
)
REQUESTS_ADAPTER: Final = " || ".join(
    _REQUESTED.format(kind=kind, accelerator=f"name == {literal(EFA)}") for kind in ("limits", "requests")
)
"""The expression by which `container` requests an adapter of a network between accelerators."""
REQUESTS_ACCELERATOR: Final = " || ".join(
    _REQUESTED.format(kind=kind, accelerator=is_accelerator("name")) for kind in ("limits", "requests")
)
"""The expression by which `container` requests an accelerator."""
CLAIMS: Final = "size(pod.?resourceClaims.orValue([])) > 0"
"""The expression by which `pod` claims devices."""


def is_toleration_of_accelerators(toleration: str) -> str:
    """Return the expression by which a toleration is of the taints of nodes with accelerators, or of every
    taint. toleration: an expression."""
    taints = sorted({DEVICE_ALLOCATION, *(card.resource for card in CARDS.values())})
    return (
        f"(({toleration}.?key.orValue('') == '' && {toleration}.?effect.orValue('') != 'NoExecute') "
        f"|| {toleration}.?key.orValue('') in {literal(taints)})"
    )


def trusted(settings: GuardrailsSettings) -> str:
    """Return the expression by which the request comes from a controller: Kubernetes' own, or one in a system
    namespace."""
    groups = [f"system:serviceaccounts:{name}" for name in system_namespaces(settings)]
    return (
        f"request.userInfo.?groups.orValue([]).exists(group, group in {literal(groups)}) "
        "|| request.userInfo.username == 'system:kube-controller-manager'"
    )


def spec_changes(settings: GuardrailsSettings) -> dict[str, str]:
    """Return the condition that leaves out changes which must not fail for what violates a policy since
    before it was enforced: those of a finalizer or an annotation, without which nothing could delete it, and
    those of controllers. By changing `spec` a Deployment's controller scales the ReplicaSets of earlier
    templates, and Kueue suspends Jobs. Their Pods are evaluated when they are created."""
    return {
        "spec-changes": (
            f"request.operation != 'UPDATE' || (object.spec != oldObject.spec && !({trusted(settings)}))"
        )
    }


PLATFORM: Final = (
    "authorizer.group('rbac.authorization.k8s.io').resource('clusterroles').check('escalate').allowed()"
)
"""Whether the request comes from a principal that administers the cluster: one that may give itself any right
(`escalate` on cluster roles), and so could also delete the policy. No list of users has to be kept: EKS's
AmazonEKSClusterAdminPolicy and Google's roles/container.admin contain it, roles of teams do not."""
