"""What the permissions of add-ons depend on, and the names of their roles."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from pulumi import Input

from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
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
