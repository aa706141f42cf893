"""CodeBuild: projects and their webhooks."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, reads, same, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import Failure, Props

_VISIBILITY: Final = ("projectVisibility", "resourceAccessRole")
_ARTIFACTS: Final = same(
    "type",
    "artifactIdentifier",
    "bucketOwnerAccess",
    "encryptionDisabled",
    "location",
    "name",
    "namespaceType",
    "overrideArtifactName",
    "packaging",
    "path",
)
_SOURCE: Final = {
    **same("type", "buildspec", "gitCloneDepth", "insecureSsl", "location", "reportBuildStatus"),
    "auth": Field("auth", of=same("type", "resource")),
    "buildStatusConfig": Field("buildStatusConfig", of=same("context", "targetUrl")),
    "gitSubmodulesConfig": Field("gitSubmodulesConfig", of=same("fetchSubmodules")),
}
_ENVIRONMENT: Final = {
    **same("computeType", "image", "type", "certificate", "hostKernel"),
    **same("imagePullCredentialsType", "privilegedMode"),
    "dockerServer": Field("dockerServer", of=same("computeType", "securityGroupIds")),
    "environmentVariables": Field("environmentVariables", of=same("name", "value", "type")),
    "fleet": Field("fleet", of=same("fleetArn")),
    "registryCredential": Field("registryCredential", of=same("credential", "credentialProvider")),
}
_BATCH: Final = {
    **same("serviceRole", "combineArtifacts"),
    "timeoutInMins": Field("timeoutInMins"),
    "restrictions": Field(
        "restrictions",
        of={
            "computeTypesAlloweds": Field("computeTypesAllowed"),
            "maximumBuildsAllowed": Field("maximumBuildsAllowed"),
        },
    ),
}
_LOGS: Final = {
    "cloudwatchLogs": Field("cloudWatchLogs", of=same("groupName", "status", "streamName")),
    "s3Logs": Field("s3Logs", of=same("bucketOwnerAccess", "encryptionDisabled", "location", "status")),
}
# What UpdateProject takes for "no more of it".
_TAKEN_AWAY: Final[Props] = {
    "buildBatchConfig": {},
    "cache": {"type": "NO_CACHE"},
    "concurrentBuildLimit": -1,
    "description": "",
    "fileSystemLocations": [],
    "secondaryArtifacts": [],
    "secondarySources": [],
    "secondarySourceVersions": [],
    "sourceVersion": "",
    "vpcConfig": {},
}


class Project(AwsResource):
    token = "aws:codebuild/project:Project"
    service = "codebuild"
    title = "CodeBuild Project"
    fields = {
        **same("name", "description", "serviceRole", "sourceVersion", "encryptionKey"),
        **same("autoRetryLimit", "concurrentBuildLimit"),
        "badgeEnabled": Field("badgeEnabled", read="badge.badgeEnabled"),
        "buildTimeout": Field("timeoutInMinutes"),
        "queuedTimeout": Field("queuedTimeoutInMinutes"),
        "artifacts": Field("artifacts", of=_ARTIFACTS),
        "source": Field("source", of=_SOURCE),
        "environment": Field("environment", of=_ENVIRONMENT),
        "vpcConfig": Field("vpcConfig", of=same("vpcId", "subnets", "securityGroupIds")),
        "logsConfig": Field("logsConfig", of=_LOGS),
        "cache": Field("cache", of=same("type", "location", "modes", "cacheNamespace")),
        "buildBatchConfig": Field("buildBatchConfig", of=_BATCH),
        "fileSystemLocations": Field(
            "fileSystemLocations", of=same("identifier", "location", "mountOptions", "mountPoint", "type")
        ),
        "secondaryArtifacts": Field("secondaryArtifacts", of=_ARTIFACTS),
        "secondarySources": Field("secondarySources", of={**same("sourceIdentifier"), **_SOURCE}),
        "secondarySourceVersions": Field(
            "secondarySourceVersions", of=same("sourceIdentifier", "sourceVersion")
        ),
        "projectVisibility": Field(read="projectVisibility"),
        "resourceAccessRole": Field(read="resourceAccessRole"),
        **reads(arn="arn", badgeUrl="badge.badgeRequestUrl", publicProjectAlias="publicProjectAlias"),
    }
    create_call = Call("CreateProject")
    id_path = "project.arn"
    read_call = Call("BatchGetProjects", {"names": ["{id}"]})
    item = "projects[0]"
    delete_call = Call("DeleteProject", {"name": "{id}"})
    tagging = Tagging(
        create="tags",
        key="key",
        value="value",
        item="tags",
        # Never called: UpdateProject takes all tags at once.
        add=Call("UpdateProject"),
        remove=Call("UpdateProject"),
    )
    computed = frozenset(
        {"arn", "autoRetryLimit", "badgeUrl", "description", "encryptionKey", "publicProjectAlias", "region"}
        | {"logsConfig", "cache"}
    )
    sets = frozenset(
        {"vpcConfig.subnets", "vpcConfig.securityGroupIds", "fileSystemLocations", "secondaryArtifacts"}
        | {"secondarySources", "secondarySourceVersions"}
    )
    defaults = {
        "projectVisibility": "PRIVATE",
    }
    paths = {
        "ResourceAlreadyExistsException": "name",
        "InvalidInputException: sts:AssumeRole": "serviceRole",
        "InvalidInputException: service role": "serviceRole",
        "InvalidInputException: Not authorized to perform": "serviceRole",
        "InvalidInputException: connection arn": "source.auth.resource",
        "InvalidInputException: vpc config": "vpcConfig",
        "InvalidInputException: source": "source",
        "InvalidInputException: concurrent build limit": "concurrentBuildLimit",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        source = inputs.get("source")
        if isinstance(source, dict) and source.get("type") == "NO_SOURCE":
            if not source.get("buildspec"):
                yield Failure(
                    "source.buildspec", "`buildspec` must be set when source's `type` is `NO_SOURCE`"
                )
            if source.get("location"):
                yield Failure(
                    "source.location", "`location` must be empty when source's `type` is `NO_SOURCE`"
                )
        limit = inputs.get("concurrentBuildLimit")
        if isinstance(limit, (int, float)) and limit < 1:
            yield Failure(
                "concurrentBuildLimit", f"expected concurrent_build_limit to be at least (1), got {limit:g}"
            )
        cache = inputs.get("cache")
        if isinstance(cache, dict) and cache.get("type") == "S3" and not cache.get("location"):
            yield Failure("cache.location", 'cache location is required when cache type is "S3"')

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("projectVisibility") not in (None, "PRIVATE"):
            self._show(context, id, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed.intersection(_VISIBILITY):
            self._show(context, id, new)
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        params: Props = {}
        for name in sorted(changed.difference(_VISIBILITY)):
            if name in wanted:
                params |= to_api({name: self.fields[name]}, wanted)
            elif name in _TAKEN_AWAY:
                params[name] = _TAKEN_AWAY[name]
        if params:
            context.call("codebuild", "UpdateProject", {"name": new["name"], **params})

    def _show(self, context: AwsContext, id: str, inputs: Props) -> None:
        given = {"projectArn": id, "projectVisibility": inputs.get("projectVisibility") or "PRIVATE"}
        if inputs.get("resourceAccessRole"):
            given["resourceAccessRole"] = inputs["resourceAccessRole"]
        context.call("codebuild", "UpdateProjectVisibility", given)

    def _change_tags(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        wanted = context.tags.merged(new.get("tags"))
        if (old.get("tagsAll") or {}) != wanted:
            tags = [{"key": key, "value": wanted[key]} for key in sorted(wanted)]
            context.call("codebuild", "UpdateProject", {"name": new["name"], "tags": tags})


def _groups(value: Any) -> Any:
    return [group.get("filters") or [] for group in value] if isinstance(value, list) else value


def _of_groups(value: Any) -> Any:
    return [{"filters": group} for group in value]


class Webhook(AwsResource):
    token = "aws:codebuild/webhook:Webhook"
    service = "codebuild"
    title = "CodeBuild Webhook"
    fields = {
        **same("projectName", "branchFilter", "buildType", "manualCreation"),
        "filterGroups": Field("filterGroups", encode=_groups, decode=_of_groups),
        "pullRequestBuildPolicy": Field(
            "pullRequestBuildPolicy", of=same("requiresCommentApproval", "approverRoles")
        ),
        "scopeConfiguration": Field("scopeConfiguration", of=same("name", "scope", "domain")),
        **reads(payloadUrl="payloadUrl", url="url"),
        **kept("secret"),
    }
    create_call = Call("CreateWebhook")
    id_form = "{projectName}"
    read_call = Call("BatchGetProjects", {"names": ["{id}"]})
    item = "projects[0].webhook"
    not_found = frozenset({"ResourceNotFoundException"})
    delete_call = Call("DeleteWebhook", {"projectName": "{id}"})
    computed = frozenset({"buildType", "payloadUrl", "secret", "url"})
    immutable = frozenset({"scopeConfiguration"})
    secrets = frozenset({"secret"})
    paths = {"ResourceNotFoundException": "projectName", "InvalidInputException": "filterGroups"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("branchFilter") and inputs.get("filterGroups"):
            yield Failure("branchFilter", '"branch_filter": conflicts with filter_group')

    def _complete(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> Props:
        # Only the answer of the create tells the secret.
        outputs = super()._complete(context, id, inputs, answer)
        secret = answer["webhook"].get("secret")
        return {**outputs, "secret": secret} if secret else outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new):
            return
        names = ("branchFilter", "buildType", "filterGroups", "pullRequestBuildPolicy")
        wanted = {name: new[name] for name in names if new.get(name) is not None}
        params = to_api({name: self.fields[name] for name in names}, wanted)
        if not wanted.get("filterGroups"):
            params.setdefault("branchFilter", "")
        context.call("codebuild", "UpdateWebhook", {"projectName": id, "rotateSecret": False, **params})
