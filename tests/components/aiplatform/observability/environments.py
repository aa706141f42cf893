"""Environments whose rules are tested."""

from typing import Final

from aiplatform.observability.settings import Pool, Settings, Slo

ADDONS: Final = frozenset(
    {
        "argo-workflows",
        "cert-manager",
        "dcgm-exporter",
        "envoy-gateway",
        "external-secrets",
        "jobset",
        "karpenter",
        "keda",
        "kserve",
        "kueue",
        "prometheus-pushgateway",
    }
)
SLOS: Final = (
    Slo("api", "api_availability", 99.9, "platform"),
    Slo("api-latency", "api_latency", 99, "platform", latency_seconds=1),
    Slo("secrets", "secret_synchronization", 99, "platform"),
    Slo("models", "registry_availability", 99.5, "ml"),
    Slo("features", "feature_latency", 99, "ml", latency_seconds=0.1),
    Slo(
        "training-wait",
        "queue_wait",
        95,
        "ml",
        latency_seconds=640,
        labels={"cluster_queue": "training"},
    ),
    Slo("training-start", "workload_start", 90, "ml", window_days=7, latency_seconds=320),
)
POOLS: Final = (Pool("general"), Pool("training", "nvidia.com/gpu", 8))
COMPLETE: Final = Settings(
    cloud="aws",
    cluster="acme-prod",
    addons=ADDONS,
    pools=POOLS,
    cluster_queues=("training",),
    slos=SLOS,
    runbooks="https://example.com/runbooks",
    gpu_metrics=True,
    long_term_storage=True,
    logs=True,
    traces=True,
    model_registry=True,
    feature_store=True,
    opencost=True,
    spot_ratio=0.5,
)
"""With everything that rules depend on."""
SMALL: Final = Settings(
    cloud="gcp", cluster="acme-dev", addons=frozenset({"cert-manager", "external-secrets"})
)
GOOGLE: Final = Settings(
    cloud="gcp",
    cluster="acme-prod",
    addons=ADDONS - {"karpenter"},
    pools=POOLS,
    gpu_metrics=True,
    long_term_storage=True,
)
ALL: Final = {"complete": COMPLETE, "small": SMALL, "google": GOOGLE}
