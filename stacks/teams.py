"""The last layer: the teams, whose namespaces have the addresses of what the layers below offer, and their
pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions

from stacks import data_arguments
from stacks import team_arguments as arguments
from stacks.data import Data
from stacks.foundation import Foundation, LayerOptions
from stacks.kubernetes import InCluster
from stacks.ml import Models
from stacks.settings import Settings


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
    pipelines: dict[str, Any] | None = None
    """Pipelines.outputs, or None where the environment has none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        return Output.from_input({"teams": self.teams, "pipelines": self.pipelines})


def build(settings: Settings, below: Below, options: LayerOptions) -> Teams:
    """Register the layer."""
    if not settings.teams:
        return Teams()
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
    teams = Component(
        "teams", arguments.teams(settings, offered), ResourceOptions.merge(options.cluster, after)
    )
    return Teams(teams=dict(teams.outputs), pipelines=_pipelines(settings, below, options, teams))


def _pipelines(
    settings: Settings, below: Below, options: LayerOptions, teams: pulumi.Resource
) -> dict[str, Any] | None:
    if settings.pipelines is None:
        return None
    from aiplatform.pipelines import Pipelines

    # Their namespaces, and what defines the kinds of their workloads.
    after = ResourceOptions(depends_on=[teams, *below.kubernetes.resources])
    component = Pipelines(
        "pipelines",
        data_arguments.pipelines(settings, below.foundation),
        ResourceOptions.merge(options.cluster, after),
    )
    return dict(component.outputs)
