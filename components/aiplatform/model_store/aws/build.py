"""The model store on AWS: its resources, in the order of their dependencies."""

from typing import Any

import pulumi

from aiplatform._shared.aws.account import account_of
from aiplatform.model_store import identities
from aiplatform.model_store.args import IMPORTER, PROMOTER, ModelStoreSettings
from aiplatform.model_store.aws.access import admit_members, grant
from aiplatform.model_store.aws.context import Context
from aiplatform.model_store.aws.storage import create_buckets, create_key
from aiplatform.model_store.platform import Built


def build(parent: pulumi.ComponentResource, name: str, settings: ModelStoreSettings) -> Built:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    created = identities.create(context, tags=settings.tags)
    key = create_key(context)
    writers = [created[account].principal for account in (PROMOTER, IMPORTER)]
    buckets = create_buckets(context, key, writers)
    policies = grant(context, created, key)
    region: Any = context.account.region
    brought = settings.checkpoints
    return Built(
        checkpoints_bucket=brought.bucket or (buckets.checkpoints or buckets.releases).bucket.bucket,
        releases_bucket=buckets.releases.bucket.bucket,
        log_bucket=buckets.logs.name,
        kms_key=key,
        checkpoints_key=brought.kms_key if brought.bucket is not None and brought.kms_key else key,
        identities=created,
        variables={"AWS_REGION": region, "AWS_DEFAULT_REGION": region},
        ready=[*policies, *buckets.releases.ready],
        groups=admit_members(context),
    )
