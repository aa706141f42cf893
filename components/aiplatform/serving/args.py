"""Arguments of serving."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import Problem, between, distinct, length, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import DNS_LABEL
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.model_store import ModelStoreReference
from aiplatform.naming import IAM_ROLE_PREFIX, PhysicalName, dns_label, prefix_for
from aiplatform.serving import rules
from aiplatform.serving.cloud_support import SUPPORT
from aiplatform.serving.engines import ENGINES, EngineName, MetricName
from aiplatform.serving.inputs import LlmLoggerArgs as LlmLoggerArgs
from aiplatform.serving.inputs import RequestLogStoreArgs as RequestLogStoreArgs
from aiplatform.serving.inputs import RolloutsArgs as RolloutsArgs
from aiplatform.serving.inputs import ServedAdapterArgs as ServedAdapterArgs
from aiplatform.serving.inputs import ServedModelArgs as ServedModelArgs
from aiplatform.serving.inputs import ServedRequestLogArgs as ServedRequestLogArgs
from aiplatform.serving.inputs import ServingArgs as ServingArgs
from aiplatform.serving.inputs import ServingRuntimeArgs as ServingRuntimeArgs
from aiplatform.serving.inputs import ServingTeamArgs as ServingTeamArgs
from aiplatform.serving.llm_logs import REFUSALS
from aiplatform.serving.pools import ServingGpuPoolReference, ServingNodePoolReference, ServingPool
from aiplatform.teams.args import QUEUE

KSERVE: Final = "kserve"
"""The add-on with the controller of InferenceServices, which the component Addons installs."""
DEFINITIONS: Final = "kserve-crd"
"""The add-on with KServe's kinds, which the component Addons installs."""
SERVICE_ACCOUNT: Final = "serving"
"""The service account of predictors in the namespace of each team."""
ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-serving")
"""The role of a team's predictors on AWS."""
LOGGER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-llm-log")
"""The role of a team's logger of language models on AWS."""
TEMPLATES: Final = "serving-templates"
"""The ConfigMap with the templates of a team's InferenceServices."""
LONGEST_SERVICE: Final = 40
"""Characters of a service's name: KServe and a pipeline add to it (`-green`, `-predictor`)."""
_LONGEST_RUNTIME: Final = 63
"""Characters of a runtime's name."""

_PINNED: Final = matches(r"[^\s@]+@sha256:[0-9a-f]{64}", "an image with its digest (NAME@sha256:...)")
_MODEL: Final = matches(
    r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?",
    "the name of a model in the team's releases, without team, version or URI",
)
_URL: Final = matches(r"https?://[^\s/]+(/\S*)?", "the address of a server of Prometheus (http://...)")


@dataclass(frozen=True)
class ServingRuntime:
    """A ClusterServingRuntime: what serves models on a pool. An InferenceService names it in
    `spec.predictor.model.runtime`."""

    pool: str
    """The pool's name, of `gpu_pools` or `node_pools`."""
    engine: EngineName
    """`vllm` for language models on GPUs; `sklearn` or `xgboost` for such models on CPUs."""
    image: Annotated[str, images.TAG_OR_DIGEST] | None = None
    """Its image, with tag or digest. Default: of `vllm` one of a tested version; of the others
    `server_image`."""
    tensor_parallel: Annotated[int, between(1, 1024, "GPUs")] | None = None
    """GPUs of a Pod, over which vLLM distributes each layer, at most those of a node. The model's number of
    attention heads has to be a multiple of it. Default: all of a node."""
    cpu: Annotated[int, between(1, 10_000, "vCPUs")] | None = None
    """vCPUs that a Pod requests. Default: 80 % of the part of a node that belongs to its GPUs; 1 on nodes
    without."""
    memory_gib: Annotated[int, between(1, 100_000, "GiB")] | None = None
    """Memory of a Pod, GiB, request and limit; with several GPUs half of it may be shared memory
    (`/dev/shm`). Default: 80 % of the part of a node that belongs to its GPUs; 2 on nodes without."""
    storage_gib: Annotated[int, between(1, 100_000, "GiB")] | None = None
    """Disk of the node that a Pod requests, GiB: its model is copied there. Default: nothing is requested,
    and a node with a full disk evicts Pods."""
    start_minutes: Annotated[int, between(1, 240, "minutes")] = 30
    """Minutes that a server has to load its model, after the files are there, before it is restarted, 1 to
    240. Default 30."""
    arguments: Annotated[list[str], length(0, 50, "arguments")] = field(default_factory=list[str])
    """Further arguments of the server, such as `--max-model-len=8192`. Default: none."""


