"""A feature store: Feast on the lakehouse, with an online store of a latency class."""

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.lakehouse import (
    LakehouseReferenceArgs,
    LakehouseTableReferenceArgs,
    LakehouseZoneReferenceArgs,
)
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.feature_store.args import FeatureStoreArgs, FeatureStoreSettings
from aiplatform.feature_store.component_args import (
    FeatureMaterializationArgs,
    FeatureRegistryArgs,
    FeatureServerArgs,
)
from aiplatform.feature_store.output_types import FeatureStoreClient
from aiplatform.feature_store.outputs import FeatureStoreOutputs
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "ClusterReferenceArgs",
    "FeatureMaterializationArgs",
    "FeatureRegistryArgs",
    "FeatureServerArgs",
    "FeatureStore",
    "FeatureStoreArgs",
    "FeatureStoreClient",
    "FeatureStoreOutputs",
    "LakehouseReferenceArgs",
    "LakehouseTableReferenceArgs",
    "LakehouseZoneReferenceArgs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "WorkloadIdentityReferenceArgs",
]


class FeatureStore(ComponentResource):
    """Feast on the lakehouse: training data by point-in-time joins of its tables (Athena or BigQuery), a
    schedule that writes the newest values to an online store, and a server on the cluster for applications.
    Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`.

    `clients` has Feast's configuration file for each applier and reader, without a secret in it: put it into
    a repository of feature views, which `feast apply` then applies.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    project: KnownOutput[str]
    """Feast's project."""
    clients: KnownOutput[list[FeatureStoreClient]]
    """The configuration of each applier and reader."""
    feature_store_yaml: Output[str]
    """The `feature_store.yaml` of schedule and server; it holds no secret."""
    registry: Output[str]
    """The location of the registry: a URL of the bucket's object, or `sql`."""
    registry_bucket: Output[str]
    """The registry's bucket."""
    staging_bucket: Output[str]
    """The bucket of the schedule's files between Feast and the query engine."""
    offline_database: Output[str]
    """The database, or dataset, of the schedule's temporary tables."""
    workgroup: Output[str | None]
    """AWS: the Athena workgroup of the schedule's queries."""
    online_store: Output[str]
    """`dynamodb`, `valkey`, `datastore` or `bigtable`."""
    online_tables: KnownOutput[list[Input[str]]]
    """AWS: the names of the DynamoDB tables."""
    kms_key: Output[str]
    """The key of all data: an arn, or `projects/.../cryptoKeys/...`."""
    namespace: KnownOutput[str]
    """The namespace of server and schedule."""
    endpoint: Output[str]
    """The URL of the server for applications in the cluster."""
    server_principal: Output[str]
    """The server's principal in the cloud."""

    def __init__(self, name: str, args: FeatureStoreArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("FeatureStoreArgs", args, opts)
        settings = read(FeatureStoreSettings, args, "FeatureStoreArgs")
        super().__init__("aiplatform:index:FeatureStore", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.feature_store.gcp.build import build
        else:
            from aiplatform.feature_store.aws.build import build
        self.outputs: FeatureStoreOutputs = build(self, name, settings)
        publish(self, self.outputs)
