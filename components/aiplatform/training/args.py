"""Arguments of training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import Problem, between, distinct, length
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import DNS_LABEL
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.charts import problems as chart_problems
from aiplatform.addons.charts import rule as source_of_charts
from aiplatform.queues.args import TopologyKind
from aiplatform.teams.args import CONFIGURATION, FILES
from aiplatform.training import rules
from aiplatform.training.cloud_support import SUPPORT
from aiplatform.training.frameworks import FrameworkName, framework_of
from aiplatform.training.inputs import InitializersArgs as InitializersArgs
from aiplatform.training.inputs import TrainingArgs as TrainingArgs
from aiplatform.training.inputs import TrainingRuntimeArgs as TrainingRuntimeArgs
from aiplatform.training.pools import TrainingGpuPoolReference, TrainingNodePoolReference, TrainingPool

TRAINER: Final = "kubeflow-trainer"
"""The add-on with the controller of TrainJobs."""
JOBSET: Final = "jobset"
"""The add-on whose kind TrainJobs consist of."""
RAY: Final = "kuberay-operator"
"""The add-on with the controller of RayClusters and RayJobs."""
RAY_HEAD_PORTS: Final = (8000, 8265)
"""Ports of the heads of Ray that its operator calls: Serve's and the dashboard's, with the API of jobs."""
READERS: Final = "ai-platform-training-runtimes"
"""The ClusterRole that reads runtimes."""
LONGEST_NAME: Final = 63

Interconnect = Literal["if_present", "required", "none"]
InitializerKind = Literal["dataset", "model"]


@dataclass(frozen=True)
class Initializers:
    """Jobs of a TrainJob that download what it trains with, before its nodes start: Trainer's own. They write
    to a volume that the nodes mount at `/workspace`, which exists as long as the TrainJob. The accelerators
    are reserved meanwhile: for hours of downloads a separate Job before the TrainJob costs less."""

    kinds: Annotated[list[InitializerKind], length(1, 2, "kinds"), distinct]
    """`dataset` writes to `/workspace/dataset`, `model` to `/workspace/model`. A TrainJob of the runtime has
    to state each of them in `spec.initializer`, with its `storageUri`."""
    storage_gib: Annotated[int, between(1, 65_536, "GiB")]
    """The volume, GiB."""
    storage_class: Annotated[str, DNS_LABEL] | None = None
    """The StorageClass of the volume. Default: that of the cluster, whose volumes one node can mount."""
    shared: bool = False
    """Whether volumes of `storage_class` can be mounted on several nodes (`ReadWriteMany`), which a runtime
    of several nodes needs. Default false."""
    timeout_minutes: Annotated[int, between(1, 1380, "minutes")] = 60
    """Minutes after which a download fails, and with it the TrainJob, 1 to 1380. It must be less than Kueue
    gives workloads to start (component Addons, `pods_ready.timeout_minutes`), which counts from admission:
    Kueue would evict the TrainJob, and begin the download again. An environment gives them 30 minutes more
    than this, at least. Default 60."""


@dataclass(frozen=True)
class TrainingRuntime:
    """A ClusterTrainingRuntime: how the nodes of a TrainJob run on a pool. A TrainJob names it in
    `spec.runtimeRef` and states what it runs in `spec.trainer`."""

    pool: str
    """The pool's name, of `gpu_pools` or `node_pools`."""
    framework: FrameworkName | None = None
    """`torch` (DDP, FSDP), for GPUs and CPUs, or `jax`, for TPUs. Default: that of the pool's
    accelerators."""
    image: Annotated[str, images.TAG_OR_DIGEST] | None = None
    """The image of the nodes, with tag or digest; a TrainJob may state another one. Default: one with the
    framework, and with the libraries of the pool's network between accelerators."""
    nodes: Annotated[int, between(1, 10_000, "nodes")] | None = None
    """Nodes of a TrainJob that states none. Default 1; of a TPU slice all of its nodes, and no other
    number."""
    processes_per_node: Annotated[int, between(1, 10_000, "processes")] | None = None
    """Processes of PyTorch on a node: accelerators that a Pod requests, or CPUs on nodes without. Default:
    all accelerators of a node, which are required for its network between them; 1 on nodes without. JAX has
    one process on a node, with all of its TPUs."""
    cpu: Annotated[int, between(1, 10_000, "vCPUs")] | None = None
    """vCPUs that a Pod requests. Default: 80 % of the part of a node that belongs to its accelerators; on
    nodes without accelerators it is `processes_per_node`."""
    memory_gib: Annotated[int, between(1, 100_000, "GiB")] | None = None
    """Memory of a Pod, GiB, request and limit; half of it may be shared memory (`/dev/shm`), at most 64 GiB.
    Default: 80 % of the part of a node that belongs to its accelerators or vCPUs."""
    disk_gib: Annotated[int, between(1, 65_536, "GiB")] | None = None
    """Disk of the node that a Pod may use, GiB, request and limit: for its home, its logs and what it writes
    to its root file system. A Pod that uses more is evicted, which counts as a failure (`max_restarts`).
    Default: 16 for Pods that use a whole node, and the same part of it as of the node for others; at least
    4."""
    interconnect: Interconnect = "if_present"
    """The network between the accelerators of several nodes (EFA, GPUDirect): `if_present` (default), used
    where the pool has one and the Pod uses whole nodes; `required`, an error without; `none`, not used. Pods
    with GPUDirect are admitted only in namespaces that list the pool (component Teams, `fabric`)."""
    max_restarts: Annotated[int, between(0, 1000, "restarts")] = 5
    """How often all nodes start again, from the last checkpoint, when one of them fails, before the TrainJob
    fails, 0 to 1000. A Pod that is lost with its node (spot, drain, repair) does not count; one that is
    evicted because it uses more than `disk_gib` does. Default 5."""
    initializers: Initializers | None = None
    """What TrainJobs download before their nodes start. Default: nothing."""


