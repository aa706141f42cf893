"""The resources of continuous training: queues in the cloud, and what handles their messages."""

import pulumi
from pulumi import ResourceOptions

from aiplatform.continuous_training.args import ContinuousTrainingSettings
from aiplatform.continuous_training.messages import Messages
from aiplatform.continuous_training.platform import Queues


def build(
    component: pulumi.ComponentResource,
    name: str,
    settings: ContinuousTrainingSettings,
    opts: ResourceOptions | None,
) -> Queues:
    """Create all resources as children of `component`. Those in the cluster depend on what the component
    depends on, which the engine does not pass on to children."""
    if settings.cloud == "gcp":
        from aiplatform.continuous_training import gcp as cloud
    else:
        from aiplatform.continuous_training import aws as cloud
    queues = cloud.create(component, name, settings)
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    Messages(component, name, settings, before).create(queues)
    return queues
