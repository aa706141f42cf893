"""Arguments of the teams."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, distinct, got, is_unknown, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import TRACING_NAMESPACE
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import GROUP, ROLE
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.references.model_store import (
    CHECKPOINTS_URI,
    IMPORTS,
    RELEASES_URI,
    ModelStoreReference,
)
from aiplatform._shared.references.model_store import NAMESPACE as RELEASE
from aiplatform._shared.secret_names import KMS_KEY, SECRET
from aiplatform.addons.catalog import catalog
from aiplatform.addons.permissions import SECRET_READERS
from aiplatform.gpu_checks.args import NAMESPACE as GPU_CHECK
from aiplatform.naming import IAM_ROLE, TAG_RULES, PhysicalName, dns_label, prefix_for
from aiplatform.teams.cloud_support import SUPPORT
from aiplatform.teams.inputs import TeamArgs as TeamArgs
from aiplatform.teams.inputs import TeamLimitsArgs as TeamLimitsArgs
from aiplatform.teams.inputs import TeamsArgs as TeamsArgs
from aiplatform.teams.inputs import TeamSecretArgs as TeamSecretArgs

Role = Literal["owner", "developer", "reader"]
ROLES: Final[tuple[Role, ...]] = ("owner", "developer", "reader")

STORE: Final = "platform"
"""The SecretStore of each team."""
CONFIGURATION: Final = "platform"
"""The ConfigMap of each team, for environment variables."""
FILES: Final = "platform-files"
"""The ConfigMap of each team that Pods mount."""
QUEUE: Final = "default"
"""The LocalQueue of each team: Kueue takes it for workloads that name none."""

MOST_CLAIMED: Final = 32
"""GPUs of a claim (Kubernetes, AllocationResultsMaxSize)."""

READER: Final = "external-secrets"
"""Google Cloud: the service account of a team's namespace as which External Secrets reads."""

_PLATFORM_NAMESPACES: Final = frozenset(
    {
        "default",
        GPU_CHECK,
        RELEASE,
        "amazon-cloudwatch",
        "amazon-guardduty",
        TRACING_NAMESPACE,
        *(addon.namespace for addon in catalog().values()),
    }
)
_RESERVED: Final = ("kube-", "gke-", "gmp-")
"""Beginnings of the names of namespaces of Kubernetes and GKE."""
LONGEST_NAME: Final = 20
"""Characters of a team's name."""
NAME: Final = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""A regular expression of a team's name."""
MEMBER: Final[Mapping[Cloud, Rule]] = {"aws": ROLE, "gcp": GROUP}
"""A member of a team on each cloud. On Google Cloud a group, so that people come and go without an update."""

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_QUANTITY: Final = matches(r"[1-9]\d*(Mi|Gi|Ti)", "a whole amount in Mi, Gi or Ti such as 256Gi")
_CPU: Final = matches(r"[1-9]\d*m?", "a whole number of CPUs such as '64', or of thousandths such as '500m'")
_Ports = Annotated[list[Annotated[int, between(1, 65535)]], length(1, 20, "ports"), distinct]
_ROOM: Final[Mapping[Cloud, Sequence[PhysicalName]]] = {
    "aws": (PhysicalName(IAM_ROLE, SECRET_READERS.pattern + "x" * LONGEST_NAME),),
    "gcp": (),
}


def _names(what: str, longest: int) -> Rule:
    def rule(value: Mapping[str, Any]) -> str | None:
        wrong = [name for name in value if not re.fullmatch(NAME, name) or len(name) > longest]
        if not wrong:
            return None
        return (
            f"with {', '.join(map(repr, wrong))}; expected {what} of at most {longest} lower-case letters "
            "and digits in words joined by single hyphens, a letter first"
        )

    return rule


def _keys(value: Mapping[str, Any]) -> str | None:
    wrong = [key for key in value if not _KEY.fullmatch(key)]
    if wrong:
        return f"with {', '.join(map(repr, wrong))}; expected keys of letters, digits, '-', '_' and '.'"
    return None


