"""What the components' own workloads in Kubernetes have in common: a namespace that is closed, Pods that are
restricted, and ways out to names, to the clouds' APIs and to who gives credentials, and to nothing else."""

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
"""The label by which Kubernetes itself says a namespace's name."""

_CREDENTIALS: Final[Mapping[Cloud, Sequence[tuple[str, int]]]] = {
    # EKS user guide, "Set up the Amazon EKS Pod Identity Agent".
    "aws": (("169.254.170.23/32", 80),),
    # "Control communication between Pods and Services using network policies: Network policy and Workload
    # Identity Federation for GKE": without and with Dataplane V2.
    "gcp": (("169.254.169.252/32", 988), ("169.254.169.254/32", 80)),
}
"""Where Pods get the credentials of their workload identity."""

_RESOLVERS: Final[Mapping[Cloud, Sequence[str]]] = {
    "aws": (),
    # No Pod's selector meets them: Cloud DNS for GKE answers at the node's metadata server, and NodeLocal
    # DNSCache, which GKE has on by default from 1.34, at an address of its own ("Set up NodeLocal DNSCache").
    "gcp": ("169.254.169.254/32", "169.254.20.10/32"),
}
"""Where Pods ask for names, beside the Pods of kube-dns."""


@dataclass(frozen=True)
class Home:
    """A namespace of a component's own. name: the component's logical name, the first part of each child's.
    labels: of every object in it."""

    parent: pulumi.Resource
    name: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        """Options of a child."""
        return ResourceOptions(parent=self.parent, depends_on=list(depends_on) or None)

    def labels_of(self, part: str) -> dict[str, str]:
        """Labels of one part: of its objects, and by which its Pods are selected."""
        return {**self.labels, "app.kubernetes.io/name": part}

    def metadata(
        self, part: str, annotations: Input[Mapping[str, Input[str]]] | None = None
    ) -> meta.ObjectMetaArgs:
        """The metadata of an object, named like its part."""
        return meta.ObjectMetaArgs(
            name=part, namespace=self.namespace, labels=self.labels_of(part), annotations=annotations
        )

    def selector(self, part: str) -> meta.LabelSelectorArgs:
        """Selects the Pods of a part."""
        return meta.LabelSelectorArgs(match_labels=self.labels_of(part))


def namespace(home: Home) -> list[pulumi.Resource]:
    """The namespace, in which Pods are restricted ("Pod Security Standards") and talk to nobody until a
    policy of their own lets them. Answers what must be there before Pods are."""
    made = core.Namespace(
        f"{home.name}-namespace",
        metadata=meta.ObjectMetaArgs(
            name=home.namespace,
            labels={
                **home.labels,
                **{f"{_LEVEL}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
                f"{_LEVEL}/enforce-version": "latest",
            },
        ),
        opts=home.options(),
    )
    closed = networking.NetworkPolicy(
        f"{home.name}-default-deny",
        metadata=meta.ObjectMetaArgs(name="default-deny", namespace=home.namespace, labels=dict(home.labels)),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        ),
        opts=home.options(made),
    )
    return [made, closed]


def ways_out(
    cloud: Cloud, *more: networking.NetworkPolicyEgressRuleArgs
) -> list[networking.NetworkPolicyEgressRuleArgs]:
    """To names, to HTTPS (the clouds' APIs, whose addresses change), to the workload identity's credentials,
    and `more`."""
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
        ports=[networking.NetworkPolicyPortArgs(port=53, protocol=each) for each in ("UDP", "TCP")],
    )
    agents = [
        networking.NetworkPolicyEgressRuleArgs(
            to=[networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=address))],
            ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")],
        )
        for address, port in _CREDENTIALS[cloud]
    ]
    return [dns, way_out(443), *agents, *more]


def way_out(
    port: int, to: Sequence[networking.NetworkPolicyPeerArgs] = ()
) -> networking.NetworkPolicyEgressRuleArgs:
    """To one TCP port, of these peers or of whoever has it."""
    return networking.NetworkPolicyEgressRuleArgs(
        to=list(to) or None, ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")]
    )


def way_in(port: int, namespaces: Sequence[str]) -> networking.NetworkPolicyIngressRuleArgs:
    """From the Pods of these namespaces to one TCP port."""
    return networking.NetworkPolicyIngressRuleArgs(
        from_=[
            networking.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: each})
            )
            for each in namespaces
        ],
        ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")],
    )


def network_policy(
    home: Home,
    part: str,
    egress: Sequence[networking.NetworkPolicyEgressRuleArgs],
    ingress: Sequence[networking.NetworkPolicyIngressRuleArgs],
    depends_on: Sequence[pulumi.Resource],
) -> networking.NetworkPolicy:
    """What the Pods of a part may talk to, and who to them. The kubelet's probes pass in any case."""
    return networking.NetworkPolicy(
        f"{home.name}-{part}-network-policy",
        metadata=home.metadata(part),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=home.selector(part),
            policy_types=["Ingress", "Egress"],
            ingress=list(ingress),
            egress=list(egress),
        ),
        opts=home.options(*depends_on),
    )


def disruption_budget(
    home: Home, part: str, depends_on: Sequence[pulumi.Resource]
) -> policy.PodDisruptionBudget:
    """A drain takes one Pod of a part at a time."""
    return policy.PodDisruptionBudget(
        f"{home.name}-{part}-disruption-budget",
        metadata=home.metadata(part),
        spec=policy.PodDisruptionBudgetSpecArgs(max_unavailable=1, selector=home.selector(part)),
        opts=home.options(*depends_on),
    )


def pod_security(user: int) -> core.PodSecurityContextArgs:
    """Not root, under the runtime's seccomp profile."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> core.SecurityContextArgs:
    """No capability, no way to more, and a root file system that nobody writes to."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )


def spread(home: Home, part: str) -> list[core.TopologySpreadConstraintArgs]:
    """Rather on different nodes and in different zones, without waiting for one."""
    return [
        core.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=home.selector(part),
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def resources(cpu: str, memory: str) -> core.ResourceRequirementsArgs:
    """What a container asks for; memory is also its limit. CPU has none: what nobody needs may be used."""
    return core.ResourceRequirementsArgs(requests={"cpu": cpu, "memory": memory}, limits={"memory": memory})
