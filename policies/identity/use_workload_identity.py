"""Pods have identities, and not their nodes'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Stack, Undecided
from ..pack.principals import members
from ..pack.statements import identity_statements

POLICY = Policy(
    title="Workload identity instead of the node's rights",
    severity="high",
    description="What a node may do, every pod on it may do that reaches the node's credentials. Nodes "
    "get what the kubelet needs; workloads get their own rights by EKS Pod Identity or "
    "Workload Identity Federation for GKE.",
    remediation="Give the rights to a role with a PodIdentityAssociation, or to a service account that "
    "the pod's own is linked with; turn workloadIdentityConfig on in a GKE cluster.",
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
            "Services whose actions the role of EKS nodes may have in policies of its own.",
        ),
    },
)

_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_OWN: Final = "aws:iam/rolePolicy:RolePolicy"


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters without a workload pool; Autopilot has it always."""
    path = "workloadIdentityConfig.workloadPool"
    pool = resource.get(path)
    if pool is UNKNOWN or resource.get("enableAutopilot") is UNKNOWN:
        yield Undecided(path)
    elif not pool and resource.get("enableAutopilot") is not True:
        yield Finding(path, "is missing, so that pods have no identity but their node's")


@POLICY.on_stack
def on_nodes(stack: Stack, options: Options) -> Iterator[Judgement]:
    """What the roles of EKS nodes may do beyond what nodes need."""
    roles = _roles_of_nodes(stack)
    if not roles:
        return
    for attachment in stack.of(_ATTACHMENT):
        if roles & set(_urns(attachment, "role")):
            arn = attachment.get("policyArn")
            if arn is UNKNOWN:
                yield Undecided("policyArn")
            elif str(arn).rpartition("/")[2] not in options["node_policies"]:
                yield Finding("policyArn", f"gives the nodes {str(arn).rpartition('/')[2]!r}", attachment)
    for policy in stack.of(_OWN):
        if roles & set(_urns(policy, "role")):
            yield from _judged(policy, options["node_services"])


def _judged(policy: Resource, services: list[str]) -> Iterator[Judgement]:
    for statement in identity_statements(policy):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            for path, action in statement.listed("Action"):
                if isinstance(action, str) and action.partition(":")[0] not in services:
                    yield Finding(path, f"gives the nodes {action!r}, and with that every pod", policy)


def _roles_of_nodes(stack: Stack) -> set[str]:
    groups = stack.of("aws:eks/nodeGroup:NodeGroup")
    return {
        urn
        for group in groups
        for urn in _urns(group, "nodeRoleArn")
        if urn in stack.by_urn and stack.by_urn[urn].type == "aws:iam/role:Role"
    }


def _urns(resource: Resource, key: str) -> Sequence[str]:
    return resource.property_dependencies.get(key, ())


@POLICY.on_stack
def on_google_nodes(stack: Stack) -> Iterator[Judgement]:
    """What the accounts of GKE nodes may do in a project beyond what nodes need."""
    pools = stack.of("gcp:container/nodePool:NodePool")
    accounts = {pool.get("nodeConfig.serviceAccount") for pool in pools}
    names = {f"serviceAccount:{account}" for account in accounts if isinstance(account, str)}
    made = {
        urn
        for pool in pools
        for urn in _urns(pool, "nodeConfig")
        if urn in stack.by_urn and stack.by_urn[urn].type == "gcp:serviceaccount/account:Account"
    }
    for binding in stack.of("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding"):
        role = binding.get("role")
        for path, member in members(binding):
            # A name that is not known yet is told by where it comes from.
            comes_from = set(_urns(binding, path.partition("[")[0])) if member is UNKNOWN else set[str]()
            if member not in names and not made & comes_from:
                continue
            if role is UNKNOWN:
                yield Undecided("role")
            elif role not in _ROLES_OF_NODES:
                yield Finding(path, f"gives the nodes {role!r}, and with that every pod", binding)


_ROLES_OF_NODES: Final = (
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
