"""What a model store's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(
        aws="Pod Identity associations of promotions and imports",
        gcp="the project, the region and the pool of identities",
    ),
    "profile": CloudSupport(aws="variable of promotions", gcp="variable of promotions"),
    "checkpoints": CloudSupport(
        aws="S3 bucket without versions", gcp="Cloud Storage bucket without versions and soft delete"
    ),
    "checkpoints.bucket": CloudSupport(aws="an S3 bucket that exists", gcp="a bucket that exists"),
    "checkpoints.kms_key": CloudSupport(
        aws="kms:Decrypt and kms:GenerateDataKey of the teams",
        gcp=refused("Cloud Storage encrypts by its service agent; leave it out"),
    ),
    "checkpoints.expire_days": CloudSupport(aws="lifecycle rule", gcp="lifecycle rule"),
    "releases": CloudSupport(
        aws="S3 bucket with versions, whose policy requires conditional writes",
        gcp="Cloud Storage bucket whose writers cannot delete, hence not overwrite",
    ),
    "releases.retention": CloudSupport(
        aws="S3 Object Lock, default retention", gcp="retention policy; with `compliance` locked"
    ),
    "releases.deleted_days": CloudSupport(
        aws=refused("versions stay until they are deleted; leave it out"), gcp="soft delete"
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "registry": CloudSupport(
        aws="secretsmanager:GetSecretValue on the account's secret",
        gcp="roles/secretmanager.secretAccessor on the account's secret",
    ),
    "registry_ca": CloudSupport(
        aws="a ConfigMap that promotions mount", gcp="a ConfigMap that promotions mount"
    ),
    "hugging_face": CloudSupport(
        aws="secretsmanager:GetSecretValue on the token",
        gcp="roles/secretmanager.secretAccessor on the token",
    ),
    "release_group": CloudSupport(
        aws="access entries of IAM roles, with a group that has a Role",
        gcp="a Role of Google groups, and roles/container.clusterViewer",
    ),
    "image": CloudSupport(aws="ValidatingAdmissionPolicy", gcp="ValidatingAdmissionPolicy"),
    "workflows": CloudSupport(aws="ValidatingAdmissionPolicy", gcp="ValidatingAdmissionPolicy"),
    "api_ranges": CloudSupport(aws="NetworkPolicy", gcp="NetworkPolicy"),
    "access_log_bucket": CloudSupport(
        aws="a bucket of S3 that exists", gcp="a bucket of Cloud Storage that exists"
    ),
    "access_log_days": CloudSupport(
        aws="S3 access logs in a dedicated bucket", gcp="usage logs in a dedicated bucket"
    ),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "retain_data": CloudSupport(aws="buckets and key stay", gcp="buckets and key stay"),
    "force_destroy": CloudSupport(aws="buckets are emptied", gcp="buckets are emptied"),
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