@dataclass(frozen=True)
class TeamLimits:
    """What all Pods of a team may request together. Accelerators are not among them: their quota is that of
    the team's queue, where workloads wait, while a Pod above these limits is refused."""

    pods: Input[Annotated[int, between(1, 100_000, "Pods")]] = 500
    """Pods that are not finished, also those that wait. Default 500."""
    cpu: Input[Annotated[str, _CPU]] | None = None
    """Sum of the requests of CPU, `64`. Default: no limit."""
    memory: Input[Annotated[str, _QUANTITY]] | None = None
    """Sum of the requests of memory, `256Gi`. Default: no limit."""
    storage: Input[Annotated[str, _QUANTITY]] | None = None
    """Sum of the sizes of volumes, `2Ti`. Default: no limit."""
    volumes: Input[Annotated[int, between(0, 10_000, "volumes")]] = 100
    """PersistentVolumeClaims. Default 100."""
    load_balancers: Input[Annotated[int, between(0, 100, "load balancers")]] = 0
    """Services of type LoadBalancer. Default 0."""


@dataclass(frozen=True)
class TeamSecret:
    """A secret of the cloud's secret manager that is a Secret in the team's namespace, and stays up to
    date."""

    secret: Input[str]
    """AWS: name or arn of a secret in Secrets Manager. Google Cloud: the id of a secret in Secret Manager, or
    `projects/PROJECT/secrets/ID`."""
    keys: Annotated[Mapping[str, str], length(1, 100, "keys"), _keys]
    """Key of the Kubernetes Secret -> key of the secret's JSON object."""


