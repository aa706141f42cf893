"""Volumes of Pods: claims, and the templates of claims in objects and in values of charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from cli.estimate.context import Context
from cli.estimate.lines import always
from cli.estimate.resources import Resource, at, mappings
from cli.estimate.workloads import GIB, quantity

CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"
TEMPLATED: Final = (
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:monitoring.coreos.com/v1:Alertmanager",
    "kubernetes:monitoring.coreos.com/v1:Prometheus",
)
CHART: Final = "kubernetes:helm.sh/v4:Chart"
_PRICE: Final = {"aws": "ebs/gp3", "gcp": "disk/pd-balanced"}
"""Of the default storage class."""
_REQUEST: Final = "spec.resources.requests.storage"


def add(context: Context) -> None:
    """Add the lines of all volumes."""
    for resource in context.resources.of(CLAIM):
        _add(context, resource, at(resource.inputs, _REQUEST), 1)
    for resource in context.resources.of(*TEMPLATED, CHART):
        # A chart's objects are in a preview, but not in a recording without the chart's files.
        if resource.type != CHART or resource.urn not in context.resources.parents:
            for size, replicas in _templates(resource.inputs, 1):
                _add(context, resource, size, replicas)


def _templates(value: Any, replicas: int) -> Iterator[tuple[Any, int]]:
    """Yield size and number of the volumes of each template: its object's `replicas`, at any depth."""
    if not isinstance(value, Mapping):
        return
    mapping = cast("Mapping[str, Any]", value)
    count = mapping.get("replicas", replicas)
    replicas = int(count) if isinstance(count, int | float) else replicas
    for key, item in mapping.items():
        if key == "volumeClaimTemplate":
            yield at(item, _REQUEST), replicas
        elif key == "volumeClaimTemplates":
            yield from ((at(template, _REQUEST), replicas) for template in mappings(item))
        else:
            yield from _templates(item, replicas)


def _add(context: Context, resource: Resource, size: Any, replicas: int) -> None:
    gib = quantity(size) / GIB
    if not gib:
        context.refuse(resource, "the size of its volume is known only at `up`")
        return
    item = f"volume of {gib:g} GiB" if replicas == 1 else f"{replicas} volumes of {gib:g} GiB"
    context.add(resource, item, _PRICE[context.table.cloud], always(gib * replicas), "storage")
