"""The resources of model monitoring: the bucket, permissions, and what each team has in its namespace."""

import pulumi
from pulumi import ResourceOptions

from aiplatform.model_monitor.args import ModelMonitorSettings
from aiplatform.model_monitor.namespaces import Namespaces
from aiplatform.model_monitor.platform import Store


def build(
    component: pulumi.ComponentResource,
    name: str,
    settings: ModelMonitorSettings,
    opts: ResourceOptions | None,
) -> Store:
    """Create all resources as children of `component`. What is in the cluster depends on what the component
    depends on, which the engine does not pass on to children."""
    if settings.cloud == "gcp":
        from aiplatform.model_monitor import gcp as cloud
    else:
        from aiplatform.model_monitor import aws as cloud
    store = cloud.create(component, name, settings)
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    Namespaces(component, name, settings, before).create(store)
    return store
