"""Private S3 buckets, for all components with data in S3.

They have no public access, no ACLs and one owner of all objects, accept only TLS, are encrypted by default,
and write access logs to a bucket that only S3's logging service can write to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import s3

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.outputs import Tags

ABANDONED_DAYS: Final = 7
"""Days until the parts of incomplete uploads are deleted."""
_OF_PODS: Final = "aws:PrincipalTag/kubernetes-namespace"
"""The tag of a session of EKS Pod Identity that states the Pod's namespace (EKS user guide, "Grant Pods
access to AWS resources based on tags"). The agent sets it; no Pod can choose it."""


class BucketContext(Protocol):
    """A component with buckets. Each bucket has a purpose: the last part of its logical name."""

    @property
    def name(self) -> str:
        """The component's logical name."""
        ...

    @property
    def account(self) -> Account:
        """The account and region of its provider."""
        ...

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        """Return the options of a child. data: whether it contains data, and so is protected and retained."""
        ...

    def tags(self, purpose: str) -> Tags:
        """Return the tags of a bucket."""
        ...

    def bucket(self, purpose: str) -> str:
        """Return a bucket's physical name."""
        ...

    def bucket_arn(self, purpose: str, path: str = "") -> str:
        """Return the arn of a bucket, or of objects in it."""
        ...


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the settings that must exist before data is written to it."""

    bucket: s3.Bucket
    ready: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])


def private_bucket(
    context: BucketContext, purpose: str, *, force_destroy: bool, object_lock: bool = False
) -> Bucket:
    """Create a bucket without public access, without ACLs and with one owner of all objects."""
    bucket = s3.Bucket(
        f"{context.name}-{purpose}",
        bucket=context.bucket(purpose),
        force_destroy=force_destroy,
        object_lock_enabled=object_lock,
        tags=context.tags(purpose),
        # Bucket names are unique in all of AWS: the old bucket is deleted first.
        opts=context.options(data=True, delete_before_replace=True),
    )
    block = s3.BucketPublicAccessBlock(
        f"{context.name}-{purpose}",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=context.options(data=True),
    )
    ownership = s3.BucketOwnershipControls(
        f"{context.name}-{purpose}",
        bucket=bucket.bucket,
        rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=context.options(data=True),
    )
    return Bucket(bucket, [block, ownership])


def encrypted(
    context: BucketContext, purpose: str, bucket: pulumi.Input[str], key: Key | pulumi.Input[str] | None
) -> s3.BucketServerSideEncryptionConfiguration:
    """Set the default encryption of objects. key: or its arn. Without a key S3's own key is used, as S3
    requires for buckets of access logs (S3 user guide, "Enabling Amazon S3 server access logging")."""
    default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key is None else "aws:kms",
        kms_master_key_id=key.arn if isinstance(key, Key) else key,
    )
    return s3.BucketServerSideEncryptionConfiguration(
        f"{context.name}-{purpose}",
        bucket=bucket,
        rules=[
            s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default,
                # One call to KMS for many objects.
                bucket_key_enabled=None if key is None else True,
            )
        ],
        opts=context.options(data=True),
    )


def versioned(context: BucketContext, purpose: str, bucket: pulumi.Input[str]) -> s3.BucketVersioning:
    """Enable versioning: deleted and overwritten objects can be restored."""
    return s3.BucketVersioning(
        f"{context.name}-{purpose}",
        bucket=bucket,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=context.options(data=True),
    )


def with_policy(
    context: BucketContext, purpose: str, bucket: Bucket, policy: pulumi.Input[str]
) -> s3.BucketPolicy:
    """Set the bucket policy, after all other settings of its access."""
    return s3.BucketPolicy(
        f"{context.name}-{purpose}",
        bucket=bucket.bucket.bucket,
        policy=policy,
        # S3 refuses concurrent changes of a bucket's access.
        opts=context.options(*bucket.ready, data=True),
    )


@dataclass(frozen=True)
class AccessLogs:
    """The bucket of access logs of other buckets. prefix: of all keys, where others write to it, too. ready:
    the settings that must exist before logs are written to it."""

    name: pulumi.Output[str]
    prefix: str = ""
    ready: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])


def logged(
    context: BucketContext, purpose: str, bucket: pulumi.Input[str], logs: AccessLogs
) -> s3.BucketLogging:
    """Write access logs to `logs`, under the name of the purpose."""
    return s3.BucketLogging(
        f"{context.name}-{purpose}",
        bucket=bucket,
        target_bucket=logs.name,
        target_prefix=f"{logs.prefix}{purpose}/",
        opts=context.options(*logs.ready, data=True),
    )


def deny(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]],
) -> Statement:
    """Return a statement of a bucket policy that denies actions to all principals."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
        "Condition": conditions,
    }


