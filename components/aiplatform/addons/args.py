"""Arguments of the add-ons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import Problem, between, got, matches, nearest
from aiplatform._shared.cloud_support import CLOUDS, Cloud, CloudNeutral, SupportTable
from aiplatform._shared.deep_merge import overlaid
from aiplatform._shared.outputs import Tags, mapped_object
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.secret_names import KMS_KEY
from aiplatform.addons import permissions
from aiplatform.addons.catalog import Addon, catalog, in_order, owner_problems, selected
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.charts import problems as chart_problems
from aiplatform.addons.charts import rule as source_of_charts
from aiplatform.addons.cloud_support import SUPPORT
from aiplatform.addons.inputs import AddonOptionsArgs as AddonOptionsArgs
from aiplatform.addons.inputs import AddonsArgs as AddonsArgs
from aiplatform.addons.pods_ready import PodsReady
from aiplatform.addons.value_keys import problems as value_problems
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.naming import aws_tags, prefix_for

ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    permissions.LOAD_BALANCERS: ("ec2", "eks-auth", "elasticloadbalancing"),
    permissions.KARPENTER: ("ec2", "eks", "eks-auth", "sqs", "ssm"),
    permissions.SECRETS: ("eks-auth", "secretsmanager", "sts"),
}
"""AWS services that the add-ons call: a network without access to the internet needs interface endpoints for
them (EKS user guide, "Deploy private clusters with limited internet access")."""
CLAIMS: Final = "dra-driver-nvidia-gpu"
"""The add-on by which Pods claim GPUs."""
_ZONE: Final = matches(
    r"Z[A-Z0-9]{1,31}|[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
    "the id of a hosted zone (Z0123456789ABCDEFGHIJ), or the name of a managed zone on Google Cloud",
)
_VERSION: Final = matches(r"v?\d+(\.\d+){1,2}([-+][\w.+-]+)?", "a version such as 0.19.2")


@dataclass(frozen=True)
class AddonOptions:
    """How one add-on is installed."""

    enabled: bool | None = None
    """Whether it is installed. Default: where its cloud needs it; external-dns where there are `dns_zones`;
    karpenter nowhere."""
    version: (
        Annotated[str, matches(r"v?\d+(\.\d+){1,2}([-+][\w.+-]+)?", "a version such as 0.19.2")] | None
    ) = None
    """The version of its chart, as it is published. Default: the catalog's, with which the values are
    tested."""
    allow_untested: bool = False
    """Whether `version` may be another one than the catalog's, and `values` may have keys that the catalog's
    version lacks. The platform's values, and what the catalog states of kinds and images, may not fit that
    version. Default false."""
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    """Values of the chart, such as resources of its containers, merged over the platform's: objects key by
    key; lists and scalars replace."""


@dataclass(frozen=True)
class AddonsSettings(CloudNeutral):
    """The add-ons of a cluster: what its cloud needs of the catalog (docs/addons.md)."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(*permissions.NAMES)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`. On AWS with its `vpc_id`, in which the load balancer controller
    works."""
    dns_zones: list[Input[Annotated[str, _ZONE]]] = field(default_factory=list[Input[str]])
    """The zones whose records external-dns manages: ids of hosted zones on AWS (`Z0123456789ABCDEFGHIJ`),
    names of managed zones of the cluster's project on Google Cloud. Default: none, and no external-dns."""
    replicas: Annotated[int, between(1, 3, "replicas")] = 1
    """Replicas of each controller, 1 to 3: one is the leader, the others are on standby. With 2 or more,
    nodes are drained one at a time. Default 1."""
    charts: Annotated[str, source_of_charts] = UPSTREAM
    """Where charts come from: `upstream`, each from its publisher; a folder with the charts as NAME-VERSION,
    folders or archives (`.tgz`); or a repository of an OCI registry (`oci://registry.example/charts`).
    Default `upstream`."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images: a registry (`registry.k8s.io`, `quay.io`), or a repository in it -> the
    registry or repository to pull from instead. Tag and digest are kept. Default: no mirror."""
    options: dict[str, AddonOptions] = field(default_factory=dict[str, AddonOptions])
    """Options of single add-ons, by their names (docs/addons.md). Default: all that the cloud needs are
    installed, with the platform's values."""
    pods_ready: PodsReady = field(default_factory=PodsReady)
    """How long Kueue gives workloads to start."""
    ray: bool = False
    """Whether Kueue queues RayClusters, RayJobs and RayServices, whose operator the component Training
    installs. Default false."""
    interruptions_kms_key: Input[Annotated[str, KMS_KEY]] | None = None
    """AWS: the arn of the key that encrypts Karpenter's messages from EC2, of the provider's region, with a
    policy that lets EventBridge use it for the queue `{prefix}-karpenter` (docs/bring-your-own.md). Default:
    a key that is created."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of every resource on AWS, in addition to the provider's default tags."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def addons(self) -> list[Addon]:
        """What is installed, each add-on after those that it requires."""
        return [self._versioned(addon) for addon in in_order(self._selected())]

    def values(self, addon: Addon, region: str) -> Input[Mapping[str, Any]]:
        """Return the values of an add-on's chart. region: AWS: the cluster's."""
        platform, option = VALUES.get(addon.name), self.options.get(addon.name)
        stated = option.values if option is not None else {}
        if platform is None:
            return stated

        def values(mirrors: Mapping[str, str]) -> Mapping[str, Any]:
            setup = Setup(
                replicas=self.replicas,
                mirrors=mirrors,
                cloud=self.cloud,
                cluster=self.cluster.name,
                region=region,
                vpc_id=self.cluster.vpc_id or "",
                interruption_queue=permissions.INTERRUPTIONS.of(self.prefix) if self.cloud == "aws" else "",
                project=self.cluster.project or "",
                dns_zones=self.dns_zones,
                pods_ready=self.pods_ready,
                ray=self.ray,
                device_claims=CLAIMS in self._selected(),
            )
            return overlaid(platform(setup), stated)

        return mapped_object(self.mirrors, values)

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        unknown = [name for name in self.options if name not in catalog()]
        for name in unknown:
            suggestion = nearest(name, catalog()) or f"; expected one of {', '.join(catalog())}"
            yield Problem(f"options.{name}", f"unknown add-on{suggestion}")
        if unknown:
            return
        problems = [
            *self._cloud_problems(),
            *self._version_problems(),
            *self._value_problems(),
            *self._requirement_problems(),
        ]
        yield from problems
        yield from permissions.problems(self.addons, self)
        names = {addon.name for addon in self.addons}
        if self.interruptions_kms_key is not None and permissions.KARPENTER not in names:
            yield Problem(
                "interruptions_kms_key",
                "got one without Karpenter, whose messages it encrypts; expected "
                "`options.karpenter.enabled: true`",
            )
        yield from owner_problems(self.addons, "options")
        if not problems:
            yield from chart_problems(self.addons, self.charts, "charts")

    def _selected(self) -> list[str]:
        stated = {name: option.enabled for name, option in self.options.items()}
        return selected(self.cloud, stated, has_zones=bool(self.dns_zones))

    def _versioned(self, addon: Addon) -> Addon:
        option = self.options.get(addon.name)
        if option is None or option.version in (None, addon.version):
            return addon
        return replace(addon, version=option.version or "", digest="", digest_source="")

    def _cloud_problems(self) -> Iterator[Problem]:
        for name, option in self.options.items():
            component = catalog()[name].installed_by
            if component:
                yield Problem(
                    f"options.{name}", f"the component {component} installs it; expected it left out"
                )
            elif option.enabled is not False and self.cloud not in catalog()[name].clouds:
                yield Problem(
                    f"options.{name}",
                    f"{CLOUDS[self.cloud]} does not need this add-on: {catalog()[name].purpose}; expected it "
                    "left out",
                )

    def _version_problems(self) -> Iterator[Problem]:
        for name, option in self.options.items():
            tested = catalog()[name].version
            if option.version not in (None, tested) and not option.allow_untested:
                yield Problem(
                    f"options.{name}.version",
                    f"{got(option.version)}; expected {tested}, with which the values are tested, or "
                    "`allow_untested: true`",
                )

    def _value_problems(self) -> Iterator[Problem]:
        for name, option in self.options.items():
            if not option.allow_untested:
                yield from value_problems(name, option.values, f"options.{name}.values")

    def _requirement_problems(self) -> Iterator[Problem]:
        stated = {name: option.enabled for name, option in self.options.items()}
        for name in self._selected():
            for required in catalog()[name].requires:
                if stated.get(required) is False:
                    yield Problem(
                        f"options.{required}.enabled",
                        f"got false, and {name} requires it; expected true, or {name} disabled as well",
                    )
