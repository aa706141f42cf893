"""The model store on Google Cloud: its resources, in the order of their dependencies."""

import pulumi

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform.model_store import identities
from aiplatform.model_store.args import ModelStoreSettings
from aiplatform.model_store.gcp.access import admit_members, grant
from aiplatform.model_store.gcp.context import APIS, Context
from aiplatform.model_store.gcp.storage import create_buckets, create_key
from aiplatform.model_store.platform import Built


def build(parent: pulumi.ComponentResource, name: str, settings: ModelStoreSettings) -> Built:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))
    created = identities.create(context)
    key = create_key(context)
    buckets = create_buckets(context, key)
    return Built(
        checkpoints_bucket=settings.checkpoints.bucket or (buckets.checkpoints or buckets.releases).name,
        releases_bucket=buckets.releases.name,
        log_bucket=buckets.logs.name,
        kms_key=key.id,
        checkpoints_key=key.id,
        identities=created,
        variables={"GOOGLE_CLOUD_PROJECT": project, "GOOGLE_CLOUD_REGION": region},
        ready=grant(context, created, buckets),
        groups=admit_members(context),
    )
