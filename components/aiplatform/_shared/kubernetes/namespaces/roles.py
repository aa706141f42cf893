"""The roles of a team in its namespace.

None of them creates Pods (the guardrails' policy `bare-pods` has the reasons) or changes Kueue's objects,
quotas or network policies; only the owner reads Secrets. A role that creates workloads can run them with
every service account of the namespace, and so has the cloud identities that these have.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from pulumi import Input, ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

Role = Literal["reader", "developer", "owner"]
Members = Mapping[Role, Sequence[Input[str]]]
"""Role -> groups: on EKS those of access entries, on GKE Google Groups."""
Rule = tuple[str, Sequence[str], Sequence[str]]
"""API group, resources, verbs."""

ROLES: Final[tuple[Role, ...]] = ("reader", "developer", "owner")

_API: Final = "rbac.authorization.k8s.io"
_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "update", "patch", "delete", "deletecollection")

_WORKLOADS: Final[Mapping[str, Sequence[str]]] = {
    "apps": ("deployments", "statefulsets"),
    "batch": ("jobs", "cronjobs"),
    "jobset.x-k8s.io": ("jobsets",),
    "trainer.kubeflow.org": ("trainjobs",),
    "ray.io": ("rayclusters", "rayjobs", "rayservices"),
    "leaderworkerset.x-k8s.io": ("leaderworkersets",),
    "serving.kserve.io": ("inferenceservices",),
    "argoproj.io": ("workflows", "cronworkflows", "workflowtemplates"),
    "autoscaling": ("horizontalpodautoscalers",),
    "policy": ("poddisruptionbudgets",),
    "external-secrets.io": ("externalsecrets",),
    "": ("configmaps", "services", "persistentvolumeclaims"),
}
"""What a developer writes."""
_SEEN: Final[Mapping[str, Sequence[str]]] = {
    "": (
        "pods",
        "events",
        "endpoints",
        "limitranges",
        "resourcequotas",
        "serviceaccounts",
    ),
    "apps": ("replicasets", "controllerrevisions"),
    "discovery.k8s.io": ("endpointslices",),
    "events.k8s.io": ("events",),
    "networking.k8s.io": ("networkpolicies",),
    "kueue.x-k8s.io": ("localqueues", "workloads"),
    "trainer.kubeflow.org": ("trainingruntimes",),
    "external-secrets.io": ("secretstores",),
    "resource.k8s.io": ("resourceclaims", "resourceclaimtemplates"),
}
"""What a reader reads, in addition to that."""
_SCALED: Final[Mapping[str, Sequence[str]]] = {
    "apps": ("deployments/scale", "statefulsets/scale"),
    "leaderworkerset.x-k8s.io": ("leaderworkersets/scale",),
}


def rules(role: Role) -> list[Rule]:
    """Return the rules of a role."""
    read: list[Rule] = [
        *((group, resources, _READ) for group, resources in _WORKLOADS.items()),
        *((group, resources, _READ) for group, resources in _SEEN.items()),
        ("", ("pods/log",), ("get",)),
        ("metrics.k8s.io", ("pods",), ("get", "list")),
    ]
    write: list[Rule] = [
        *((group, resources, _WRITE) for group, resources in _WORKLOADS.items()),
        *((group, resources, ("get", "update", "patch")) for group, resources in _SCALED.items()),
        ("", ("pods",), ("delete", "deletecollection")),
        ("", ("pods/exec", "pods/portforward", "pods/attach"), ("get", "create")),
        ("", ("pods/eviction",), ("create",)),
    ]
    manage: list[Rule] = [
        ("", ("secrets",), (*_READ, *_WRITE)),
        (_API, ("roles", "rolebindings"), _READ),
    ]
    return {"reader": read, "developer": [*read, *write], "owner": [*read, *write, *manage]}[role]


def create(
    name: str,
    metadata: Callable[[str], meta.ObjectMetaArgs],
    members: Members,
    options: ResourceOptions,
) -> None:
    """Create a Role and its RoleBinding for each role that has members."""
    for role in ROLES:
        groups = members.get(role, ())
        if not groups:
            continue
        resource = rbac.Role(
            f"{name}-{role}",
            metadata=metadata(f"team-{role}"),
            rules=[
                rbac.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(verbs))
                for group, resources, verbs in rules(role)
            ],
            opts=options,
        )
        rbac.RoleBinding(
            f"{name}-{role}-members",
            metadata=metadata(f"team-{role}"),
            role_ref=rbac.RoleRefArgs(api_group=_API, kind="Role", name=f"team-{role}"),
            subjects=[rbac.SubjectArgs(kind="Group", name=group, api_group=_API) for group in groups],
            opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[resource])),
        )
