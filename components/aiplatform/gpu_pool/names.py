"""Physical names of the resources of a GPU pool."""

from typing import Final

from aiplatform._shared.kubernetes.pools import LONGEST_NAME
from aiplatform.naming import (
    EKS_NODE_GROUP_PREFIX,
    IAM_ROLE_PREFIX,
    LAUNCH_TEMPLATE_PREFIX,
    PLACEMENT_GROUP,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
)

_LONGEST = "n" * LONGEST_NAME

ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-" + _LONGEST)
NODE_GROUP: Final = PhysicalName(EKS_NODE_GROUP_PREFIX, _LONGEST + "-reserved-123456")
LAUNCH_TEMPLATE: Final = PhysicalName(LAUNCH_TEMPLATE_PREFIX, "{prefix}-" + _LONGEST + "-reserved-123456")
SECURITY_GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-" + _LONGEST + "-efa")
PLACEMENT: Final = PhysicalName(PLACEMENT_GROUP, "{prefix}-" + _LONGEST + "-1234567")