@dataclass(frozen=True)
class ServedAdapter:
    """A fine-tuned adapter (LoRA) of a service's model: a release of the team with `adapter_config.json` and
    `adapter_model.safetensors`."""

    model: Annotated[str, _MODEL]
    """The adapter's name among the models: its releases are `TEAM/MODEL/VERSION`."""
    version: Annotated[int, between(1, 9_999_999_999, "")]
    """Its release. A change is served by the next InferenceService that is created from the template."""


@dataclass(frozen=True)
class ServedRequestLog:
    """Requests and answers of a service that are stored as JSON in `request_logs`, by KServe's agent in the
    Pod of the server. Answers with another status than 200 are not stored, nor is what its memory has when
    the Pod ends. Of `vllm` no texts are stored but what `llm_logger` measures at the gateway: lengths,
    tokens, latency, refusals and how the answer ended."""

    mode: Literal["all", "request", "response"] = "all"
    """What is stored: `all`, the `request` or the `response`. A monitor needs `all`. Default `all`."""
    batch_size: Annotated[int, between(1, 1000, "records")] = 100
    """Records of an object at most, 1 to 1000: the agent stores one object after the other, and requests wait
    while 100 records wait for it. Default 100."""
    batch_seconds: Annotated[int, between(1, 600, "seconds")] = 10
    """Seconds after which an object with fewer is stored, 1 to 600. Default 10."""
    payloads: bool = False
    """`vllm`: whether records also have the texts of prompt and answer, up to 32,768 characters each.
    Default false."""


@dataclass(frozen=True)
class RequestLogStore:
    """The bucket of requests and answers."""

    bucket: Input[str]
    """Its name: `ModelMonitor.outputs["bucket"]`."""
    prefix: Annotated[str, matches(r"[a-z0-9][a-z0-9/_-]{0,99}", "a prefix such as logs")] = "logs"
    """The folder, without a slash at the end; each namespace has one in it. Default `logs`."""
    kms_key: Input[str] | None = None
    """AWS, and required there: the arn of the key of the bucket."""


@dataclass(frozen=True)
class ServedModel:
    """A service of a team: the template of its InferenceServices."""

    model: Annotated[str, _MODEL]
    """The model: its releases are `TEAM/MODEL/VERSION` of the bucket of releases."""
    runtime: str
    """The runtime, of `runtimes` or a default one."""
    min_replicas: Annotated[int, between(0, 1000, "replicas")] = 1
    """Pods that run at least. Default 1."""
    max_replicas: Annotated[int, between(1, 1000, "replicas")] | None = None
    """Pods that run at most; more than `min_replicas` needs the add-on keda, and `prometheus_url`. Default:
    `min_replicas`."""
    metric: MetricName = "requests_waiting"
    """By what it scales: the requests that vLLM has accepted and not begun (`requests_waiting`), or those
    that it works on (`requests_running`). Default `requests_waiting`."""
    target: Annotated[int, between(1, 100_000)] = 4
    """The metric for each Pod, above which a Pod is added. Default 4."""
    arguments: Annotated[list[str], length(0, 50, "arguments")] = field(default_factory=list[str])
    """Further arguments of the server, after those of the runtime. Default: none."""
    adapters: Annotated[Mapping[str, ServedAdapter], length(0, 100, "adapters"), rules.adapters] = field(
        default_factory=dict[str, ServedAdapter]
    )
    """vLLM: name -> an adapter that the service serves next to its model, which both share. Clients state the
    name as `model`. Default: none."""
    request_log: ServedRequestLog | None = None
    """Which requests and answers are stored, for monitors (component ModelMonitor). With `vllm` it needs
    `llm_logger` and `rollouts`. Default: none."""

    @property
    def most(self) -> int:
        """Pods that run at most."""
        return self.max_replicas if self.max_replicas is not None else max(1, self.min_replicas)

    @property
    def scales(self) -> bool:
        """Whether the number of Pods changes."""
        return self.most > self.min_replicas


@dataclass(frozen=True)
class ServingTeam:
    """A team that serves models of its releases."""

    namespace: Annotated[str, dns_label] | None = None
    """Its namespace, which exists (component Teams), may use the priority class `serving`, and has the
    LocalQueue `default`. Default: the team's name."""
    services: Annotated[
        Mapping[Annotated[str, dns_label], ServedModel], length(0, 100, "services"), rules.services
    ] = field(default_factory=dict[str, ServedModel])
    """Name of a service -> the model that it serves. Default: none; its identity and the rules of its
    namespace exist."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Further labels of its InferenceServices and their Pods, such as those that the guardrails require.
    Default: none."""


