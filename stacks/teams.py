"""The last layer: the teams, whose namespaces have the addresses of what the layers below offer, their
pipelines, what serves their models and trains them again, the gateway to their services, and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import Output, ResourceOptions

from stacks import (
    archived_teams,
    continuous_training_arguments,
    data_arguments,
    function_arguments,
    model_monitor_arguments,
    serving,
)
from stacks import team_arguments as arguments
from stacks.data import Data
from stacks.foundation import Foundation, LayerOptions
from stacks.gateway_arguments import gateway as gateway_arguments
from stacks.kubernetes import InCluster
from stacks.ml import Models
from stacks.settings import Settings

if TYPE_CHECKING:
    from aiplatform.gateway import Gateway
    from aiplatform.pipelines import Pipelines
    from aiplatform.teams import Teams as TeamsComponent


@dataclass(frozen=True)
class Below:
    """The layers below."""

    foundation: Foundation
    kubernetes: InCluster
    data: Data
    models: Models


@dataclass(frozen=True)
class Teams:
    """What others need: serialisable values only."""

    teams: dict[str, Any] | None = None
    """Teams.outputs, or None where the environment has none."""
    gateway: dict[str, Any] | None = None
    """Gateway.outputs, or None where the environment has none."""
    pipelines: dict[str, Any] | None = None
    """Pipelines.outputs, or None where the environment has none."""
    serving: dict[str, Any] | None = None
    """Serving.outputs, or None where the environment has none."""
    continuous_training: dict[str, Any] | None = None
    """ContinuousTraining.outputs, or None where the environment has none."""
    model_monitor: dict[str, Any] | None = None
    """ModelMonitor.outputs, or None where the environment has none."""
    functions: dict[str, Any] | None = None
    """Function.outputs by the function's name, or None where the environment has none."""
    archived_teams: dict[str, Any] | None = None
    """Archived team -> what is left of it; None where there is none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        # An environment without them keeps the output that it has.
        others = {
            "gateway": self.gateway,
            "pipelines": self.pipelines,
            "serving": self.serving,
            "continuous_training": self.continuous_training,
            "model_monitor": self.model_monitor,
            "functions": self.functions,
            archived_teams.OUTPUT: self.archived_teams,
        }
        stated = {name: outputs for name, outputs in others.items() if outputs is not None}
        return Output.from_input({"teams": self.teams, **stated})


def build(settings: Settings, below: Below, options: LayerOptions) -> Teams:
    """Register the layer."""
    teams = _teams(settings, below, options)
    gateway = _gateway(settings, below, options, teams)
    outputs = dict(gateway.outputs) if gateway is not None else None
    functions = _functions(settings, below, options)
    archived = archived_teams.left(settings, below.models) or None
    if teams is None:
        # Serving and pipelines are in namespaces of teams: validation refuses them without.
        return Teams(gateway=outputs, functions=functions, archived_teams=archived)
    layers = (below.foundation, below.kubernetes, below.models)
    pipelines = _pipelines(settings, below, options, teams)
    rolling_out = [component for component in (gateway, pipelines) if component is not None]
    trained = _continuous_training(settings, below, options, pipelines)
    monitored = _model_monitor(settings, below, options, teams, trained)
    return Teams(
        teams=dict(teams.outputs),
        gateway=outputs,
        pipelines=dict(pipelines.outputs) if pipelines is not None else None,
        serving=serving.build(settings, layers, options, [teams, *rolling_out], monitored),
        continuous_training=trained,
        model_monitor=monitored,
        functions=functions,
        archived_teams=archived,
    )


def _functions(settings: Settings, below: Below, options: LayerOptions) -> dict[str, Any] | None:
    if not settings.functions:
        return None
    from aiplatform.function import Function

    foundation = below.foundation
    shared = below.models.log_bucket
    offered = function_arguments.Offered(
        network=foundation.network,
        lakehouse=below.data.lakehouse,
        principals=foundation.principals,
        log_bucket=None if shared is None else shared["log_bucket"],
    )
    return {
        name: dict(
            Function(
                f"function-{name}", function_arguments.function(settings, name, offered), options.cloud
            ).outputs
        )
        for name in settings.functions
    }


def _teams(settings: Settings, below: Below, options: LayerOptions) -> TeamsComponent | None:
    if not settings.teams:
        return None
    # Imported late: an environment without them does not wait for it.
    from aiplatform.teams import Teams as Component

    # LocalQueues and SecretStores are created once their controllers run, and deleted before them.
    after = ResourceOptions(depends_on=list(below.kubernetes.resources))
    offered = arguments.Offered(
        cluster=below.foundation.cluster,
        workload_identities=below.foundation.workload_identities,
        addons=below.kubernetes.addons,
        lakehouse=below.data.lakehouse,
        feature_store=below.data.feature_store,
        model_registry=below.models.model_registry,
        model_store=below.models.model_store,
        training=below.kubernetes.training,
    )
    args = arguments.teams(settings, offered)
    return Component("teams", args, ResourceOptions.merge(options.cluster, after))


def _gateway(
    settings: Settings, below: Below, options: LayerOptions, teams: TeamsComponent | None
) -> Gateway | None:
    if settings.gateway is None:
        return None
    from aiplatform.gateway import Gateway

    assert below.foundation.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    # Its routes are in namespaces of teams. Its load balancer ends before the controller that deletes it.
    before = [*below.kubernetes.resources, *([teams] if teams is not None else [])]
    args = gateway_arguments(settings, below.foundation.cluster)
    return Gateway(
        "gateway", args, ResourceOptions.merge(options.cluster, ResourceOptions(depends_on=before))
    )


def _pipelines(
    settings: Settings, below: Below, options: LayerOptions, teams: pulumi.Resource
) -> Pipelines | None:
    if settings.pipelines is None:
        return None
    from aiplatform.pipelines import Pipelines

    # Their namespaces, and what defines the kinds of their workloads.
    after = ResourceOptions(depends_on=[teams, *below.kubernetes.resources])
    return Pipelines(
        "pipelines",
        data_arguments.pipelines(settings, below.foundation),
        ResourceOptions.merge(options.cluster, after),
    )


def _continuous_training(
    settings: Settings, below: Below, options: LayerOptions, pipelines: Pipelines | None
) -> dict[str, Any] | None:
    if settings.continuous_training is None:
        return None
    from aiplatform.continuous_training import ContinuousTraining

    lakehouse, store, cluster = below.data.lakehouse, below.models.model_store, below.foundation.cluster
    reason = "stacks/validation/continuous_training.py refuses it"
    assert lakehouse is not None, reason  # noqa: S101
    assert store is not None, reason  # noqa: S101
    assert cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    assert pipelines is not None, reason  # noqa: S101
    offered = continuous_training_arguments.Offered(
        cluster=cluster,
        workload_identities=below.foundation.workload_identities,
        lakehouse=lakehouse,
        promoter=store["promoter_principal"],
    )
    # Templates and ScaledJobs are created once their controllers run.
    after = ResourceOptions(depends_on=[pipelines, *below.kubernetes.resources])
    args = continuous_training_arguments.continuous_training(settings, offered)
    component = ContinuousTraining("continuous-training", args, ResourceOptions.merge(options.cluster, after))
    return dict(component.outputs)


def _model_monitor(
    settings: Settings,
    below: Below,
    options: LayerOptions,
    teams: pulumi.Resource,
    trained: dict[str, Any] | None,
) -> dict[str, Any] | None:
    if settings.model_monitor is None:
        return None
    from aiplatform.model_monitor import ModelMonitor

    lakehouse, cluster = below.data.lakehouse, below.foundation.cluster
    reason = "stacks/validation/model_monitor.py refuses it"
    assert lakehouse is not None, reason  # noqa: S101
    assert cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    offered = model_monitor_arguments.Offered(
        cluster=cluster,
        workload_identities=below.foundation.workload_identities,
        lakehouse=lakehouse,
        queues=trained["queues"] if trained is not None else None,
    )
    # Their namespaces, and the Pushgateway's.
    after = ResourceOptions(depends_on=[teams, *below.kubernetes.resources])
    args = model_monitor_arguments.model_monitor(settings, offered)
    return dict(ModelMonitor("model-monitor", args, ResourceOptions.merge(options.cluster, after)).outputs)
