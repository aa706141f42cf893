"""Arguments of the container registry."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import (
    Problem,
    Rule,
    between,
    distinct,
    is_unknown,
    length,
    matches,
    nearest,
    obeys,
    one_of,
)
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import PRINCIPAL, assignable_role
from aiplatform._shared.secret_names import key_problems
from aiplatform.container_registry.cloud_support import SUPPORT
from aiplatform.container_registry.inputs import ContainerRegistryArgs as ContainerRegistryArgs
from aiplatform.container_registry.inputs import ContainerRegistryCacheArgs as ContainerRegistryCacheArgs
from aiplatform.naming import (
    ARTIFACT_REPOSITORY,
    ECR_CACHE,
    ECR_REPOSITORY,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    PhysicalName,
    aws_tags,
    google_labels,
    prefix_for,
)

KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-images")
# A path: {prefix}/{name}.
REPOSITORIES: Final = PhysicalName(ECR_REPOSITORY, "{prefix}/")
CACHE_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-image-cache")
CACHE: Final = PhysicalName(ECR_CACHE, "{prefix}-registry-k8s")
"""The longest of the caches' prefixes."""
GOOGLE_CACHE: Final = PhysicalName(ARTIFACT_REPOSITORY, "{prefix}-registry-k8s")

UPSTREAMS: Final[Mapping[str, str]] = {
    "docker.io": "docker-hub",
    "ghcr.io": "ghcr",
    "public.ecr.aws": "ecr-public",
    "quay.io": "quay",
    "registry.k8s.io": "registry-k8s",
}
"""Registry -> the name of its cache."""
WITH_CREDENTIAL: Final = ("docker.io", "ghcr.io")
"""Registries that ECR caches only with a credential (ECR user guide, "Creating a pull through cache
rule")."""

_PREFIX: Final[dict[Cloud, Rule]] = {
    "aws": prefix_for(KEY_ALIAS, REPOSITORIES, CACHE, CACHE_ROLE),
    "gcp": prefix_for(GOOGLE_CACHE),
}
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}
_CREDENTIAL: Final[dict[Cloud, Rule]] = {
    # ECR accepts only a secret with such a name (ECR user guide, "Storing your upstream repository
    # credentials").
    "aws": matches(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:ecr-pullthroughcache/[\w/+=.@-]+",
        "the arn of a secret whose name begins with ecr-pullthroughcache/",
    ),
    "gcp": matches(
        r"projects/[^/\s]+/secrets/[\w-]+/versions/(\d+|latest)",
        "a secret's version, projects/PROJECT/secrets/NAME/versions/VERSION",
    ),
}
DAYS: Final = between(1, 3650, "days")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*")
_LONGEST: Final = 200


@dataclass(frozen=True)
class ContainerRegistryCacheSettings:
    """A registry whose images are pulled through a cache."""

    upstream: Annotated[str, one_of(UPSTREAMS)]
    """`docker.io`, `ghcr.io`, `public.ecr.aws`, `quay.io` or `registry.k8s.io`."""
    username: Input[str] | None = None
    """Google Cloud: the user whose password is `credential`. Required with it."""
    credential: Input[str] | None = None
    """The credential at the registry. AWS: the arn of a secret whose name begins with
    `ecr-pullthroughcache/`, with `username` and `accessToken` in it; required for docker.io and ghcr.io.
    Google Cloud: the version of a secret with the password. Default none."""

    @property
    def repository_name(self) -> str:
        """The cache's part of names: `registry-k8s`."""
        return UPSTREAMS[self.upstream]

    def misfits(self, cloud: Cloud) -> Iterator[Problem]:
        """Return the problems on this cloud."""
        if self.credential is not None and not is_unknown(self.credential):
            yield from obeys("credential", self.credential, _CREDENTIAL[cloud])
        if cloud == "aws" and self.upstream in WITH_CREDENTIAL and self.credential is None:
            yield Problem(
                "credential",
                f"missing; expected the arn of a secret: ECR caches {self.upstream} only with a credential",
            )
        if cloud == "aws" and self.upstream not in WITH_CREDENTIAL and self.credential is not None:
            yield Problem("credential", f"got one; expected none: ECR takes none for {self.upstream}")
        if cloud == "gcp" and (self.credential is None) != (self.username is None):
            missing = "username" if self.username is None else "credential"
            yield Problem(missing, "missing; expected username and credential, or neither")


def _names(value: list[Any]) -> str | None:
    for name in value:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST:
            return (
                f"{name!r}: expected lower-case letters and digits in words joined by '.', '_', '-' or "
                "'/', a letter first"
            )
    return None