@dataclass(frozen=True)
class LlmLogger:
    """What measures requests to services of `vllm` with a `request_log`: a Deployment in the namespace of
    each team that has one, to which Envoy copies requests and answers. No request waits for it, and without
    it requests are served and not measured."""

    image: Annotated[str, _PINNED]
    """Its image, built from `containers/llm_logger`, with its digest."""
    replicas: Annotated[int, between(1, 20, "Pods")] = 1
    """Its Pods in each namespace, 1 to 20, each with 100m CPU of the team's quota. Default 1."""
    refusals: Annotated[list[Annotated[str, length(3, 100, "characters")]], length(0, 200, "openings")] = (
        field(default_factory=lambda: list(REFUSALS))
    )
    """Openings of answers that are refusals, whatever their case, of 3 to 100 characters. Default: twelve in
    English, such as `I'm sorry, but I can`."""


@dataclass(frozen=True)
class Rollouts:
    """Rollouts of releases: a WorkflowTemplate `rollout` in the namespace of each team with services. It
    creates the InferenceService of a release, moves the requests of the service's HTTPRoute to it step by
    step, and back where Envoy measures too many errors or answers that are too slow. A workflow may state
    other values than these by its parameters of the same names."""

    image: Annotated[str, _PINNED]
    """The image of the rollouts, built from `containers/model_rollout`, with its digest."""
    weights: Annotated[list[Annotated[int, between(1, 100, "percent")]], rules.weights] = field(
        default_factory=lambda: [10, 50, 100]
    )
    """Percent of the requests that the new release gets in each step; they rise to 100. Default 10, 50,
    100."""
    step_minutes: Annotated[int, between(1, 1440, "minutes")] = 10
    """Minutes of each step: at least four samples of Prometheus. Default 10."""
    max_error_rate: Annotated[float, between(0, 1, "share of the requests")] = 0.01
    """The share of requests with status 5xx at the gateway above which requests go back, 0 to 1. Default
    0.01."""
    max_p95_ms: Annotated[int, between(1, 3_600_000, "milliseconds")] = 1000
    """Milliseconds within which 95 % of the requests of a step end; else requests go back. Default 1000."""
    min_requests: Annotated[int, between(1, 1_000_000, "requests")] = 20
    """Requests to the new release without which a step is not evaluated. Default 20."""
    no_traffic: Literal["back", "continue"] = "back"
    """What happens after a step with fewer requests: the service goes `back` to the release before (default),
    or the next step begins (`continue`)."""
    mirror_percent: Annotated[int, between(0, 100, "percent")] = 0
    """Percent of the requests whose copies the new release gets before any client gets its answers (shadow
    traffic), for one step. Default 0: there is no such step."""
    ready_minutes: Annotated[int, between(1, 1440, "minutes")] = 60
    """Minutes within which the new release is ready. Default 60."""
    keep: bool = True
    """Whether the InferenceService of the release before is kept, so that `aiplatform model rollback` moves
    requests back at once; it keeps its Pods and quota. Default true."""
    operators: list[Input[str]] = field(default_factory=list[Input[str]])
    """Groups of Kubernetes whose members move requests back and start rollouts, in the namespaces of all
    teams with services: those of the release group. Default: none."""
    scrape_seconds: Annotated[int, between(1, 120, "seconds")] = 30
    """Seconds between two samples of Prometheus. Default 30."""
    timeout_seconds: Annotated[int, between(0, 86_400, "seconds")] = 3600
    """Seconds from a request to the end of its response, of the routes; 0 is unlimited. Default 3600."""


