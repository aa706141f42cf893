"""CodeBuild: projects and their webhooks."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props

_VISIBILITY: Final = ("projectVisibility", "resourceAccessRole")


class Project(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("projectVisibility") not in (None, "PRIVATE"):
            self._show(context, id, inputs)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new).intersection(_VISIBILITY):
            self._show(context, id, new)
        super().change(context, id, old, new)

    def _show(self, context: AwsContext, id: str, inputs: Props) -> None:
        params = {"projectArn": id, "projectVisibility": inputs.get("projectVisibility") or "PRIVATE"}
        if inputs.get("resourceAccessRole"):
            params["resourceAccessRole"] = inputs["resourceAccessRole"]
        context.call("codebuild", "UpdateProjectVisibility", params)

    def _change_tags(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        wanted = context.tags.merged(new.get("tags"))
        if (old.get("tagsAll") or {}) != wanted:
            tags = [{"key": key, "value": wanted[key]} for key in sorted(wanted)]
            context.call("codebuild", "UpdateProject", {"name": new["name"], "tags": tags})


def groups(value: Any) -> Any:
    return [group.get("filters") or [] for group in value] if isinstance(value, list) else value


def of_groups(value: Any) -> Any:
    return [{"filters": group} for group in value]


class Webhook(AwsResource):
    def _complete(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> Props:
        # Only the answer of the create reports the secret.
        outputs = super()._complete(context, id, inputs, answer)
        secret = answer["webhook"].get("secret")
        return {**outputs, "secret": secret} if secret else outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new):
            return
        names = ("branchFilter", "buildType", "filterGroups", "pullRequestBuildPolicy")
        params = to_api({name: self.fields[name] for name in names}, new)
        if not new.get("filterGroups"):
            params.setdefault("branchFilter", "")
        context.call("codebuild", "UpdateWebhook", {"projectName": id, "rotateSecret": False, **params})
