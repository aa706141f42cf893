"""`FeatureStore.outputs`."""

from typing import TypedDict

from pulumi import Input

from aiplatform.feature_store.output_types import FeatureStoreClient


class FeatureStoreOutputs(TypedDict):
    """Outputs of FeatureStore."""

    cloud: Input[str]
    """`aws` or `gcp`."""
    project: Input[str]
    """Feast's project."""
    clients: list[FeatureStoreClient]
    """The configuration of each applier and reader."""
    feature_store_yaml: Input[str]
    """The `feature_store.yaml` of schedule and server; it holds no secret."""
    registry: Input[str]
    """The location of the registry: a URL of the bucket's object, or `sql`."""
    registry_bucket: Input[str]
    """The registry's bucket."""
    staging_bucket: Input[str]
    """The bucket of the schedule's files between Feast and the query engine."""
    offline_database: Input[str]
    """The database, or dataset, of the schedule's temporary tables."""
    workgroup: Input[str] | None
    """AWS: the Athena workgroup of the schedule's queries."""
    online_store: Input[str]
    """`dynamodb`, `valkey`, `datastore` or `bigtable`."""
    online_tables: list[Input[str]]
    """AWS: the names of the DynamoDB tables."""
    kms_key: Input[str]
    """The key of all data: an arn, or `projects/.../cryptoKeys/...`."""
    namespace: Input[str]
    """The namespace of server and schedule."""
    endpoint: Input[str]
    """The URL of the server for applications in the cluster."""
    server_principal: Input[str]
    """The server's principal in the cloud."""
