"""What the permissions of add-ons depend on, and the names of their roles."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from pulumi import Input

from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.naming import EVENT_RULE, IAM_ROLE, IAM_ROLE_PREFIX, KMS_ALIAS, SQS_QUEUE, PhysicalName

LOAD_BALANCERS: Final = "aws-load-balancer-controller"
DNS: Final = "external-dns"
SECRETS: Final = "external-secrets"
KARPENTER: Final = "karpenter"
KEDA: Final = "keda"

ROLES: Final[Mapping[str, PhysicalName]] = {
    LOAD_BALANCERS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lb-controller"),
    DNS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-external-dns"),
    SECRETS: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-ext-secrets"),
    KARPENTER: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-karpenter"),
    KEDA: PhysicalName(IAM_ROLE_PREFIX, "{prefix}-keda"),
}
"""AWS: an add-on with permissions -> the name of its role. Its service account is named as the add-on, or as
SERVICE_ACCOUNTS states."""
SERVICE_ACCOUNTS: Final[Mapping[str, str]] = {KEDA: "keda-operator"}
"""An add-on -> the service account of its controller, where it is not the add-on's name."""
QUEUES: Final = ("training", "promotions")
"""The last parts of the names of queues whose messages KEDA counts (component ContinuousTraining)."""
SECRET_READERS: Final = PhysicalName(IAM_ROLE, "{prefix}-secrets-")
"""AWS: the first part of the names of the roles that external-secrets can assume, one of each SecretStore.
They trust the add-on's role for sts:AssumeRole and sts:TagSession."""

KARPENTER_NODES: Final = PhysicalName(IAM_ROLE, "{prefix}-karpenter-nodes")
"""AWS: the role of the nodes that Karpenter creates, where the cluster has no shared node role. The component
Karpenter creates it; the controller may pass it, and no other, to an instance."""
INTERRUPTIONS: Final = PhysicalName(SQS_QUEUE, "{prefix}-karpenter")
"""AWS: the queue of Karpenter's messages from EC2."""
INTERRUPTION_KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-karpenter")
"""AWS: the alias of the key of these messages."""
INTERRUPTION_RULE: Final = PhysicalName(EVENT_RULE, "{prefix}-karpenter-reservation-end")
"""AWS: the longest name of the rules that send messages to the queue."""
NAMES: Final = (*ROLES.values(), KARPENTER_NODES, INTERRUPTIONS, INTERRUPTION_KEY_ALIAS, INTERRUPTION_RULE)
"""AWS: all names of what the add-ons have in the cloud."""


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
    def interruptions_kms_key(self) -> Input[str] | None:
        """AWS: an existing key of Karpenter's messages. None: a key that is created."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of every resource."""
        ...
