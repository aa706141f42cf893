"""The Cluster Autoscaler on EKS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_aws import iam
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.policy import v1 as policy
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.outputs import mapped
from aiplatform._shared.references.cluster import resolved_node_groups
from aiplatform.cluster_autoscaler import permissions
from aiplatform.cluster_autoscaler.args import ROLE, ClusterAutoscalerSettings
from aiplatform.cluster_autoscaler.permissions import NAME, NAMESPACE, PRIORITIES

_LABELS: Final = {"app.kubernetes.io/name": NAME}
_METRICS: Final = 8085
_POD_IDENTITY_AGENT: Final = "169.254.170.23/32"
_NOBODY: Final = 65534


@dataclass(frozen=True)
class Built:
    """What the component's outputs need of its resources."""

    role: iam.Role
    deployment: apps.Deployment


def _prefer_system_nodes() -> core.NodeAffinityArgs:
    expression = core.NodeSelectorRequirementArgs(key=POOL, operator="In", values=["system"])
    return core.NodeAffinityArgs(
        preferred_during_scheduling_ignored_during_execution=[
            core.PreferredSchedulingTermArgs(
                weight=100, preference=core.NodeSelectorTermArgs(match_expressions=[expression])
            )
        ]
    )


AutoscalerContext = Context[ClusterAutoscalerSettings]


def build(component: pulumi.ComponentResource, name: str, settings: ClusterAutoscalerSettings) -> Built:
    """Create the autoscaler's resources as children of `component`. The Deployment comes last: a Pod gets
    credentials only from an association that exists when the Pod starts."""
    context = Context(component, name, settings)
    service_account = core.ServiceAccount(
        f"{name}-service-account", metadata=_metadata(NAME), opts=context.options()
    )
    account = account_of(component)
    identity = pod_identity(
        context,
        name,
        namespace=NAMESPACE,
        service_account=NAME,
        policy=mapped(settings.cluster.name, lambda cluster: permissions.aws_policy(account, cluster)),
        name_prefix=ROLE.of(settings.prefix),
        description="Cluster Autoscaler: scale the Auto Scaling groups of this cluster",
    )
    bindings = _kubernetes_permissions(context)
    priorities = _priorities(context)
    _network_policy(context)
    _disruption_budget(context)
    depends_on = [service_account, identity.association, priorities, *bindings]
    return Built(identity.role, _deployment(context, account.region, depends_on))


def _metadata(name: str, *, namespaced: bool = True) -> meta.ObjectMetaArgs:
    return meta.ObjectMetaArgs(name=name, namespace=NAMESPACE if namespaced else None, labels=dict(_LABELS))


def _kubernetes_permissions(context: AutoscalerContext) -> Sequence[pulumi.Resource]:
    subject = rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)
    api = "rbac.authorization.k8s.io"
    cluster_role = rbac.ClusterRole(
        f"{context.name}-cluster-role",
        metadata=_metadata(NAME, namespaced=False),
        rules=permissions.cluster_rules(),
        opts=context.options(),
    )
    role = rbac.Role(
        f"{context.name}-role-in-namespace",
        metadata=_metadata(NAME),
        rules=permissions.namespace_rules(),
        opts=context.options(),
    )
    return [
        rbac.ClusterRoleBinding(
            f"{context.name}-cluster-role-binding",
            metadata=_metadata(NAME, namespaced=False),
            role_ref=rbac.RoleRefArgs(api_group=api, kind="ClusterRole", name=NAME),
            subjects=[subject],
            opts=context.options(cluster_role),
        ),
        rbac.RoleBinding(
            f"{context.name}-role-binding",
            metadata=_metadata(NAME),
            role_ref=rbac.RoleRefArgs(api_group=api, kind="Role", name=NAME),
            subjects=[subject],
            opts=context.options(role),
        ),
    ]


def _priorities(context: AutoscalerContext) -> core.ConfigMap:
    groups = resolved_node_groups(context.settings.node_groups, "autoscaling_group")
    return core.ConfigMap(
        f"{context.name}-priorities",
        metadata=_metadata(PRIORITIES),
        data={"priorities": groups.apply(permissions.priorities)},
        opts=context.options(),
    )


def _disruption_budget(context: AutoscalerContext) -> None:
    policy.PodDisruptionBudget(
        f"{context.name}-disruption-budget",
        metadata=_metadata(NAME),
        spec=policy.PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=meta.LabelSelectorArgs(match_labels=dict(_LABELS))
        ),
        opts=context.options(),
    )


