"""ECR: repositories with their policies, and what holds for a whole registry."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.documents import document_failures
from twin.aws.resources.fields import Field, json_text, kept, reads, same, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_REPOSITORY: Final = {"repositoryName": "{id}"}
_NO_REPOSITORY: Final = "RepositoryNotFoundException"


def _first(value: Any) -> Any:
    """The provider takes a list where ECR has one object."""
    return value[0] if isinstance(value, list) and value else None


def _encoded(value: Any) -> Any:
    first = _first(value)
    return to_api(_ENCRYPTION, {"encryptionType": "AES256", **first}) if isinstance(first, dict) else first


def _listed(value: Any) -> Any:
    return [{"encryptionType": value.get("encryptionType", ""), "kmsKey": value.get("kmsKey", "")}]


_ENCRYPTION: Final = same("encryptionType", "kmsKey")
_FILTERS: Final = Field("imageTagMutabilityExclusionFilters", of=same("filter", "filterType"))


class Repository(AwsResource):
    token = "aws:ecr/repository:Repository"
    service = "ecr"
    title = "ECR Repository"
    fields = {
        "name": Field("repositoryName"),
        **same("imageTagMutability"),
        "imageScanningConfiguration": Field("imageScanningConfiguration", of=same("scanOnPush")),
        "encryptionConfigurations": Field("encryptionConfiguration", encode=_encoded, decode=_listed),
        "imageTagMutabilityExclusionFilters": _FILTERS,
        **kept("forceDelete"),
        **reads(arn="repositoryArn", registryId="registryId", repositoryUrl="repositoryUri"),
    }
    create_call = Call("CreateRepository")
    id_form = "{name}"
    read_call = Call("DescribeRepositories", {"repositoryNames": ["{id}"]})
    item = "repositories[0]"
    not_found = frozenset({_NO_REPOSITORY})
    tagging = Tagging(
        create="tags",
        listing=Call("ListTagsForResource", {"resourceArn": "{arn}"}),
        listed="tags",
        add=Call("TagResource", {"resourceArn": "{arn}", "tags": "{tags}"}),
        remove=Call("UntagResource", {"resourceArn": "{arn}", "tagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=256, lower=True)
    declared = frozenset({"encryptionConfigurations", "imageTagMutabilityExclusionFilters"})
    sets = frozenset({"imageTagMutabilityExclusionFilters"})
    defaults = {"imageTagMutability": "MUTABLE"}
    paths = {
        "RepositoryAlreadyExistsException": "name",
        "InvalidParameterException: repositoryName": "name",
        "InvalidParameterException: encryptionConfiguration": "encryptionConfigurations",
        "KmsException": "encryptionConfigurations",
        "RepositoryNotEmptyException": "forceDelete",
    }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        if changed & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            names = ("imageTagMutability", "imageTagMutabilityExclusionFilters")
            params = to_api({name: self.fields[name] for name in names}, wanted)
            context.call("ecr", "PutImageTagMutability", {"repositoryName": id, **params})
        if "imageScanningConfiguration" in changed:
            given = {"scanOnPush": bool((wanted.get("imageScanningConfiguration") or {}).get("scanOnPush"))}
            asked = {"repositoryName": id, "imageScanningConfiguration": given}
            context.call("ecr", "PutImageScanningConfiguration", asked)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        asked = {"repositoryName": id, "force": bool(state.get("forceDelete"))}
        context.call("ecr", "DeleteRepository", asked)


class _OfRepository(AwsResource):
    """A text that stands on a repository; its id is the repository's name."""

    service = "ecr"
    id_form = "{repository}"
    computed = frozenset({"region"})
    immutable = frozenset({"repository", "region"})
    documents = frozenset({"policy"})

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("repository") or "")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, new)


class LifecyclePolicy(_OfRepository):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    title = "ECR Lifecycle Policy"
    fields = {
        "repository": Field("repositoryName"),
        "policy": Field("lifecyclePolicyText", encode=json_text),
        **reads(registryId="registryId"),
    }
    create_call = Call("PutLifecyclePolicy")
    read_call = Call("GetLifecyclePolicy", _REPOSITORY)
    not_found = frozenset({_NO_REPOSITORY, "LifecyclePolicyNotFoundException"})
    delete_call = Call("DeleteLifecyclePolicy", _REPOSITORY)
    paths = {_NO_REPOSITORY: "repository", "InvalidParameterException": "policy"}


