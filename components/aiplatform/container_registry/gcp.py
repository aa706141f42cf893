"""The container registry on Google Cloud: Artifact Registry."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import artifactregistry, secretmanager

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import DataKey, GcpDataContext
from aiplatform._shared.gcp.keys import data_key, grant_key_use
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import members, renamed
from aiplatform.container_registry.args import ContainerRegistryCacheSettings, ContainerRegistrySettings
from aiplatform.container_registry.outputs import ContainerRegistryOutputs

Context = GcpDataContext[ContainerRegistrySettings]

_DAY: Final = 24 * 3600
_APIS: Final = ("artifactregistry", "cloudkms", "containerscanning")
_ROLES: Final[Mapping[str, str]] = {
    "reader": "roles/artifactregistry.reader",
    "writer": "roles/artifactregistry.writer",
}


def build(
    parent: pulumi.ComponentResource, name: str, settings: ContainerRegistrySettings
) -> ContainerRegistryOutputs:
    """Create the resources as children of the component; returns the component's outputs."""
    project, region = settings.project or "", settings.region or ""
    apis = enable_apis(parent, name, project, _APIS)
    context: Context = Context(parent, name, settings, project, region, apis)
    agent = context.service_identity("artifactregistry", "agent").email
    key = _create_key(context, agent)
    repositories = {name: _create_repository(context, name, key) for name in settings.repositories}
    caches = {cache.upstream: _create_cache(context, cache, key, agent) for cache in settings.caches}
    mirrors: dict[str, Input[str]] = {
        upstream: _url(context, repository) for upstream, repository in caches.items()
    }
    return {
        "cloud": settings.cloud,
        "repositories": [
            {"name": name, "url": _url(context, repository)} for name, repository in repositories.items()
        ],
        "caches": [{"upstream": upstream, "url": url} for upstream, url in mirrors.items()],
        "mirrors": mirrors,
        "kms_key": key.key.id,
    }


def _url(context: Context, repository: artifactregistry.Repository) -> Output[str]:
    return Output.concat(f"{context.region}-docker.pkg.dev/{context.project}/", repository.repository_id)


def _create_key(context: Context, agent: Input[str]) -> DataKey:
    key = data_key(context)
    return DataKey(key, [grant_key_use(context.parent, f"{context.name}-key", key, agent)])


def _create_repository(context: Context, name: str, key: DataKey) -> artifactregistry.Repository:
    repository = _repository(
        context,
        name,
        key,
        mode="STANDARD_REPOSITORY",
        description=f"Images of {context.settings.prefix}",
        # A tag refers to the same image permanently.
        docker_config=artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
        cleanup_policies=[_expiry("untagged", "UNTAGGED", context.settings.untagged_days)],
    )
    principals = {"reader": context.settings.readers, "writer": context.settings.writers_of(name)}
    for kind, granted in principals.items():
        _grant(context, repository, f"{name}-{kind}", _ROLES[kind], granted)
    return repository


def _create_cache(
    context: Context, cache: ContainerRegistryCacheSettings, key: DataKey, agent: Input[str]
) -> artifactregistry.Repository:
    depends_on: list[pulumi.Resource] = []
    credentials = None
    if cache.credential is not None and cache.username is not None:
        depends_on.append(_allow_agent_to_read(context, cache, cache.credential, agent))
        credentials = artifactregistry.RepositoryRemoteRepositoryConfigUpstreamCredentialsArgs(
            username_password_credentials=artifactregistry.RepositoryRemoteRepositoryConfigUpstreamCredentialsUsernamePasswordCredentialsArgs(
                username=cache.username, password_secret_version=cache.credential
            )
        )
    repository = _repository(
        context,
        cache.repository_name,
        key,
        *depends_on,
        mode="REMOTE_REPOSITORY",
        description=f"Images of {cache.upstream}",
        remote_repository_config=artifactregistry.RepositoryRemoteRepositoryConfigArgs(
            description=cache.upstream,
            docker_repository=_upstream(cache.upstream),
            upstream_credentials=credentials,
        ),
        cleanup_policies=[_expiry("old", "ANY", context.settings.cached_days)],
    )
    readers = context.settings.readers
    _grant(context, repository, f"{cache.repository_name}-reader", _ROLES["reader"], readers)
    return repository


def _repository(
    context: Context, name: str, key: DataKey, *depends_on: pulumi.Resource, **more: Any
) -> artifactregistry.Repository:
    return artifactregistry.Repository(
        f"{context.name}-{name}",
        project=context.project,
        location=context.region,
        repository_id=f"{context.settings.prefix}-{name}",
        format="DOCKER",
        kms_key_name=key.key.id,
        cleanup_policy_dry_run=False,
        # As in the project, for which scanning is enabled.
        vulnerability_scanning_config=artifactregistry.RepositoryVulnerabilityScanningConfigArgs(
            enablement_config="INHERITED"
        ),
        labels=context.labels,
        opts=context.options(
            *key.grants,
            *depends_on,
            context.apis["containerscanning"],
            data=True,
            delete_before_replace=True,
        ),
        **more,
    )


def _grant(
    context: Context,
    repository: artifactregistry.Repository,
    purpose: str,
    role: str,
    principals: Sequence[Input[str]],
) -> None:
    for member in members(principals):
        name, former_name = (f"{context.name}-{purpose}-{key}" for key in (member.key, member.former))
        artifactregistry.RepositoryIamMember(
            name,
            project=context.project,
            location=context.region,
            repository=repository.name,
            role=role,
            member=member.principal,
            opts=context.options(former_names=renamed(name, former_name)),
        )


def _allow_agent_to_read(
    context: Context, cache: ContainerRegistryCacheSettings, version: Input[str], agent: Input[str]
) -> pulumi.Resource:
    """Allow Artifact Registry's service agent to read the password ("Create remote repositories: Set up
    authentication")."""
    return secretmanager.SecretIamMember(
        f"{context.name}-{cache.repository_name}-credential",
        secret_id=Output.from_input(version).apply(lambda known: known.partition("/versions/")[0]),
        role="roles/secretmanager.secretAccessor",
        member=Output.concat("serviceAccount:", agent),
        opts=context.options(),
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


def _expiry(name: str, tags: str, days: Input[int]) -> artifactregistry.RepositoryCleanupPolicyArgs:
    """Return a cleanup policy: images of a kind are deleted after so many days."""
    return artifactregistry.RepositoryCleanupPolicyArgs(
        id=name,
        action="DELETE",
        condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
            tag_state=tags, older_than=mapped(days, lambda known: f"{known * _DAY}s")
        ),
    )
