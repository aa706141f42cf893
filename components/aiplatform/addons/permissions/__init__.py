"""Permissions of the add-ons' controllers on the cloud.

    resources = grant(Context(component, name, settings), addon)    # its Pods start after these

On EKS a controller has an IAM role by Pod Identity, on GKE its Kubernetes service account is a principal of
IAM. Both without keys; both with what the controller calls on the resources of this cluster, and nothing
else.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Output

from aiplatform._shared.args import Problem
from aiplatform._shared.context import Context
from aiplatform.addons.catalog import Addon
from aiplatform.addons.permissions.settings import (
    DNS,
    INTERRUPTIONS,
    KARPENTER,
    KARPENTER_NODES,
    KEDA,
    LOAD_BALANCERS,
    NAMES,
    ROLES,
    SECRET_READERS,
    SECRETS,
    Settings,
)

__all__ = [
    "DNS",
    "INTERRUPTIONS",
    "KARPENTER",
    "KARPENTER_NODES",
    "KEDA",
    "LOAD_BALANCERS",
    "NAMES",
    "ROLES",
    "SECRETS",
    "SECRET_READERS",
    "Settings",
    "grant",
    "problems",
]


def problems(addons: Collection[Addon], settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each argument that the permissions of these add-ons need and that is missing."""
    names = {addon.name for addon in addons}
    if DNS in names and not settings.dns_zones:
        yield Problem("dns_zones", f"empty; expected the zones whose records {DNS} manages, or it left out")
    if LOAD_BALANCERS in names and settings.cluster.vpc_id is None:
        yield Problem(
            "cluster.vpc_id", f"missing; expected the cluster's network, in which {LOAD_BALANCERS} works"
        )


@dataclass(frozen=True)
class Permissions:
    """The permissions of an add-on's controller in the cloud. resources: what its Pods wait for; none for an
    add-on that calls no API of the cloud."""

    resources: Sequence[pulumi.Resource] = ()
    role_arn: Output[str] | None = None
    """AWS: its role."""


def grant(context: Context[Settings], addon: Addon) -> Permissions:
    """Create the cloud identity of an add-on's controller, with its permissions."""
    # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
    if context.settings.cluster.cloud == "gcp":
        from aiplatform.addons.permissions import gcp

        grants = {DNS: gcp.grant_dns, KEDA: gcp.grant_keda}
        return Permissions(grants[addon.name](context, addon)) if addon.name in grants else Permissions()
    from aiplatform.addons.permissions import aws

    return Permissions(*aws.grant(context, addon)) if addon.name in ROLES else Permissions()