@dataclass(frozen=True)
class Team:
    """A team: a namespace, its members with their roles, its queue, identity, secrets and configuration."""

    owners: Annotated[list[Input[str]], length(1, 20, "owners"), distinct]
    """Members that may do everything a developer may, and read and write Secrets. AWS: arns of IAM roles.
    Google Cloud: `group:` and the email address of a Google group. At least one."""
    developers: Annotated[list[Input[str]], length(0, 20, "developers"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Members that create and change workloads. Default: none."""
    readers: Annotated[list[Input[str]], length(0, 20, "readers"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Members that see workloads and logs. Default: none."""
    namespace: Annotated[str, dns_label] | None = None
    """Its namespace in Kubernetes. Default: the team's name."""
    queue: Input[Annotated[str, dns_label]] | None = None
    """The ClusterQueue that its LocalQueue `default` refers to (component Queues). Default: none; no workload
    of the team gets an accelerator then."""
    fabric: Annotated[list[Annotated[str, dns_label]], length(0, 50, "pools"), distinct] = field(
        default_factory=list[str]
    )
    """Google Cloud: pools whose network between accelerators (GPUDirect) its Pods use. They mount folders of
    their node, so the namespace has the Pod Security level `privileged`, and the entry of the namespace in
    `fabric_namespaces` (component Guardrails) has to list what its Pods may use; an environment derives it.
    Default: none; the level is `restricted`. AWS: Pods with EFA meet that level."""
    priority_classes: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Priority classes that its Pods may use in addition to those of everyone, such as `serving` (component
    Guardrails). Default: none."""
    limits: TeamLimits = field(default_factory=TeamLimits)
    """What all its Pods may request together."""
    identity: WorkloadIdentityReference | None = None
    """The cloud identity of its Pods: `WorkloadIdentity.outputs`. Its service account is created with the
    namespace. Default: none."""
    serves: bool = False
    """Whether its identity reads the releases of the team, in the bucket of `model_store`, to serve them. It
    reads no other team's. Default false."""
    services: Mapping[str, _Ports] = field(default_factory=dict[str, list[int]])
    """Namespace that its Pods reach -> the ports there, such as those of the model registry: of the Service
    and of its Pods, since EKS evaluates some connections by the one and some by the other. Default: none."""
    clients: Mapping[str, _Ports] = field(default_factory=dict[str, list[int]])
    """Namespace whose Pods reach its Pods -> the ports of its Pods, such as a gateway's. Default: none."""
    configuration: Annotated[Mapping[str, Input[str]], _keys] = field(default_factory=dict[str, Input[str]])
    """The ConfigMap `platform` of its namespace, for environment variables of its Pods:
    `MLFLOW_TRACKING_URI`. Default: no ConfigMap."""
    files: Annotated[Mapping[str, Input[str]], _keys] = field(default_factory=dict[str, Input[str]])
    """The ConfigMap `platform-files` of its namespace, which Pods mount: `feature_store.yaml`. Default: no
    ConfigMap."""
    secrets: Annotated[Mapping[str, TeamSecret], length(0, 50, "secrets"), _names("names of Secrets", 63)] = (
        field(default_factory=dict[str, TeamSecret])
    )
    """Name of a Kubernetes Secret -> what it contains, by External Secrets (component Addons). Default:
    none."""

    def members(self, role: Role) -> list[Input[str]]:
        """Return the members with a role."""
        return {"owner": self.owners, "developer": self.developers, "reader": self.readers}[role]

    def check(self) -> Iterator[Problem]:
        """Report a member with two roles."""
        first: dict[str, str] = {}
        for role in ROLES:
            for index, member in enumerate(self.members(role)):
                if is_unknown(member):
                    continue
                path = f"{role}s[{index}]"
                before = first.setdefault(str(member), path)
                if before != path and not before.startswith(f"{role}s"):
                    yield Problem(path, f"{got(member)}, which is {before}, too; expected one role")


@dataclass(frozen=True)
class TeamsSettings(CloudNeutral):
    """The teams of a cluster. A principal may be a member of several teams."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    teams: Annotated[Mapping[str, Team], length(1, 100, "teams"), _names("names", LONGEST_NAME)]
    """Name of a team -> the team."""
    secrets_role_arn: Input[Annotated[str, ROLE]] | None = None
    """AWS, and required there for `secret_stores`: the role of External Secrets, which assumes a role of each
    team to read its secrets."""
    secret_stores: bool = True
    """Whether each team has a SecretStore, through which ExternalSecrets of its namespace read the secrets
    `{prefix}/teams/{team}/...` (Google Cloud: `{prefix}-teams-{team}_...`) and those of `secrets`. Needs the
    add-on external-secrets. Default true."""
    secret_keys: Annotated[list[Input[Annotated[str, KMS_KEY]]], distinct] = field(
        default_factory=list[Input[str]]
    )
    """AWS: arns of the customer managed keys that encrypt these secrets. Default: the key of AWS for Secrets
    Manager."""
    claimed_gpus: Annotated[
        list[Annotated[int, between(1, MOST_CLAIMED, "GPUs")]], length(0, 8, "numbers"), distinct
    ] = field(default_factory=list[int])
    """Numbers of GPUs that Pods of teams with a queue may claim (dynamic resource allocation): each is a
    ResourceClaimTemplate `gpu-<number>` in the team's namespace. Members of teams create none, so that a Pod
    gets what Kueue counted. Needs the add-on dra-driver-nvidia-gpu. Default: none."""
    model_store: ModelStoreReference | None = None
    """The buckets of checkpoints and releases: `ModelStore.outputs`. The identity of a team reads and writes
    checkpoints below the prefix of its namespace, and the ConfigMap `platform` has CHECKPOINTS_URI and
    RELEASES_URI. Default: none."""
    cluster_roles: Annotated[list[Annotated[str, dns_label]], length(0, 20, "roles"), distinct] = field(
        default_factory=list[str]
    )
    """ClusterRoles that exist and that all members of teams have, for kinds without a namespace:
    `Training.outputs["reader_role"]`. Default: none."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource in the cloud, in addition to those of the provider."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    def namespace(self, team: str) -> str:
        """Return the namespace of a team."""
        return self.teams[team].namespace or team

    def check(self) -> Iterator[Problem]:
        """Report what the cloud refuses, and teams that share a namespace."""
        yield from obeys("prefix", self.prefix, prefix_for(*_ROOM[self.cloud]))
        if self.model_store is not None and self.model_store.cloud != self.cloud:
            yield Problem(
                "model_store.cloud", f"got {self.model_store.cloud!r}; expected the cluster's, {self.cloud!r}"
            )
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from self._namespaces()
        for name, team in self.teams.items():
            yield from self._team(f"teams.{name}", team)
        if self.cloud == "aws" and self.secret_stores and self.secrets_role_arn is None:
            yield Problem(
                "secrets_role_arn", "missing; expected the role of External Secrets, or secret_stores: false"
            )
        if self.cloud == "gcp" and self.secret_stores and self.cluster.workload_pool is None:
            yield Problem(
                "cluster.workload_pool", "missing; expected the cluster's workload_pool as in Cluster.outputs"
            )

    def _namespaces(self) -> Iterator[Problem]:
        first: dict[str, str] = {}
        for name in self.teams:
            namespace = self.namespace(name)
            if namespace in _PLATFORM_NAMESPACES or namespace.startswith(_RESERVED):
                yield Problem(
                    f"teams.{name}.namespace",
                    f"got {namespace!r}, which belongs to the cluster or an add-on; expected another one",
                )
            before = first.setdefault(namespace, name)
            if before != name:
                yield Problem(
                    f"teams.{name}.namespace",
                    f"{got(namespace)}, which is the namespace of {before}; expected another one",
                )

    def _team(self, path: str, team: Team) -> Iterator[Problem]:
        for role in ROLES:
            for index, member in enumerate(team.members(role)):
                yield from obeys(f"{path}.{role}s[{index}]", member, MEMBER[self.cloud])
        for secret, declared in team.secrets.items():
            yield from obeys(f"{path}.secrets.{secret}.secret", declared.secret, SECRET[self.cloud])
            if not self.secret_stores:
                yield Problem(
                    f"{path}.secrets.{secret}", "secret_stores is false; expected no secrets without them"
                )
        yield from self._store(path, team)
        if team.fabric and self.cloud == "aws":
            yield Problem(
                f"{path}.fabric",
                f"{got(team.fabric)}, which AWS does not support: Pods with EFA need nothing of their node; "
                "leave it out",
            )
        if team.fabric and team.queue is None:
            yield Problem(
                f"{path}.queue",
                "missing, and a Pod that uses the network of fabric requests accelerators; expected a queue",
            )
        if team.identity is not None and team.identity.service_account == READER:
            yield Problem(
                f"{path}.identity.service_account",
                f"got {READER!r}, as which External Secrets reads on Google Cloud; expected another one",
            )
        if team.identity is not None and isinstance(team.identity.namespace, str):
            expected = team.namespace or path.partition(".")[2]
            if team.identity.namespace != expected:
                yield Problem(
                    f"{path}.identity.namespace",
                    f"{got(team.identity.namespace)}; expected an identity of the namespace {expected}",
                )

    def _store(self, path: str, team: Team) -> Iterator[Problem]:
        name = path.partition(".")[2]
        if self.model_store is None:
            if team.serves:
                yield Problem(
                    f"{path}.serves", "got true without `model_store`; expected the store of releases"
                )
            return
        if team.serves and team.identity is None:
            yield Problem(f"{path}.serves", "got true without `identity`, which reads releases; expected one")
        if team.identity is not None and self.cloud == "aws" and team.identity.role_name is None:
            yield Problem(
                f"{path}.identity.role_name",
                "missing, and the role gets permissions on checkpoints; expected it as in "
                "WorkloadIdentity.outputs",
            )
        if name == IMPORTS:
            yield Problem(
                path, f"the name is the folder of imported models; expected another one than {IMPORTS}"
            )
        for key in (CHECKPOINTS_URI, RELEASES_URI):
            if key in team.configuration:
                yield Problem(
                    f"{path}.configuration.{key}",
                    f"{got(team.configuration[key])}; expected it left out: the component sets the prefix of "
                    "the team",
                )
