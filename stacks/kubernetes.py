"""The second layer: what the cluster has for all teams: add-ons, guardrails, queues, training and
observability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import Output, ResourceOptions

from aiplatform.addons.permissions.settings import KARPENTER
from aiplatform.training.args import JOBSET
from stacks import arguments, cost_arguments
from stacks.foundation import Foundation, LayerOptions
from stacks.settings import Settings
from stacks.validation import cost as cost_rules

if TYPE_CHECKING:
    from aiplatform.addons import Addons
    from aiplatform.guardrails import Guardrails
    from aiplatform.queues import Queues
    from aiplatform.training import Training


@dataclass(frozen=True)
class InCluster:
    """What other layers need: serialisable values only."""

    addons: dict[str, Any] | None = None
    """Addons.outputs, or None where the environment has none."""
    guardrails: dict[str, Any] | None = None
    """Guardrails.outputs, or None where the environment has none."""
    queues: dict[str, Any] | None = None
    """Queues.outputs, or None where the environment has none."""
    training: dict[str, Any] | None = None
    """Training.outputs, or None where the environment has none."""
    cost: dict[str, Any] | None = None
    """Cost.outputs, or None where the environment has no budget."""
    observability: dict[str, Any] | None = None
    """Observability.outputs, or None where the environment has none."""
    resources: Sequence[pulumi.Resource] = ()
    """What custom resources of other layers in the same stack depend on; not exported."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        # An environment without budgets keeps the output that it has.
        cost = {"cost": self.cost} if self.cost is not None else {}
        return Output.from_input(
            {
                **cost,
                "addons": self.addons,
                "guardrails": self.guardrails,
                "queues": self.queues,
                "training": self.training,
                "observability": self.observability,
            }
        )


def build(settings: Settings, below: Foundation, options: LayerOptions) -> InCluster:
    """Register the layer."""
    addons = _addons(settings, below, options)
    _create_karpenter_nodes(settings, below, options, addons)
    queues = _queues(settings, below, options, addons)
    guardrails = _guardrails(settings, options)
    installed = addons.installed.values() if addons is not None else ()
    training = _training(settings, below, options, addons)
    in_cluster = [component for component in (queues, guardrails, training) if component is not None]
    markers = [addon.marker for addon in installed]
    resources: list[pulumi.Resource] = [*in_cluster, *markers]
    _gpu_checks(settings, options, resources)
    observability = _observability(settings, below, options, addons, queues)
    return InCluster(
        addons=dict(addons.outputs) if addons is not None else None,
        guardrails=dict(guardrails.outputs) if guardrails is not None else None,
        queues=dict(queues.outputs) if queues is not None else None,
        training=dict(training.outputs) if training is not None else None,
        cost=_cost(settings, below, options, resources, observability),
        observability=observability,
        resources=resources,
    )


def _addons(settings: Settings, below: Foundation, options: LayerOptions) -> Addons | None:
    if settings.addons is None:
        return None
    # Imported late: an environment without them does not wait for it.
    from aiplatform.addons import Addons

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    return Addons("addons", arguments.addons(settings, below.cluster), options.cluster)


def _create_karpenter_nodes(
    settings: Settings, below: Foundation, options: LayerOptions, addons: Addons | None
) -> None:
    if not settings.karpenter_pools:
        return
    from aiplatform.karpenter import Karpenter

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    assert addons is not None, "stacks/validation/cross_references.py refuses it"  # noqa: S101
    controller = addons.installed[KARPENTER]
    ready = ResourceOptions(depends_on=controller.resources)
    args = arguments.karpenter(settings, below.cluster, below.gpu_pools)
    Karpenter("karpenter", args, ResourceOptions.merge(options.cluster, ready))


def _queues(
    settings: Settings, below: Foundation, options: LayerOptions, addons: Addons | None
) -> Queues | None:
    if settings.queues is None:
        return None
    from aiplatform.queues import Queues

    # Without the add-on the cluster has a Kueue that the platform did not install.
    kueue = addons.installed.get("kueue") if addons is not None else None
    ready = ResourceOptions(depends_on=kueue.resources if kueue is not None else None)
    args = arguments.queues(settings, list(below.node_pools.values()), list(below.gpu_pools.values()))
    return Queues("queues", args, ResourceOptions.merge(options.cluster, ready))


def _training(
    settings: Settings, below: Foundation, options: LayerOptions, addons: Addons | None
) -> Training | None:
    if settings.training is None:
        return None
    from aiplatform.training import Training

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    assert addons is not None, "stacks/validation/cross_references.py refuses it"  # noqa: S101
    ready = ResourceOptions(depends_on=addons.installed[JOBSET].resources)
    pools = (list(below.node_pools.values()), list(below.gpu_pools.values()))
    args = arguments.training(settings, below.cluster, *pools)
    return Training("training", args, ResourceOptions.merge(options.cluster, ready))


def _observability(
    settings: Settings,
    below: Foundation,
    options: LayerOptions,
    addons: Addons | None,
    queues: Queues | None,
) -> dict[str, Any] | None:
    if settings.observability is None:
        return None
    from aiplatform.observability import Observability

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    assert addons is not None, "stacks/validation/cross_references.py refuses it"  # noqa: S101
    installed = [addons.installed[name].marker for name in ("cert-manager", "external-secrets")]
    ready = ResourceOptions(depends_on=[addons, *installed])
    args = arguments.observability(
        settings,
        below.cluster,
        addons.outputs,
        (list(below.node_pools.values()), list(below.gpu_pools.values())),
        queues.outputs["cluster_queues"] if queues is not None else [],
    )
    component = Observability("observability", args, ResourceOptions.merge(options.cluster, ready))
    return dict(component.outputs)


def _cost(
    settings: Settings,
    below: Foundation,
    options: LayerOptions,
    before: Sequence[pulumi.Resource],
    observability: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    if not settings.controls_costs:
        return None
    from aiplatform.cost import Cost

    for warning in cost_rules.warnings(settings):
        pulumi.log.warn(f"{warning.path}: {warning.reason}")
    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    url = observability["prometheus_url"] if observability is not None else None
    args = cost_arguments.cost(settings, below.cluster, url)
    # Its program holds queues, which exist.
    after = ResourceOptions(depends_on=list(before))
    return dict(Cost("cost", args, ResourceOptions.merge(options.cluster, after)).outputs)


def _guardrails(settings: Settings, options: LayerOptions) -> Guardrails | None:
    if settings.guardrails is None:
        return None
    from aiplatform.guardrails import Guardrails

    return Guardrails("guardrails", arguments.guardrails(settings), options.cluster)


def _gpu_checks(settings: Settings, options: LayerOptions, before: Sequence[pulumi.Resource]) -> None:
    args = arguments.gpu_checks(settings)
    if args is None:
        return
    from aiplatform.gpu_checks import GpuChecks

    # Its LocalQueues are created once Kueue runs, and deleted before it.
    after = ResourceOptions(depends_on=list(before))
    GpuChecks("gpu-check", args, ResourceOptions.merge(options.cluster, after))
