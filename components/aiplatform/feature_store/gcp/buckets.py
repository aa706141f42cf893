"""Key, registry, and a bucket and a dataset for each principal of a feature store on Google Cloud."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import bigquery, storage

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.keys import Key, data_key, grant_key_use
from aiplatform._shared.outputs import Tags, mapped, merged
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT
from aiplatform.feature_store.gcp.context import Context

_DELETED_DAYS = 30
"""How long an overwritten registry can be restored."""
_ABANDONED_DAYS = 7
_A_DAY = 24 * 3600
_PRINCIPAL = "principal"


@dataclass(frozen=True)
class Staging:
    """What one principal has between Feast and BigQuery."""

    bucket: storage.Bucket
    dataset: bigquery.Dataset


@dataclass(frozen=True)
class Storage:
    """Key and registry. grants: by service, the role of its agent on the key. ready: what users of the
    registry depend on."""

    key: Key
    registry: storage.Bucket
    grants: Mapping[str, Dependency]
    ready: list[pulumi.Resource]


def create_storage(context: Context) -> Storage:
    """Create key and registry. Service agents are allowed to use the key before anything is encrypted by
    it."""
    settings = context.settings
    key = data_key(context)
    apis = list(context.apis.values())
    bigquery_agent = bigquery.get_default_service_account_output(
        project=context.project,
        opts=pulumi.InvokeOutputOptions(parent=context.parent, depends_on=apis),
    )
    grants = {
        "storage": grant_key_use(
            context.parent,
            f"{context.name}-storage-key",
            key,
            context.storage_agent(*apis),
            retain=settings.retain_data,
        ),
        "bigquery": grant_key_use(
            context.parent,
            f"{context.name}-bigquery-key",
            key,
            bigquery_agent.email,
            retain=settings.retain_data,
        ),
    }
    registry = _bucket(
        context,
        "registry",
        f"{settings.prefix}-features-{context.project}",
        key,
        storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_DELETED_DAYS),
        versioned=True,
        labels=settings.tags,
        # Names of buckets are unique in all of Google Cloud.
        opts=context.options(grants["storage"], data=True, delete_before_replace=True),
    )
    ready: list[pulumi.Resource] = [registry]
    if settings.registry.kind == "bucket":
        empty_registry = storage.BucketObject(
            f"{context.name}-registry",
            bucket=registry.name,
            name=OBJECT,
            content=EMPTY,
            content_type="application/octet-stream",
            opts=context.options(
                data=True,
                # Later writes of Feast are no drift.
                ignore_changes=["content", "contentType", "detectMd5hash", "kmsKeyName", "metadata"],
            ),
        )
        ready.append(empty_registry)
    return Storage(key, registry, grants, ready)


def create_staging(context: Context, data: Storage, purpose: str, principal: Input[str]) -> Staging:
    """Create bucket and dataset of one principal. purpose: `materializer`, `applier-0`. Where another
    principal takes its place (an entry before it in `readers` was removed), both are replaced, with their
    contents; the materializer's bucket stays."""
    # A label allows no email address.
    digest = Output.from_input(principal).apply(
        lambda member: hashlib.sha256(member.encode()).hexdigest()[:16]
    )
    labels = merged(context.settings.tags, {_PRINCIPAL: digest})

    def options(service: str, *, protected: bool = False) -> ResourceOptions:
        return ResourceOptions.merge(
            context.options(data.grants[service], data=protected, delete_before_replace=True),
            ResourceOptions(replace_on_changes=[] if protected else [f"labels.{_PRINCIPAL}"]),
        )

    bucket = _bucket(
        context,
        f"staging-{purpose}",
        f"{context.settings.prefix}-feast-{purpose}-{context.project}",
        data.key,
        storage.BucketLifecycleRuleConditionArgs(age=context.settings.staging_days),
        versioned=False,
        labels=labels,
        # Protected as data is, so it stays when its principal changes: what is protected cannot be replaced.
        opts=options("storage", protected=purpose == "materializer"),
    )
    dataset = bigquery.Dataset(
        f"{context.name}-{purpose}",
        project=context.project,
        dataset_id=context.dataset(purpose),
        location=context.region,
        description=f"Temporary tables of {context.settings.prefix}'s feature store, {purpose}",
        default_table_expiration_ms=mapped(context.settings.staging_days, lambda days: days * _A_DAY * 1000),
        default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
            kms_key_name=data.key.id
        ),
        delete_contents_on_destroy=True,
        labels=labels,
        opts=options("bigquery"),
    )
    return Staging(bucket, dataset)


def _bucket(
    context: Context,
    purpose: str,
    name: str,
    crypto_key: Key,
    expiry: storage.BucketLifecycleRuleConditionArgs,
    *,
    versioned: bool,
    labels: Tags,
    opts: ResourceOptions,
) -> storage.Bucket:
    return storage.Bucket(
        f"{context.name}-{purpose}",
        project=context.project,
        name=name,
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=storage.BucketVersioningArgs(enabled=versioned),
        # Deleted files of staging cannot be restored.
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=7 * _A_DAY if versioned else 0
        ),
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"), condition=expiry
            ),
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=_ABANDONED_DAYS),
            ),
        ],
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=crypto_key.id),
        force_destroy=context.settings.force_destroy or not versioned,
        labels=labels,
        opts=opts,
    )


def url(bucket: storage.Bucket) -> Output[str]:
    """Return a bucket's URL."""
    return Output.concat("gs://", bucket.name)
