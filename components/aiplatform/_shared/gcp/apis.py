"""The APIs of a Google Cloud project that a component needs."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_gcp import projects

Apis = Mapping[str, projects.Service]
"""An API (`compute`) -> the resource that enables it, on which resources of the API depend."""


def enable_apis(parent: pulumi.Resource, name: str, project: str, apis: Sequence[str]) -> Apis:
    """Enable APIs (`compute` for compute.googleapis.com) in a project, as children of `parent`.

    They stay enabled when the component is destroyed: others in the project may use them, and disabling some
    of them deletes Google's service agents, which have permissions on keys. Several components may enable the
    same API.
    """
    return {
        api: projects.Service(
            f"{name}-api-{api}",
            project=project,
            service=f"{api}.googleapis.com",
            disable_on_destroy=False,
            opts=ResourceOptions(parent=parent),
        )
        for api in apis
    }
