"""Pods have dedicated identities, not those of their nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from typing import Final

from ..framework import (
    UNKNOWN,
    Deferred,
    Entry,
    Option,
    Options,
    Outcome,
    Policy,
    Resource,
    Stack,
    Violation,
    check_each,
)
from ..framework.google_bindings import members
from ..framework.policy_documents import Statement, allowed_statements

POLICY = Policy(
    title="Workload identity instead of the node's permissions",
    severity="high",
    description="Every pod that can get the credentials of its node has the node's permissions. Nodes get "
    "what the kubelet needs; workloads get their permissions by EKS Pod Identity or Workload Identity "
    "Federation for GKE.",
    remediation="Give the permissions to a role with a PodIdentityAssociation, or to a service account that "
    "the pod's service account is linked with; enable workloadIdentityConfig in a GKE cluster.",
    frameworks=("CIS GKE 5.2.2", "CIS EKS 5.2.1", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
    options={
        "node_policies": Option(
            {"type": "array", "items": {"type": "string"}},
            [
                "AmazonEC2ContainerRegistryPullOnly",
                "AmazonEC2ContainerRegistryReadOnly",
                "AmazonEKSWorkerNodeMinimalPolicy",
                "AmazonEKSWorkerNodePolicy",
                "AmazonEKS_CNI_Policy",
                "AmazonSSMManagedInstanceCore",
            ],
            "Managed policies that the role of EKS nodes may have.",
        ),
        "node_services": Option(
            {"type": "array", "items": {"type": "string"}},
            ["ec2", "ecr", "eks", "eks-auth", "logs", "ssm", "ssmmessages", "ec2messages"],
            "Services whose actions the inline policies of the role of EKS nodes may allow.",
        ),
    },
)

_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_INLINE: Final = "aws:iam/rolePolicy:RolePolicy"
_NODE_ROLES: Final = (
    "roles/artifactregistry.reader",
    "roles/autoscaling.metricsWriter",
    "roles/container.defaultNodeServiceAccount",
    "roles/container.nodeServiceAccount",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
    "roles/monitoring.viewer",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/stackdriver.resourceMetadata.writer",
)


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Clusters without a workload pool; Autopilot always has one."""
    path = "workloadIdentityConfig.workloadPool"
    if not resource.known(path) and resource.known("enableAutopilot") is not True:
        yield Violation(path, "is not set, so that pods have only the identity of their node")


@POLICY.on_stack
def on_nodes(stack: Stack, options: Options) -> Iterator[Outcome]:
    """Permissions of EKS nodes' roles beyond those that nodes need."""
    groups = stack.of("aws:eks/nodeGroup:NodeGroup")
    roles = _sources(stack, groups, "nodeRoleArn", "aws:iam/role:Role")
    if roles:
        yield from check_each(stack.of(_ATTACHMENT), _check_attachment, roles, options["node_policies"])
        yield from check_each(stack.of(_INLINE), _check_inline, roles, options["node_services"])


def _sources(stack: Stack, resources: list[Resource], key: str, kind: str) -> set[str]:
    urns = {urn for resource in resources for urn in resource.sources(key)}
    return {urn for urn in urns if urn in stack.by_urn and stack.by_urn[urn].type == kind}


def _check_attachment(attachment: Resource, roles: Set[str], policies: Collection[str]) -> Iterator[Outcome]:
    if roles & set(attachment.sources("role")):
        name = str(attachment.known("policyArn")).rpartition("/")[2]
        if name not in policies:
            yield Violation("policyArn", f"gives the nodes {name!r}")


def _check_inline(policy: Resource, roles: Set[str], services: Collection[str]) -> Iterator[Outcome]:
    if roles & set(policy.sources("role")):
        yield from check_each(allowed_statements(policy), _check_statement, services)


def _check_statement(statement: Statement, services: Collection[str]) -> Iterator[Outcome]:
    yield from check_each(statement.entries("Action"), _check_action, services)


def _check_action(entry: Entry, services: Collection[str]) -> Iterator[Outcome]:
    action = str(entry.known())
    if action.partition(":")[0] not in services:
        yield Violation(entry.path, f"gives the nodes, and so every pod, {action!r}")


@POLICY.on_stack
def on_google_nodes(stack: Stack) -> Iterator[Outcome]:
    """Roles of GKE nodes' accounts in a project beyond those that nodes need."""
    pools = stack.of("gcp:container/nodePool:NodePool")
    accounts = {pool.raw("nodeConfig.serviceAccount") for pool in pools}
    names = {f"serviceAccount:{account}" for account in accounts if isinstance(account, str)}
    urns = _sources(stack, pools, "nodeConfig", "gcp:serviceaccount/account:Account")
    unknown = any(account is UNKNOWN for account in accounts)
    bindings = stack.of("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
    yield from check_each(bindings, _check_binding, names, urns, unknown)


def _check_binding(binding: Resource, names: Set[str], urns: Set[str], unknown: bool) -> Iterator[Outcome]:
    yield from check_each(members(binding), _check_member, binding, names, urns, unknown)


def _check_member(
    entry: Entry, binding: Resource, names: Set[str], urns: Set[str], unknown: bool
) -> Iterator[Outcome]:
    member = entry.raw()
    # The source of an unknown member identifies it.
    is_node = bool(urns & set(binding.sources(entry.path))) if member is UNKNOWN else member in names
    if not is_node and member is not UNKNOWN and not unknown:
        return
    role = binding.known("role")
    if role in _NODE_ROLES:
        return
    if not is_node:
        raise Deferred(entry.path)
    yield Violation(entry.path, f"gives the nodes, and so every pod, {role!r}")
