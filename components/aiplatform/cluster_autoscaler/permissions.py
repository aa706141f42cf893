"""Permissions of the Cluster Autoscaler in the cluster and on AWS."""

import json
from collections.abc import Sequence
from typing import Final

from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import allow, document

NAME: Final = "cluster-autoscaler"
NAMESPACE: Final = "kube-system"
PRIORITIES: Final = "cluster-autoscaler-priority-expander"
"""The ConfigMap that the priority expander reads; the name is fixed."""
STATUS: Final = "cluster-autoscaler-status"
"""The ConfigMap that it writes its status to."""

_READ: Final = ("get", "list", "watch")


def aws_policy(account: Account, cluster: str) -> str:
    """Return the policy of its role: describe everything, because these calls have no resource-level
    permissions; change only the Auto Scaling groups that EKS tags as this cluster's
    (https://github.com/kubernetes/autoscaler, AWS notes, "Permissions")."""
    return document(
        allow(
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            "*",
            sid="Describe",
        ),
        allow(
            ["eks:DescribeNodegroup"],
            account.arn("eks", f"nodegroup/{cluster}/*/*"),
            sid="DescribeNodeGroups",
        ),
        allow(
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            account.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*"),
            {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}},
            sid="Scale",
        ),
    )


def _rule(
    group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] | None = None
) -> rbac.PolicyRuleArgs:
    return rbac.PolicyRuleArgs(
        api_groups=[group],
        resources=list(resources),
        verbs=list(verbs),
        resource_names=list(names) if names else None,
    )


def cluster_rules() -> list[rbac.PolicyRuleArgs]:
    """Return the rules of the ClusterRole: read what the scheduler's simulation reads; taint nodes; evict
    Pods; report events."""
    return [
        _rule("", ["events"], ["create", "patch"]),
        _rule("events.k8s.io", ["events"], ["create", "patch"]),
        _rule("", ["pods/eviction"], ["create"]),
        _rule("", ["pods/status"], ["update"]),
        # Update: the taints ToBeDeletedByClusterAutoscaler and DeletionCandidateOfClusterAutoscaler.
        _rule("", ["nodes"], [*_READ, "update"]),
        _rule(
            "",
            [
                "namespaces",
                "persistentvolumeclaims",
                "persistentvolumes",
                "pods",
                "replicationcontrollers",
                "services",
            ],
            _READ,
        ),
        _rule("apps", ["daemonsets", "replicasets", "statefulsets"], _READ),
        _rule("batch", ["jobs"], _READ),
        _rule("policy", ["poddisruptionbudgets"], _READ),
        _rule(
            "storage.k8s.io",
            ["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"],
            _READ,
        ),
        _rule("resource.k8s.io", ["deviceclasses", "resourceclaims", "resourceslices"], _READ),
    ]


def namespace_rules() -> list[rbac.PolicyRuleArgs]:
    """Return the rules of the Role in its namespace: its lease, status and priorities."""
    return [
        _rule("", ["configmaps"], ["create", "list", "watch"]),
        _rule("", ["configmaps"], ["delete", "get", "update"], [STATUS, PRIORITIES]),
        _rule("coordination.k8s.io", ["leases"], ["create"]),
        _rule("coordination.k8s.io", ["leases"], ["get", "update"], [NAME]),
    ]


def priorities(groups: Sequence[tuple[int, str]]) -> str:
    """Return the priority expander's configuration, YAML: a number -> regular expressions of names of Auto
    Scaling groups. The highest number wins. The last entry matches all other groups: without it they would be
    ignored whenever a listed one fits."""
    lines: list[str] = []
    for number in sorted({priority for priority, _ in groups}, reverse=True):
        names = sorted(name for priority, name in groups if priority == number)
        lines += [f"{number}:", *(f"- {json.dumps(f'^{name}$')}" for name in names)]
    return "\n".join([*lines, "1:", '- ".*"', ""])
