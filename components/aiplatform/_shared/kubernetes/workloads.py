"""Workloads of components in Kubernetes: an isolated namespace, restricted Pods, and egress only to DNS, to
the clouds' APIs and to the sources of credentials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.policy import v1 as policy

from aiplatform._shared.cloud_support import Cloud

_LEVEL: Final = "pod-security.kubernetes.io"
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that Kubernetes sets to a namespace's name."""

MONITORING: Final = "monitoring"
"""The namespace of Prometheus."""

_CREDENTIALS: Final[Mapping[Cloud, Sequence[tuple[str, int]]]] = {
    # EKS user guide, "Set up the Amazon EKS Pod Identity Agent".
    "aws": (("169.254.170.23/32", 80),),
    # "Control communication between Pods and Services using network policies: Network policy and Workload
    # Identity Federation for GKE": without and with Dataplane V2.
    "gcp": (("169.254.169.252/32", 988), ("169.254.169.254/32", 80)),
}
"""Addresses and ports from which Pods get the credentials of their workload identity."""

_RESOLVERS: Final[Mapping[Cloud, Sequence[str]]] = {
    "aws": (),
    # No Pods that a selector would match: Cloud DNS for GKE is at the node's metadata server, and NodeLocal
    # DNSCache, which GKE enables by default from 1.34, has a fixed address ("Set up NodeLocal DNSCache").
    "gcp": ("169.254.169.254/32", "169.254.20.10/32"),
}
"""Addresses of DNS resolvers, in addition to the Pods of kube-dns."""


@dataclass(frozen=True)
class Application:
    """The namespace of a component's workloads. name: the component's logical name, the first part of the
    names of its children. labels: of every object in it."""

    parent: pulumi.Resource
    name: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        """Return the options of a child."""
        return ResourceOptions(parent=self.parent, depends_on=list(depends_on) or None)

    def labels_of(self, part: str) -> dict[str, str]:
        """Return the labels of a part's objects and Pods, by which its Pods are selected."""
        return {**self.labels, "app.kubernetes.io/name": part}

    def metadata(
        self, part: str, annotations: Input[Mapping[str, Input[str]]] | None = None
    ) -> meta.ObjectMetaArgs:
        """Return the metadata of an object with the name of its part."""
        return meta.ObjectMetaArgs(
            name=part, namespace=self.namespace, labels=self.labels_of(part), annotations=annotations
        )

    def selector(self, part: str) -> meta.LabelSelectorArgs:
        """Return a selector of the Pods of a part."""
        return meta.LabelSelectorArgs(match_labels=self.labels_of(part))


def namespace(application: Application) -> list[pulumi.Resource]:
    """Create the namespace, with Pods restricted ("Pod Security Standards") and without any traffic that no
    other network policy allows. Returns the resources that must exist before Pods."""
    resource = core.Namespace(
        f"{application.name}-namespace",
        metadata=meta.ObjectMetaArgs(
            name=application.namespace,
            labels={
                **application.labels,
                **{f"{_LEVEL}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
                f"{_LEVEL}/enforce-version": "latest",
            },
        ),
        opts=application.options(),
    )
    default_deny = networking.NetworkPolicy(
        f"{application.name}-default-deny",
        metadata=meta.ObjectMetaArgs(
            name="default-deny", namespace=application.namespace, labels=dict(application.labels)
        ),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        ),
        opts=application.options(resource),
    )
    return [resource, default_deny]


def critical_pods(
    logical: str, namespace: str, classes: Sequence[str], pods: int, opts: ResourceOptions
) -> core.ResourceQuota:
    """Create the quota of critical Pods of a namespace: GKE admits Pods with the priority of critical ones
    outside kube-system only where a quota covers them; elsewhere it is a limit that is never reached (GKE
    documentation, "Priority classes").

    classes: the priority classes of these Pods. pods: the maximum number of them.
    """
    scope = core.ScopedResourceSelectorRequirementArgs(
        scope_name="PriorityClass", operator="In", values=list(classes)
    )
    return core.ResourceQuota(
        logical,
        metadata=meta.ObjectMetaArgs(name="critical-pods", namespace=namespace),
        spec=core.ResourceQuotaSpecArgs(
            hard={"pods": str(pods)}, scope_selector=core.ScopeSelectorArgs(match_expressions=[scope])
        ),
        opts=opts,
    )


