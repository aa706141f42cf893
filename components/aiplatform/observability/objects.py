"""Rules and dashboards as objects of the cluster."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.context import Context
from aiplatform.observability.args import ObservabilitySettings
from aiplatform.observability.monitors import VERSION
from aiplatform.observability.values.setup import NAMESPACE


class RuleGroup(Protocol):
    """A group of rules, which Prometheus evaluates together."""

    @property
    def name(self) -> str:
        """Its name, a DNS label; no other group has it."""
        ...

    def as_spec(self) -> Mapping[str, Any]:
        """Return it as an entry of `spec.groups` of a PrometheusRule."""
        ...


def create_rules(
    context: Context[ObservabilitySettings], groups: Iterable[RuleGroup], after: ResourceOptions
) -> None:
    """Create a PrometheusRule for each group: the operator's webhook evaluates its expressions."""
    for group in groups:
        CustomResource(
            f"{context.name}-{group.name}-rules",
            api_version=VERSION,
            kind="PrometheusRule",
            metadata=meta.ObjectMetaArgs(name=group.name, namespace=NAMESPACE),
            spec={"groups": [dict(group.as_spec())]},
            opts=ResourceOptions.merge(after, context.options()),
        )


def create_dashboards(
    context: Context[ObservabilitySettings],
    dashboards: Mapping[str, str],
    namespace: Iterable[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Create a ConfigMap for each dashboard, which Grafana mounts. dashboards: name -> JSON."""
    return [
        core.ConfigMap(
            f"{context.name}-{name}-dashboard",
            metadata=meta.ObjectMetaArgs(name=config_map(name), namespace=NAMESPACE),
            data={f"{name}.json": text},
            opts=context.options(*namespace),
        )
        for name, text in dashboards.items()
    ]


def config_map(dashboard: str) -> str:
    """Return the name of the ConfigMap with a dashboard."""
    return f"dashboard-{dashboard}"
