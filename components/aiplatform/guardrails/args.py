"""Arguments of the guardrails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, length, matches, nearest
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform.guardrails.cloud_support import SUPPORT
from aiplatform.guardrails.inputs import FabricNamespaceArgs as FabricNamespaceArgs
from aiplatform.guardrails.inputs import GuardrailsArgs as GuardrailsArgs
from aiplatform.guardrails.inputs import PriorityClassArgs as PriorityClassArgs
from aiplatform.guardrails.system_namespaces import SYSTEM_PREFIX, fixed_system_namespaces
from aiplatform.naming import dns_label

Enforcement = Literal["deny", "warn", "off"]

POLICIES: Final = (
    "accelerators",
    "queues",
    "namespaces",
    "bare-pods",
    "images",
    "host-access",
    "public-addresses",
    "labels",
    "priorities",
)
"""The policies, by the names that `policies` accepts."""

_REGISTRY: Final = matches(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?(/[a-z0-9._-]+)*",
    "a registry, or a repository in it, without scheme and tag (`quay.io/argoproj`)",
)
_EXCEPTION: Final = matches(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?((/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?)?",
    "a registry, a repository in it, or one image with its tag (`quay.io/acme/tool:v1.2`)",
)
_PATH: Final = matches(r"(/(?!\.\.?(/|$))[\w.@:+-]+)+", "an absolute path without a final slash")
_CAPABILITY: Final = matches(r"(?!CAP_)[A-Z][A-Z0-9_]*", "a Linux capability without CAP_ (`IPC_LOCK`)")
_USERNAME: Final = matches(r"\S+", "a user's name in Kubernetes")
_LABEL: Final = matches(
    r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?",
    "the key of a label (`team`, `app.kubernetes.io/name`)",
)
_HIGHEST: Final = 1_000_000_000
_OF_POOLS: Final = ("host_paths", "read_only_host_paths", "devices", "privileged")
"""What an entry of `fabric_namespaces` may list only for the nodes of pools."""
_SYSTEM_POOL: Final = "system"
"""What the system nodes have as the name of their pool."""


def _names(what: str) -> Callable[[Any], str | None]:
    """A rule: the keys of an object are DNS labels."""

    def rule(value: Mapping[str, Any]) -> str | None:
        wrong = [name for name in value if dns_label(name)]
        return f"with {', '.join(map(repr, wrong))}; expected DNS labels as {what}" if wrong else None

    return rule


@dataclass(frozen=True)
class FabricNamespace:
    """What Pods in a namespace with access to a network fabric may use of their node, in addition to what
    every Pod may. Its Pod Security level has to be `privileged`."""

    host_paths: Annotated[list[Annotated[str, _PATH]], distinct] = field(default_factory=list[str])
    """Paths of the node that Pods may mount, exactly as listed (`/dev/infiniband`), also writable. Default:
    none."""
    read_only_host_paths: Annotated[list[Annotated[str, _PATH]], distinct] = field(default_factory=list[str])
    """Paths of the node that Pods may mount, exactly as listed, in all containers read-only. Default:
    none."""
    devices: Annotated[list[Annotated[str, _PATH]], distinct] = field(default_factory=list[str])
    """Google Cloud: devices of the node (`/dev/nvidia0`) that Pods may state in annotations
    `devices.gke.io/container.NAME`, by which GKE's device injector adds them to a container. Default:
    none."""
    capabilities: Annotated[list[Annotated[str, _CAPABILITY]], distinct] = field(default_factory=list[str])
    """Linux capabilities that containers may add, without `CAP_` (`IPC_LOCK`). Default: none."""
    host_network: bool = False
    """Whether Pods may use the node's network. Default false."""
    privileged: bool = False
    """Whether containers may be privileged, which gives them the node. Default false."""
    pools: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Pools on whose nodes Pods may use what is listed here. A Pod that uses any of it has to request
    accelerators and to select one of the pools (`ai-platform/pool`, or on Google Cloud its ComputeClass).
    Required with paths, devices or `privileged`. Default: none, so that capabilities and the node's network
    may be used on every node."""


@dataclass(frozen=True)
class PriorityClass:
    """A PriorityClass of the cluster."""

    value: Annotated[int, between(-_HIGHEST, _HIGHEST)]
    """The priority, up to 1000000000. Pods without a class have 0."""
    description: str = ""
    """What it is for. Default: empty."""
    preempts: bool = True
    """Whether its Pods evict Pods of a lower priority when no node has room. Default true."""
    everyone: bool = True
    """Whether every namespace may use it, and Kueue's class of the same name. If not, only those whose
    annotation `ai-platform/priority-classes` lists it, which only the platform sets. Default true."""


def default_priority_classes() -> dict[str, PriorityClass]:
    """Return the classes that a cluster has by default, with the values of Queues' classes for workloads:
    Kueue takes the priority of its Pods where a workload states none."""
    return {
        "serving": PriorityClass(10_000, "Predictors that answer requests.", everyone=False),
        # Kueue decides which of these run: Pods that evict others on their own would work against it, and
        # everyone may use these classes.
        "interactive": PriorityClass(
            1_000, "Notebooks and other work that a user waits for.", preempts=False
        ),
        "training": PriorityClass(100, "Training and batch work.", preempts=False),
    }


@dataclass(frozen=True)
class GuardrailsSettings(CloudNeutral):
    """Policies that the API server of a cluster enforces on workloads (ValidatingAdmissionPolicies), and the
    priority classes that workloads may use. The namespaces of Kubernetes, of the cloud and of the add-ons are
    left out."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    enforcement: Literal["deny", "warn"] = "deny"
    """`deny` refuses what violates a policy; `warn` accepts it, with a warning to the client and an entry in
    the audit log. Default `deny`."""
    policies: Mapping[str, Enforcement] = field(default_factory=dict[str, Enforcement])
    """Policy -> `deny`, `warn` or `off`, where it differs from `enforcement`. Default: none differs."""
    system_namespaces: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Namespaces of controllers that the platform's users do not write to, in addition to those of
    Kubernetes, the cloud and the add-ons. No policy evaluates their workloads, and their service accounts
    may create Pods and Jobs for the workloads of others. Default: none."""
    pod_creators: Annotated[list[Annotated[str, _USERNAME]], distinct] = field(default_factory=list[str])
    """Users that may create Pods without a controller in team namespaces, such as
    `system:serviceaccount:jupyterhub:hub`. Default: none."""
    device_claims: bool = False
    """Whether Pods may claim devices by ResourceClaimTemplates, which Kueue counts where it is configured to
    (component Addons). A claim that several Pods share is never allowed. Default false: no quota counts
    claims."""
    adapters: Annotated[
        Mapping[str, Annotated[float, between(0.01, 64, "adapters")]],
        length(0, 50, "pools"),
        _names("names of pools"),
    ] = field(default_factory=dict[str, float])
    """Pool with EFA -> the adapters of a node for each of its accelerators: 4 of a p5.48xlarge, which has 32
    for 8. A Pod requests at most this, so that it leaves none of a node's accelerators without. One that
    selects no pool (`ai-platform/pool`) has the share of the pool with most. Default: no limit."""
    allowed_registries: list[Input[Annotated[str, _REGISTRY]]] = field(default_factory=list[Input[str]])
    """Registries, or repositories in them, that images may come from. Default: any."""
    require_digests: bool = False
    """Whether images must have a digest, so that a tag that moves changes nothing that runs. Default
    false."""
    digest_exceptions: list[Input[Annotated[str, _EXCEPTION]]] = field(default_factory=list[Input[str]])
    """Registries or repositories whose images need no digest, such as those of containers that controllers
    add to Pods, or single images with their tags. Default: none."""
    fabric_namespaces: Annotated[
        Mapping[str, FabricNamespace], length(0, 50, "namespaces"), _names("names of namespaces")
    ] = field(default_factory=dict[str, FabricNamespace])
    """Namespace -> what its Pods may use of their node. Default: no Pod may."""
    public_namespaces: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Namespaces whose Services, Ingresses and Gateways may have public addresses. Default: none."""
    required_labels: Annotated[list[Annotated[str, _LABEL]], distinct] = field(default_factory=list[str])
    """Labels that every workload of a team namespace has, such as `cost-center`. Default: none."""
    priority_classes: Annotated[
        Mapping[str, PriorityClass], length(0, 20, "classes"), _names("names of classes")
    ] = field(default_factory=default_priority_classes)
    """Class -> its priority. Default: `serving`, `interactive` and `training`."""

    def actions(self) -> Mapping[str, Sequence[str]]:
        """Return the policies that are enforced, with the actions of their bindings."""
        actions = {"deny": ["Deny", "Audit"], "warn": ["Warn", "Audit"]}
        chosen = {name: self.policies.get(name, self.enforcement) for name in POLICIES}
        return {name: actions[word] for name, word in chosen.items() if word in actions}

    def check(self) -> Iterator[Problem]:
        """Return the problems of names and of combinations."""
        for name in self.policies:
            if name not in POLICIES:
                expected = f"unknown policy; expected one of {', '.join(POLICIES)}{nearest(name, POLICIES)}"
                yield Problem(f"policies.{name}", expected)
        fixed = fixed_system_namespaces(self.cloud)
        prefix = SYSTEM_PREFIX.get(self.cloud)
        for name in self.fabric_namespaces:
            if name in fixed or (prefix is not None and name.startswith(prefix)):
                yield Problem(
                    f"fabric_namespaces.{name}",
                    "a namespace of the system, whose Pods the policies would then refuse; expected a "
                    "namespace of workloads",
                )
        yield from self._fabric_problems()
        for name in self.priority_classes:
            if name.startswith("system-"):
                yield Problem(
                    f"priority_classes.{name}",
                    "expected another name: Kubernetes reserves the prefix system-",
                )

    def _fabric_problems(self) -> Iterator[Problem]:
        """Yield what would leave a namespace of the Pod Security level `privileged` without limits."""
        enforcement = self.policies.get("host-access", self.enforcement)
        if self.fabric_namespaces and enforcement != "deny":
            yield Problem(
                "fabric_namespaces",
                f"only the policy host-access limits what these namespaces use of nodes, and it is "
                f"{enforcement!r}; expected 'deny' as policies.host-access",
            )
        for name, fabric in self.fabric_namespaces.items():
            opened = [key for key in _OF_POOLS if getattr(fabric, key)]
            if opened and not fabric.pools:
                yield Problem(
                    f"fabric_namespaces.{name}.pools",
                    f"missing, and Pods would get {', '.join(opened)} on every node; expected the pools for "
                    "whose nodes it is meant",
                )
            if _SYSTEM_POOL in fabric.pools:
                yield Problem(
                    f"fabric_namespaces.{name}.pools",
                    f"got {_SYSTEM_POOL!r}, whose nodes run the cluster's controllers; expected pools with "
                    "accelerators",
                )
