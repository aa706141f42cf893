"""Arguments of the feature store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared import images as _images
from aiplatform._shared.args import Problem, between, distinct, got, is_unknown, length, matches, obeys
from aiplatform._shared.cloud_support import CLOUDS, Cloud, CloudNeutral, SupportTable
from aiplatform._shared.principals import PRINCIPAL, identity, known
from aiplatform._shared.references.cluster import ClusterReference, ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReference, WorkloadIdentityReferenceArgs
from aiplatform._shared.references.lakehouse import LakehouseReference, LakehouseReferenceArgs
from aiplatform.feature_store import online
from aiplatform.feature_store.cloud_support import SUPPORT
from aiplatform.feature_store.component_args import (
    FeatureMaterialization,
    FeatureMaterializationArgs,
    FeatureRegistry,
    FeatureRegistryArgs,
    FeatureServer,
    FeatureServerArgs,
)
from aiplatform.feature_store.online import Latency, OnlineStore
from aiplatform.naming import (
    ATHENA_WORKGROUP,
    BIGTABLE_INSTANCE,
    DYNAMODB_TABLE,
    ELASTICACHE_USER,
    FIRESTORE_DATABASE,
    GLUE_DATABASE,
    KMS_ALIAS,
    S3_BUCKET,
    SECURITY_GROUP_PREFIX,
    SERVERLESS_CACHE,
    PhysicalName,
    aws_tags,
    google_labels,
    prefix_for,
)
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs
from aiplatform.workload_identity.args import too_long

NAMESPACE: Final = "feature-store"
SERVER: Final = "feature-server"
"""The Deployment, its Service and its service account."""
MATERIALIZER: Final = "feature-materializer"
"""The CronJob and its service account."""
IDENTITY: Final = "feast"
"""The name of the server's workload identity: `{prefix}-wi-feast`."""

BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-feast-applier-12345678-111122223333")
"""The longest of the buckets' names; the registry's is `{prefix}-features-{account}`."""
DATABASE: Final = PhysicalName(GLUE_DATABASE, "{prefix}_features")
WORKGROUP: Final = PhysicalName(ATHENA_WORKGROUP, "{prefix}-features-applier-12345678")
"""The longest of the workgroups' names."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-features")
CACHE: Final = PhysicalName(SERVERLESS_CACHE, "{prefix}-features")
CACHE_USER: Final = PhysicalName(ELASTICACHE_USER, f"{{prefix}}-{MATERIALIZER}")
"""The longer of the users' names; the other is the server's."""
CACHE_GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-features")
# Firestore's and Bigtable's are the same word.
FIRESTORE: Final = PhysicalName(FIRESTORE_DATABASE, "{prefix}-features")
BIGTABLE: Final = PhysicalName(BIGTABLE_INSTANCE, "{prefix}-features")

IMAGE: Final = _images.images()["feast-feature-server"].reference
"""Upstream's image. The configuration that is rendered is that of this release."""

ENDPOINTS: Final = ("athena", "eks-auth", "glue", "kms", "lakeformation", "sts")
"""AWS services that server and materializer call: in a network without a way out they need interface
endpoints, beside the gateways of S3 and DynamoDB, which every network has."""

LEAST_CUTOFF: Final = 10 * 1024**2
"""Athena's least limit of a query (pulumi_aws, WorkgroupConfigurationArgs)."""
MOST_BACKUP_DAYS: Final = 35
"""DynamoDB's longest recovery period, and that of ElastiCache's snapshots."""


