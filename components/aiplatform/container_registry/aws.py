"""The container registry on AWS: ECR."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import pulumi
from pulumi import Input, Output
from pulumi_aws import ecr, iam, kms

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, allow, document, key_policy, trust
from aiplatform._shared.aws.roles import AS_TEXT, Role, ServiceRole, roles, service_role
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import identity, known
from aiplatform.container_registry.args import (
    CACHE_ROLE,
    KEY_ALIAS,
    REPOSITORIES,
    ContainerRegistryCacheSettings,
    ContainerRegistrySettings,
)
from aiplatform.container_registry.outputs import ContainerRegistryOutputs

Context = AwsDataContext[ContainerRegistrySettings]

_URLS: Final[Mapping[str, str]] = {"docker.io": "registry-1.docker.io"}
"""A registry -> the host at which ECR finds it, where it is another one (ECR user guide, "Creating a pull
through cache rule")."""
_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH: Final = (
    *_PULL,
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


@dataclass(frozen=True)
class _AccountRoles:
    """The roles of this account that arguments name."""

    readers: list[Role]
    writers: list[Role]
    nodes: list[Role]


def build(
    parent: pulumi.ComponentResource, name: str, settings: ContainerRegistrySettings
) -> ContainerRegistryOutputs:
    """Create the resources as children of the component; returns the component's outputs."""
    context: Context = Context(parent, name, settings, account_of(parent))
    account_roles = _AccountRoles(
        readers=_own_roles(context, _paths("readers", settings.readers)),
        writers=_own_roles(context, _writers(settings)),
        nodes=roles(_paths("node_roles", settings.node_roles), context.account.account_id),
    )
    key = _create_key(context)
    repositories = {name: _create_repository(context, name, key) for name in settings.repositories}
    caches = _create_caches(context, key, account_roles.nodes)
    _allow_login(context, "reader", account_roles.readers)
    _allow_login(context, "writer", account_roles.writers)
    return {
        "cloud": settings.cloud,
        "repositories": [
            {"name": name, "url": repository.repository_url} for name, repository in repositories.items()
        ],
        "caches": [{"upstream": upstream, "url": url} for upstream, url in caches.items()],
        "mirrors": caches,
        "kms_key": key.arn,
    }


def _writers(settings: ContainerRegistrySettings) -> dict[str, Input[str]]:
    """Return the principals that push to some repository, each once, by their paths."""
    by_path = _paths("writers", settings.writers)
    named = {identity(principal) for principal in settings.writers}
    for repository, principals in settings.repository_writers.items():
        for path, principal in _paths(f"repository_writers.{repository}", principals).items():
            if identity(principal) not in named:
                named.add(identity(principal))
                by_path[path] = principal
    return by_path


def _own_roles(context: Context, principals: Mapping[str, Input[str]]) -> list[Role]:
    """Return the roles of this account, to which policies are attached. A role of another account is given by
    its arn as text."""
    account = context.account.account_id
    account_roles = {
        path: arn
        for path, arn in principals.items()
        if known(arn) is None or str(known(arn)).split(":")[4] == account
    }
    return roles(account_roles, account, AS_TEXT)


def _paths(key: str, principals: Sequence[Input[str]]) -> dict[str, Input[str]]:
    return {f"ContainerRegistryArgs.{key}[{index}]": arn for index, arn in enumerate(principals)}


def _create_key(context: Context) -> Key:
    stated = context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "ContainerRegistryArgs.kms_key")
    key = kms.Key(
        f"{context.name}-key",
        description=f"Container images of {context.settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account),
        tags=context.tags("images"),
        opts=context.options(data=True),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return Key(key.arn)


def _create_repository(context: Context, name: str, key: Key) -> ecr.Repository:
    settings = context.settings
    logical = f"{context.name}-{name.replace('/', '-')}"
    repository = ecr.Repository(
        logical,
        name=REPOSITORIES.of(settings.prefix) + name,
        # A tag refers to the same image permanently.
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        encryption_configurations=[
            ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.arn)
        ],
        force_delete=settings.force_destroy,
        tags=settings.tags,
        opts=context.options(data=True, delete_before_replace=True),
    )
    ecr.LifecyclePolicy(
        logical,
        repository=repository.name,
        policy=_expiry("untagged", settings.untagged_days),
        opts=context.options(),
    )
    if settings.readers or settings.writers_of(name):
        ecr.RepositoryPolicy(
            logical,
            repository=repository.name,
            policy=_repository_policy(context, name),
            opts=context.options(),
        )
    return repository


def _repository_policy(context: Context, repository: str) -> Output[str]:
    settings = context.settings
    allowed = {"Pull": (settings.readers, _PULL), "Push": (settings.writers_of(repository), _PUSH)}
    arns = Output.all(*(Output.all(*principals) for principals, _ in allowed.values()))
    return arns.apply(
        lambda lists: document(
            *(
                _allow_principals(sid, cast("Sequence[str]", principals), actions)
                for (sid, (_, actions)), principals in zip(allowed.items(), lists, strict=True)
                if principals
            )
        )
    )


def _allow_principals(sid: str, principals: Sequence[str], actions: Sequence[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": sorted(principals)},
        "Action": list(actions),
    }


def _allow_login(context: Context, kind: str, own_roles: Sequence[Role]) -> None:
    """Allow readers or writers of this account to get the registry's token, without which they neither pull
    nor push. No policy of a repository can allow it, as the action has no resource (ECR user guide, "Private
    registry authentication"). Roles of other accounts have it from their own policies."""
    for role in own_roles:
        iam.RolePolicy(
            f"{context.name}-{kind}-{role.key}",
            # A role may have several registries, and be reader of one that it writes.
            name=f"{context.settings.prefix}-images-{kind}-{role.short}",
            role=role.name,
            policy=document(allow(["ecr:GetAuthorizationToken"], "*", sid="LogIn")),
            opts=context.options(),
        )


def _create_caches(context: Context, key: Key, node_roles: Sequence[Role]) -> dict[str, Input[str]]:
    """Create pull-through cache rules, and templates of the repositories that they create; returns the URLs
    of caches by their upstreams. A tag of the upstream may refer to another image later: tags of caches are
    mutable."""
    if not context.settings.caches:
        return {}
    role = _create_cache_role(context, key)
    account = context.account
    registry = f"{account.account_id}.dkr.ecr.{account.region}.{account.dns_suffix}"
    urls: dict[str, Input[str]] = {}
    for cache in context.settings.caches:
        prefix = _create_cache_rule(context, cache, key, role).ecr_repository_prefix
        urls[cache.upstream] = Output.concat(registry, "/", prefix)
    # The first pull of an image creates its repository, with the permissions of the puller (ECR user guide,
    # "IAM permissions required to sync an upstream registry with an Amazon ECR private registry").
    pull_through = ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
    for node_role in node_roles:
        iam.RolePolicy(
            f"{context.name}-nodes-{node_role.key}",
            name=f"{context.settings.prefix}-image-caches-{node_role.short}",
            role=node_role.name,
            policy=document(allow(pull_through, _cached_repositories(context), sid="PullThrough")),
            opts=context.options(),
        )
    return urls


def _create_cache_rule(
    context: Context, cache: ContainerRegistryCacheSettings, key: Key, role: ServiceRole
) -> ecr.PullThroughCacheRule:
    prefix = f"{context.settings.prefix}-{cache.repository_name}"
    template = ecr.RepositoryCreationTemplate(
        f"{context.name}-{cache.repository_name}",
        prefix=prefix,
        description=f"Images of {cache.upstream}",
        applied_fors=["PULL_THROUGH_CACHE"],
        custom_role_arn=role.arn,
        image_tag_mutability="MUTABLE",
        encryption_configurations=[
            ecr.RepositoryCreationTemplateEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.arn)
        ],
        lifecycle_policy=_expiry("any", context.settings.cached_days),
        resource_tags=context.settings.tags or None,
        opts=context.options(),
    )
    return ecr.PullThroughCacheRule(
        f"{context.name}-{cache.repository_name}",
        ecr_repository_prefix=prefix,
        upstream_registry_url=_URLS.get(cache.upstream, cache.upstream),
        credential_arn=cache.credential,
        # A pull before the template exists would create a repository without its settings.
        opts=context.options(template),
    )


def _create_cache_role(context: Context, key: Key) -> ServiceRole:
    """ECR creates repositories with a key or tags by a role (ECR user guide, "Creating an IAM role for
    repository creation templates")."""

    def statements(key_arn: str) -> list[Statement]:
        create = ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"]
        use_key = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
        return [
            allow(create, _cached_repositories(context), sid="MakeRepositories"),
            allow(use_key, key_arn, sid="UseKey"),
        ]

    return service_role(
        f"{context.name}-cache",
        parent=context.parent,
        trust=trust("ecr.amazonaws.com", {"StringEquals": {"aws:SourceAccount": context.account.account_id}}),
        statements=key.arn.apply(statements),
        policy_name="make-repositories",
        name_prefix=CACHE_ROLE.of(context.settings.prefix),
        description="ECR makes repositories of cached images",
        tags=context.settings.tags,
    )


def _cached_repositories(context: Context) -> list[str]:
    return [
        context.account.arn("ecr", f"repository/{context.settings.prefix}-{cache.repository_name}/*")
        for cache in context.settings.caches
    ]


def _expiry(tags: str, days: Input[int]) -> Input[str]:
    """Return a lifecycle policy: images of a kind are deleted so many days after they were pushed."""
    return mapped(days, lambda known: _lifecycle_policy(tags, known))


def _lifecycle_policy(tags: str, days: int) -> str:
    selection = {
        "tagStatus": tags,
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": days,
    }
    rule = {
        "rulePriority": 1,
        "description": f"{tags} images",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
