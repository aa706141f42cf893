"""Checkpoints of training, and releases of models that no principal changes."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.model_store import ModelStoreReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.model_store.args import (
    CONFIGURATION,
    IMPORTER,
    NAMESPACE,
    PROMOTER,
    ModelStoreArgs,
    ModelStoreCheckpointsArgs,
    ModelStoreRegistryArgs,
    ModelStoreReleasesArgs,
    ModelStoreRetentionArgs,
    ModelStoreSettings,
    ModelStoreTokenArgs,
    ModelStoreWorkflowsArgs,
)

__all__ = [
    "ClusterReferenceArgs",
    "ModelStore",
    "ModelStoreArgs",
    "ModelStoreCheckpointsArgs",
    "ModelStoreReferenceArgs",
    "ModelStoreRegistryArgs",
    "ModelStoreReleasesArgs",
    "ModelStoreRetentionArgs",
    "ModelStoreTokenArgs",
    "ModelStoreWorkflowsArgs",
]


class ModelStore(ComponentResource):
    """The bucket of checkpoints and the bucket of releases, and the identities that promote and import
    models.

    Checkpoints are written by teams, each below the prefix of its namespace (component Teams), and expire. A
    release is written once, by the service account `promoter` or, below `imports/`, `importer` of the
    namespace `release`: no object is replaced, and no principal of the platform deletes one. Jobs there run
    one image, and state the member of the release group that created them.

    Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    checkpoints_bucket: Output[str]
    """The bucket of checkpoints. Each namespace has a prefix, `NAMESPACE/`."""
    checkpoints_uri: Output[str]
    """Its URI, `s3://...` or `gs://...`."""
    checkpoints_key: Output[str]
    """The key that encrypts it: an arn, or `projects/.../cryptoKeys/...`."""
    releases_bucket: Output[str]
    """The bucket of releases. Each team has a prefix, `TEAM/`."""
    releases_uri: Output[str]
    """Its URI, `s3://...` or `gs://...`."""
    kms_key: Output[str]
    """The key that encrypts it: an arn, or `projects/.../cryptoKeys/...`."""
    log_bucket: Output[str]
    """The bucket of the access logs of both."""
    namespace: KnownOutput[str]
    """The namespace of promotions and imports."""
    configuration: KnownOutput[str]
    """The ConfigMap there with the environment variables of their Jobs."""
    image: KnownOutput[str | None]
    """The image that promotes and imports."""
    promoter_principal: Output[str]
    """The principal of promotions in the cloud: a role's arn, or `serviceAccount:` and an email."""
    importer_principal: Output[str]
    """The principal of imports in the cloud."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ModelStoreArgs", args, opts)
        settings = read(ModelStoreSettings, args, "ModelStoreArgs")
        super().__init__("aiplatform:index:ModelStore", name, {}, opts)
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        if settings.cloud == "gcp":
            from aiplatform.model_store.gcp.build import build
        else:
            from aiplatform.model_store.aws.build import build
        from aiplatform._shared.context import Context
        from aiplatform.model_store import namespace

        built = build(self, name, settings)
        scheme = "gs" if settings.cloud == "gcp" else "s3"
        releases_uri = Output.concat(scheme, "://", built.releases_bucket)
        namespace.create(Context(self, name, settings), built, releases_uri)
        outputs = {
            "cloud": settings.cloud,
            "checkpoints_bucket": built.checkpoints_bucket,
            "checkpoints_uri": Output.concat(scheme, "://", built.checkpoints_bucket),
            "checkpoints_key": built.checkpoints_key,
            "releases_bucket": built.releases_bucket,
            "releases_uri": releases_uri,
            "kms_key": built.kms_key,
            "log_bucket": built.log_bucket,
            "namespace": NAMESPACE,
            "configuration": CONFIGURATION,
            "image": settings.image,
            "promoter_principal": built.identities[PROMOTER].principal,
            "importer_principal": built.identities[IMPORTER].principal,
        }
        self.outputs = cast("ModelStoreReferenceArgs", outputs)
        publish(self, self.outputs)
