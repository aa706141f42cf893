"""The topics `addons`, `guardrails`, `queues`, `training`, `gateway`, `serving`, `pipelines`,
`continuous_training`, `model_monitor` and `observability`."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, Field

from aiplatform.addons.args import AddonsArgs, AddonsSettings
from aiplatform.continuous_training.args import ContinuousTrainingArgs, ContinuousTrainingSettings
from aiplatform.gateway.args import GatewayArgs, GatewaySettings
from aiplatform.guardrails.args import GuardrailsArgs, GuardrailsSettings
from aiplatform.model_monitor.args import ModelMonitorArgs, ModelMonitorSettings
from aiplatform.observability.args import ObservabilityArgs, ObservabilitySettings
from aiplatform.pipelines.args import PipelinesArgs, PipelinesSettings
from aiplatform.queues.args import QueuesArgs, QueuesSettings
from aiplatform.serving.args import ServingArgs, ServingSettings
from aiplatform.training.args import TrainingArgs, TrainingSettings
from stacks.settings.generated import topic_of

CHARTS_VARIABLE: Final = "AIPLATFORM_CHARTS"
"""The environment variable that states where charts come from on a machine, such as a CI runner without a
way to the internet: it replaces the file's `addons.charts`."""


class Addons(topic_of(AddonsArgs, AddonsSettings, without=("ray",))):
    """The add-ons of the cluster. The environment variable AIPLATFORM_CHARTS replaces `charts` on the machine
    that has it."""


class Guardrails(topic_of(GuardrailsArgs, GuardrailsSettings, without=("device_claims", "adapters"))):
    """Policies that the cluster's API server enforces on workloads, and their priority classes. The images of
    the platform's own workloads count as allowed, and need no digest where none is known. In prod the
    repositories of `container_registry` are the default of `allowed_registries`."""


class Queues(topic_of(QueuesArgs, QueuesSettings, without=("node_pools", "gpu_pools"))):
    """Kueue's queues, with quotas of the environment's pools."""


class Training(
    topic_of(
        TrainingArgs,
        TrainingSettings,
        without=(
            "node_pools",
            "gpu_pools",
            "topologies",
            "service_account",
            "configuration",
            "files",
            "credentials",
            "charts",
        ),
    )
):
    """Kubeflow Trainer, and a runtime for each pool with accelerators. Charts come from where `addons`
    states, topologies from `queues`."""


class Gateway(topic_of(GatewayArgs, GatewaySettings, without=("teams", "charts", "proxy_ranges"))):
    """A gateway for requests to services of the environment's teams. Charts come from where `addons`
    states."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    claims: dict[str, list[str]] = Field(default_factory=dict)
    """Team -> values of `authentication.team_claim` with which clients reach its services. Default: the
    team's name."""


class Pipelines(
    topic_of(PipelinesArgs, PipelinesSettings, without=("charts", "teams.namespace", "teams.identity"))
):
    """Argo Workflows for teams of the file, with the identity of each team and a prefix for its artifacts and
    logs. Charts come from where `addons` states."""


class ContinuousTraining(
    topic_of(
        ContinuousTrainingArgs,
        ContinuousTrainingSettings,
        without=(
            "release_image",
            "promoter",
            "profile",
            "teams.namespace",
            "teams.identity",
            "teams.models.locations",
        ),
    )
):
    """Models of teams that are trained again and again. Their tables and those of feature views are
    `ZONE.NAME` of `lakehouse`, services those of `serving`, and promotions run the image of `model_store`."""


class ModelMonitor(
    topic_of(
        ModelMonitorArgs,
        ModelMonitorSettings,
        without=(
            "profile",
            "pushgateway",
            "teams.namespace",
            "teams.identity",
            "teams.queue",
            "teams.queue_key",
            "teams.monitors.baseline_table",
        ),
    )
):
    """Monitors of served models. Their tables are `ZONE.NAME` of `lakehouse`, services those of `serving`
    with a `request_log`, and the baseline is the table that `continuous_training` trains the model with. Jobs
    run with the identity of the team. With `observability` the topic enables the add-on
    `prometheus-pushgateway`."""


class Serving(
    topic_of(
        ServingArgs,
        ServingSettings,
        without=(
            "node_pools",
            "gpu_pools",
            "model_store",
            "image",
            "prometheus_url",
            "request_logs",
            "rollouts.operators",
            "rollouts.scrape_seconds",
            "rollouts.timeout_seconds",
        ),
    )
):
    """A runtime of KServe for each pool with GPUs, and for each team an identity and templates of its
    services. It enables the add-ons `kserve` and `kserve-crd`. It serves the releases of `model_store`, whose
    image copies them; Prometheus, whose metrics services scale by, is that of `observability`. Requests are
    stored in the bucket of `model_monitor`."""


_OF_LAYERS: Final = (
    "addons",
    "secrets_role_arn",
    "node_pools",
    "gpu_pools",
    "cluster_queues",
    "teams",
    "cluster_autoscaler",
    "model_registry",
    "feature_store",
    "charts",
    "opencost.prices",
    "opencost.spot_ratio",
)


class Observability(topic_of(ObservabilityArgs, ObservabilitySettings, without=_OF_LAYERS)):
    """Prometheus, Alertmanager and Grafana in the cluster, with the platform's rules and dashboards, and the
    long-term storage of metrics. Charts come from where `addons` states. OpenCost (`opencost: {}`) has the
    prices of estimates (`cli/estimate/prices`)."""
