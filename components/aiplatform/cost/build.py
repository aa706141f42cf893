"""The resources of cost control: those of the cloud, and the program that holds queues."""

import pulumi
from pulumi import ResourceOptions

from aiplatform.cost.args import CostSettings
from aiplatform.cost.platform import Alerts


def build(
    component: pulumi.ComponentResource, name: str, settings: CostSettings, opts: ResourceOptions | None
) -> Alerts:
    """Create all resources as children of `component`. Those in the cluster depend on what the component
    depends on, which the engine does not pass on to children."""
    if settings.cloud == "gcp":
        from aiplatform.cost import gcp as cloud
    else:
        from aiplatform.cost import aws as cloud
    alerts = cloud.create(component, name, settings)
    if any((settings.hold, settings.schedule, settings.reaper)):
        from aiplatform.cost.program import Program

        before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
        Program(component, name, settings, before).create(alerts.hold)
    return alerts
