"""Physical names of a lakehouse on AWS."""

from collections.abc import Iterator, Sequence
from typing import Final

from aiplatform._shared.args import Problem, got
from aiplatform.lakehouse.ingestion import LakehouseCaptureSettings, LakehouseStreamSettings
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
"""The first part of workgroups' names; a role's name of up to 64 characters follows."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-lakehouse")
# Not generated: pipelines assume it by its name.
WRITER: Final = PhysicalName(IAM_ROLE, "{prefix}-lakehouse-writer")
ACCESS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake")
OPTIMIZER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-tidy")
# Not generated: the policies of targets name it.
ARRIVALS: Final = PhysicalName(EVENT_RULE, "{prefix}-arrivals")
CLASSIFICATION_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-classification")
DEFAULT_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-default")
"""The tag of the account's database `default`, which Athena looks at."""
ZONE_TAG: Final = PhysicalName(LAKE_FORMATION_TAG, "{prefix}-zone")
# Not generated: people find its logs by it.
KEEPER: Final = PhysicalName(LAMBDA_FUNCTION, "{prefix}-table-keeper")
KEEPER_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/lambda/{prefix}-table-keeper")
KEEPER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-keep")
STREAM_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-feed")
STREAM_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/kinesisfirehose/{prefix}-lakehouse")
PRODUCER_POLICY: Final = PhysicalName(IAM_POLICY_PREFIX, "{prefix}-lakehouse-producer")
CAPTURE_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-copy")
CAPTURE: Final = PhysicalName(GLUE_JOB, "{prefix}-lake")
"""The first part of the names of replications, their endpoints and subnets."""
CAPTURE_GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-captures")
LOG_DAYS: Final = 90
"""How long log groups keep what streams, jobs and functions of the lakehouse write."""
JOB_LOGS: Final = "/aws-glue/jobs/"
"""The first part of the names that Glue gives log groups."""
BATCH: Final = PhysicalName(GLUE_JOB, "{prefix}")
"""The first part of jobs' names."""
QUALITY_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-lake-test")
QUALITY: Final = PhysicalName(EVENT_RULE, "{prefix}-quality")
TABLE_BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-lakehouse")
NAMES: Final = tuple(value for value in list(vars().values()) if isinstance(value, PhysicalName))
"""All names; the prefix must be short enough for each."""


def name_problems(
    prefix: str, streams: Sequence[LakehouseStreamSettings], captures: Sequence[LakehouseCaptureSettings]
) -> Iterator[Problem]:
    """Return the names that are too long or refused by their services because of what follows the prefix."""
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
            yield Problem(f"captures[{index}].name", f"{got(capture.name)}; expected no two adjacent hyphens")


def stream_name(prefix: str, stream: LakehouseStreamSettings) -> str:
    """Return the physical name of a stream."""
    return f"{prefix}-{stream.name}"
