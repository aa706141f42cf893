"""Key, buckets and dataset of a feature store on Google Cloud."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, kms, storage

from aiplatform._google_keys import data_key, let_use
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT
from aiplatform.feature_store.gcp_context import Context

_DELETED_DAYS = 30
"""How long a registry that was overwritten can be called back."""
_ABANDONED_DAYS = 7
_A_DAY = 24 * 3600


@dataclass(frozen=True)
class Kept:
    """What is made."""

    key: kms.CryptoKey
    registry: storage.Bucket
    staging: storage.Bucket
    dataset: bigquery.Dataset
    ready: list[pulumi.Resource]


def kept(context: Context) -> Kept:
    """All of it. Google's own services are let to use the key before anything is encrypted by it."""
    settings = context.settings
    made = data_key(context)
    asked = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=list(context.apis.values()))
    storages = storage.get_project_service_account_output(project=context.project, opts=asked)
    bigquerys = bigquery.get_default_service_account_output(project=context.project, opts=asked)
    grants = {
        "storage": let_use(
            context.parent,
            f"{context.name}-storage-key",
            made,
            storages.email_address,
            retain=settings.retain_data,
        ),
        "bigquery": let_use(context.parent, f"{context.name}-bigquery-key", made, bigquerys.email),
    }
    registry = _bucket(context, "registry", "features", made, grants["storage"])
    staging = _bucket(context, "staging", "features-staging", made, grants["storage"])
    ready: list[pulumi.Resource] = [registry, staging]
    if settings.registry.kind == "bucket":
        first = storage.BucketObject(
            f"{context.name}-registry",
            bucket=registry.name,
            name=OBJECT,
            content=EMPTY,
            content_type="application/octet-stream",
            opts=context.options(
                data=True,
                # What Feast writes into it afterwards is no drift.
                ignore_changes=["content", "contentType", "detectMd5hash", "kmsKeyName", "metadata"],
            ),
        )
        ready.append(first)
    return Kept(made, registry, staging, _dataset(context, made, grants["bigquery"]), ready)


def _bucket(
    context: Context, purpose: str, called: str, crypto_key: kms.CryptoKey, grant: pulumi.Resource
) -> storage.Bucket:
    settings, staging = context.settings, purpose == "staging"
    rule = storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
        condition=storage.BucketLifecycleRuleConditionArgs(age=settings.staging_days)
        if staging
        else storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_DELETED_DAYS),
    )
    return storage.Bucket(
        f"{context.name}-{purpose}",
        project=context.project,
        name=f"{settings.prefix}-{called}-{context.project}",
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=storage.BucketVersioningArgs(enabled=not staging),
        # What is in staging is nobody's data, and not kept after it is deleted.
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=0 if staging else 7 * _A_DAY
        ),
        lifecycle_rules=[
            rule,
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
            ),
        ],
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=crypto_key.id),
        force_destroy=settings.force_destroy or staging,
        labels=settings.tags,
        # There is one bucket of a name in all of Google Cloud.
        opts=context.options(grant, data=True, delete_before_replace=True),
    )


def _dataset(context: Context, crypto_key: kms.CryptoKey, grant: pulumi.Resource) -> bigquery.Dataset:
    """Of tables that Feast makes for a query, and that go by themselves."""
    return bigquery.Dataset(
        f"{context.name}-dataset",
        project=context.project,
        dataset_id=context.dataset,
        location=context.region,
        description=f"Temporary tables of {context.settings.prefix}'s feature store",
        default_table_expiration_ms=context.settings.staging_days * _A_DAY * 1000,
        default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
            kms_key_name=crypto_key.id
        ),
        delete_contents_on_destroy=True,
        labels=context.settings.tags,
        opts=context.options(grant, delete_before_replace=True),
    )


def url(bucket: storage.Bucket) -> Output[str]:
    """The bucket as clients name it."""
    return Output.concat("gs://", bucket.name)
