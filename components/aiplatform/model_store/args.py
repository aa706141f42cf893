"""Arguments of the model store."""

import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, distinct, got, is_unknown, length, matches, obeys
from aiplatform._shared.bucket_names import BUCKET, bucket_problems
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import GROUP, ROLE
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.model_store import NAMESPACE as NAMESPACE
from aiplatform._shared.secret_names import KEY, KMS_KEY, SECRET, key_problems
from aiplatform.model_registry.accounts import ALIAS
from aiplatform.model_store.cloud_support import SUPPORT
from aiplatform.model_store.inputs import ModelStoreArgs as ModelStoreArgs
from aiplatform.model_store.inputs import ModelStoreCheckpointsArgs as ModelStoreCheckpointsArgs
from aiplatform.model_store.inputs import ModelStoreRegistryArgs as ModelStoreRegistryArgs
from aiplatform.model_store.inputs import ModelStoreReleasesArgs as ModelStoreReleasesArgs
from aiplatform.model_store.inputs import ModelStoreRetentionArgs as ModelStoreRetentionArgs
from aiplatform.model_store.inputs import ModelStoreTokenArgs as ModelStoreTokenArgs
from aiplatform.model_store.inputs import ModelStoreWorkflowsArgs as ModelStoreWorkflowsArgs
from aiplatform.naming import (
    GOOGLE_BUCKET,
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE,
    KMS_ALIAS,
    S3_BUCKET,
    PhysicalName,
    aws_tags,
    dns_label,
    google_labels,
    prefix_for,
)

PROMOTER: Final = "promoter"
"""The service account of promotions, and the name of its workload identity."""
IMPORTER: Final = "importer"
"""The service account of imports, and the name of its workload identity."""
CONFIGURATION: Final = "model-release"
"""The ConfigMap of the namespace, for environment variables of promotions and imports."""
REQUESTS: Final = "promotion-requests"
"""The service account that makes workflows of requests for promotions, and its namespace, which is another
one: in that of promotions only the platform's image runs."""
TEMPLATE: Final = "promotion"
"""The WorkflowTemplate of promotions."""
FILES: Final = "model-release-files"
"""A ConfigMap that Jobs mount, with `registry_ca`."""

KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-model-store")
_BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-model-store-logs-111122223333")
"""The longest of the buckets' names."""
_IDENTITY: Final = PhysicalName(IAM_ROLE, f"{{prefix}}-wi-{PROMOTER}")
_GOOGLE_NAMES: Final = (
    PhysicalName(GOOGLE_BUCKET, "{prefix}-model-store-logs-acme-dev-1234567890123456789012"),
    PhysicalName(GOOGLE_SERVICE_ACCOUNT, f"{{prefix}}-wi-{PROMOTER}"),
)
_PREFIX: Final[dict[Cloud, Rule]] = {
    "aws": prefix_for(KEY_ALIAS, _BUCKET, _IDENTITY),
    "gcp": prefix_for(*_GOOGLE_NAMES),
}
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}

