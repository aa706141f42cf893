"""Arguments of the model registry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared import images as _images
from aiplatform._shared.args import Problem, Rule, between, distinct, length, matches, nearest, obeys
from aiplatform._shared.bucket_names import bucket_problems
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags, mapped_object
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.secret_names import key_problems
from aiplatform.model_registry.accounts import (
    ADMIN,
    ALIAS,
    ModelRegistryAccountSettings,
    name_rule,
)
from aiplatform.model_registry.cloud_support import SUPPORT
from aiplatform.model_registry.database import ModelRegistryDatabaseSettings
from aiplatform.model_registry.inputs import ModelRegistryArgs as ModelRegistryArgs
from aiplatform.model_registry.inputs import ModelRegistryArtifactsArgs as ModelRegistryArtifactsArgs
from aiplatform.naming import (
    GOOGLE_BUCKET,
    GOOGLE_SECRET,
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE,
    KMS_ALIAS,
    LOG_GROUP,
    RDS_GROUP_PREFIX,
    RDS_INSTANCE,
    S3_BUCKET,
    SECRET,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
    aws_tags,
    dns_label,
    google_labels,
    prefix_for,
)
from aiplatform.network.args import NetworkReference

BUCKET: Final = PhysicalName(S3_BUCKET, "{prefix}-models-logs-111122223333")
"""The longest of the buckets' names."""
INSTANCE: Final = PhysicalName(RDS_INSTANCE, "{prefix}-mlflow")
DATABASE_GROUP: Final = PhysicalName(RDS_GROUP_PREFIX, "{prefix}-mlflow")
DATABASE_SECURITY: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-mlflow-database")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-mlflow")
# Paths, so that the secrets of one registry can be granted.
SIGNING_KEY: Final = PhysicalName(SECRET, "{prefix}/mlflow/signing-key")
ACCOUNT: Final = PhysicalName(SECRET, "{prefix}/mlflow/accounts/123456789012345678901234567890")
"""The longest of the accounts' names."""
DATABASE_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/rds/instance/{prefix}-mlflow/iam-db-auth-error")
"""The longest of the database's log groups."""
IDENTITY: Final = PhysicalName(IAM_ROLE, "{prefix}-wi-mlflow-setup")
"""The longest of the workload identities' names."""

GOOGLE_NAMES: Final = (
    PhysicalName(GOOGLE_BUCKET, "{prefix}-models-acme-dev-1234567890123456789012"),
    PhysicalName(GOOGLE_SECRET, "{prefix}-mlflow-account-123456789012345678901234567890"),
    PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-wi-mlflow-setup"),
)

_PREFIX: Final[dict[Cloud, Rule]] = {
    "aws": prefix_for(
        BUCKET,
        INSTANCE,
        DATABASE_GROUP,
        DATABASE_SECURITY,
        KEY_ALIAS,
        SIGNING_KEY,
        ACCOUNT,
        DATABASE_LOGS,
        IDENTITY,
    ),
    "gcp": prefix_for(*GOOGLE_NAMES),
}
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}

IMAGE: Final = _images.images()["mlflow"].reference
"""MLflow's own image with the drivers of databases and object stores."""

ENDPOINTS: Final = ("eks-auth", "secretsmanager")
"""AWS services that its Pods call, in addition to S3: in a network without a route to the internet they need
interface endpoints. Tokens for the database are generated without a call."""

SERVER: Final = "mlflow"
"""The Service, and the service account of the server's Pods."""
NAMESPACE: Final = "model-registry"
"""The namespace, where the arguments state none."""
PORT: Final = 5000
"""The port of the server's Pods."""
METRICS_PORT: Final = 8000
"""The port at which the server's Pods serve metrics, with `metrics`."""
SETUP: Final = "mlflow-setup"
"""The service account of the Jobs that set up databases and accounts."""

DAYS: Final = between(1, 3650, "days")
_REPLICAS: Final = between(1, 20, "replicas")
_WORKERS: Final = between(1, 16, "workers")
_HOST: Final = matches(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "a fully qualified host name, models.acme.example",
)


@dataclass(frozen=True)
class ModelRegistryArtifactsSettings:
    """The bucket of models and other files of runs."""

    deleted_days: Input[Annotated[int, DAYS]] = 30
    """How long deleted and overwritten files can be restored, in days. 1 to 3650 on AWS, 7 to 90 on Google
    Cloud. Default 30."""
    access_log_days: Input[Annotated[int, DAYS]] = 90
    """How long access logs of files are retained, in days: 1 to 3650. Default 90."""
    access_log_bucket: Input[str] | None = None
    """A bucket that exists, of the same region, for access logs; its retention is not changed. AWS: of the
    same account, encrypted by S3's managed keys, with a policy that lets `logging.s3.amazonaws.com` write.
    Google Cloud: `cloud-storage-analytics@google.com` has roles/storage.objectCreator on it. Default: one
    that is created."""


