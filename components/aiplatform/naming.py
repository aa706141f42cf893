"""Physical names: `{prefix}-{purpose}`, where the prefix is `{org}-{environment}` (`acme-dev`).

A component declares each physical name once, as a PhysicalName, and sets `prefix_for(...)` of all of them as
the rule of its `prefix` argument: a prefix that is too long for any of them is refused with the limit when
the arguments are read, so no later name can be too long. A resource that may be replaced has a kind with a
suffix, for its `name_prefix`: the provider adds a generated suffix, and the replacement has another name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiplatform._shared.args import Rule, got
from aiplatform._shared.cloud_support import Cloud

_PREFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

GENERATED_SUFFIX: Final = 26
"""Characters that the provider adds to a `name_prefix`: a time stamp and a counter
(terraform-plugin-sdk, helper/id, UniqueIDSuffixLength)."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource name, with its maximum length. what: `an EKS cluster's name`."""

    what: str
    limit: int
    suffix: int = 0
    """Characters of the limit that the provider's generated suffix uses."""

    @property
    def room(self) -> int:
        """Characters for `{prefix}-{purpose}`, with the final hyphen where a suffix follows."""
        return self.limit - self.suffix


# Limits from the services' API references (botocore models give the same where they give any).
EKS_CLUSTER: Final = Kind("an EKS cluster's name", 100)
EKS_NODE_GROUP: Final = Kind("a node group's name", 63)
EKS_NODE_GROUP_PREFIX: Final = Kind("a node group's name", 63, GENERATED_SUFFIX)
IAM_ROLE: Final = Kind("an IAM role's name", 64)
IAM_ROLE_PREFIX: Final = Kind("an IAM role's name", 64, GENERATED_SUFFIX)
IAM_POLICY_PREFIX: Final = Kind("an IAM policy's name", 128, GENERATED_SUFFIX)
INSTANCE_PROFILE: Final = Kind("an instance profile's name", 128)
INSTANCE_PROFILE_PREFIX: Final = Kind("an instance profile's name", 128, GENERATED_SUFFIX)
SECURITY_GROUP_PREFIX: Final = Kind("a security group's name", 255, GENERATED_SUFFIX)
# 125, not EC2's 128: the limit of the provider's validation of name_prefix.
LAUNCH_TEMPLATE_PREFIX: Final = Kind("a launch template's name", 125, GENERATED_SUFFIX)
PLACEMENT_GROUP: Final = Kind("a placement group's name", 255)
KMS_ALIAS: Final = Kind("a KMS alias", 256)
LOG_GROUP: Final = Kind("a log group's name", 512)
S3_BUCKET: Final = Kind("an S3 bucket's name", 63)
CODEBUILD_PROJECT: Final = Kind("a CodeBuild project's name", 150)
SQS_QUEUE: Final = Kind("an SQS queue's name", 80)
SNS_TOPIC: Final = Kind("an SNS topic's name", 256)
AWS_BUDGET: Final = Kind("a budget's name", 100)
EVENT_RULE: Final = Kind("an EventBridge rule's name", 64)
CLOUDWATCH_ALARM: Final = Kind("a CloudWatch alarm's name", 255)
LAMBDA_FUNCTION: Final = Kind("a Lambda function's name", 64)
STATE_MACHINE: Final = Kind("a state machine's name", 80)
SCHEDULER_SCHEDULE: Final = Kind("the name of a schedule of EventBridge Scheduler", 64)
DATA_STREAM: Final = Kind("a Firehose stream's name", 64)
GLUE_JOB: Final = Kind("a Glue job's name", 255)
GLUE_DATABASE: Final = Kind("a Glue database's name", 255)
ATHENA_WORKGROUP: Final = Kind("an Athena workgroup's name", 128)
# 50, not the API's 128: "Lake Formation tag-based access control notes and restrictions".
LAKE_FORMATION_TAG: Final = Kind("the key of an LF-tag", 50)
# RDS, CreateDBInstance and CreateDBSubnetGroup: "Cannot be longer than" (API reference).
RDS_INSTANCE: Final = Kind("an RDS instance's name", 63)
RDS_GROUP_PREFIX: Final = Kind("the name of a group of RDS", 255, GENERATED_SUFFIX)
SECRET: Final = Kind("a secret's name", 512)
ECR_REPOSITORY: Final = Kind("an ECR repository's name", 256)
# PutPullThroughCacheRule: ecrRepositoryPrefix has 2 to 30 characters (ECR's API model).
ECR_CACHE: Final = Kind("the prefix of an ECR cache's repositories", 30)
SSM_PARAMETER: Final = Kind("an SSM parameter's name", 1011)
DYNAMODB_TABLE: Final = Kind("a DynamoDB table's name", 255)
SERVERLESS_CACHE: Final = Kind("a serverless cache's name", 40)
ELASTICACHE_USER: Final = Kind("an ElastiCache user's id", 40)
# Google Cloud's, from its discovery documents and "Naming resources" (Compute Engine: RFC 1035).
GCE: Final = Kind("a Compute Engine resource's name", 63)
GKE_CLUSTER: Final = Kind("a GKE cluster's name", 40)
GKE_NODE_POOL: Final = Kind("a GKE node pool's name", 40)
GOOGLE_SECRET: Final = Kind("a secret's id", 255)
GOOGLE_BUCKET: Final = Kind("a Cloud Storage bucket's name", 63)
ARTIFACT_REPOSITORY: Final = Kind("an Artifact Registry repository's id", 63)
GOOGLE_SERVICE_ACCOUNT: Final = Kind("a service account's id", 30)
# IAM API, projects.roles.create.
GOOGLE_CUSTOM_ROLE: Final = Kind("a custom role's id", 64)
GOOGLE_WORKFLOW: Final = Kind("a workflow's id", 64)
GCS_BUCKET: Final = Kind("a Cloud Storage bucket's name", 63)
# 63, that of a label, where the API gives no limit: Iceberg catalogs.
ICEBERG_CATALOG: Final = Kind("an Iceberg catalog's name", 63)
BIGQUERY_DATASET: Final = Kind("a BigQuery dataset's id", 1024)
LOG_BUCKET: Final = Kind("a log bucket's id", 100)
# 49, as Cloud Run's API states ("must be less than 50 characters").
CLOUD_RUN_SERVICE: Final = Kind("a Cloud Run service's name", 49)
PUBSUB_TOPIC: Final = Kind("a Pub/Sub topic's name", 255)
GOOGLE_BUDGET: Final = Kind("a budget's display name", 60)
DATA_SCAN: Final = Kind("a data scan's id", 63)
SERVICE_PERIMETER: Final = Kind("a service perimeter's name", 50)
FIRESTORE_DATABASE: Final = Kind("a Firestore database's id", 63)
BIGTABLE_INSTANCE: Final = Kind("a Bigtable instance's id", 33)


