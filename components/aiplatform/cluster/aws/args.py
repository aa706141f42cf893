"""Arguments that only a cluster on EKS has, and their rules."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.addresses import private_range
from aiplatform._shared.args import Problem, matches, nearest
from aiplatform.cluster.inputs import AddonArgs as AddonArgs
from aiplatform.cluster.inputs import EksArgs as EksArgs

ADDONS: Final = (
    "eks-pod-identity-agent",
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "metrics-server",
    "aws-ebs-csi-driver",
    "eks-node-monitoring-agent",
)
_ADDON_VERSION: Final = matches(r"v\d+\.\d+\.\d+-eksbuild\.\d+", "a version such as v1.20.4-eksbuild.1")


@dataclass(frozen=True)
class Addon:
    """Version and configuration of an add-on."""

    version: Input[Annotated[str, _ADDON_VERSION]] | None = None
    """The version (`v1.20.4-eksbuild.1`). Default: EKS's default for the Kubernetes version when the add-on
    is installed or the Kubernetes version changes; between those it stays."""
    configuration: Input[dict[str, Input[Any]]] = field(default_factory=dict[str, Any])
    """Merged over the configuration that the component sets; `aws eks describe-addon-configuration` prints
    the schema."""


@dataclass(frozen=True)
class Eks:
    """Options of a cluster on EKS."""

    support: Literal["standard", "extended"] = "standard"
    """`standard`: EKS upgrades the cluster when standard support of its version ends. `extended`: the version
    stays for another year, for a fee. Default `standard`."""
    creator_is_admin: bool = True
    """Whether the role that creates the cluster administers it too: it creates Kubernetes objects in it. Set
    false where `admins` lists every role that runs the program. Default true."""
    addons: dict[str, Addon] = field(default_factory=dict[str, Addon])
    """Versions and configuration of the add-ons, by name: eks-pod-identity-agent, vpc-cni, kube-proxy,
    coredns, metrics-server, aws-ebs-csi-driver, eks-node-monitoring-agent. All are installed."""
    service_cidr: Input[Annotated[str, private_range(12, 24, shared=False)]] = "172.20.0.0/16"
    """Addresses of Kubernetes Services, outside the range of the network. Fixed when the cluster is created.
    Default 172.20.0.0/16."""
    prefix_delegation: Input[bool] = False
    """Whether pods get their addresses by /28 prefixes: more pods on a node. Nodes that exist keep what they
    have. Default false."""
    zonal_shift: Input[bool] = False
    """Whether AWS may move traffic out of an impaired zone (ARC zonal shift). Default false."""

    def check(self) -> Iterator[Problem]:
        """Report add-ons that the component does not install."""
        for name in self.addons:
            if name not in ADDONS:
                yield Problem(
                    f"addons.{name}",
                    f"unknown add-on; expected one of {', '.join(ADDONS)}{nearest(name, ADDONS)}",
                )
