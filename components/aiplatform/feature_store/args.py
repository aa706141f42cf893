"""Arguments of the feature store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

from pulumi import Input, Output

from aiplatform._shared import images as _images
from aiplatform._shared.args import (
    Problem,
    between,
    distinct,
    got,
    is_unknown,
    length,
    matches,
    obeys,
    with_value,
)
from aiplatform._shared.cloud_support import CLOUDS, Cloud, CloudNeutral, SupportTable
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags, mapped_object
from aiplatform._shared.principals import PRINCIPAL, identity, known
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.references.lakehouse import LakehouseReference
from aiplatform._shared.secret_names import key_problems
from aiplatform.feature_store import online
from aiplatform.feature_store.cloud_support import SUPPORT
from aiplatform.feature_store.component_args import (
    FeatureMaterialization,
    FeatureRegistry,
    FeatureServer,
)
from aiplatform.feature_store.inputs import FeatureStoreArgs as FeatureStoreArgs
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
from aiplatform.network.args import NetworkReference
from aiplatform.workload_identity.args import prefix_too_long

NAMESPACE: Final = "feature-store"
SERVER: Final = "feature-server"
"""The Deployment, its Service and its service account."""
PORT: Final = 6566
"""The port of the server's Pods."""
METRICS_PORT: Final = 8000
"""The port at which the server's Pods serve metrics, with `server.metrics`: Feast has no option for it
(feast.metrics.start_metrics_server)."""
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
"""Upstream's image. The rendered configuration is that of this release."""

ENDPOINTS: Final = ("athena", "eks-auth", "glue", "kms", "lakeformation", "sts")
"""AWS services that server and materializer call: in a network without a route to the internet they need
interface endpoints, in addition to the gateways of S3 and DynamoDB, which every network has."""

LEAST_CUTOFF: Final = 10 * 1024**2
"""Athena's lowest limit of a query (pulumi_aws, WorkgroupConfigurationArgs)."""
MOST_BACKUP_DAYS: Final = 35
"""DynamoDB's longest recovery period, and that of ElastiCache's snapshots."""


_EXPIRE: Final = between(1, 365, "days")
_BACKUP: Final = between(1, MOST_BACKUP_DAYS, "days")
_STAGING: Final = between(1, 30, "days")
_CUTOFF: Final = between(LEAST_CUTOFF, 1024**5, "bytes")
_NAME: Final = "letters, digits and underscores, the first no underscore"