@dataclass(frozen=True)
class PhysicalName:
    """A physical name. `{prefix}` in the pattern is replaced by the component's prefix argument."""

    kind: Kind
    pattern: str
    """`{prefix}-cluster`, `alias/{prefix}-cluster`, `/aws/eks/{prefix}-cluster/cluster`."""

    def of(self, prefix: str) -> str:
        """Return the name, or the `name_prefix` for a kind with a generated suffix, which ends with a
        hyphen."""
        name = self.pattern.format(prefix=prefix) + ("-" if self.kind.suffix else "")
        if len(name) > self.kind.room:
            raise ValueError(self.too_long(prefix))
        return name

    def too_long(self, prefix: str) -> str | None:
        """Return the problem of a prefix that is too long for this name, or None."""
        fixed = len(self.pattern.format(prefix="")) + (1 if self.kind.suffix else 0)
        room = self.kind.room - fixed
        if len(prefix) <= room:
            return None
        return (
            f"expected at most {room} characters, got {len(prefix)}: {self.pattern.format(prefix=prefix)!r} "
            f"would be {self.kind.what}, which may have {self.kind.limit}"
            + (f", {self.kind.suffix} of them for a generated suffix" if self.kind.suffix else "")
        )


def prefix_for(*names: PhysicalName) -> Rule:
    """Return the rule of a `prefix` argument: lower-case words with hyphens, short enough for all of
    `names`."""

    def rule(value: Any) -> str | None:
        if not _PREFIX.fullmatch(value):
            return (
                "expected lower-case letters and digits in words joined by single hyphens, "
                "the first a letter ('acme-dev')"
            )
        reasons = [reason for name in names if (reason := name.too_long(value))]
        return tightest(reasons) if reasons else None

    return rule


