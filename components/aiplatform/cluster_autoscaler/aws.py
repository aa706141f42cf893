"""The Cluster Autoscaler on EKS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import eks, iam
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.policy import v1 as policy
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.aws.account import place, pod_identity_trust
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import resolved_node_groups
from aiplatform.cluster_autoscaler import permissions as rights
from aiplatform.cluster_autoscaler.args import ROLE, ClusterAutoscalerSettings
from aiplatform.cluster_autoscaler.permissions import NAME, NAMESPACE, PRIORITIES

_LABELS: Final = {"app.kubernetes.io/name": NAME}
_METRICS: Final = 8085
_POD_IDENTITY_AGENT: Final = "169.254.170.23/32"
_NOBODY: Final = 65534


@dataclass(frozen=True)
class Built:
    """What the component shows."""

    role: iam.Role
    deployment: apps.Deployment


def _rather_on_system_nodes() -> core.NodeAffinityArgs:
    expression = core.NodeSelectorRequirementArgs(key=POOL, operator="In", values=["system"])
    return core.NodeAffinityArgs(
        preferred_during_scheduling_ignored_during_execution=[
            core.PreferredSchedulingTermArgs(
                weight=100, preference=core.NodeSelectorTermArgs(match_expressions=[expression])
            )
        ]
    )


class Builder:
    """Makes its parts as children of one component."""

    def __init__(
        self, parent: pulumi.ComponentResource, name: str, settings: ClusterAutoscalerSettings
    ) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.place = place(parent)

    def build(self) -> Built:
        """All of it. The Deployment comes last: a Pod gets credentials only from an association that stands
        when it starts."""
        account = core.ServiceAccount(
            f"{self.name}-service-account", metadata=self._metadata(NAME), opts=self._options()
        )
        role, association = self._identity()
        bindings = self._rights()
        priorities = self._priorities()
        self._network_policy()
        self._disruption_budget()
        deployment = self._deployment([account, association, priorities, *bindings])
        return Built(role, deployment)

    def _options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        return ResourceOptions(parent=self.parent, depends_on=list(depends_on) or None)

    def _metadata(self, name: str, *, namespaced: bool = True) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(
            name=name, namespace=NAMESPACE if namespaced else None, labels=dict(_LABELS)
        )

    def _identity(self) -> tuple[iam.Role, pulumi.Resource]:
        cluster = Output.from_input(self.settings.cluster.name)
        role = iam.Role(
            f"{self.name}-role",
            name_prefix=ROLE.of(self.settings.prefix),
            description="Cluster Autoscaler: scale the Auto Scaling groups of this cluster",
            assume_role_policy=cluster.apply(
                lambda known: pod_identity_trust(self.place, known, NAMESPACE, NAME)
            ),
            tags=self.settings.tags,
            opts=self._options(),
        )
        granted = iam.RolePolicy(
            f"{self.name}-policy",
            role=role.name,
            policy=cluster.apply(lambda known: rights.aws_policy(self.place, known)),
            opts=self._options(),
        )
        association = eks.PodIdentityAssociation(
            f"{self.name}-identity",
            cluster_name=self.settings.cluster.name,
            namespace=NAMESPACE,
            service_account=NAME,
            role_arn=role.arn,
            tags=self.settings.tags,
            opts=self._options(granted),
        )
        return role, association

    def _rights(self) -> Sequence[pulumi.Resource]:
        subject = rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)
        api = "rbac.authorization.k8s.io"
        everywhere = rbac.ClusterRole(
            f"{self.name}-cluster-role",
            metadata=self._metadata(NAME, namespaced=False),
            rules=rights.cluster_rules(),
            opts=self._options(),
        )
        here = rbac.Role(
            f"{self.name}-role-in-namespace",
            metadata=self._metadata(NAME),
            rules=rights.namespace_rules(),
            opts=self._options(),
        )
        return [
            rbac.ClusterRoleBinding(
                f"{self.name}-cluster-role-binding",
                metadata=self._metadata(NAME, namespaced=False),
                role_ref=rbac.RoleRefArgs(api_group=api, kind="ClusterRole", name=NAME),
                subjects=[subject],
                opts=self._options(everywhere),
            ),
            rbac.RoleBinding(
                f"{self.name}-role-binding",
                metadata=self._metadata(NAME),
                role_ref=rbac.RoleRefArgs(api_group=api, kind="Role", name=NAME),
                subjects=[subject],
                opts=self._options(here),
            ),
        ]

    def _priorities(self) -> core.ConfigMap:
        groups = resolved_node_groups(self.settings.node_groups, "autoscaling_group")
        return core.ConfigMap(
            f"{self.name}-priorities",
            metadata=self._metadata(PRIORITIES),
            data={"priorities": groups.apply(rights.priorities)},
            opts=self._options(),
        )

    def _disruption_budget(self) -> None:
        policy.PodDisruptionBudget(
            f"{self.name}-disruption-budget",
            metadata=self._metadata(NAME),
            spec=policy.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.LabelSelectorArgs(match_labels=dict(_LABELS))
            ),
            opts=self._options(),
        )

    def _network_policy(self) -> None:
        """Out: DNS, the API server and AWS (both HTTPS, at addresses that change), the agent that gives
        credentials. In: metrics. The kubelet's probes pass in any case."""
        dns = networking.NetworkPolicyEgressRuleArgs(
            to=[
                networking.NetworkPolicyPeerArgs(
                    namespace_selector=meta.LabelSelectorArgs(
                        match_labels={"kubernetes.io/metadata.name": "kube-system"}
                    ),
                    pod_selector=meta.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
                )
            ],
            ports=[
                networking.NetworkPolicyPortArgs(port=53, protocol=protocol) for protocol in ("UDP", "TCP")
            ],
        )
        https = networking.NetworkPolicyEgressRuleArgs(
            ports=[networking.NetworkPolicyPortArgs(port=443, protocol="TCP")]
        )
        agent = networking.NetworkPolicyEgressRuleArgs(
            to=[networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=_POD_IDENTITY_AGENT))],
            ports=[networking.NetworkPolicyPortArgs(port=80, protocol="TCP")],
        )
        networking.NetworkPolicy(
            f"{self.name}-network-policy",
            metadata=self._metadata(NAME),
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
            opts=self._options(),
        )

    def _deployment(self, depends_on: Sequence[pulumi.Resource]) -> apps.Deployment:
        selector = meta.LabelSelectorArgs(match_labels=dict(_LABELS))
        return apps.Deployment(
            f"{self.name}-deployment",
            metadata=self._metadata(NAME),
            spec=apps.DeploymentSpecArgs(
                replicas=self.settings.replicas,
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
                        # On the system nodes, where the cluster has them: it would have to drain the node
                        # that it runs on itself.
                        tolerations=[core.TolerationArgs(key="CriticalAddonsOnly", operator="Exists")],
                        affinity=core.AffinityArgs(node_affinity=_rather_on_system_nodes()),
                        topology_spread_constraints=[
                            core.TopologySpreadConstraintArgs(
                                max_skew=1,
                                topology_key="kubernetes.io/hostname",
                                when_unsatisfiable="ScheduleAnyway",
                                label_selector=selector,
                            )
                        ],
                        containers=[self._container()],
                    ),
                ),
            ),
            opts=self._options(*depends_on),
        )

    def _container(self) -> core.ContainerArgs:
        def probe(**timing: Any) -> core.ProbeArgs:
            return core.ProbeArgs(
                http_get=core.HTTPGetActionArgs(path="/health-check", port=_METRICS), **timing
            )

        return core.ContainerArgs(
            name=NAME,
            image=self.settings.chosen_image,
            command=["./cluster-autoscaler"],
            args=Output.from_input(self.settings.cluster.name).apply(self._flags),
            # No Pod reaches the instance's metadata (hop limit 1), so it is told where it is.
            env=[core.EnvVarArgs(name="AWS_REGION", value=self.place.region)],
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

    def _flags(self, cluster: str) -> list[str]:
        found = f"k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/{cluster}=owned"
        return [
            "--cloud-provider=aws",
            f"--namespace={NAMESPACE}",
            f"--node-group-auto-discovery=asg:tag={found}",
            "--expander=priority,least-waste",
            # Training and inference Pods keep scratch data in emptyDirs; they may go with their node.
            "--skip-nodes-with-local-storage=false",
            f"--scale-down-unneeded-time={self.settings.scale_down_after_minutes}m",
            # After this long without a node the group is backed off, and the next in order is tried.
            "--max-node-provision-time=15m",
            "--emit-per-nodegroup-metrics=true",
            "--stderrthreshold=info",
            "--v=2",
        ]