def _network_policy(context: AutoscalerContext) -> None:
    """Egress: DNS, the API server and AWS (both HTTPS, at addresses that change), and the Pod Identity agent.
    Ingress: metrics. The kubelet's probes are always allowed."""
    dns = networking.NetworkPolicyEgressRuleArgs(
        to=[
            networking.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(
                    match_labels={"kubernetes.io/metadata.name": "kube-system"}
                ),
                pod_selector=meta.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
            )
        ],
        ports=[networking.NetworkPolicyPortArgs(port=53, protocol=protocol) for protocol in ("UDP", "TCP")],
    )
    https = networking.NetworkPolicyEgressRuleArgs(
        ports=[networking.NetworkPolicyPortArgs(port=443, protocol="TCP")]
    )
    agent = networking.NetworkPolicyEgressRuleArgs(
        to=[networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=_POD_IDENTITY_AGENT))],
        ports=[networking.NetworkPolicyPortArgs(port=80, protocol="TCP")],
    )
    networking.NetworkPolicy(
        f"{context.name}-network-policy",
        metadata=_metadata(NAME),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=dict(_LABELS)),
            policy_types=["Ingress", "Egress"],
            ingress=[
                networking.NetworkPolicyIngressRuleArgs(
                    ports=[networking.NetworkPolicyPortArgs(port=_METRICS, protocol="TCP")]
                )
            ],
            egress=[dns, https, agent],
        ),
        opts=context.options(),
    )


def _deployment(
    context: AutoscalerContext, region: str, depends_on: Sequence[pulumi.Resource]
) -> apps.Deployment:
    selector = meta.LabelSelectorArgs(match_labels=dict(_LABELS))
    return apps.Deployment(
        f"{context.name}-deployment",
        metadata=_metadata(NAME),
        spec=apps.DeploymentSpecArgs(
            replicas=context.settings.replicas,
            selector=selector,
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(labels=dict(_LABELS)),
                spec=core.PodSpecArgs(
                    service_account_name=NAME,
                    priority_class_name="system-cluster-critical",
                    security_context=core.PodSecurityContextArgs(
                        run_as_non_root=True,
                        run_as_user=_NOBODY,
                        run_as_group=_NOBODY,
                        fs_group=_NOBODY,
                        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
                    ),
                    # Preferably on system nodes: on a node of a pool it would have to drain
                    # the node that it runs on.
                    tolerations=[core.TolerationArgs(key="CriticalAddonsOnly", operator="Exists")],
                    affinity=core.AffinityArgs(node_affinity=_prefer_system_nodes()),
                    topology_spread_constraints=[
                        core.TopologySpreadConstraintArgs(
                            max_skew=1,
                            topology_key="kubernetes.io/hostname",
                            when_unsatisfiable="ScheduleAnyway",
                            label_selector=selector,
                        )
                    ],
                    containers=[_container(context, region)],
                ),
            ),
        ),
        opts=context.options(*depends_on),
    )


def _container(context: AutoscalerContext, region: str) -> core.ContainerArgs:
    def probe(**timing: Any) -> core.ProbeArgs:
        return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path="/health-check", port=_METRICS), **timing)

    return core.ContainerArgs(
        name=NAME,
        image=context.settings.chosen_image,
        command=["./cluster-autoscaler"],
        args=Output.all(context.settings.cluster.name, context.settings.scale_down_after_minutes).apply(
            lambda known: _flags(str(known[0]), int(known[1]))
        ),
        # No Pod reaches the instance's metadata (hop limit 1), so the region is set here.
        env=[core.EnvVarArgs(name="AWS_REGION", value=region)],
        ports=[core.ContainerPortArgs(name="http", container_port=_METRICS)],
        liveness_probe=probe(initial_delay_seconds=30, period_seconds=20, failure_threshold=3),
        readiness_probe=probe(period_seconds=10, failure_threshold=3),
        resources=core.ResourceRequirementsArgs(
            requests={"cpu": "100m", "memory": "600Mi"}, limits={"memory": "1Gi"}
        ),
        security_context=core.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        ),
    )


def _flags(cluster: str, idle_minutes: int) -> list[str]:
    tags = f"k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/{cluster}=owned"
    return [
        "--cloud-provider=aws",
        f"--namespace={NAMESPACE}",
        f"--node-group-auto-discovery=asg:tag={tags}",
        "--expander=priority,least-waste",
        # Training and inference Pods have scratch data in emptyDirs, which may be lost with the node.
        "--skip-nodes-with-local-storage=false",
        f"--scale-down-unneeded-time={idle_minutes}m",
        # After this time without a node the group is backed off, and the next in order is tried.
        "--max-node-provision-time=15m",
        "--emit-per-nodegroup-metrics=true",
        "--stderrthreshold=info",
        "--v=2",
    ]
