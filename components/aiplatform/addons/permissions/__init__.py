"""Permissions of the add-ons' controllers on the cloud.

    resources = grant(Context(component, name, settings), addon)    # its Pods start after these

On EKS a controller has an IAM role by Pod Identity, on GKE its Kubernetes service account is a principal of
IAM. Both without keys; both with what the controller calls on the resources of this cluster, and nothing
else.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

import pulumi
from pulumi import Input

from aiplatform._shared.args import Problem
from aiplatform._shared.context import Context
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import Addon
from aiplatform.naming import IAM_ROLE, IAM_ROLE_PREFIX, PhysicalName

LOAD_BALANCERS: Final = "aws-load-balancer-controller"
DNS: Final = "external-dns"
SECRETS: Final = "external-secrets"

ROLES: Final[Mapping[str, PhysicalName]] = {
    LOAD_BALANCERS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lb-controller"),
    DNS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-external-dns"),
    SECRETS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-ext-secrets"),
}
"""AWS: an add-on with permissions -> the name of its role. Its service account is named as the add-on."""
SECRET_READERS: Final = PhysicalName(IAM_ROLE, "{prefix}-secrets-")
"""AWS: the first part of the names of the roles that external-secrets can assume, one of each SecretStore.
They trust the add-on's role for sts:AssumeRole and sts:TagSession."""


class Settings(Protocol):
    """What the permissions of add-ons depend on."""

    @property
    def prefix(self) -> str:
        """First part of every physical name."""
        ...

    @property
    def cluster(self) -> ClusterReference:
        """The cluster."""
        ...

    @property
    def dns_zones(self) -> Sequence[Input[str]]:
        """The zones whose records external-dns manages: ids of hosted zones on AWS, names of managed zones of
        the cluster's project on Google Cloud."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of every resource."""
        ...


def problems(addons: Collection[Addon], settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each argument that the permissions of these add-ons need and that is missing."""
    names = {addon.name for addon in addons}
    if DNS in names and not settings.dns_zones:
        yield Problem("dns_zones", f"empty; expected the zones whose records {DNS} manages, or it left out")
    if LOAD_BALANCERS in names and settings.cluster.vpc_id is None:
        yield Problem(
            "cluster.vpc_id", f"missing; expected the cluster's network, in which {LOAD_BALANCERS} works"
        )


def grant(context: Context[Settings], addon: Addon) -> list[pulumi.Resource]:
    """Create the cloud identity of an add-on's controller, with its permissions. Return what its Pods wait
    for; nothing for an add-on that calls no API of the cloud."""
    # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
    if context.settings.cluster.cloud == "gcp":
        from aiplatform.addons.permissions import gcp

        return gcp.grant_dns(context, addon) if addon.name == DNS else []
    from aiplatform.addons.permissions import aws

    return aws.grant(context, addon) if addon.name in ROLES else []