def egress_rules(
    cloud: Cloud,
    *more: networking.NetworkPolicyEgressRuleArgs,
    ranges: Sequence[str] | None = None,
) -> list[networking.NetworkPolicyEgressRuleArgs]:
    """Return the egress rules of a part: DNS, HTTPS (the clouds' APIs, whose addresses change), the workload
    identity's credentials, and `more`. ranges: of HTTPS; default every address."""
    dns = networking.NetworkPolicyEgressRuleArgs(
        to=[
            networking.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: "kube-system"}),
                pod_selector=meta.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
            ),
            *(
                networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=address))
                for address in _RESOLVERS[cloud]
            ),
        ],
        ports=[networking.NetworkPolicyPortArgs(port=53, protocol=protocol) for protocol in ("UDP", "TCP")],
    )
    agents = [
        networking.NetworkPolicyEgressRuleArgs(
            to=[networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=address))],
            ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")],
        )
        for address, port in _CREDENTIALS[cloud]
    ]
    apis = [
        networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=cidr)) for cidr in ranges or ()
    ]
    return [dns, egress_to(443, apis), *agents, *more]


def egress_to(
    port: int, to: Sequence[networking.NetworkPolicyPeerArgs] = ()
) -> networking.NetworkPolicyEgressRuleArgs:
    """Return an egress rule for a TCP port. to: peers; none: any address."""
    return networking.NetworkPolicyEgressRuleArgs(
        to=list(to) or None, ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")]
    )


def ingress_from(port: int, namespaces: Sequence[Input[str]]) -> networking.NetworkPolicyIngressRuleArgs:
    """Return an ingress rule for a TCP port, from the Pods of these namespaces."""
    return networking.NetworkPolicyIngressRuleArgs(
        from_=[
            networking.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: name})
            )
            for name in namespaces
        ],
        ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")],
    )


def network_policy(
    application: Application,
    part: str,
    egress: Sequence[networking.NetworkPolicyEgressRuleArgs],
    ingress: Sequence[networking.NetworkPolicyIngressRuleArgs],
    depends_on: Sequence[pulumi.Resource],
) -> networking.NetworkPolicy:
    """Create the network policy of a part's Pods. The kubelet's probes are always allowed."""
    return networking.NetworkPolicy(
        f"{application.name}-{part}-network-policy",
        metadata=application.metadata(part),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=application.selector(part),
            policy_types=["Ingress", "Egress"],
            ingress=list(ingress),
            egress=list(egress),
        ),
        opts=application.options(*depends_on),
    )


def disruption_budget(
    application: Application, part: str, depends_on: Sequence[pulumi.Resource]
) -> policy.PodDisruptionBudget:
    """Create the PodDisruptionBudget of a part: a drain evicts one Pod at a time."""
    return policy.PodDisruptionBudget(
        f"{application.name}-{part}-disruption-budget",
        metadata=application.metadata(part),
        spec=policy.PodDisruptionBudgetSpecArgs(max_unavailable=1, selector=application.selector(part)),
        opts=application.options(*depends_on),
    )


def pod_security(user: int) -> core.PodSecurityContextArgs:
    """Return the security context of Pods: not root, with the runtime's seccomp profile."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> core.SecurityContextArgs:
    """Return the security context of containers: no capabilities, no privilege escalation, and a read-only
    root file system."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )


def spread(application: Application, part: str) -> list[core.TopologySpreadConstraintArgs]:
    """Return constraints that prefer different nodes and zones."""
    return [
        core.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=application.selector(part),
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def resources(cpu: Input[str], memory: Input[str]) -> core.ResourceRequirementsArgs:
    """Return the requests of a container; memory is also its limit. CPU has no limit, so that idle CPU can be
    used."""
    return core.ResourceRequirementsArgs(requests={"cpu": cpu, "memory": memory}, limits={"memory": memory})
