"""Objects of custom kinds whose manifests are planned as data."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pulumi
from pulumi import Input, ResourceOptions

from aiplatform._shared.outputs import mapped_object


def create(
    logical: str, api_version: str, kind: str, manifest: Input[Mapping[str, Any]], options: ResourceOptions
) -> pulumi.CustomResource:
    """Create an object. manifest: its metadata and spec."""
    return pulumi.CustomResource(
        f"kubernetes:{api_version}:{kind}",
        logical,
        {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": mapped_object(manifest, lambda known: known["metadata"]),
            "spec": mapped_object(manifest, lambda known: known["spec"]),
        },
        ResourceOptions.merge(options, ResourceOptions(version=version("pulumi-kubernetes"))),
    )