@dataclass(frozen=True)
class ContainerRegistrySettings(KeyGrants, CloudNeutral):
    """Repositories of container images, and caches of other registries."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`; repositories are `{prefix}/{name}` on AWS."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: Annotated[str, PROJECT] | None = None
    """Google Cloud, and required there: the project's id."""
    region: Annotated[str, REGION] | None = None
    """Google Cloud, and required there: the region."""
    repositories: Annotated[list[str], length(0, 200, "repositories"), _names, distinct] = field(
        default_factory=list[str]
    )
    """Repositories by name, `training` or `serving/llm`. Default none."""
    caches: Annotated[list[ContainerRegistryCacheSettings], length(0, 5, "caches")] = field(
        default_factory=list[ContainerRegistryCacheSettings]
    )
    """Registries whose images are pulled through a cache. Default none."""
    untagged_days: Input[Annotated[int, DAYS]] = 14
    """How long images without a tag are retained, in days, 1 to 3650. Default 14."""
    cached_days: Input[Annotated[int, DAYS]] = 90
    """How long cached images are retained, in days, 1 to 3650; one that is still used is pulled from upstream
    again. Default 90."""
    readers: Annotated[list[Input[str]], length(0, 50, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that pull, in addition to the cluster's nodes, which are allowed by their role. AWS: arns of
    IAM roles, also of other accounts; not roles of IAM Identity Center or of services, to which only AWS can
    attach policies. Roles of this account are also allowed to log in (`ecr:GetAuthorizationToken`); those of
    other accounts need a policy for it. Google Cloud: `serviceAccount:...`. Default none."""
    writers: Annotated[list[Input[str]], length(0, 50, "principals"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that push, in the form of `readers`, to all repositories but those of
    `repository_writers`. Default none except administrators."""
    repository_writers: Mapping[str, list[Input[str]]] = field(default_factory=dict[str, list[Input[str]]])
    """Repository of `repositories` -> the principals that push to it, in place of `writers`: one of a team,
    to which no other pushes. Default none: `writers` push to every repository."""
    node_roles: Annotated[list[Input[str]], length(0, 20, "roles"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """AWS: arns of the roles of nodes that pull through the caches: the first pull of an image creates its
    repository, which roles of nodes are not allowed otherwise. Default none."""
    kms_key: Input[str] | None = None
    """The key that encrypts images. AWS: its arn, of the provider's region, on which the deployer may create
    grants for ECR (docs/bring-your-own.md); another key later replaces the repositories. Google Cloud:
    `projects/.../cryptoKeys/...`, in the region. Default: a key that is created."""
    protect: bool = False
    """Whether Pulumi refuses to delete repositories and key. Default false."""
    force_destroy: bool = False
    """Whether repositories are deleted with their images; otherwise ECR refuses to delete a repository with
    images. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to the provider's; labels on Google Cloud."""

    @property
    def retain_data(self) -> bool:
        """Repositories are never retained: their images can be built or pulled again."""
        return False

    def writers_of(self, repository: str) -> list[Input[str]]:
        """Return the principals that push to a repository."""
        return self.repository_writers.get(repository, self.writers)

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, _TAGS[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.region)
        yield from self.key_grants_problems(self.kms_key)
        upstreams = [cache.upstream for cache in self.caches]
        for index, cache in enumerate(self.caches):
            if cache.upstream in upstreams[:index]:
                yield Problem(
                    f"caches[{index}].upstream", f"got {cache.upstream!r} twice; expected each only once"
                )
            for problem in cache.misfits(self.cloud):
                yield Problem(f"caches[{index}].{problem.path}", problem.reason)
        for name in self.repository_writers:
            if name not in self.repositories:
                yield Problem(
                    f"repository_writers.{name}",
                    f"got {name!r}; expected one of repositories{nearest(name, self.repositories)}",
                )
        principals: dict[str, list[Input[str]]] = {
            "readers": self.readers,
            "writers": self.writers,
            "node_roles": self.node_roles,
            **{f"repository_writers.{name}": named for name, named in self.repository_writers.items()},
        }
        for key, named in principals.items():
            for index, principal in enumerate(named):
                if not is_unknown(principal):
                    yield from obeys(f"{key}[{index}]", principal, PRINCIPAL[self.cloud], assignable_role)
        if self.protect and self.force_destroy:
            yield Problem("force_destroy", "got true together with protect; expected one of the two")
        if self.cloud == "gcp":
            yield from self._on_google()

    def _on_google(self) -> Iterator[Problem]:
        for key in ("project", "region"):
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the {key} of the repositories")
        for index, name in enumerate(self.repositories):
            if "/" in name or "." in name or "_" in name or len(f"{self.prefix}-{name}") > 63:
                yield Problem(
                    f"repositories[{index}]",
                    f"got {name!r}; expected letters, digits and hyphens, at most {62 - len(self.prefix)} "
                    "characters: an Artifact Registry repository contains many images by name",
                )
