"""Tags, the same everywhere: no `aws:` keys, at most 50, keys to 128 and values to 256 characters."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Call, Refusal
from twin.aws.validation import model_validation

_CODES: Final = {**model_validation.SERVICES, "iam": "InvalidInput", "kms": "TagException"}


def check(call: Call) -> None:
    """Refuse tags that no service takes. Removing tags is not looked at."""
    if call.operation.startswith(("Delete", "Untag", "Remove")):
        return
    for tags in _sets(call.params):
        _check(call.service, tags)


def _check(service: str, tags: list[tuple[str, str]]) -> None:
    code = _CODES[service]
    if len(tags) > 50:
        raise Refusal("TagLimitExceeded" if service == "ec2" else code, f"At most 50 tags, got {len(tags)}")
    seen: set[str] = set()
    for key, value in tags:
        if key.lower().startswith("aws:"):
            raise Refusal(code, f"Tag keys starting with 'aws:' are reserved for internal use: {key}")
        if not 1 <= len(key) <= 128:
            raise Refusal(code, f"Tag key exceeds the maximum length of 128 characters: {key}")
        if len(value) > 256:
            raise Refusal(code, f"Tag value exceeds the maximum length of 256 characters: {value}")
        if key in seen:
            raise Refusal(code, f"Duplicate tag keys found: {key}")
        seen.add(key)


def _sets(params: dict[str, Any]) -> list[list[tuple[str, str]]]:
    tag_sets: list[list[tuple[str, str]]] = []
    lists = [
        params.get("Tags"),
        *[tag_specification.get("Tags") for tag_specification in params.get("TagSpecifications") or []],
    ]
    data: dict[str, Any] = params.get("LaunchTemplateData") or {}
    lists += [tag_specification.get("Tags") for tag_specification in data.get("TagSpecifications") or []]
    for tags in lists:
        if isinstance(tags, list):
            key = "TagKey" if tags and "TagKey" in tags[0] else "Key"
            owners = {tag.get("ResourceId") for tag in tags}
            for owner in owners:  # Auto Scaling's tags name their group
                tag_sets.append(
                    [
                        (str(tag.get(key) or ""), str(tag.get("Value") or tag.get("TagValue") or ""))
                        for tag in tags
                        if tag.get("ResourceId") == owner
                    ]
                )
    if isinstance(params.get("tags"), dict):
        tag_sets.append([(str(key), str(value)) for key, value in params["tags"].items()])
    return tag_sets
