"""What the arguments of a log bucket become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws=refused(
            "CloudWatch Logs has a log group for each function and state machine, and no limit that they "
            "share; leave it out"
        ),
        gcp="a log bucket of Cloud Logging, a sink to it, and an exclusion of the sink `_Default`",
    ),
    "kms_key_grants": key_grants.SUPPORT,
}