RELEASE_GROUP: Final = "ai-platform:release"
"""The group of Kubernetes of the members that approve, on AWS; on Google Cloud they are Google groups."""
DAYS: Final = between(1, 3650, "days")
_MEMBER: Final[dict[Cloud, Rule]] = {"aws": ROLE, "gcp": GROUP}
_IMAGE: Final = matches(r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?@sha256:[0-9a-f]{64}", "an image with a digest")
_TAGGED: Final = matches(
    r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?(@sha256:[0-9a-f]{64})?", "an image, REGISTRY/NAME:TAG"
)
_CERTIFICATES: Final = matches(
    r"(?s)\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+",
    "certificates in PEM, -----BEGIN CERTIFICATE-----...",
)
_RANGE: Final = matches(r"\d{1,3}(\.\d{1,3}){3}/\d{1,2}", "an IPv4 range such as 10.0.0.0/16")

Profile = Literal["dev", "staging", "prod"]
RetentionMode = Literal["governance", "compliance"]


def is_in_cluster(uri: str) -> bool:
    """Return whether a server with HTTPS has a name of the cluster."""
    place = urllib.parse.urlparse(uri)
    return place.scheme == "https" and (place.hostname or "").endswith((".svc", ".svc.cluster.local"))


@dataclass(frozen=True)
class ModelStoreCheckpoints:
    """The bucket of checkpoints. A checkpoint that is overwritten or deleted cannot be restored."""

    bucket: Input[str] | None = None
    """The name of a bucket that exists, in place of the one that is created: its encryption, expiry and
    access stay as they are. Default: none."""
    kms_key: Input[str] | None = None
    """With `bucket`: the key that encrypts it. Required on AWS, an arn: principals need permission to use
    it."""
    expire_days: Annotated[int, DAYS] = 30
    """Days until a checkpoint is deleted, 1 to 3650. Default 30. Without effect on a `bucket` that
    exists."""


@dataclass(frozen=True)
class ModelStoreRetention:
    """A period in which the cloud itself refuses to delete or replace a release, from its creation."""

    days: Annotated[int, DAYS]
    """The period in days: 1 to 3650."""
    mode: RetentionMode = "governance"
    """`governance`: AWS: principals with s3:BypassGovernanceRetention can delete; Google Cloud: the bucket's
    administrator can shorten the period. `compliance`: no principal can, the account's root and the project's
    owner included, and the bucket stays as long as its newest release. Default `governance`."""


@dataclass(frozen=True)
class ModelStoreReleases:
    """The bucket of releases. Only promotions and imports create objects, no object is replaced, and no
    principal of the platform deletes one."""

    retention: ModelStoreRetention | None = None
    """A period in which the cloud refuses deletions, in addition to permissions. Default: none, so that the
    bucket can be deleted with the environment."""
    deleted_days: Annotated[int, between(7, 90, "days")] | None = None
    """Google Cloud: days in which a deleted release can be restored (soft delete), 7 to 90. Default 30. AWS
    keeps versions."""


@dataclass(frozen=True)
class ModelStoreRegistry:
    """The MLflow from which models are promoted."""

    tracking_uri: Input[str]
    """The MLFLOW_TRACKING_URI: `ModelRegistry.outputs`."""
    namespace: Annotated[str, dns_label]
    """The namespace of its server."""
    secret: Input[str]
    """The secret of the account that promotions use, JSON with `username` and `password`: AWS: its arn;
    Google Cloud: its id, or `projects/PROJECT/secrets/ID`. The account needs to promote (`accounts`)."""
    kms_key: Input[Annotated[str, KMS_KEY]] | None = None
    """AWS: the arn of the key that encrypts the secret. Default: AWS's own key."""
    guarded_aliases: Annotated[list[Annotated[str, ALIAS]], length(1, 20, "aliases"), distinct] = field(
        default_factory=lambda: ["champion"]
    )
    """The aliases that only accounts that promote may set, as the registry has them. Default `champion`."""
    ports: Annotated[list[Annotated[int, between(1, 65535)]], length(1, 20, "ports"), distinct] = field(
        default_factory=lambda: [80, 443, 5000]
    )
    """Ports of its Service and of its Pods. Default 80, 443 and 5000."""


@dataclass(frozen=True)
class ModelStoreToken:
    """The token by which imports read models of Hugging Face. Only imports read it."""

    secret: Input[str]
    """AWS: name or arn of a secret in Secrets Manager. Google Cloud: the id of a secret in Secret Manager, or
    `projects/PROJECT/secrets/ID`. You create it."""
    kms_key: Input[Annotated[str, KMS_KEY]] | None = None
    """AWS: the arn of the key that encrypts it. Default: AWS's own key."""


@dataclass(frozen=True)
class ModelStoreWorkflows:
    """Promotions by workflows of Argo, in addition to Jobs (component ContinuousTraining). In prod a workflow
    is suspended until a member of the release group resumes it."""

    executor_image: Annotated[str, _TAGGED]
    """The image of Argo's executor, as the controller of component Pipelines states it in Pods."""


@dataclass(frozen=True)
class ModelStoreSettings(KeyGrants, CloudNeutral):
    """Checkpoints of training, and releases of models that no principal changes."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster that promotions run on: `Cluster.outputs`."""
    profile: Profile = "prod"
    """The rules for promotions to `champion`: `prod` requires a model card and a `release_group`, whose
    approval is recorded; `dev` and `staging` do not. Default `prod`."""
    checkpoints: ModelStoreCheckpoints = field(default_factory=ModelStoreCheckpoints)
    """The bucket of checkpoints."""
    releases: ModelStoreReleases = field(default_factory=ModelStoreReleases)
    """The bucket of releases."""
    kms_key: Input[str] | None = None
    """The key that encrypts the buckets: AWS: its arn; Google Cloud: `projects/.../cryptoKeys/...`, in the
    cluster's region. Default: a key that is created."""
    registry: ModelStoreRegistry | None = None
    """The MLflow from which models are promoted. Default: none; then models are only imported."""
    registry_ca: Input[Annotated[str, _CERTIFICATES]] | None = None
    """Certificates of the authorities of the registry's certificate, in PEM, by which promotions verify its
    server. A server with HTTPS in the cluster needs it: no public authority signs its name. Default: public
    authorities."""
    hugging_face: ModelStoreToken | None = None
    """The token of imports. Default: none; then only public models are imported."""
    release_group: Annotated[list[Input[str]], length(0, 20, "members"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """The members that approve promotions and imports, as they create the Jobs. AWS: arns of IAM roles.
    Google Cloud: `group:` and the email address of a Google group. No member is in a team: an author does not
    approve. The log has the name by which the API server knows a member: on AWS it ends with the session
    name, which the roles' trust policies have to bind (`sts:RoleSessionName`). Default: none; then only
    administrators of the cluster approve."""
    image: Annotated[str, _IMAGE] | None = None
    """The image that promotes and imports, built from `containers/model_release`, with a digest. No other
    image runs as their identities. Default: none; then no promotion runs."""
    workflows: ModelStoreWorkflows | None = None
    """Promotions by workflows of Argo. Default: none; then only members of the release group create
    promotions."""
    api_ranges: Annotated[list[Annotated[str, _RANGE]], length(1, 100, "ranges"), distinct] | None = None
    """Addresses to which promotions connect by HTTPS: those of the cloud's APIs. Imports connect to every
    address. With `workflows` the ranges include the API server's. Default: on Google Cloud without
    `workflows` 199.36.153.4/30 and 199.36.153.8/30, by which a network of this platform reaches Google's
    APIs; else every address, as those of S3 and of the API server change."""
    access_log_days: Input[Annotated[int, DAYS]] = 90
    """How long access logs of the buckets are retained, in days: 1 to 3650. Default 90."""
    access_log_bucket: Input[str] | None = None
    """A bucket that exists, of the same region, for access logs; its retention is not changed. AWS: of the
    same account, encrypted by S3's managed keys, with a policy that lets `logging.s3.amazonaws.com` write.
    Google Cloud: `cloud-storage-analytics@google.com` has roles/storage.objectCreator on it. Default: one
    that is created."""
    protect: bool = False
    """Whether Pulumi refuses to delete buckets and key. Default false."""
    retain_data: bool = False
    """Whether buckets and key stay in the cloud when the store is destroyed. Default false."""
    force_destroy: bool = False
    """Whether the buckets are emptied when they are destroyed. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's; labels on Google Cloud."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from bucket_problems("access_log_bucket", self.access_log_bucket, self.cloud)
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, _TAGS[self.cloud])
        for index, member in enumerate(self.release_group):
            yield from obeys(f"release_group[{index}]", member, _MEMBER[self.cloud])
        if self.profile == "prod" and not self.release_group:
            yield Problem(
                "release_group",
                "missing, and releases of prod need an approval; expected the members that approve "
                "promotions",
            )
        yield from self._keys()
        yield from self._secrets()
        yield from self._authority()
        yield from self._teardown()
        if self.cloud == "gcp" and self.cluster.workload_pool is None:
            yield Problem("cluster.workload_pool", "missing; expected it as in Cluster.outputs")

    def _keys(self) -> Iterator[Problem]:
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key)
        checkpoints = self.checkpoints
        if checkpoints.bucket is None:
            if checkpoints.kms_key is not None:
                yield Problem(
                    "checkpoints.kms_key",
                    f"{got(checkpoints.kms_key)} without a bucket that exists; expected `kms_key` of the "
                    "store",
                )
            return
        yield from obeys("checkpoints.bucket", checkpoints.bucket, BUCKET[self.cloud])
        if checkpoints.kms_key is not None:
            yield from obeys("checkpoints.kms_key", checkpoints.kms_key, KEY[self.cloud])
        elif self.cloud == "aws":
            yield Problem(
                "checkpoints.kms_key",
                "missing; expected the arn of the key that encrypts the bucket, which principals have to use",
            )

    def _secrets(self) -> Iterator[Problem]:
        for name, named in (("registry", self.registry), ("hugging_face", self.hugging_face)):
            if named is None:
                continue
            yield from obeys(f"{name}.secret", named.secret, SECRET[self.cloud])
            if self.cloud == "gcp" and named.kms_key is not None:
                yield Problem(
                    f"{name}.kms_key",
                    f"{got(named.kms_key)}, which Google Cloud does not support: Secret Manager decrypts by "
                    "its service agent; leave it out",
                )
        if (
            self.registry is not None
            and self.hugging_face is not None
            and not is_unknown(self.registry.secret)
            and self.registry.secret == self.hugging_face.secret
        ):
            yield Problem(
                "hugging_face.secret",
                f"{got(self.hugging_face.secret)}, which is registry.secret, too: imports would read the "
                "password of promotions; expected another secret",
            )

    def _authority(self) -> Iterator[Problem]:
        if self.registry is None:
            if self.registry_ca is not None:
                yield Problem("registry_ca", "got certificates without a registry; expected `registry`")
            return
        uri = self.registry.tracking_uri
        if isinstance(uri, str) and not is_unknown(uri) and self.registry_ca is None and is_in_cluster(uri):
            yield Problem(
                "registry_ca",
                f"missing, and no public authority signs the name of the server ({uri}); expected the "
                "certificates of its authority, in PEM",
            )

    def _teardown(self) -> Iterator[Problem]:
        for other in ("protect", "retain_data"):
            if self.force_destroy and getattr(self, other):
                yield Problem("force_destroy", f"got true together with {other}; expected one of the two")
                return
        retention = self.releases.retention
        if not self.force_destroy or retention is None:
            return
        # S3 lets the deployer bypass the retention mode `governance`; on Google Cloud the period applies to
        # every principal.
        if self.cloud == "gcp" or retention.mode == "compliance":
            yield Problem(
                "releases.retention",
                f"got {retention.days} days of {retention.mode} together with force_destroy, in which the "
                "cloud refuses to empty the bucket; expected one of the two",
            )
