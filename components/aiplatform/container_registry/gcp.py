"""The container registry on Google Cloud: Artifact Registry."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import artifactregistry, kms, projects, secretmanager

from aiplatform._shared.gcp.apis import Apis, switched_on
from aiplatform._shared.gcp.keys import key, key_ring, let_use
from aiplatform._shared.principals import members, renamed
from aiplatform.container_registry.args import CacheSettings, ContainerRegistrySettings

_DAY: Final = 24 * 3600
_ROLES: Final[Mapping[str, str]] = {
    "reader": "roles/artifactregistry.reader",
    "writer": "roles/artifactregistry.writer",
}


def build(parent: pulumi.ComponentResource, name: str, settings: ContainerRegistrySettings) -> dict[str, Any]:
    """All of it, as children of one component; answers its outputs."""
    apis = switched_on(
        parent, name, settings.project or "", ["artifactregistry", "cloudkms", "containerscanning"]
    )
    return _Builder(parent, name, settings, apis).build()


class _Builder:
    def __init__(
        self,
        parent: pulumi.ComponentResource,
        name: str,
        settings: ContainerRegistrySettings,
        apis: Apis,
    ) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.apis = apis
        self.project = settings.project or ""
        self.region = settings.region or ""

    def build(self) -> dict[str, Any]:
        agent = projects.ServiceIdentity(
            f"{self.name}-agent",
            project=self.project,
            service="artifactregistry.googleapis.com",
            opts=self._options(self.apis["artifactregistry"]),
        )
        crypto_key, grant = self._key(agent.email)
        repositories = {
            each: self._repository(each, crypto_key, [grant]) for each in self.settings.repositories
        }
        caches = {
            cache.upstream: self._cache(cache, crypto_key, grant, agent.email)
            for cache in self.settings.caches
        }
        return {
            "repositories": [{"name": each, "url": self._url(made)} for each, made in repositories.items()],
            "caches": [{"upstream": each, "url": self._url(made)} for each, made in caches.items()],
            "mirrors": {each: self._url(made) for each, made in caches.items()},
            "kms_key": crypto_key.id,
        }

    def _options(self, *depends_on: pulumi.Resource, data: bool = False) -> ResourceOptions:
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
        )

    def _url(self, made: artifactregistry.Repository) -> Output[str]:
        return made.repository_id.apply(lambda known: f"{self.region}-docker.pkg.dev/{self.project}/{known}")

    def _key(self, agent: Input[str]) -> tuple[kms.CryptoKey, pulumi.Resource]:
        ring = key_ring(self.parent, f"{self.name}-keys", self.project, self.region, [self.apis["cloudkms"]])
        made = key(self.parent, f"{self.name}-key", ring, self.settings.tags, protect=self.settings.protect)
        return made, let_use(self.parent, f"{self.name}-key", made, agent)

    def _repository(
        self, name: str, crypto_key: kms.CryptoKey, depends_on: Sequence[pulumi.Resource]
    ) -> artifactregistry.Repository:
        made = self._made(
            name,
            crypto_key,
            depends_on,
            mode="STANDARD_REPOSITORY",
            description=f"Images of {self.settings.prefix}",
            # A tag says the same image for ever.
            docker_config=artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
            cleanup_policies=[_expiry("untagged", "UNTAGGED", self.settings.untagged_days)],
        )
        allowed = {"reader": self.settings.readers, "writer": self.settings.writers}
        for what, principals in allowed.items():
            self._let(made, f"{name}-{what}", _ROLES[what], principals)
        return made

    def _cache(
        self, cache: CacheSettings, crypto_key: kms.CryptoKey, grant: pulumi.Resource, agent: Input[str]
    ) -> artifactregistry.Repository:
        needed = [grant]
        credentials = None
        if cache.credential is not None and cache.username is not None:
            needed.append(self._let_agent_read(cache, cache.credential, agent))
            credentials = artifactregistry.RepositoryRemoteRepositoryConfigUpstreamCredentialsArgs(
                username_password_credentials=artifactregistry.RepositoryRemoteRepositoryConfigUpstreamCredentialsUsernamePasswordCredentialsArgs(
                    username=cache.username, password_secret_version=cache.credential
                )
            )
        made = self._made(
            cache.called,
            crypto_key,
            needed,
            mode="REMOTE_REPOSITORY",
            description=f"Images of {cache.upstream}",
            remote_repository_config=artifactregistry.RepositoryRemoteRepositoryConfigArgs(
                description=cache.upstream,
                docker_repository=_upstream(cache.upstream),
                upstream_credentials=credentials,
            ),
            cleanup_policies=[_expiry("old", "ANY", self.settings.cached_days)],
        )
        self._let(made, f"{cache.called}-reader", _ROLES["reader"], self.settings.readers)
        return made

    def _made(
        self, name: str, crypto_key: kms.CryptoKey, depends_on: Sequence[pulumi.Resource], **more: Any
    ) -> artifactregistry.Repository:
        return artifactregistry.Repository(
            f"{self.name}-{name}",
            project=self.project,
            location=self.region,
            repository_id=f"{self.settings.prefix}-{name}",
            format="DOCKER",
            kms_key_name=crypto_key.id,
            cleanup_policy_dry_run=False,
            # As the project says, which has scanning switched on.
            vulnerability_scanning_config=artifactregistry.RepositoryVulnerabilityScanningConfigArgs(
                enablement_config="INHERITED"
            ),
            labels=dict(self.settings.tags) or None,
            opts=ResourceOptions.merge(
                self._options(*depends_on, self.apis["containerscanning"], data=True),
                ResourceOptions(delete_before_replace=True),
            ),
            **more,
        )

    def _let(
        self, made: artifactregistry.Repository, logical: str, role: str, principals: Sequence[Input[str]]
    ) -> None:
        for member in members(principals):
            name, former = (f"{self.name}-{logical}-{each}" for each in (member.key, member.former))
            aliases = [pulumi.Alias(name=each) for each in renamed(name, former)]
            artifactregistry.RepositoryIamMember(
                name,
                project=self.project,
                location=self.region,
                repository=made.name,
                role=role,
                member=member.principal,
                opts=ResourceOptions.merge(self._options(), ResourceOptions(aliases=aliases)),
            )

    def _let_agent_read(
        self, cache: CacheSettings, version: Input[str], agent: Input[str]
    ) -> pulumi.Resource:
        """Artifact Registry reads the password as its own service account ("Create remote repositories: Set
        up authentication")."""
        return secretmanager.SecretIamMember(
            f"{self.name}-{cache.called}-credential",
            secret_id=Output.from_input(version).apply(lambda known: known.partition("/versions/")[0]),
            role="roles/secretmanager.secretAccessor",
            member=Output.concat("serviceAccount:", agent),
            opts=self._options(),
        )


def _upstream(
    registry: str,
) -> artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs:
    if registry == "docker.io":
        return artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs(
            public_repository="DOCKER_HUB"
        )
    return artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs(
        custom_repository=artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryCustomRepositoryArgs(
            uri=f"https://{registry}"
        )
    )


def _expiry(name: str, tags: str, days: int) -> artifactregistry.RepositoryCleanupPolicyArgs:
    """A cleanup policy: images of a kind are gone after so many days."""
    return artifactregistry.RepositoryCleanupPolicyArgs(
        id=name,
        action="DELETE",
        condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
            tag_state=tags, older_than=f"{days * _DAY}s"
        ),
    )
