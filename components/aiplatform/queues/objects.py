"""Kueue's objects as resources."""

from importlib.metadata import version
from typing import Final

import pulumi
from pulumi import Resource, ResourceOptions

from aiplatform.queues import plan
from aiplatform.queues.args import QueuesSettings

_IMMUTABLE: Final = {"LocalQueue": "spec.clusterQueue", "Topology": "spec.levels"}
"""Kind -> the field that Kueue lets no object change: a new object takes the place of the old one."""


def build(
    component: pulumi.ComponentResource, name: str, settings: QueuesSettings, opts: ResourceOptions | None
) -> None:
    """Create the objects as children of `component`.

    They depend on what the component depends on, which the engine does not pass on to children: Kueue's
    webhooks check them, and Kueue removes their finalizers.
    """
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    resources: dict[str, Resource] = {}
    for item in plan.objects(settings):
        needed = [resources[key] for key in dict.fromkeys(item.needs)]
        options = ResourceOptions(parent=component, depends_on=needed, version=version("pulumi-kubernetes"))
        options = ResourceOptions.merge(before, options)
        if item.kind in _IMMUTABLE:
            fixed = ResourceOptions(replace_on_changes=[_IMMUTABLE[item.kind]], delete_before_replace=True)
            options = ResourceOptions.merge(options, fixed)
        resources[item.key] = _resource(f"{name}-{item.key}", item, options)


def _resource(logical: str, item: plan.Object, options: ResourceOptions) -> pulumi.CustomResource:
    """Create an object. `apiextensions.CustomResource` of the Kubernetes SDK has the same type, but no fields
    next to the spec."""
    type_ = f"kubernetes:{plan.API_VERSION}:{item.kind}"
    return pulumi.CustomResource(type_, logical, item.manifest, options)