def plain_http(context: BucketContext, purpose: str) -> Statement:
    """Return a statement that denies access without TLS."""
    arns = [context.bucket_arn(purpose), context.bucket_arn(purpose, "/*")]
    return deny("PlainHttp", ["s3:*"], arns, {"Bool": {"aws:SecureTransport": "false"}})


def other_keys(context: BucketContext, purpose: str, key_arn: str) -> list[Statement]:
    """Return statements that deny encryption with another key. Without the condition `Null`, a write that
    uses the bucket's default encryption would be denied, too."""
    objects = context.bucket_arn(purpose, "/*")
    algorithm = "s3:x-amz-server-side-encryption"
    header_key, customer = f"{algorithm}-aws-kms-key-id", f"{algorithm}-customer-algorithm"
    return [
        deny(
            "OtherEncryption",
            ["s3:PutObject"],
            objects,
            {"Null": {algorithm: "false"}, "StringNotEquals": {algorithm: "aws:kms"}},
        ),
        deny(
            "OtherKey",
            ["s3:PutObject"],
            objects,
            {"Null": {header_key: "false"}, "StringNotEquals": {header_key: key_arn}},
        ),
        deny("CustomersKey", ["s3:PutObject"], objects, {"Null": {customer: "false"}}),
    ]


def other_namespaces(context: BucketContext, purpose: str) -> Statement:
    """Return a statement that denies a Pod the objects of other namespaces, whatever its role allows: the
    first part of a key is the namespace.

    The actions on versions are those of requests that name one, `null` in a bucket without versions (S3 API
    reference, GetObject, DeleteObject).
    """
    return {
        "Sid": "OtherNamespaces",
        "Effect": "Deny",
        "Principal": "*",
        "Action": [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
        "NotResource": context.bucket_arn(purpose, f"/${{{_OF_PODS}}}/*"),
        "Condition": {"Null": {_OF_PODS: "false"}},
    }


def log_delivery(context: BucketContext, logs: str, purposes: Iterable[str]) -> Statement:
    """Return a statement: S3's logging service can write logs of these buckets to the bucket `logs`."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": context.bucket_arn(logs, "/*"),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": context.account.account_id},
            "ArnEquals": {"aws:SourceArn": [context.bucket_arn(purpose) for purpose in purposes]},
        },
    }


def deleted_after(days: pulumi.Input[int]) -> s3.BucketLifecycleConfigurationRuleArgs:
    """Return a lifecycle rule of a versioned bucket: noncurrent versions are deleted after so many days."""
    return s3.BucketLifecycleConfigurationRuleArgs(
        id="deleted",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=days
        ),
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        abort_incomplete_multipart_upload=_abandoned(),
    )


def expired_after(name: str, prefix: str, days: pulumi.Input[int]) -> s3.BucketLifecycleConfigurationRuleArgs:
    """Return a lifecycle rule: objects under a prefix are deleted after so many days, and so are the parts of
    incomplete uploads, to which no expiration applies."""
    return s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        abort_incomplete_multipart_upload=_abandoned(),
    )


def incomplete_uploads() -> s3.BucketLifecycleConfigurationRuleArgs:
    """Return a lifecycle rule of a bucket whose objects stay: the parts of incomplete uploads are deleted."""
    return s3.BucketLifecycleConfigurationRuleArgs(
        id="abandoned",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=_abandoned(),
    )


def _abandoned() -> s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    return s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=ABANDONED_DAYS
    )


def log_bucket(
    context: BucketContext,
    purpose: str,
    purposes: Iterable[str],
    days: pulumi.Input[int],
    *,
    force_destroy: bool,
    existing: pulumi.Input[str] | None = None,
) -> AccessLogs:
    """Return the bucket of access logs of the buckets for `purposes`: an existing one, whose keys then begin
    with the name that the bucket would have, or else a new one with a retention of `days`."""
    if existing is not None:
        return AccessLogs(pulumi.Output.from_input(existing), f"{context.bucket(purpose)}/")
    bucket = private_bucket(context, purpose, force_destroy=force_destroy)
    name = bucket.bucket.bucket
    bucket.ready.append(encrypted(context, purpose, name, None))
    policy = document(plain_http(context, purpose), log_delivery(context, purpose, purposes))
    bucket.ready.append(with_policy(context, purpose, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{purpose}",
        bucket=name,
        rules=[expired_after("old", "", days)],
        opts=context.options(data=True),
    )
    return AccessLogs(name, ready=bucket.ready)
