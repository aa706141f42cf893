"""The resources of cost control."""

import pulumi

from aiplatform.cost.args import CostSettings
from aiplatform.cost.platform import Alerts


def build(component: pulumi.ComponentResource, name: str, settings: CostSettings) -> Alerts:
    """Create all resources as children of `component`."""
    if settings.cloud == "gcp":
        from aiplatform.cost import gcp as cloud
    else:
        from aiplatform.cost import aws as cloud
    return cloud.create(component, name, settings)