class FeatureStoreArgs(TypedDict):
    """A feature store: Feast on the lakehouse, with an online store of a latency class."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: Input[ClusterReferenceArgs]
    """The cluster that server and schedule run on: `Cluster.outputs`."""
    lakehouse: Input[LakehouseReferenceArgs]
    """The lakehouse that features come from: `Lakehouse.outputs`."""
    materializer: Input[WorkloadIdentityReferenceArgs]
    """Who reads the lakehouse and writes the online store: the outputs of a WorkloadIdentity for the service
    account `feature-materializer` in the namespace `feature-store`. The lakehouse's grants name its
    principal, so it is made before both."""
    project: NotRequired[str]
    """Feast's project: lower-case letters, digits and underscores. Default `features`."""
    feature_views: NotRequired[list[str]]
    """The feature views that are kept online, by name. On DynamoDB each has its table, made here: Feast finds
    it and makes none. Default none."""
    latency: NotRequired[Latency]
    """How fast the online store answers: `tens_of_milliseconds`, `milliseconds` or `sub_millisecond`. Default
    `tens_of_milliseconds`."""
    online_store: NotRequired[OnlineStore]
    """`dynamodb` or `valkey` on AWS, `datastore` or `bigtable` on Google Cloud; one that does not meet the
    class is refused. Default: the one of those that meet it that costs least when nobody asks."""
    consistent_reads: NotRequired[bool]
    """AWS: whether DynamoDB is read strongly consistent, at twice the price. Default false."""
    expire_days: NotRequired[int]
    """AWS, Valkey alone: after how many days a row that is not written again is gone, 1 to 365. Default
    never. A feature view's own `ttl` hides old values in any store."""
    network: NotRequired[Input[NetworkReferenceArgs]]
    """AWS, and required for Valkey: the network of its endpoints, `Network.outputs`."""
    registry: NotRequired[FeatureRegistryArgs]
    """Where Feast keeps what features there are. Default an object in a bucket."""
    backup_days: NotRequired[int]
    """For how long the online store can be brought back to what it was, in days: 1 to 35. Default not at
    all: it is filled again from the lakehouse."""
    staging_days: NotRequired[int]
    """How long files and tables between Feast and the query engine stay when nobody took them away, in days:
    1 to 30. Default 1."""
    query_cutoff_bytes: NotRequired[int]
    """AWS: the most bytes that one query may scan; one that would scan more is cancelled. At least 10 MiB.
    Default 100 GiB."""
    materialization: NotRequired[FeatureMaterializationArgs]
    """When features go into the online store. Default every hour."""
    server: NotRequired[FeatureServerArgs]
    """The server that applications ask for features."""
    appliers: NotRequired[list[Input[str]]]
    """Who may say what features there are (`feast apply`), and ask as `readers` may: principals, on AWS roles
    of this account. Each has a configuration of its own in the output `clients`. Default no
    principal."""
    readers: NotRequired[list[Input[str]]]
    """Who may read the registry and ask for training data (`get_historical_features`): principals, on AWS
    roles of this account. What they get, the lakehouse's grants decide. Each has a configuration of its own
    in the output `clients`, and a place for results that no other principal reads. Default no
    principal."""
    image: NotRequired[str]
    """Feast's image, with tag or digest, of the release of the default. Default: upstream's feature
    server."""
    mirrors: NotRequired[dict[str, str]]
    """Mirrors of upstream's image: its registry (`quay.io`), or a repository in it -> the registry or
    repository to pull from instead. Tag and digest stay. Default: upstream itself."""
    protect: NotRequired[bool]
    """Whether Pulumi and the online store refuse to delete what is kept. Default false."""
    retain_data: NotRequired[bool]
    """Whether registry, online store and key stay in the cloud when the feature store is destroyed. Default
    false."""
    force_destroy: NotRequired[bool]
    """Whether buckets are emptied when they are destroyed. Default false."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, beside those of the provider; on Google Cloud labels."""


_NAME: Final = "letters, digits and underscores, the first no underscore"