@dataclass(frozen=True)
class FeatureStoreSettings(KeyGrants, CloudNeutral):
    """A feature store: Feast on the lakehouse, with an online store of a latency class."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(KEY_ALIAS, WORKGROUP, DATABASE)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster that server and schedule run on: `Cluster.outputs`."""
    lakehouse: LakehouseReference
    """The lakehouse that features come from: `Lakehouse.outputs`."""
    materializer: WorkloadIdentityReference
    """The identity that reads the lakehouse and writes the online store: the outputs of a WorkloadIdentity
    for the service account `feature-materializer` in the namespace `feature-store`. The lakehouse's grants
    name its principal, so it is created before both."""
    project: Annotated[str, matches(r"[a-z0-9][a-z0-9_]{0,39}", f"at most 40 lower-case {_NAME}")] = (
        "features"
    )
    """Feast's project: lower-case letters, digits and underscores. Default `features`."""
    feature_views: Annotated[
        list[Annotated[str, matches(r"[A-Za-z0-9]\w{0,99}", f"at most 100 {_NAME}")]], distinct
    ] = field(default_factory=list[str])
    """The names of feature views in the online store. With DynamoDB each has a table that is created here;
    Feast uses it and creates none. Default none."""
    latency: Latency = "tens_of_milliseconds"
    """The latency of the online store: `tens_of_milliseconds`, `milliseconds` or `sub_millisecond`. Default
    `tens_of_milliseconds`."""
    online_store: OnlineStore | None = None
    """`dynamodb` or `valkey` on AWS, `datastore` or `bigtable` on Google Cloud; one that does not meet
    `latency` is refused. Default: the one that meets it with the lowest cost without requests."""
    consistent_reads: bool = False
    """AWS: whether DynamoDB is read strongly consistent, at twice the price. Default false."""
    expire_days: Input[Annotated[int, _EXPIRE]] | None = None
    """AWS, only with Valkey: after how many days a row that is not written again is deleted, 1 to 365.
    Default never. A feature view's `ttl` hides old values in any store."""
    network: NetworkReference | None = None
    """AWS, and required for Valkey: the network of its endpoints, `Network.outputs`."""
    registry: FeatureRegistry = field(default_factory=FeatureRegistry)
    """Feast's registry of features. Default an object in a bucket."""
    backup_days: Input[Annotated[int, _BACKUP]] | None = None
    """How long former states of the online store can be restored, in days: 1 to 35. Default none: the store
    can be filled again from the lakehouse."""
    staging_days: Input[Annotated[int, _STAGING]] = 1
    """How long temporary files and tables between Feast and the query engine are retained, in days: 1 to 30.
    Default 1."""
    query_cutoff_bytes: Input[Annotated[int, _CUTOFF]] = 100 * 1024**3
    """AWS: the most bytes that one query may scan; a query that would scan more is cancelled. At least 10
    MiB.
    Default 100 GiB."""
    materialization: FeatureMaterialization = field(default_factory=FeatureMaterialization)
    """The schedule that writes features to the online store. Default every hour."""
    server: FeatureServer = field(default_factory=FeatureServer)
    """The server of features for applications."""
    appliers: Annotated[list[Input[str]], length(0, 20, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that may register features (`feast apply`), and everything that `readers` may; on AWS roles
    of this account. Each has a separate configuration in the output `clients`. Default none."""
    readers: Annotated[list[Input[str]], length(0, 50, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that may read the registry and query training data (`get_historical_features`); on AWS roles
    of this account. The lakehouse's grants decide which data they get. Each has a separate configuration in
    the output `clients`, and a location of results that no other principal reads. Default none."""
    image: Input[Annotated[str, _images.TAG_OR_DIGEST]] = IMAGE
    """Feast's image, with tag or digest, of the release of the default. Default: upstream's feature
    server."""
    mirrors: _images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's image: its registry (`quay.io`), or a repository in it -> the registry or
    repository to pull from instead. Tag and digest stay. Default: upstream itself."""
    kms_key: Input[str] | None = None
    """The key that encrypts registry, online store and staging. AWS: its arn, of the provider's region, on
    which the deployer may create grants (docs/bring-your-own.md). Google Cloud:
    `projects/.../cryptoKeys/...`, in the lakehouse's region. Default: a key that is created."""
    protect: bool = False
    """Whether Pulumi and the online store refuse to delete data. Default false."""
    retain_data: bool = False
    """Whether registry, online store and key stay in the cloud when the feature store is destroyed. Default
    false."""
    force_destroy: bool = False
    """Whether buckets are emptied when they are destroyed. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's; on Google Cloud labels."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def store(self) -> OnlineStore:
        """The online store."""
        return self.online_store or online.meeting(self.cloud, self.latency)[0]

    @property
    def chosen_image(self) -> Input[str]:
        """The image, in its mirror where there is one."""
        image = self.image
        if isinstance(image, str):
            return mapped_object(self.mirrors, lambda mirrors: _images.mirrored(image, mirrors))
        values: Output[Any] = Output.all(image, self.mirrors)
        return values.apply(lambda known: _images.mirrored(*known))

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.lakehouse.region)
        yield from self.key_grants_problems(self.kms_key)
        if self.lakehouse.cloud != self.cloud:
            yield Problem(
                "lakehouse.cloud",
                f"got one on {CLOUDS[self.lakehouse.cloud]}; expected one on {CLOUDS[self.cloud]}, where the "
                "cluster is",
            )
        yield from self._online()
        for problem in self.materializer.elsewhere(NAMESPACE, MATERIALIZER):
            yield Problem(f"materializer.{problem.path}", problem.reason)
        if self.cloud == "aws" and self.materializer.role_name is None:
            yield Problem("materializer.role_name", "missing; expected it as in WorkloadIdentity.outputs")
        yield from self._principals("appliers", self.appliers)
        yield from self._principals("readers", self.readers)
        yield from self._repeated_principals()
        yield from self._names()
        if self.protect and self.force_destroy:
            yield Problem("force_destroy", "got true together with protect; expected one of the two")

    def _online(self) -> Iterator[Problem]:
        problems = list(online.problems(self.cloud, self.latency, self.online_store))
        yield from problems
        if problems:
            return
        if self.store == "valkey" and self.network is None:
            yield Problem("network", "missing; expected the network of Valkey's endpoints: Network.outputs")
        if self.expire_days is not None and self.store != "valkey":
            yield Problem(
                "expire_days",
                f"{got(self.expire_days)}; expected valkey as the online store: Feast writes no time to live "
                f"into {online.STORES[self.store].title}; a feature view's own ttl hides old values",
            )
        if self.consistent_reads and self.store != "dynamodb":
            yield Problem("consistent_reads", "got true; expected dynamodb as the online store")
        if self.backup_days is not None and self.store == "bigtable":
            yield Problem(
                "backup_days",
                f"{got(self.backup_days)}, which Bigtable has only for tables, and Feast creates them: "
                "leave it out, the online store is filled again from the lakehouse",
            )

    def _principals(self, key: str, principals: Sequence[Input[str]]) -> Iterator[Problem]:
        for index, principal in enumerate(principals):
            yield from obeys(f"{key}[{index}]", principal, PRINCIPAL[self.cloud])

    def _repeated_principals(self) -> Iterator[Problem]:
        for index, principal in enumerate(self.readers):
            # On AWS the roles of identities are compared when policies are attached to them.
            text = known(principal) if self.cloud == "gcp" or not is_unknown(principal) else None
            if text is not None and text in [known(applier) for applier in self.appliers]:
                yield Problem(f"readers[{index}]", f"{got(text)}; expected it once: appliers read, too")
        if self.cloud == "gcp":
            for key, principals in (("appliers", self.appliers), ("readers", self.readers)):
                yield from _twice(key, [identity(principal) for principal in principals])

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
        reason = prefix_too_long(self.cloud, self.prefix, IDENTITY)
        if reason:
            yield Problem("prefix", with_value(self.prefix, reason))

    @property
    def store_or_none(self) -> OnlineStore | None:
        """The online store, or None where none meets the class."""
        fitting = online.meeting(self.cloud, self.latency)
        return self.online_store or (fitting[0] if fitting else None)

    @property
    def table_template(self) -> str:
        """Feast's template of the names of DynamoDB's tables. The dots separate environments and projects: no
        prefix and no project contains one, so an IAM policy by `{prefix}.{project}.*` is exact."""
        return f"{self.prefix}.{{project}}.{{table_name}}"

    def table(self, view: str) -> str:
        """Return the physical name of a feature view's table."""
        return self.table_template.format(project=self.project, table_name=view)


def _table(settings: FeatureStoreSettings) -> PhysicalName:
    """Return the longest of the tables' names."""
    longest = max(settings.feature_views, key=len, default="")
    return PhysicalName(DYNAMODB_TABLE, f"{{prefix}}.{settings.project}.{longest}")


def _twice(key: str, principals: Sequence[str]) -> Iterator[Problem]:
    for index, principal in enumerate(principals):
        if (first := principals.index(principal)) < index:
            yield Problem(f"{key}[{index}]", f"the same principal as {key}[{first}]; expected each once")
