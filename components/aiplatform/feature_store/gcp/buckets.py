"""Key, the registry's bucket, and a bucket and dataset a principal of a feature store on Google Cloud."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import bigquery, kms, storage

from aiplatform._shared.gcp.keys import data_key, let_use
from aiplatform.feature_store.config import EMPTY
from aiplatform.feature_store.config import REGISTRY as OBJECT
from aiplatform.feature_store.gcp.context import Context

_DELETED_DAYS = 30
"""How long a registry that was overwritten can be called back."""
_ABANDONED_DAYS = 7
_A_DAY = 24 * 3600
_PRINCIPAL = "principal"


@dataclass(frozen=True)
class Staging:
    """What one principal has between Feast and BigQuery."""

    bucket: storage.Bucket
    dataset: bigquery.Dataset


@dataclass(frozen=True)
class Kept:
    """What is made. grants: by service, what lets Google's own agents use the key."""

    key: kms.CryptoKey
    registry: storage.Bucket
    grants: Mapping[str, pulumi.Resource]
    ready: list[pulumi.Resource]


def kept(context: Context) -> Kept:
    """Key and registry. Google's own services are let to use the key before anything is encrypted by it."""
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
    registry = _bucket(
        context,
        "registry",
        f"{settings.prefix}-features-{context.project}",
        made,
        storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_DELETED_DAYS),
        versioned=True,
        labels=settings.tags,
        # There is one bucket of a name in all of Google Cloud.
        opts=context.options(grants["storage"], data=True, delete_before_replace=True),
    )
    ready: list[pulumi.Resource] = [registry]
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
    return Kept(made, registry, grants, ready)


def staging(context: Context, stored: Kept, who: str, principal: Input[str]) -> Staging:
    """What one principal has for itself. who: `materializer`, `applier-0`. Where another principal takes its
    place (an entry before it in `readers` was removed), it is replaced, with what is in it; the
    materializer's bucket stays."""
    labels: dict[str, Input[str]] = {
        **context.settings.tags,
        # A label takes no email address.
        _PRINCIPAL: Output.from_input(principal).apply(
            lambda member: hashlib.sha256(member.encode()).hexdigest()[:16]
        ),
    }

    def options(service: str, *, data: bool = False) -> ResourceOptions:
        return ResourceOptions.merge(
            context.options(stored.grants[service], data=data, delete_before_replace=True),
            ResourceOptions(replace_on_changes=[] if data else [f"labels.{_PRINCIPAL}"]),
        )

    bucket = _bucket(
        context,
        f"staging-{who}",
        f"{context.settings.prefix}-feast-{who}-{context.project}",
        stored.key,
        storage.BucketLifecycleRuleConditionArgs(age=context.settings.staging_days),
        versioned=False,
        labels=labels,
        # Guarded as data is, so it stays when its principal changes: what is protected cannot be replaced.
        opts=options("storage", data=who == "materializer"),
    )
    dataset = bigquery.Dataset(
        f"{context.name}-{who}",
        project=context.project,
        dataset_id=context.dataset(who),
        location=context.region,
        description=f"Temporary tables of {context.settings.prefix}'s feature store, {who}",
        default_table_expiration_ms=context.settings.staging_days * _A_DAY * 1000,
        default_encryption_configuration=bigquery.DatasetDefaultEncryptionConfigurationArgs(
            kms_key_name=stored.key.id
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
    crypto_key: kms.CryptoKey,
    deleted: storage.BucketLifecycleRuleConditionArgs,
    *,
    versioned: bool,
    labels: Mapping[str, Input[str]],
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
        # What is in staging is not kept after it is deleted.
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=7 * _A_DAY if versioned else 0
        ),
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"), condition=deleted
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
    """The bucket as clients name it."""
    return Output.concat("gs://", bucket.name)