@dataclass(frozen=True)
class ServingSettings(CloudNeutral):
    """Serving: a ClusterServingRuntime for each pool, and for each team an identity that reads its releases
    and the templates of its InferenceServices. KServe must be installed (add-ons kserve, kserve-crd and
    cert-manager of the component Addons), and teams must exist; the resources of both go into
    `opts.depends_on`."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(ROLE, LOGGER_ROLE)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    model_store: ModelStoreReference
    """The bucket of releases: `ModelStore.outputs`."""
    image: Annotated[str, _PINNED]
    """The image that copies a release into the Pod of a server and compares it with its manifest, built from
    `containers/model_release`, with its digest: `ModelStore.outputs["image"]`."""
    server_image: Annotated[str, _PINNED] | None = None
    """The image of runtimes for scikit-learn and XGBoost, built from `containers/model_server`, with its
    digest. Default: none; such runtimes then state an image."""
    gpu_pools: list[ServingGpuPoolReference] = field(default_factory=list[ServingGpuPoolReference])
    """Pools of nodes with GPUs: `GpuPool.outputs`. Default: none."""
    node_pools: list[ServingNodePoolReference] = field(default_factory=list[ServingNodePoolReference])
    """Pools of CPU nodes that runtimes name: `NodePool.outputs`. Default: none."""
    runtimes: Annotated[
        Mapping[Annotated[str, DNS_LABEL], ServingRuntime], length(0, 200, "runtimes"), rules.names
    ] = field(default_factory=dict[str, ServingRuntime])
    """Name -> runtime, in addition to those of `default_runtimes`. Default: none."""
    default_runtimes: Annotated[list[str], distinct] | None = None
    """Pools of `gpu_pools` that get a runtime with all defaults, `vllm-POOL`. Default: all with GPUs that
    Pods request."""
    teams: Annotated[Mapping[str, ServingTeam], length(0, 100, "teams")] = field(
        default_factory=dict[str, ServingTeam]
    )
    """Team -> what it serves, by the names of the component Teams. Default: none."""
    priority_class: Annotated[str, DNS_LABEL] = "serving"
    """The PriorityClass of predictors, and Kueue's class of the same name. Default `serving`."""
    queue: Annotated[str, DNS_LABEL] = QUEUE
    """The LocalQueue of predictors in each namespace. Default `default`, that of teams."""
    client_namespaces: Annotated[list[Annotated[str, DNS_LABEL]], distinct] = field(default_factory=list[str])
    """Namespaces whose Pods reach predictors, on their port 8080: those of the gateway and of Prometheus.
    Default: none, so that only Pods of the team's namespace reach them."""
    prometheus_url: Annotated[str, _URL] | None = None
    """The address of Prometheus in the cluster, by whose metrics services scale. Default: none; then no
    service scales."""
    request_logs: RequestLogStore | None = None
    """The bucket in which services with `request_log` store requests and answers. Their identity writes below
    the folder of its namespace, and reads nothing of it. Default: none."""
    llm_logger: LlmLogger | None = None
    """What measures requests to language models at the gateway, for services of `vllm` with a `request_log`.
    Default: none."""
    rollouts: Rollouts | None = None
    """How releases of services are rolled out. It needs Argo Workflows (component Pipelines), a gateway of
    the class `envoy` (component Gateway), whose resources go into `opts.depends_on`, and `prometheus_url`.
    Default: no rollouts; then something else creates InferenceServices and routes."""
    require_digests: bool = False
    """Whether images of `runtimes` must have a digest, so that a tag that moves changes nothing that runs.
    Default false."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images, as in the component Addons. Default: none."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """AWS: tags of every resource in the cloud, in addition to those of the provider."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def pools(self) -> dict[str, ServingPool]:
        """All pools by name."""
        return {pool.name: pool for pool in (*self.gpu_pools, *self.node_pools)}

    @property
    def default_pools(self) -> dict[str, list[ServingRuntime]]:
        """Name -> the runtimes that pools get by default under this name, which is cut off at 63 characters.
        `rules.problems` refuses two."""
        pools = self.default_runtimes
        runtimes: dict[str, list[ServingRuntime]] = {}
        for pool in self.gpu_pools:
            usable = pool.device_class is None and pool.resource == ENGINES["vllm"].accelerator
            if usable and (pools is None or pool.name in pools):
                name = f"vllm-{pool.name}"[:_LONGEST_RUNTIME].rstrip("-")
                runtimes.setdefault(name, []).append(ServingRuntime(pool.name, "vllm"))
        return runtimes

    @property
    def defaults(self) -> dict[str, ServingRuntime]:
        """Name -> the runtimes that pools get by default."""
        return {name: runtimes[0] for name, runtimes in self.default_pools.items()}

    @property
    def all_runtimes(self) -> dict[str, ServingRuntime]:
        """Name -> runtime, those of pools first."""
        return {**self.defaults, **self.runtimes}

    @property
    def rolled_out(self) -> list[str]:
        """The teams with rollouts: those with services."""
        return [
            team for team, declared in self.teams.items() if declared.services and self.rollouts is not None
        ]

    def namespace(self, team: str) -> str:
        """Return the namespace of a team."""
        return self.teams[team].namespace or team

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from rules.problems(self)