@dataclass(frozen=True)
class FeatureStoreSettings(CloudNeutral):
    """Checked arguments of a feature store."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(KEY_ALIAS, WORKGROUP, DATABASE)]
    cluster: ClusterReference
    lakehouse: LakehouseReference
    materializer: WorkloadIdentityReference
    project: Annotated[str, matches(r"[a-z0-9][a-z0-9_]{0,39}", f"at most 40 lower-case {_NAME}")] = (
        "features"
    )
    feature_views: Annotated[
        list[Annotated[str, matches(r"[A-Za-z0-9]\w{0,99}", f"at most 100 {_NAME}")]], distinct
    ] = field(default_factory=list[str])
    latency: Latency = "tens_of_milliseconds"
    online_store: OnlineStore | None = None
    consistent_reads: bool = False
    expire_days: Annotated[int, between(1, 365, "days")] | None = None
    network: NetworkReference | None = None
    registry: FeatureRegistry = field(default_factory=FeatureRegistry)
    backup_days: Annotated[int, between(1, MOST_BACKUP_DAYS, "days")] | None = None
    staging_days: Annotated[int, between(1, 30, "days")] = 1
    query_cutoff_bytes: Annotated[int, between(LEAST_CUTOFF, 1024**5, "bytes")] = 100 * 1024**3
    materialization: FeatureMaterialization = field(default_factory=FeatureMaterialization)
    server: FeatureServer = field(default_factory=FeatureServer)
    appliers: Annotated[list[Input[str]], length(0, 20, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    readers: Annotated[list[Input[str]], length(0, 50, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    image: Annotated[
        str,
        matches(r"[^\s:]+(:\d+/[^\s:]+)?(:[\w.-]+|@sha256:[0-9a-f]{64})+", "an image with its tag or digest"),
    ] = IMAGE
    mirrors: Annotated[dict[str, str], _images.mirrors] = field(default_factory=dict[str, str])
    protect: bool = False
    retain_data: bool = False
    force_destroy: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def store(self) -> OnlineStore:
        """The online store."""
        return self.online_store or online.meeting(self.cloud, self.latency)[0]

    @property
    def chosen_image(self) -> str:
        """The image, at its mirror where one is given."""
        return _images.mirrored(self.image, self.mirrors)

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        if self.lakehouse.cloud != self.cloud:
            yield Problem(
                "lakehouse.cloud",
                f"got one on {CLOUDS[self.lakehouse.cloud]}, expected one on {CLOUDS[self.cloud]}, where the "
                "cluster is",
            )
        yield from self._online()
        for problem in self.materializer.elsewhere(NAMESPACE, MATERIALIZER):
            yield Problem(f"materializer.{problem.path}", problem.reason)
        if self.cloud == "aws" and self.materializer.role_name is None:
            yield Problem(
                "materializer.role_name", "missing, expected it as WorkloadIdentity.outputs gives it"
            )
        yield from self._principals("appliers", self.appliers)
        yield from self._principals("readers", self.readers)
        yield from self._both()
        yield from self._names()
        if self.protect and self.force_destroy:
            yield Problem("force_destroy", "got true beside protect, expected one of the two")

    def _online(self) -> Iterator[Problem]:
        problems = list(online.problems(self.cloud, self.latency, self.online_store))
        yield from problems
        if problems:
            return
        if self.store == "valkey" and self.network is None:
            yield Problem("network", "missing, expected the network of Valkey's endpoints: Network.outputs")
        if self.expire_days is not None and self.store != "valkey":
            yield Problem(
                "expire_days",
                f"got {self.expire_days}, expected valkey as the online store: Feast writes no time to live "
                f"into {online.STORES[self.store].called}; a feature view's own ttl hides old values",
            )
        if self.consistent_reads and self.store != "dynamodb":
            yield Problem("consistent_reads", "got true, expected dynamodb as the online store")
        if self.backup_days is not None and self.store == "bigtable":
            yield Problem(
                "backup_days",
                f"got {self.backup_days}, which Bigtable has by table alone, and Feast makes the tables: "
                "leave it out, the online store is filled again from the lakehouse",
            )

    def _principals(self, key: str, given: Sequence[Input[str]]) -> Iterator[Problem]:
        for index, principal in enumerate(given):
            yield from obeys(f"{key}[{index}]", principal, PRINCIPAL[self.cloud])

    def _both(self) -> Iterator[Problem]:
        for index, principal in enumerate(self.readers):
            # On AWS the roles of identities are compared when policies are put on them.
            text = known(principal) if self.cloud == "gcp" or not is_unknown(principal) else None
            if text is not None and text in [known(each) for each in self.appliers]:
                yield Problem(f"readers[{index}]", f"{got(text)}, expected it once: appliers read, too")
        if self.cloud == "gcp":
            for key, principals in (("appliers", self.appliers), ("readers", self.readers)):
                yield from _twice(key, [identity(each) for each in principals])

    def _names(self) -> Iterator[Problem]:
        if self.cloud == "aws":
            yield from obeys("tags", self.tags, aws_tags)
            names = [BUCKET, _table(self)]
            names += [CACHE, CACHE_USER, CACHE_GROUP] if self.store_or_none == "valkey" else []
        else:
            yield from obeys("tags", self.tags, google_labels)
            names = [PhysicalName(S3_BUCKET, f"{{prefix}}-feast-materializer-{self.cluster.project}")]
            names += [BIGTABLE] if self.store_or_none == "bigtable" else [FIRESTORE]
        yield from obeys("prefix", self.prefix, prefix_for(*names))
        reason = too_long(self.cloud, self.prefix, IDENTITY)
        if reason:
            yield Problem("prefix", f"{got(self.prefix)}, {reason}")

    @property
    def store_or_none(self) -> OnlineStore | None:
        """The online store, or None where none meets the class."""
        fitting = online.meeting(self.cloud, self.latency)
        return self.online_store or (fitting[0] if fitting else None)

    @property
    def table_template(self) -> str:
        """Feast's template of the names of DynamoDB's tables. The dots keep environments and projects apart:
        they are in no prefix and no project, so an IAM policy by `{prefix}.{project}.*` is exact."""
        return f"{self.prefix}.{{project}}.{{table_name}}"

    def table(self, view: str) -> str:
        """The physical name of a feature view's table."""
        return self.table_template.format(project=self.project, table_name=view)


def _table(settings: FeatureStoreSettings) -> PhysicalName:
    """The longest of the tables' names."""
    longest = max(settings.feature_views, key=len, default="")
    return PhysicalName(DYNAMODB_TABLE, f"{{prefix}}.{settings.project}.{longest}")


def _twice(key: str, principals: Sequence[str]) -> Iterator[Problem]:
    for index, principal in enumerate(principals):
        if (first := principals.index(principal)) < index:
            yield Problem(f"{key}[{index}]", f"the same principal as {key}[{first}], expected each once")
