"""S3: who owns objects, how long they live, who is reported of them, what may not be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.services.s3.resources.buckets import Configuration
from twin.provider_interface import Props


def ownership(rule: Any) -> Any:
    return [{"ObjectOwnership": rule.get("objectOwnership")}]


def switch(on: Any) -> Any:
    return {} if on is True else None


def switched(setting: Any) -> bool:
    return setting is not None


_TARGET: Final = ("id", "events", "topicArn", "queueArn", "lambdaFunctionArn")
_FILTERS: Final = {"filterPrefix": "prefix", "filterSuffix": "suffix"}
"""A property of a notification -> the name of its filter rule."""


def targets(value: Any) -> Any:
    """Where notifications go, each with its filters in one object."""
    return [_target(one) for one in value] if isinstance(value, list) else value


def _target(target: Any) -> Any:
    if not isinstance(target, Mapping):
        return target
    plain = {name[:1].upper() + name[1:]: target[name] for name in _TARGET if target.get(name) is not None}
    rules = [{"Name": rule, "Value": target[name]} for name, rule in _FILTERS.items() if target.get(name)]
    return {**plain, **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})}


def of_targets(value: Any) -> Any:
    """The same as the provider's properties."""
    return [_properties(one) for one in value]


def _properties(target: Mapping[str, Any]) -> Props:
    names = {name[:1].upper() + name[1:]: name for name in _TARGET}
    rules = ((target.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
    plain = {names[name]: value for name, value in target.items() if name in names}
    return {**plain, **{name: filters[rule] for name, rule in _FILTERS.items() if rule in filters}}


class BucketNotification(Configuration):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        reported = {name: value for name, value in (item or {}).items() if name != "ResponseMetadata"}
        return reported or None

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"eventbridge": item.get("EventBridgeConfiguration") is not None}
