"""Serving, in the layer of the teams: its identities and templates are in their namespaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import ResourceOptions

from stacks import serving_arguments as arguments
from stacks.foundation import Foundation, LayerOptions
from stacks.kubernetes import InCluster
from stacks.ml import Models
from stacks.settings import Settings


def build(
    settings: Settings,
    below: tuple[Foundation, InCluster, Models],
    options: LayerOptions,
    teams: Sequence[pulumi.Resource],
    model_monitor: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Register serving, and return its outputs; None where the environment has none.
    teams: the teams, and what rolls out and routes: pipelines and the gateway. model_monitor:
    ModelMonitor.outputs, whose bucket stores requests."""
    if settings.serving is None:
        return None
    # Imported late: an environment without it does not wait for it.
    from aiplatform.serving import Serving

    foundation, in_cluster, models = below
    assert foundation.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    assert models.model_store is not None, "stacks/validation/serving.py refuses it"  # noqa: S101
    offered = arguments.Offered(
        cluster=foundation.cluster,
        model_store=models.model_store,
        node_pools=list(foundation.node_pools.values()),
        gpu_pools=list(foundation.gpu_pools.values()),
        observability=in_cluster.observability,
        model_monitor=model_monitor,
    )
    # Among the add-ons is KServe: what has its kinds or its finalizers ends before it.
    after = ResourceOptions(depends_on=[*teams, *in_cluster.resources])
    args = arguments.serving(settings, offered)
    return dict(Serving("serving", args, ResourceOptions.merge(options.cluster, after)).outputs)
