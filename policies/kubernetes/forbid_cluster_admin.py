"""No workload is an administrator of a cluster, and no binding is for every account."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Final

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No administrators of clusters but those listed, and no bindings to everyone",
    severity="critical",
    description="With `cluster-admin` a vulnerability in the workload affects the whole cluster, and so do "
    "AmazonEKSClusterAdminPolicy, the group `system:masters` and a role that aggregates all others; `admin` "
    "and `edit` in every namespace read all Secrets. A role bound to `system:authenticated` applies to every "
    "account of every pod, on GKE to every Google account; bound to `system:anonymous` or "
    "`system:unauthenticated`, to everyone on the internet.",
    remediation="Bind a role with the required permissions, in the namespace, to the account that needs it; "
    "on EKS associate AmazonEKSViewPolicy or AmazonEKSEditPolicy with the namespaces. Name the roles of "
    "administrators in the policy's `administrators`.",
    frameworks=(
        "CIS EKS 4.1.1",
        "CIS Kubernetes 5.1.1",
        "CIS Kubernetes 5.1.7",
        "NIST 800-53 AC-6",
        "SOC 2 CC6.3",
    ),
    options={
        "administrators": Option(
            {"type": "array", "items": {"type": "string"}},
            [
                "*:role/*admin*",
                "*:role/*break*glass*",
                "*:role/*deploy*",
                "*:role/*platform*",
                "*:role/aws-reserved/sso.amazonaws.com/*",
            ],
            "ARNs of IAM principals that may administer EKS clusters; `*` matches any characters, case is "
            "ignored.",
        ),
    },
)

_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_CLUSTER_BINDINGS: Final = (f"{_RBAC}ClusterRoleBinding", f"{_RBAC}ClusterRoleBindingPatch")
_EVERYONE: Final = (
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
    "system:serviceaccounts",
    "system:masters",
)
_MASTERS: Final = "system:masters"
_BROAD: Final = ("admin", "edit")
_EKS: Final = ("AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy")


@POLICY.on(*_CLUSTER_BINDINGS, f"{_RBAC}RoleBinding", f"{_RBAC}RoleBindingPatch")
def on_bindings(resource: Resource) -> Iterator[Outcome]:
    """Bindings to cluster-admin, and for groups of all accounts."""
    yield from check_each(resource.entries("subjects"), _check_subject)
    role = resource.known("roleRef.name")
    if role == "cluster-admin":
        yield Violation("roleRef.name", "binds 'cluster-admin', which has every permission")
    elif role in _BROAD and resource.type in _CLUSTER_BINDINGS:
        yield Violation(
            "roleRef.name", f"binds {role!r} in every namespace, with all Secrets; use RoleBindings"
        )


def _check_subject(subject: Entry) -> Iterator[Outcome]:
    if subject.known("name") in _EVERYONE:
        yield Violation(subject.where("name"), f"gives the role to {subject.known('name')!r}")


@POLICY.on(f"{_RBAC}ClusterRole", f"{_RBAC}ClusterRolePatch")
def on_aggregations(resource: Resource) -> Iterator[Outcome]:
    """Roles that aggregate every other one: a selector without a label selects all, cluster-admin as well."""
    yield from check_each(resource.entries("aggregationRule.clusterRoleSelectors"), _check_selector)


def _check_selector(selector: Entry) -> Iterator[Outcome]:
    labels, expressions = selector.known("matchLabels"), selector.known("matchExpressions")
    if not labels and not expressions:
        yield Violation(selector.path, "selects every ClusterRole, cluster-admin as well; name a label")


@POLICY.on("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
def on_associations(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Principals of IAM that administer a whole EKS cluster, and are not listed."""
    policy = str(resource.known("policyArn")).rpartition("/")[2]
    if policy not in _EKS or resource.known("accessScope.type") != "cluster":
        return
    principal = str(resource.known("principalArn"))
    if not _is_listed(principal, options["administrators"]):
        yield Violation("policyArn", f"makes {principal!r} an administrator of the cluster by {policy!r}")


def _is_listed(principal: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(principal.lower(), pattern.lower()) for pattern in patterns)


@POLICY.on("aws:eks/accessEntry:AccessEntry")
def on_entries(resource: Resource) -> Iterator[Outcome]:
    """Access entries in a group of administrators."""
    yield from check_each(resource.entries("kubernetesGroups"), _check_group)


def _check_group(group: Entry) -> Iterator[Outcome]:
    if group.known() in _EVERYONE:
        yield Violation(
            group.path, f"puts the principal into {group.known()!r}; use a group with a narrow role"
        )


@POLICY.on("kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch")
def on_aws_auth(resource: Resource) -> Iterator[Outcome]:
    """EKS's ConfigMap of users with administrators."""
    # A ConfigMap without a name gets one that begins with that of the resource.
    if resource.known("metadata.name") == "aws-auth":
        yield from check_each(("mapRoles", "mapUsers"), _check_map, resource)


def _check_map(key: str, resource: Resource) -> Iterator[Outcome]:
    if _MASTERS in (resource.known(f"data.{key}") or ""):
        yield Violation(
            f"data.{key}", f"puts IAM principals into {_MASTERS!r}, which no role limits; use access entries"
        )
