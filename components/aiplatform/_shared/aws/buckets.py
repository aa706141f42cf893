"""Buckets that are closed: what the buckets of every component have in common.

Whatever keeps data in S3 makes its buckets here: no public access, no ACL and no other owner of objects, TLS
alone, encrypted by default, and access logs to a bucket that S3's logging service alone writes to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import kms, s3

from aiplatform._shared.aws.account import Place
from aiplatform._shared.aws.policy_documents import Statement, document

ABANDONED_DAYS: Final = 7
"""When parts of uploads that were never ended are taken away."""


class Maker(Protocol):
    """A component that makes buckets, each for a purpose: the last part of its logical name."""

    @property
    def name(self) -> str:
        """The component's logical name."""
        ...

    @property
    def place(self) -> Place:
        """Where it is made."""
        ...

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        """Options of a child; data: whether it is or keeps data, and so is protected and retained."""
        ...

    def tags(self, purpose: str) -> Mapping[str, pulumi.Input[str]]:
        """Tags of a bucket."""
        ...

    def bucket(self, purpose: str) -> str:
        """A bucket's physical name."""
        ...

    def bucket_arn(self, purpose: str, path: str = "") -> str:
        """A bucket's arn, or that of what is in it."""
        ...


@dataclass(frozen=True)
class Bucket:
    """A bucket, and what must be said of it before data comes in."""

    bucket: s3.Bucket
    ready: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])


def closed(maker: Maker, purpose: str, *, force_destroy: bool, object_lock: bool = False) -> Bucket:
    """A bucket that no public access, no ACL and no other owner of objects is possible in."""
    bucket = s3.Bucket(
        f"{maker.name}-{purpose}",
        bucket=maker.bucket(purpose),
        force_destroy=force_destroy,
        object_lock_enabled=object_lock,
        tags=maker.tags(purpose),
        # There is one bucket of a name in all of AWS.
        opts=maker.options(data=True, delete_before_replace=True),
    )
    block = s3.BucketPublicAccessBlock(
        f"{maker.name}-{purpose}",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=maker.options(data=True),
    )
    ownership = s3.BucketOwnershipControls(
        f"{maker.name}-{purpose}",
        bucket=bucket.bucket,
        rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=maker.options(data=True),
    )
    return Bucket(bucket, [block, ownership])


def encrypted(
    maker: Maker, purpose: str, bucket: pulumi.Input[str], key: kms.Key | None
) -> s3.BucketServerSideEncryptionConfiguration:
    """What encrypts objects that say nothing else. Without a key S3's own does: it writes access logs to no
    bucket with another (S3 user guide, "Enabling Amazon S3 server access logging")."""
    default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key is None else "aws:kms",
        kms_master_key_id=None if key is None else key.arn,
    )
    return s3.BucketServerSideEncryptionConfiguration(
        f"{maker.name}-{purpose}",
        bucket=bucket,
        rules=[
            s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default,
                # One call of KMS for many objects.
                bucket_key_enabled=None if key is None else True,
            )
        ],
        opts=maker.options(data=True),
    )


def versioned(maker: Maker, purpose: str, bucket: pulumi.Input[str]) -> s3.BucketVersioning:
    """What is deleted or overwritten can be called back."""
    return s3.BucketVersioning(
        f"{maker.name}-{purpose}",
        bucket=bucket,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=maker.options(data=True),
    )


def with_policy(maker: Maker, purpose: str, made: Bucket, policy: pulumi.Input[str]) -> s3.BucketPolicy:
    """The bucket's policy, after all else that is said of its access."""
    return s3.BucketPolicy(
        f"{maker.name}-{purpose}",
        bucket=made.bucket.bucket,
        policy=policy,
        # S3 refuses two changes of one bucket's access at a time.
        opts=maker.options(*made.ready, data=True),
    )


def logged(maker: Maker, purpose: str, bucket: pulumi.Input[str], logs: Bucket) -> s3.BucketLogging:
    """Who read and wrote which object is kept in `logs`, under the purpose's name."""
    return s3.BucketLogging(
        f"{maker.name}-{purpose}",
        bucket=bucket,
        target_bucket=logs.bucket.bucket,
        target_prefix=f"{purpose}/",
        opts=maker.options(*logs.ready, data=True),
    )


def deny(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]],
) -> Statement:
    """A statement of a bucket's policy that holds for everybody."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
        "Condition": conditions,
    }


def plain_http(maker: Maker, purpose: str) -> Statement:
    """Nothing is read or written without TLS."""
    arns = [maker.bucket_arn(purpose), maker.bucket_arn(purpose, "/*")]
    return deny("PlainHttp", ["s3:*"], arns, {"Bool": {"aws:SecureTransport": "false"}})


def other_keys(maker: Maker, purpose: str, key_arn: str) -> list[Statement]:
    """Objects are encrypted by this key alone. Without `Null`, a write that leaves all to the bucket's
    default would be denied too."""
    objects = maker.bucket_arn(purpose, "/*")
    algorithm = "s3:x-amz-server-side-encryption"
    given_key, customer = f"{algorithm}-aws-kms-key-id", f"{algorithm}-customer-algorithm"
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
            {"Null": {given_key: "false"}, "StringNotEquals": {given_key: key_arn}},
        ),
        deny("CustomersKey", ["s3:PutObject"], objects, {"Null": {customer: "false"}}),
    ]


def log_delivery(maker: Maker, logs: str, purposes: Iterable[str]) -> Statement:
    """S3's logging service may write to the bucket `logs`, of these buckets alone."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": maker.bucket_arn(logs, "/*"),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": maker.place.account_id},
            "ArnEquals": {"aws:SourceArn": [maker.bucket_arn(purpose) for purpose in purposes]},
        },
    }


def deleted_after(days: int) -> s3.BucketLifecycleConfigurationRuleArgs:
    """A rule of a versioned bucket: what is no more is gone after so many days, and nothing else."""
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


def expired_after(name: str, prefix: str, days: int) -> s3.BucketLifecycleConfigurationRuleArgs:
    """A rule: objects under a prefix are gone after so many days, and so are the parts of uploads that were
    never ended, which no expiration takes."""
    return s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        abort_incomplete_multipart_upload=_abandoned(),
    )


def _abandoned() -> s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    return s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=ABANDONED_DAYS
    )


def log_bucket(
    maker: Maker, purpose: str, purposes: Iterable[str], days: int, *, force_destroy: bool
) -> Bucket:
    """The bucket of the access logs of the buckets for `purposes`, which are kept for so many days."""
    made = closed(maker, purpose, force_destroy=force_destroy)
    name = made.bucket.bucket
    made.ready.append(encrypted(maker, purpose, name, None))
    policy = document(plain_http(maker, purpose), log_delivery(maker, purpose, purposes))
    made.ready.append(with_policy(maker, purpose, made, policy))
    s3.BucketLifecycleConfiguration(
        f"{maker.name}-{purpose}",
        bucket=name,
        rules=[expired_after("old", "", days)],
        opts=maker.options(data=True),
    )
    return made