@dataclass(frozen=True)
class TrainingSettings(CloudNeutral):
    """Training: Kubeflow Trainer, and a ClusterTrainingRuntime for each pool. The add-on jobset must be
    installed (component Addons), whose resources go into `opts.depends_on`."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    gpu_pools: list[TrainingGpuPoolReference] = field(default_factory=list[TrainingGpuPoolReference])
    """Pools of nodes with accelerators: `GpuPool.outputs`. Default: none."""
    node_pools: list[TrainingNodePoolReference] = field(default_factory=list[TrainingNodePoolReference])
    """Pools of CPU nodes that runtimes name: `NodePool.outputs`. Default: none."""
    runtimes: Annotated[
        Mapping[Annotated[str, DNS_LABEL], TrainingRuntime], length(0, 200, "runtimes"), rules.names
    ] = field(default_factory=dict[str, TrainingRuntime])
    """Name -> runtime, in addition to those of `default_runtimes`. Default: none."""
    default_runtimes: Annotated[list[str], distinct] | None = None
    """Pools of `gpu_pools` that get a runtime with all defaults, `torch-POOL` or `jax-POOL`. Default: all
    whose accelerators a framework uses."""
    topologies: dict[str, TopologyKind] = field(default_factory=dict[str, TopologyKind])
    """Pool -> how Kueue places Pods on its nodes, as in the component Queues: then the nodes of a TrainJob
    are placed as close together as possible. Default: none."""
    service_account: Annotated[str, DNS_LABEL] | None = None
    """The service account of the nodes, which exists in each namespace with TrainJobs and has the identity of
    their Pods in the cloud. Default: the namespace's `default`."""
    configuration: Annotated[str, DNS_LABEL] = CONFIGURATION
    """A ConfigMap whose entries are environment variables of the nodes, in namespaces that have it. Default
    `platform`, that of teams."""
    files: Annotated[str, DNS_LABEL] = FILES
    """A ConfigMap that the nodes mount at `/etc/platform`, in namespaces that have it. Default
    `platform-files`, that of teams."""
    credentials: Annotated[list[Annotated[str, DNS_LABEL]], length(0, 20, "Secrets"), distinct] = field(
        default_factory=lambda: ["mlflow"]
    )
    """Secrets whose entries are environment variables of the nodes, in namespaces that have them. Default
    `mlflow`, a team's account in the model registry."""
    require_digests: bool = False
    """Whether images of `runtimes` must have a digest, so that a tag that moves changes nothing that runs.
    Default false."""
    ray: bool = False
    """Whether KubeRay's operator is installed, for RayClusters and RayJobs. Default false: its definitions
    are large. Kueue then needs `ray` of the component Addons."""
    replicas: Annotated[int, between(1, 3, "replicas")] = 1
    """Replicas of the controllers, 1 to 3: one is the leader, the others are on standby. Default 1."""
    charts: Annotated[str, source_of_charts] = UPSTREAM
    """Where charts come from, as in the component Addons. Default `upstream`."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images, as in the component Addons. Default: none."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def installed(self) -> list[Addon]:
        """The add-ons that the component installs."""
        return [catalog()[name] for name in ((TRAINER, RAY) if self.ray else (TRAINER,))]

    @property
    def pools(self) -> dict[str, TrainingPool]:
        """All pools by name."""
        return {pool.name: pool for pool in (*self.gpu_pools, *self.node_pools)}

    @property
    def default_pools(self) -> dict[str, list[TrainingRuntime]]:
        """Name -> the runtimes that pools get by default under this name, which is cut off at 63 characters.
        `rules.problems` refuses two."""
        pools = self.default_runtimes
        runtimes: dict[str, list[TrainingRuntime]] = {}
        for pool in self.gpu_pools:
            framework = framework_of(pool) if pool.device_class is None else None
            if framework is not None and (pools is None or pool.name in pools):
                name = f"{framework}-{pool.name}"[:LONGEST_NAME].rstrip("-")
                runtimes.setdefault(name, []).append(TrainingRuntime(pool.name, framework))
        return runtimes

    @property
    def defaults(self) -> dict[str, TrainingRuntime]:
        """Name -> the runtimes that pools get by default."""
        return {name: runtimes[0] for name, runtimes in self.default_pools.items()}

    @property
    def all_runtimes(self) -> dict[str, TrainingRuntime]:
        """Name -> runtime, those of pools first."""
        return {**self.defaults, **self.runtimes}

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from rules.problems(self)
        yield from chart_problems(self.installed, self.charts, "charts")
