"""The resources of pipelines: the add-on, the bucket, and what each team has in its namespace."""

import pulumi
from pulumi import ResourceOptions

from aiplatform._shared.outputs import mapped_object
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_namespace, install
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.pipelines import admission, namespaces
from aiplatform.pipelines.args import PipelinesSettings
from aiplatform.pipelines.platform import Artifacts


def build(
    component: pulumi.ComponentResource, name: str, settings: PipelinesSettings, opts: ResourceOptions | None
) -> tuple[Installed, Artifacts]:
    """Create all resources as children of `component`. What each team has depends on what the component
    depends on, which the engine does not pass on to children."""
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    addon = settings.addon
    namespace = create_namespace(
        component,
        name,
        addon.namespace,
        settings.cloud,
        addon.webhook_ports,
        metrics_ports=addon.metrics_ports,
    )
    values = mapped_object(
        settings.mirrors,
        lambda mirrors: VALUES[addon.name](Setup(replicas=settings.replicas, mirrors=mirrors)),
    )
    installed = install(
        component, name, addon, locate(addon, settings.charts), values, namespace, after=before
    )
    if settings.cloud == "gcp":
        from aiplatform.pipelines import gcp as cloud
    else:
        from aiplatform.pipelines import aws as cloud
    artifacts = cloud.create(component, name, settings)
    # Schedules exist as long as the controller that knows them, and rights as long as their limits.
    exists = [*installed.resources, admission.create(component, name)]
    after = ResourceOptions.merge(before, ResourceOptions(depends_on=exists))
    namespaces.create(component, name, settings, artifacts, after)
    return installed, artifacts
