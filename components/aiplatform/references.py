"""References to a network, a cluster, a lakehouse or an identity of another stack, for Python programs.

A component takes what another one exports, also as an output of a stack reference. The cloud, and on Google
Cloud the project, the region and the zones, decide what the component creates. The value of an output is not
known while a Python program runs, so that the program states them:

    foundation = pulumi.StackReference("acme/foundation/dev")
    network = from_output(
        NetworkReferenceArgs,
        foundation.get_output("network"),
        cloud="gcp",
        project="acme-dev",
        region="europe-west4",
        zones=["europe-west4-a", "europe-west4-b", "europe-west4-c"],
    )
    Cluster("cluster", {"network": network, ...}, opts)

Programs in other languages need this only where the output is not known yet: the engine resolves outputs
before the components' plugin reads them.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from pulumi import Input

from aiplatform._shared.args import ArgumentError, Problem, nearest, values_of_output
from aiplatform._shared.references.cluster import ClusterReference, ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReference, WorkloadIdentityReferenceArgs
from aiplatform._shared.references.lakehouse import LakehouseReference, LakehouseReferenceArgs
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs

__all__ = [
    "ClusterReferenceArgs",
    "LakehouseReferenceArgs",
    "NetworkReferenceArgs",
    "WorkloadIdentityReferenceArgs",
    "from_output",
]

T = TypeVar("T")

_MODELS: Final[Mapping[Any, type]] = {
    ClusterReferenceArgs: ClusterReference,
    LakehouseReferenceArgs: LakehouseReference,
    NetworkReferenceArgs: NetworkReference,
    WorkloadIdentityReferenceArgs: WorkloadIdentityReference,
}


def from_output(reference: type[T], outputs: Input[Any], **known: Any) -> T:
    """Return a reference to a component whose outputs are an output as a whole.

    reference: its type, `NetworkReferenceArgs`. outputs: what the component exports. known: the values that
    decide what is created; the component that takes the reference checks them. `zones` of a network may be
    their ids alone. Each other value becomes an output. The update fails with an ArgumentError where
    `outputs` contradicts what is stated, or the default of what is not.
    """
    model, name = _MODELS[reference], reference.__name__
    read = sorted(field.name for field in dataclasses.fields(model))
    unread = [key for key in known if key not in read]
    if unread:
        raise ArgumentError(Problem(f"{name}.{key}", f"unknown key{nearest(key, read)}") for key in unread)
    zones: Any = known.get("zones")
    if model is NetworkReference and _are_ids(zones):
        values = values_of_output(model, outputs, name, {k: v for k, v in known.items() if k != "zones"})
        values["zones"] = NetworkReference(**values).with_zones(zones).zones
    else:
        values = values_of_output(model, outputs, name, known)
    return cast("T", {key: value for key, value in values.items() if value is not None})


def _are_ids(zones: Any) -> bool:
    entries = cast("list[Any]", zones) if isinstance(zones, list) else []
    return bool(entries) and all(isinstance(zone, str) for zone in entries)
