"""A layer in a separate stack: the foundation by a StackReference, and the providers (docs/adr/0025)."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, Final, Union, cast

import pulumi

from aiplatform._shared.principals import declare
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform.network import NetworkReferenceArgs
from stacks import providers
from stacks.foundation import Foundation, LayerOptions
from stacks.loading import FOLDER, SettingsError
from stacks.settings import Settings
from stacks.settings.composition import FOUNDATION_OUTPUT, LAYERS, LayerName, stack_name

_POOLS: Final = ("node_pools", "gpu_pools")
_REFERENCES: Final[Mapping[str, Any]] = {
    "network": NetworkReferenceArgs,
    "cluster": ClusterReferenceArgs,
    "workload_identities": dict[str, WorkloadIdentityReferenceArgs],
}
"""What layers use of the foundation -> the type that components take it as."""


async def foundation_of(environment: str) -> Foundation:
    """Return the foundation that an environment's stack has deployed, in the form that components take: what
    decides which resources there are is plain, all else is an Output, as in a single stack, a secret one if
    the stack's is.

    Raises SettingsError where the stack has no foundation, or one without a cluster.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{environment}"
    reference = pulumi.StackReference(environment, stack_name=stack)
    details = await reference.get_output_details(FOUNDATION_OUTPUT)
    secret = details.secret_value is not None
    values = cast("dict[str, Any]", (details.secret_value if secret else details.value) or {})
    if not values.get("cluster"):
        problem = (
            "the stack has no cluster yet; expected `bootstrap: true` to be removed"
            if values
            else f"the stack has no output {FOUNDATION_OUTPUT!r} yet"
        )
        run = f"run `pulumi up -s {environment}`, then this stack again"
        raise SettingsError([f"{FOLDER}/Pulumi.{pulumi.get_stack()}.yaml: {stack}: {problem}; {run}"])
    parts = {name: _reference(values.get(name) or {}, hint, secret) for name, hint in _REFERENCES.items()}
    for name, identity in parts["workload_identities"].items():
        # Logical names have it, as where the identity itself is registered.
        declare(identity["principal"], values["workload_identities"][name]["principal"])
    # Plain values: the sizes of pools decide which quotas are accepted. No layer uses the runner.
    node_pools, gpu_pools = (cast("dict[str, Any]", values.get(name) or {}) for name in _POOLS)
    return Foundation(**parts, runner=None, node_pools=node_pools, gpu_pools=gpu_pools)


async def layers_of(environment: str, separate: Collection[LayerName]) -> dict[LayerName, dict[str, Any]]:
    """Return the outputs of the layers below the teams, from the stacks that have them. Raises SettingsError
    where one of them is not deployed yet."""
    layers: dict[LayerName, dict[str, Any]] = {}
    for name, definition in LAYERS.items():
        if name == "teams":
            continue
        stack = stack_name(environment, name) if name in separate else environment
        path = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
        reference = pulumi.StackReference(f"{stack}-{name}", stack_name=path)
        details = await reference.get_output_details(definition.output)
        values = details.secret_value if details.secret_value is not None else details.value
        if values is None:
            raise SettingsError(
                [
                    f"{FOLDER}/Pulumi.{pulumi.get_stack()}.yaml: {path}: the stack has no output "
                    f"{definition.output!r} yet; run `pulumi up -s {stack}`, then this stack again"
                ]
            )
        layers[name] = cast("dict[str, Any]", values)
    return layers


def _reference(value: Any, hint: Any, secret: bool) -> Any:
    """Return a value with an Output wherever its type takes an Input."""
    if typing.get_origin(hint) in (typing.NotRequired, typing.Required):
        hint = typing.get_args(hint)[0]
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        if not any(typing.get_origin(member) is pulumi.Output for member in inside):
            return value
        return pulumi.Output.secret(value) if secret else pulumi.Output.from_input(value)
    if isinstance(value, list) and origin is list:
        return [_reference(entry, inside[0], secret) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        if origin is dict:
            return {name: _reference(entry, inside[1], secret) for name, entry in entries.items()}
        if typing.is_typeddict(hint):
            hints = typing.get_type_hints(hint, localns=_NAMES, include_extras=True)
            return {name: _reference(entry, hints.get(name), secret) for name, entry in entries.items()}
    return cast("Any", value)


# Input[...] names these two in a string.
_NAMES: Final = {"Output": pulumi.Output, "T": Any}


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
