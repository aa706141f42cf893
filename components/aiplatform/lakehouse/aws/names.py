"""Physical names of a lakehouse on AWS."""

from collections.abc import Iterator, Sequence
from typing import Final

from aiplatform._shared.args import Problem, got
from aiplatform.lakehouse.ingestion import CaptureSettings, StreamSettings
from aiplatform.naming import (
    ATHENA_WORKGROUP,
    DATA_STREAM,
    EVENT_RULE,
    GLUE_DATABASE,
    GLUE_JOB,
    IAM_POLICY_PREFIX,
    IAM_ROLE,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LAKE_FORMATION_TAG,
    LAMBDA_FUNCTION,
    LOG_GROUP,
    S3_BUCKET,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
)

BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-lakehouse-logs-111122223333")
"""The longest of the buckets' names; the others are `{prefix}-{zone}-{account}`."""
DATABASE: Final = PhysicalName(GLUE_DATABASE, "{prefix}_curated")
WORKGROUP: Final = PhysicalName(ATHENA_WORKGROUP, "{prefix}-lakehouse")
"""What names of workgroups begin with; a role's name of up to 64 characters follows."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-lakehouse")
# Not generated: whoever writes assumes it by its name.
WRITER: Final = PhysicalName(IAM_ROLE, "{prefix}-lakehouse-writer")
ACCESS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake")
OPTIMIZER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-tidy")
# Not generated: the policies of those who are told name it.
ARRIVALS: Final = PhysicalName(EVENT_RULE, "{prefix}-arrivals")
CLASSIFICATION_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-classification")
DEFAULT_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-default")
"""Of the account's database `default`, which Athena looks at."""
ZONE_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-zone")
# Not generated: who looks for its logs knows it.
KEEPER: Final = PhysicalName(LAMBDA_FUNCTION, "{prefix}-table-keeper")
KEEPER_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/lambda/{prefix}-table-keeper")
KEEPER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-keep")
STREAM_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-feed")
STREAM_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/kinesisfirehose/{prefix}-lakehouse")
PRODUCER_POLICY: Final = PhysicalName(IAM_POLICY_PREFIX, "{prefix}-lakehouse-producer")
CAPTURE_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-copy")
CAPTURE: Final = PhysicalName(GLUE_JOB, "{prefix}-lake")
"""What names of replications, their endpoints and subnets begin with."""
CAPTURE_GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-captures")
JOB_LOGS: Final = "/aws-glue/jobs/"
"""What Glue's names of log groups begin with."""
BATCH: Final = PhysicalName(GLUE_JOB, "{prefix}")
"""What names of jobs begin with."""
QUALITY_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-test")
QUALITY: Final = PhysicalName(EVENT_RULE, "{prefix}-quality")
TABLE_BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-lakehouse")
NAMES: Final = tuple(each for each in list(vars().values()) if isinstance(each, PhysicalName))
"""All of them, whose length rules the prefix must meet."""


def own_names(
    prefix: str, streams: Sequence[StreamSettings], captures: Sequence[CaptureSettings]
) -> Iterator[Problem]:
    """Names that are too long, or that their services refuse, because of what stands after the prefix."""
    for index, stream in enumerate(streams):
        room = DATA_STREAM.limit - len(f"{prefix}-")
        if len(stream.name) > room:
            reason = f"expected at most {room} characters: {prefix}-{stream.name} would be {DATA_STREAM.what}"
            yield Problem(
                f"streams[{index}].name", f"{got(stream.name)}, {reason}, which may have {DATA_STREAM.limit}"
            )
    for index, capture in enumerate(captures):
        if "--" in capture.name:
            # DMS API reference, "CreateReplicationConfig".
            yield Problem(
                f"captures[{index}].name", f"{got(capture.name)}, expected no two hyphens beside each other"
            )


def stream_name(prefix: str, stream: StreamSettings) -> str:
    """What a stream is called."""
    return f"{prefix}-{stream.name}"
