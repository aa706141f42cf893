"""Tags, the same everywhere: no `aws:` keys, at most 50, keys to 128 and values to 256 characters."""

from __future__ import annotations

from collections.abc import Iterator
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


def _sets(params: dict[str, Any]) -> Iterator[list[tuple[str, str]]]:
    data: dict[str, Any] = params.get("LaunchTemplateData") or {}
    specifications = [*(params.get("TagSpecifications") or []), *(data.get("TagSpecifications") or [])]
    for tags in (params.get("Tags"), *(specification.get("Tags") for specification in specifications)):
        by_owner: dict[Any, list[tuple[str, str]]] = {}
        for tag in tags if isinstance(tags, list) else ():
            key, value = tag.get("Key") or tag.get("TagKey"), tag.get("Value") or tag.get("TagValue")
            # Auto Scaling's tags name their group.
            by_owner.setdefault(tag.get("ResourceId"), []).append((str(key or ""), str(value or "")))
        yield from by_owner.values()
    if isinstance(params.get("tags"), dict):
        yield [(str(key), str(value)) for key, value in params["tags"].items()]