def tightest(reasons: Iterable[str]) -> str:
    """Return the message of `too_long` with the smallest limit."""
    return min(reasons, key=_allowed)


def _allowed(reason: str) -> int:
    limit = re.search(r"at most (-?\d+)", reason)
    return int(limit.group(1)) if limit else 0


def dns_label(value: Any) -> str | None:
    """A rule: the name of a Kubernetes object, a DNS label by RFC 1123."""
    if _DNS_LABEL.fullmatch(value):
        return None
    return "expected a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at either end"


_TAG = re.compile(r"[\w\s.:/=+\-@]*")
_MOST_TAGS = 50


def aws_tags(value: Mapping[str, Any]) -> str | None:
    """A rule for `tags` that every AWS service accepts (at most 50; keys to 128, values to 256
    characters)."""
    if len(value) > _MOST_TAGS:
        return f"expected at most {_MOST_TAGS} tags, got {len(value)}"
    for key, text in value.items():
        reason = _tag_problem(key, text)
        if reason:
            return f"{key!r} ({got(text)}): {reason}"
    return None


def _tag_problem(key: str, text: Any) -> str | None:
    if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key):
        return "expected a key of 1 to 128 letters, digits, spaces and _ . : / = + - @"
    if key.lower().startswith("aws:"):
        return "expected a key without 'aws:', which is reserved for AWS"
    if isinstance(text, str) and (len(text) > 256 or not _TAG.fullmatch(text)):
        return "expected a value of at most 256 letters, digits, spaces and _ . : / = + - @"
    return None


_LABEL = re.compile(r"[\w-]*")
_MOST_LABELS = 64


def google_labels(value: Mapping[str, Any]) -> str | None:
    """A rule for `tags` on Google Cloud, where they are labels: at most 64; keys to 63 characters, a
    lower-case letter first; values to 63 ("Labels overview: Requirements for labels")."""
    if len(value) > _MOST_LABELS:
        return f"expected at most {_MOST_LABELS} labels, got {len(value)}"
    for key, text in value.items():
        reason = _label_problem(key, text)
        if reason:
            return f"{key!r} ({got(text)}): {reason}"
    return None


TAG_RULES: Final[Mapping[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}
"""Cloud -> the rule for `tags` there."""


def _label_problem(key: str, text: Any) -> str | None:
    if not (1 <= len(key) <= 63 and key[0].isalpha() and _is_label(key)):
        return f"expected a key of 1 to 63 lower-case letters, digits, _ and -, a letter first{_label(key)}"
    if isinstance(text, str) and not (len(text) <= 63 and _is_label(text)):
        most = "at most 63 lower-case letters, digits, _ and -"
        return f"expected a value of {most}, as labels have{_label(text)}"
    return None


def _label(text: str) -> str:
    """Return the label that is nearest to a text, as a hint; an empty string where there is none."""
    near = re.sub(r"[^\w-]+", "-", text.lower()).strip("-")[:63]
    return f"; did you mean {near!r}?" if near[:1].isalpha() else ""


def _is_label(text: str) -> bool:
    # Letters of every alphabet count, as long as they are not upper case.
    return _LABEL.fullmatch(text) is not None and text == text.lower()