class RepositoryPolicy(_OfRepository):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    title = "ECR Repository Policy"
    fields = {
        "repository": Field("repositoryName"),
        "policy": Field("policyText", encode=json_text),
        **reads(registryId="registryId"),
    }
    create_call = Call("SetRepositoryPolicy")
    read_call = Call("GetRepositoryPolicy", _REPOSITORY)
    not_found = frozenset({_NO_REPOSITORY, "RepositoryPolicyNotFoundException"})
    delete_call = Call("DeleteRepositoryPolicy", _REPOSITORY)
    paths = {_NO_REPOSITORY: "repository", "InvalidParameterException": "policy"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        # A repository's policy names no resource: it stands on it.
        yield from document_failures("policy", inputs.get("policy"), "resource", longest=10240)


class PullThroughCacheRule(AwsResource):
    token = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
    service = "ecr"
    title = "ECR Pull Through Cache Rule"
    fields = {
        **same("credentialArn", "customRoleArn", "ecrRepositoryPrefix", "upstreamRegistryUrl"),
        **same("upstreamRepositoryPrefix"),
        **reads(registryId="registryId"),
    }
    create_call = Call("CreatePullThroughCacheRule")
    id_form = "{ecrRepositoryPrefix}"
    read_call = Call("DescribePullThroughCacheRules", {"ecrRepositoryPrefixes": ["{id}"]})
    item = "pullThroughCacheRules[0]"
    not_found = frozenset({"PullThroughCacheRuleNotFoundException"})
    delete_call = Call("DeletePullThroughCacheRule", {"ecrRepositoryPrefix": "{id}"})
    paths = {
        "PullThroughCacheRuleAlreadyExistsException": "ecrRepositoryPrefix",
        "UnsupportedUpstreamRegistryException": "upstreamRegistryUrl",
        "SecretNotFoundException": "credentialArn",
        "InvalidParameterException: credentialArn": "credentialArn",
        "InvalidParameterException: role": "customRoleArn",
        "InvalidParameterException: customRoleArn": "customRoleArn",
    }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            names = ("credentialArn", "customRoleArn")
            given = {name: new[name] for name in names if new.get(name) is not None}
            context.call("ecr", "UpdatePullThroughCacheRule", {"ecrRepositoryPrefix": id, **given})

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("ecrRepositoryPrefix") or "")


def _pairs(value: Any) -> Any:
    return [{"Key": key, "Value": value[key]} for key in sorted(value)] if isinstance(value, dict) else value


def _of_pairs(value: Any) -> Any:
    return {each["Key"]: each.get("Value", "") for each in value}


class RepositoryCreationTemplate(AwsResource):
    token = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
    service = "ecr"
    title = "ECR Repository Creation Template"
    fields = {
        **same("customRoleArn", "description", "imageTagMutability", "prefix"),
        "lifecyclePolicy": Field("lifecyclePolicy", encode=json_text),
        "repositoryPolicy": Field("repositoryPolicy", encode=json_text),
        "resourceTags": Field("resourceTags", encode=_pairs, decode=_of_pairs),
        "appliedFors": Field("appliedFor"),
        "encryptionConfigurations": Field("encryptionConfiguration", encode=_encoded, decode=_listed),
        "imageTagMutabilityExclusionFilters": _FILTERS,
    }
    create_call = Call("CreateRepositoryCreationTemplate")
    id_form = "{prefix}"
    read_call = Call("DescribeRepositoryCreationTemplates", {"prefixes": ["{id}"]})
    item = "repositoryCreationTemplates[0]"
    not_found = frozenset({"TemplateNotFoundException"})
    delete_call = Call("DeleteRepositoryCreationTemplate", {"prefix": "{id}"})
    declared = frozenset({"encryptionConfigurations"})
    documents = frozenset({"lifecyclePolicy", "repositoryPolicy"})
    sets = frozenset({"imageTagMutabilityExclusionFilters"})
    defaults = {"imageTagMutability": "MUTABLE"}
    paths = {
        "TemplateAlreadyExistsException": "prefix",
        "KmsException": "encryptionConfigurations",
        "InvalidParameterException: customRoleArn": "customRoleArn",
        "InvalidParameterException: role": "customRoleArn",
        "InvalidParameterException: policy": "repositoryPolicy",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures(
            "repositoryPolicy", inputs.get("repositoryPolicy"), "resource", longest=10240
        )

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"registryId": context.account}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
            params = {"customRoleArn": "", "description": "", **to_api(self.fields, wanted)}
            context.call("ecr", "UpdateRepositoryCreationTemplate", params)

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("prefix") or "")


class RegistryPolicy(AwsResource):
    token = "aws:ecr/registryPolicy:RegistryPolicy"
    service = "ecr"
    title = "ECR Registry Policy"
    fields = {"policy": Field("policyText", encode=json_text), **reads(registryId="registryId")}
    create_call = Call("PutRegistryPolicy")
    id_path = "registryId"
    read_call = Call("GetRegistryPolicy")
    not_found = frozenset({"RegistryPolicyNotFoundException"})
    delete_call = Call("DeleteRegistryPolicy")
    documents = frozenset({"policy"})
    paths = {"InvalidParameterException": "policy"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("policy", inputs.get("policy"), "resource", longest=10240)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, new)


class RegistryScanningConfiguration(AwsResource):
    token = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
    service = "ecr"
    title = "ECR Registry Scanning Configuration"
    fields = {
        "scanType": Field("scanType", read="scanningConfiguration.scanType"),
        "rules": Field(
            "rules",
            read="scanningConfiguration.rules",
            of={
                **same("scanFrequency"),
                "repositoryFilters": Field("repositoryFilters", of=same("filter", "filterType")),
            },
        ),
        **reads(registryId="registryId"),
    }
    create_call = Call("PutRegistryScanningConfiguration")
    id_path = "registryId"
    read_call = Call("GetRegistryScanningConfiguration")
    paths = {"InvalidParameterException": "rules"}

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return context.account

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            context.call("ecr", "PutRegistryScanningConfiguration", {"rules": [], **to_api(self.fields, new)})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # A registry always has one: the one that it begins with.
        asked = {"scanType": "BASIC", "rules": []}
        context.call("ecr", "PutRegistryScanningConfiguration", asked)
