"""A layer in a separate stack: the foundation by a StackReference, and the providers (docs/adr/0025)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, cast

import pulumi
from pulumi.runtime.sync_await import _sync_await  # pyright: ignore[reportPrivateUsage]

from stacks import providers
from stacks.foundation import Foundation, LayerOptions
from stacks.loading import FOLDER, SettingsError
from stacks.settings import Settings

_OUTPUT: Final = "foundation"
_SECRET: Final = f"the output {_OUTPUT!r} has a secret; expected none in it"


def foundation_of(environment: str) -> Foundation:
    """Return the foundation that an environment's stack has deployed. Raises SettingsError where it has none,
    or none with a cluster.

    The values are plain, and not Outputs: names and numbers in them decide which resources there are. A
    secret among them would be in plain text in this stack's state, so that one is refused.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{environment}"
    reference = pulumi.StackReference(environment, stack_name=stack)
    details = cast("Any", _sync_await(reference.get_output_details(_OUTPUT)))
    problem = _problem(details.value) if details.secret_value is None else _SECRET
    if problem:
        run = f"run `pulumi up -s {environment}`, then this stack again"
        raise SettingsError(f"{FOLDER}/Pulumi.{pulumi.get_stack()}.yaml", [f"{stack}: {problem}; {run}"])
    # Values that are None may be missing among the outputs of a stack.
    return Foundation(**{part.name: details.value.get(part.name) for part in fields(Foundation)})


def _problem(foundation: Any) -> str:
    """Return why a layer cannot be deployed on these outputs; empty where it can."""
    if not foundation:
        return f"the stack has no output {_OUTPUT!r} yet"
    if not foundation.get("cluster"):
        return "the stack has no cluster yet; expected `bootstrap: true` to be removed"
    return ""


def options(settings: Settings, below: Foundation) -> LayerOptions:
    """Return what a layer is created with. The cluster's provider has the name that it has in the
    environment's stack, so that resources which are moved from there keep it."""
    assert below.cluster is not None, "foundation_of refuses it"  # noqa: S101
    cloud = providers.of(settings)
    cluster = providers.kubernetes(settings, cloud, below.cluster)
    return LayerOptions(
        cloud=pulumi.ResourceOptions(provider=cloud),
        cluster=pulumi.ResourceOptions(providers=[cloud, cluster]),
    )