def image_with_version(value: str) -> str | None:
    """A rule: an image with a digest, whose tag states the version."""
    return matches(
        r"[^\s:@]+(:\d+/[^\s:@]+)?:v?\d+\.\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}",
        "an image with the version as its tag and a digest, ghcr.io/mlflow/mlflow:v3.15.2-full@sha256:...",
    )(value)


@dataclass(frozen=True)
class ModelRegistrySettings(KeyGrants, CloudNeutral):
    """MLflow on a cluster, with its database, the bucket of its models, and accounts."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster that the server runs on: `Cluster.outputs`."""
    network: NetworkReference
    """The network of the cluster, in which the database is created: `Network.outputs`. On Google Cloud with
    private services, unless the database exists."""
    namespace: Annotated[str, dns_label] = NAMESPACE
    """The Kubernetes namespace, which is created. Default `model-registry`."""
    hosts: Annotated[list[Input[Annotated[str, _HOST]]], length(0, 20, "names"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Further host names of the server, for an ingress or gateway of yours that terminates TLS: requests for
    other names are refused. Default none: in the cluster by its Service, from outside by `kubectl
    port-forward`."""
    tls_secret: Input[Annotated[str, dns_label]] | None = None
    """The name of a Kubernetes Secret of type `kubernetes.io/tls` in the namespace, as cert-manager creates
    it: with it the server serves HTTPS. Its Pods wait until the Secret exists, and read it when they start.
    Default none: HTTP inside the cluster."""
    client_namespaces: Annotated[
        list[Input[Annotated[str, dns_label]]], length(0, 50, "namespaces"), distinct
    ] = field(default_factory=list[Input[str]])
    """Namespaces whose Pods may reach the server: those of pipelines and training, and that of your ingress.
    Default none."""
    accounts: Annotated[dict[str, ModelRegistryAccountSettings], length(0, 50, "accounts")] = field(
        default_factory=dict[str, ModelRegistryAccountSettings]
    )
    """Accounts by their names, in addition to `admin`, which always exists. Default none."""
    guarded_aliases: Annotated[list[Annotated[str, ALIAS]], length(0, 20, "aliases"), distinct] = field(
        default_factory=lambda: ["champion"]
    )
    """Aliases of models that only accounts that promote may set and remove. A version with one is promoted:
    other accounts cannot change its model's name, its record and its files. Accounts that may edit a model
    set and remove all other aliases (`candidate`). Default `champion`."""
    high_availability: bool = False
    """Whether it tolerates the failure of a zone: the database in two zones, at least two replicas. Of a
    database that exists the owner decides the zones. Default false."""
    replicas: Input[Annotated[int, _REPLICAS]] | None = None
    """Replicas of the server, 1 to 20. Default 2 with `high_availability`, 1 without."""
    workers: Input[Annotated[int, _WORKERS]] = 2
    """Processes of one replica, 1 to 16; each takes about half a GiB of memory. Default 2."""
    metrics: bool = False
    """Whether requests are counted, and a second container of each Pod serves the metrics to the namespace
    `monitoring` (component Observability). `image` then has the package `prometheus-flask-exporter`. Default
    false."""
    database: ModelRegistryDatabaseSettings = field(default_factory=ModelRegistryDatabaseSettings)
    """The database."""
    artifacts: ModelRegistryArtifactsSettings = field(default_factory=ModelRegistryArtifactsSettings)
    """The bucket of models and other files of runs."""
    image: Annotated[str, image_with_version] | None = None
    """MLflow's image with a digest, with the drivers of PostgreSQL and of the cloud's object store in it,
    whose tag states the version of MLflow (`:v3.15.2-full@sha256:...`). Default: MLflow's image with all
    drivers."""
    mirrors: _images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's image: its registry (`ghcr.io`), or a repository in it -> the registry or
    repository to pull from instead. Tag and digest stay. Default: upstream itself."""
    kms_key: Input[str] | None = None
    """The key that encrypts database, files, secrets and logs. AWS: its arn, of the provider's region, with a
    policy that lets CloudWatch Logs use it for the database's log groups, and the principals of `accounts`
    decrypt by Secrets Manager (docs/bring-your-own.md); another key later replaces the database. Google
    Cloud: `projects/.../cryptoKeys/...`, in the cluster's region. Default: a key that is created."""
    protect: bool = False
    """Whether Pulumi refuses to delete database, bucket, key and secrets. Default false."""
    retain_data: bool = False
    """Whether database, bucket, key and secrets stay in the cloud when the registry is destroyed. Default
    false."""
    force_destroy: bool = False
    """Whether the bucket is emptied when it is destroyed, the database is deleted without a final snapshot,
    and secrets without a recovery window. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's; labels on Google Cloud."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def account_names(self) -> list[str]:
        """All accounts of MLflow: `admin` and those that are declared."""
        return [ADMIN, *self.accounts]

    @property
    def chosen_replicas(self) -> Input[int]:
        """The number of replicas."""
        if self.replicas is not None:
            return self.replicas
        return 2 if self.high_availability else 1

    @property
    def chosen_image(self) -> Input[str]:
        """The image, in its mirror where there is one."""
        image = self.image or IMAGE
        return mapped_object(self.mirrors, lambda mirrors: _images.mirrored(image, mirrors))

    @property
    def scheme(self) -> str:
        """The server's protocol: `http` or `https`."""
        return "http" if self.tls_secret is None else "https"

    @property
    def version(self) -> str:
        """MLflow's version, from the image's tag: `3.15.2`."""
        tag = (self.image or IMAGE).partition("@")[0].rpartition(":")[2]
        return tag.removeprefix("v").partition("-")[0]

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from bucket_problems(
            "artifacts.access_log_bucket", self.artifacts.access_log_bucket, self.cloud
        )
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, _TAGS[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key)
        if self.network.cloud != self.cloud:
            yield Problem(
                "network.cloud", f"got {self.network.cloud!r}; expected the cluster's, {self.cloud!r}"
            )
        if self.high_availability and self.replicas == 1:
            yield Problem(
                "replicas",
                "got 1 together with high_availability; expected at least 2: one fails with its zone",
            )
        retaining = next(
            (key for key in ("protect", "retain_data", "high_availability") if getattr(self, key)), None
        )
        for problem in self.database.misfits(self.cloud, self.cluster.region, retaining=retaining):
            yield Problem(f"database.{problem.path}", problem.reason)
        for name, account in self.accounts.items():
            yield from obeys(f"accounts.{name}", name, name_rule)
            yield from self._reads(name, account)
            for problem in account.misfits(self.cloud):
                yield Problem(f"accounts.{name}.{problem.path}", problem.reason)
        yield from self._on_google() if self.cloud == "gcp" else ()
        yield from self._teardown()

    def _reads(self, name: str, account: ModelRegistryAccountSettings) -> Iterator[Problem]:
        others = [other for other in self.accounts if other != name]
        for index, owner in enumerate(account.reads):
            if owner not in others:
                yield Problem(
                    f"accounts.{name}.reads[{index}]",
                    f"got {owner!r}; expected another account of `accounts`{nearest(owner, others)}",
                )
        if account.promotes and account.reads:
            yield Problem(
                f"accounts.{name}.reads", "got some together with promotes; expected none: it reads all"
            )

    def _on_google(self) -> Iterator[Problem]:
        if self.cluster.workload_pool is None:
            yield Problem("cluster.workload_pool", "missing; expected it as in Cluster.outputs")
        if self.network.private_services is None and self.database.existing is None:
            yield Problem(
                "network.private_services",
                "missing; expected it as in Network.outputs of a network with private services, in "
                "which the database has its address",
            )
        # Cloud Storage, "Soft delete": 0, or 7 to 90 days.
        yield from _nested(
            "artifacts", obeys("deleted_days", self.artifacts.deleted_days, between(7, 90, "days"))
        )

    def _teardown(self) -> Iterator[Problem]:
        for other in ("protect", "retain_data"):
            if self.force_destroy and getattr(self, other):
                yield Problem("force_destroy", f"got true together with {other}; expected one of the two")
                return


def _nested(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(f"{path}.{problem.path}", problem.reason)


def promoters(settings: ModelRegistrySettings) -> list[str]:
    """Return the accounts that promote, `admin` first: it administers all permissions, and so has this
    one."""
    return [ADMIN, *(name for name, account in settings.accounts.items() if account.promotes)]


def reads(settings: ModelRegistrySettings) -> dict[str, list[str]]:
    """Return account -> the accounts that it reads, of those that read any."""
    return {name: list(account.reads) for name, account in settings.accounts.items() if account.reads}
