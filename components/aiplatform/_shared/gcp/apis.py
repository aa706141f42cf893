"""The APIs of a Google Cloud project that a component needs."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_gcp import projects

Apis = Mapping[str, projects.Service]
"""An API (`compute`) -> the resource that switches it on: what uses the API depends on it."""


def switched_on(parent: pulumi.Resource, name: str, project: str, apis: Sequence[str]) -> Apis:
    """Switch APIs on (`compute` for compute.googleapis.com), in one project and as children of `parent`.

    They stay on when the component goes: others in the project may use them, and Google's own agents, whose
    rights are bound to keys, go with some of them. Several components may say the same API.
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
