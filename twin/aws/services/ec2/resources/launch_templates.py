"""EC2's launch templates: every change of the data is a new version."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import Fields, from_api, to_api
from twin.core.normalization import canonical
from twin.provider_interface import Failure, Props

_PLACE: Final = "LaunchTemplateData."


class LaunchTemplate(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        data = inputs.get("userData")
        if isinstance(data, str):
            try:
                base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                yield Failure("userData", "InvalidUserData.Malformed: Invalid BASE64 encoding of user data.")

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        template = super().find(context, id, state)
        if template is None:
            return None
        params = {"LaunchTemplateId": id, "Versions": [str(template["LatestVersionNumber"])]}
        versions = context.call("ec2", "DescribeLaunchTemplateVersions", params)["LaunchTemplateVersions"]
        latest = versions[0] if versions else {}
        described = latest.get("VersionDescription")
        return {
            **template,
            **({"VersionDescription": described} if described else {}),
            "LaunchTemplateData": latest.get("LaunchTemplateData", {}),
        }

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        data = dict(item["LaunchTemplateData"])
        # The template's own tags are no part of what it launches.
        tags = [
            tag_specification
            for tag_specification in data.get("TagSpecifications", [])
            if tag_specification["ResourceType"] != "launch-template"
        ]
        data.pop("TagSpecifications", None)
        return _as_asked(from_api(DATA, {**data, **({"TagSpecifications": tags} if tags else {})}), known)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        version: int | None = None
        if changed & {*DATA, "description"}:
            params = {"LaunchTemplateId": id, "LaunchTemplateData": to_api(DATA, new)}
            if new.get("description"):
                params["VersionDescription"] = new["description"]
            answer = context.call("ec2", "CreateLaunchTemplateVersion", params)
            version = answer["LaunchTemplateVersion"]["VersionNumber"]
        default = self._default(new, version, "updateDefaultVersion" in changed, context, id)
        if default is not None and default != old.get("defaultVersion"):
            modification = {"LaunchTemplateId": id, "DefaultVersion": str(default)}
            context.call("ec2", "ModifyLaunchTemplate", modification)

    def _default(
        self, new: Props, version: int | None, now_latest: bool, context: AwsContext, id: str
    ) -> int | None:
        if new.get("defaultVersion"):
            return int(new["defaultVersion"])
        if not new.get("updateDefaultVersion"):
            return None
        if version is None and now_latest:
            item = super().find(context, id, new) or {}
            return item.get("LatestVersionNumber")
        return version


def _as_asked(props: Props, known: Mapping[str, Any]) -> Props:
    """EC2 drops empty objects and fills in its defaults (metadataOptions): of an object that the
    program gave, what it did not give is left out while it says nothing new."""
    result: Props = {}
    for name, value in props.items():
        requested = known.get(name)
        if isinstance(requested, Mapping) and isinstance(value, Mapping):
            result[name] = {k: v for k, v in value.items() if k in requested or v not in ("", None, [])}
        else:
            result[name] = value
    for name in DATA:
        # An empty object, which the API does not report, is as good as none.
        if name not in result and known.get(name) is not None and canonical(known[name]) in ("{}", "[]"):
            result[name] = known[name]
    return result


DATA: Final[Fields] = {
    name: replace(field, api=field.api.removeprefix(_PLACE), read=None)
    for name, field in LaunchTemplate.fields.items()
    if field.api.startswith(_PLACE)
}
"""LaunchTemplateData, the same for the request and the answer."""
