"""GKE: the versions that a location offers."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.checks.sdk import sdk
from twin.checks.types import ListOf, ObjectOf, Property, Type
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.gcp.services.container.resources.clusters import Cluster
from twin.provider_interface import CloudError, Props


class GetCluster(GcpFunction):
    token = "gcp:container/getCluster:getCluster"
    title = "container cluster"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        location = arguments.get("location") or context.zone or context.region
        id = f"projects/{where}/locations/{location}/clusters/{arguments['name']}"
        outputs = Cluster().read(context, id, {"skipNodePoolRefresh": arguments.get("skipNodePoolRefresh")})
        if outputs is None:
            raise CloudError(f"{id} not found")
        schema = sdk("pulumi_gcp").function(self.token)
        labels = outputs["effectiveLabels"]
        outputs |= {"resourceLabels": labels, "pulumiLabels": labels, "id": id}
        return _object(schema.result if schema else {}, outputs)


def _object(properties: Mapping[str, Property], answered: Props) -> Props:
    """A data source's object, whose blocks are lists of one under a plural name, at every depth."""
    decoded: Props = {}
    for name, property in properties.items():
        single = next((name_ for name_ in (name, *_singular(name)) if name_ in answered), "")
        decoded[name] = _as(property.type, answered.get(single))
    return decoded


def _as(type: Type, value: Any) -> Any:
    if isinstance(type, ListOf):
        members: list[Any] = [] if value is None else value if isinstance(value, list) else [value]
        return [_as(type.item, member) for member in members]
    if isinstance(type, ObjectOf) and isinstance(value, dict):
        return _object(sdk("pulumi_gcp").properties(type), value)
    return value


def _singular(name: str) -> list[str]:
    return [name.removesuffix("s"), f"{name.removesuffix('ies')}y", name.removesuffix("es")]
