"""The container registry on AWS: ECR."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import ecr, iam, kms

from aiplatform._shared.aws.account import Place, place
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, allow, document, key_policy, trust
from aiplatform._shared.aws.roles import AS_TEXT, Role, roles
from aiplatform._shared.principals import known
from aiplatform.container_registry.args import (
    CACHE_ROLE,
    KEY_ALIAS,
    REPOSITORIES,
    CacheSettings,
    ContainerRegistrySettings,
)

_URLS: Final[Mapping[str, str]] = {"docker.io": "registry-1.docker.io"}
"""A registry -> where ECR finds it, where that is not its name (ECR user guide, "Creating a pull through
cache rule")."""
_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH: Final = (
    *_PULL,
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def build(parent: pulumi.ComponentResource, name: str, settings: ContainerRegistrySettings) -> dict[str, Any]:
    """All of it, as children of one component; answers its outputs."""
    return _Builder(parent, name, settings).build()


class _Builder:
    def __init__(
        self, parent: pulumi.ComponentResource, name: str, settings: ContainerRegistrySettings
    ) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.place: Place = place(parent)
        self.logging_in = {
            "reader": self._own("readers", settings.readers),
            "writer": self._own("writers", settings.writers),
        }
        self.nodes = roles(_at("node_roles", settings.node_roles), self.place.account_id)

    def build(self) -> dict[str, Any]:
        key = self._key()
        repositories = {each: self._repository(each, key) for each in self.settings.repositories}
        caches = self._caches(key)
        self._let_log_in()
        return {
            "repositories": [
                {"name": each, "url": made.repository_url} for each, made in repositories.items()
            ],
            "caches": [{"upstream": upstream, "url": url} for upstream, url in caches.items()],
            "mirrors": caches,
            "kms_key": key.arn,
        }

    def _options(self, *depends_on: pulumi.Resource, data: bool = False) -> ResourceOptions:
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
        )

    def _key(self) -> kms.Key:
        key = kms.Key(
            f"{self.name}-key",
            description=f"Container images of {self.settings.prefix}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=key_policy(self.place),
            tags={**self.settings.tags, "Name": f"{self.settings.prefix}-images"},
            opts=self._options(data=True),
        )
        name_key(f"{self.name}-key", key, KEY_ALIAS.of(self.settings.prefix), self._options())
        return key

    def _repository(self, name: str, key: kms.Key) -> ecr.Repository:
        logical = f"{self.name}-{name.replace('/', '-')}"
        made = ecr.Repository(
            logical,
            name=REPOSITORIES.of(self.settings.prefix) + name,
            # A tag says the same image for ever.
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.arn)
            ],
            force_delete=self.settings.force_destroy,
            tags=self.settings.tags,
            opts=ResourceOptions.merge(self._options(data=True), ResourceOptions(delete_before_replace=True)),
        )
        ecr.LifecyclePolicy(
            logical,
            repository=made.name,
            policy=_expiry("untagged", self.settings.untagged_days),
            opts=self._options(),
        )
        if self.settings.readers or self.settings.writers:
            ecr.RepositoryPolicy(logical, repository=made.name, policy=self._access(), opts=self._options())
        return made

    def _access(self) -> Output[str]:
        asked = {"Pull": (self.settings.readers, _PULL), "Push": (self.settings.writers, _PUSH)}
        known = Output.all(*(Output.all(*principals) for principals, _ in asked.values()))
        return known.apply(
            lambda lists: document(
                *(
                    _principals(sid, cast("Sequence[str]", principals), actions)
                    for (sid, (_, actions)), principals in zip(asked.items(), lists, strict=True)
                    if principals
                )
            )
        )

    def _let_log_in(self) -> None:
        """Let readers and writers of this account ask for the registry's token, without which none of them
        pulls or pushes. No policy of a repository can give that, as the action is about no repository (ECR
        user guide, "Private registry authentication"). Roles of other accounts have it from their own."""
        for kind, own in self.logging_in.items():
            for role in own:
                iam.RolePolicy(
                    f"{self.name}-{kind}-{role.key}",
                    # A role may be of several registries, and reader of one that it writes.
                    name=f"{self.settings.prefix}-images-{kind}-{role.short}",
                    role=role.name,
                    policy=document(allow(["ecr:GetAuthorizationToken"], "*", sid="LogIn")),
                    opts=self._options(),
                )

    def _own(self, key: str, principals: Sequence[Input[str]]) -> list[Role]:
        """The roles of this account, on which policies are put. Another account's has its arn as text."""
        account = self.place.account_id
        own = {
            path: arn
            for path, arn in _at(key, principals).items()
            if known(arn) is None or _account(str(known(arn))) == account
        }
        return roles(own, account, AS_TEXT)

    def _caches(self, key: kms.Key) -> dict[str, Input[str]]:
        """Rules, and what the repositories that they make are like. What is tagged at upstream may be another
        image tomorrow: in caches tags move."""
        if not self.settings.caches:
            return {}
        role = self._cache_role(key)
        registry = f"{self.place.account_id}.dkr.ecr.{self.place.region}.{self.place.dns_suffix}"
        urls: dict[str, Input[str]] = {}
        for cache in self.settings.caches:
            prefix = f"{self.settings.prefix}-{cache.called}"
            template = ecr.RepositoryCreationTemplate(
                f"{self.name}-{cache.called}",
                prefix=prefix,
                description=f"Images of {cache.upstream}",
                applied_fors=["PULL_THROUGH_CACHE"],
                custom_role_arn=role.arn,
                image_tag_mutability="MUTABLE",
                encryption_configurations=[
                    ecr.RepositoryCreationTemplateEncryptionConfigurationArgs(
                        encryption_type="KMS", kms_key=key.arn
                    )
                ],
                lifecycle_policy=_expiry("any", self.settings.cached_days),
                resource_tags=self.settings.tags or None,
                opts=self._options(),
            )
            rule = self._rule(cache, prefix, template)
            urls[cache.upstream] = rule.ecr_repository_prefix.apply(
                lambda made, registry=registry: f"{registry}/{made}"
            )
        self._let_nodes_pull()
        return urls

    def _rule(
        self, cache: CacheSettings, prefix: str, template: ecr.RepositoryCreationTemplate
    ) -> ecr.PullThroughCacheRule:
        return ecr.PullThroughCacheRule(
            f"{self.name}-{cache.called}",
            ecr_repository_prefix=prefix,
            upstream_registry_url=_URLS.get(cache.upstream, cache.upstream),
            credential_arn=cache.credential,
            # A pull before the template is there would make a repository without any of this.
            opts=self._options(template),
        )

    def _cache_role(self, key: kms.Key) -> iam.Role:
        """ECR makes repositories with a key or tags by a role (ECR user guide, "Creating an IAM role for
        repository creation templates")."""
        role = iam.Role(
            f"{self.name}-cache",
            name_prefix=CACHE_ROLE.of(self.settings.prefix),
            description="ECR makes repositories of cached images",
            assume_role_policy=trust(
                "ecr.amazonaws.com", {"StringEquals": {"aws:SourceAccount": self.place.account_id}}
            ),
            tags=self.settings.tags,
            opts=self._options(),
        )
        iam.RolePolicy(
            f"{self.name}-cache",
            name="make-repositories",
            role=role.name,
            policy=key.arn.apply(
                lambda arn: document(
                    allow(
                        ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
                        self._cached,
                        sid="MakeRepositories",
                    ),
                    allow(["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], arn, sid="UseKey"),
                )
            ),
            opts=self._options(),
        )
        return role

    @property
    def _cached(self) -> list[str]:
        return [
            self.place.arn("ecr", f"repository/{self.settings.prefix}-{cache.called}/*")
            for cache in self.settings.caches
        ]

    def _let_nodes_pull(self) -> None:
        """The first pull of an image makes its repository, as who pulls (ECR user guide, "IAM permissions
        required to sync an upstream registry with an Amazon ECR private registry")."""
        for role in self.nodes:
            iam.RolePolicy(
                f"{self.name}-nodes-{role.key}",
                name=f"{self.settings.prefix}-image-caches-{role.short}",
                role=role.name,
                policy=document(
                    allow(
                        ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
                        self._cached,
                        sid="PullThrough",
                    )
                ),
                opts=self._options(),
            )


def _at(key: str, principals: Sequence[Input[str]]) -> dict[str, Input[str]]:
    return {f"ContainerRegistryArgs.{key}[{index}]": each for index, each in enumerate(principals)}


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _principals(sid: str, principals: Sequence[str], actions: Sequence[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": sorted(principals)},
        "Action": list(actions),
    }


def _expiry(tags: str, days: int) -> str:
    """A lifecycle policy: images of a kind are gone so many days after they were pushed."""
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
