"""What serves models, as data: another server is an entry. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

EngineName = Literal["vllm", "sklearn", "xgboost"]
HOME: Final = "/serving"
"""The home of the user, which is writable; images know no user with the number of ours."""
MODELS: Final = "/mnt/models"
"""Where KServe mounts the model, read-only (its constant)."""
ADAPTERS: Final = "/mnt/adapters"
"""Where the adapters of a model are, each in a folder with its name."""
PORT: Final = 8080


@dataclass(frozen=True)
class Engine:
    """A server of models.

    format: the format of models that an InferenceService states. accelerator: the resource that it needs;
    empty: CPUs. image: its name in images.toml; empty: the image of `containers/model_server`, which an
    argument states. command, arguments, environment: of its container; `{{.Name}}` is the name of the
    InferenceService, which KServe fills in. ready: the path that answers once the model is loaded.
    protocols: those of KServe that it speaks. adapters: whether it serves adapters of a model. read_only:
    whether its root file system may be; it is not known where else than in its home vLLM writes. names: the
    arguments by which it knows the model by the name of its service, too, in which `%NAME%` and `%SERVICE%`
    are those of the InferenceService and of the service.
    """

    title: str
    format: str
    accelerator: str
    image: str
    ready: str
    arguments: Sequence[str]
    names: Sequence[str]
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    protocols: Sequence[str] = ("v1", "v2")
    read_only: bool = False
    adapters: bool = False


def _model_server(framework: str) -> Sequence[str]:
    return (
        f"--framework={framework}",
        "--model_name={{.Name}}",
        f"--model_dir={MODELS}",
        f"--http_port={PORT}",
        # Routes are of HTTP; its port would be one more to guard.
        "--enable_grpc=false",
    )


_SERVICE_ALONE: Final = ("--model_name=%SERVICE%",)
"""A model of KServe's server has one name; the last argument applies."""
ENGINES: Final[Mapping[EngineName, Engine]] = {
    "vllm": Engine(
        "vLLM",
        "vLLM",
        "nvidia.com/gpu",
        "vllm",
        # It answers once the model is registered (KServe's runtime kserve-vllmserver).
        "/v1/models",
        (f"--port={PORT}", "--served-model-name={{.Name}}", f"--model={MODELS}"),
        # Responses and metrics have the first one: the version that answered, and that scales.
        ("--served-model-name", "%NAME%", "%SERVICE%"),
        ("python3", "-m", "vllm.entrypoints.openai.api_server"),
        {
            # Its processes on several GPUs begin without the state of the first (vLLM, "Troubleshooting").
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
            # The names of caches contain that of the user, who is in no file of the image.
            "LOGNAME": "server",
            "TORCHINDUCTOR_CACHE_DIR": f"{HOME}/inductor",
            "TRITON_CACHE_DIR": f"{HOME}/triton",
            "VLLM_CONFIG_ROOT": HOME,
            "VLLM_CACHE_ROOT": f"{HOME}/cache",
            "HF_HOME": f"{HOME}/huggingface",
            # The model is there: nothing is downloaded, and no code of a repository runs.
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
        },
        (),
        adapters=True,
    ),
    "sklearn": Engine(
        "scikit-learn",
        "sklearn",
        "",
        "",
        "/v2/health/ready",
        _model_server("sklearn"),
        _SERVICE_ALONE,
        read_only=True,
    ),
    "xgboost": Engine(
        "XGBoost",
        "xgboost",
        "",
        "",
        "/v2/health/ready",
        _model_server("xgboost"),
        _SERVICE_ALONE,
        read_only=True,
    ),
}


@dataclass(frozen=True)
class Metric:
    """By what a service scales: a query of Prometheus, in which `%NAMESPACE%` and `%NAME%` are those of the
    InferenceService.

    at_zero: whether there is a series while no Pod runs. engine: the only one that has it.
    """

    query: str
    engine: EngineName
    at_zero: bool = False


def _of_vllm(name: str, function: str = "sum") -> str:
    return f'{function}(vllm:{name}{{namespace="%NAMESPACE%",model_name="%NAME%"}})'


MetricName = Literal["requests_waiting", "requests_running"]
METRICS: Final[Mapping[MetricName, Metric]] = {
    "requests_waiting": Metric(_of_vllm("num_requests_waiting"), "vllm"),
    "requests_running": Metric(_of_vllm("num_requests_running"), "vllm"),
}
"""vLLM, "Production metrics". Sums: KEDA divides by the number of Pods. A share such as the use of the cache
would shrink with each Pod that is added, although no Pod has less to do."""
