"""DynamoDB: tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, to_api
from twin.provider_interface import UNKNOWN, Context, Failure, Props

_INDEX: Final = entries.shape(__name__, "index")
_REPORTED: Final = entries.shape(__name__, "reported")


def _keys(hash_key: Any, range_key: Any) -> list[Props]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else schema


def _index(index: Any) -> Any:
    if not isinstance(index, Mapping):
        return index
    result = to_api(_INDEX, index)
    if index.get("hashKey"):
        result["KeySchema"] = _keys(index["hashKey"], index.get("rangeKey"))
    if not index.get("readCapacity"):
        result.pop("ProvisionedThroughput", None)
    return result


def _throughput(table: Props) -> Props:
    return {"ReadCapacityUnits": table["readCapacity"], "WriteCapacityUnits": table["writeCapacity"]}


def indexes(value: Any) -> Any:
    return [_index(element) for element in value] if isinstance(value, list) else value


def of_indexes(value: Any) -> Any:
    return [from_api(_INDEX, index) for index in value] or None


def encryption(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    encryption: Props = {"Enabled": value.get("enabled")}
    if value.get("enabled"):
        encryption["SSEType"] = "KMS"
        if value.get("kmsKeyArn"):
            encryption["KMSMasterKeyId"] = value["kmsKeyArn"]
    return encryption


class Table(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _unindexed(inputs)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params["KeySchema"] = _keys(inputs.get("hashKey") or UNKNOWN, inputs.get("rangeKey"))
        local: Any = inputs.get("localSecondaryIndexes")
        if isinstance(local, list):
            params["LocalSecondaryIndexes"] = [
                {**_index(index), "KeySchema": _keys(inputs.get("hashKey") or UNKNOWN, index.get("rangeKey"))}
                for index in local
                if isinstance(index, Mapping)
            ]
        if inputs.get("billingMode") == "PROVISIONED" and inputs.get("readCapacity") is not None:
            params["ProvisionedThroughput"] = _throughput(inputs)
        if inputs.get("streamEnabled"):
            params["StreamSpecification"] = {
                "StreamEnabled": True,
                "StreamViewType": inputs.get("streamViewType"),
            }
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if (inputs.get("ttl") or {}).get("enabled"):
            self._expire(context, id, inputs["ttl"], {})
        if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
            self._recover(context, id, inputs["pointInTimeRecovery"])

    def finish(self, context: Context, id: str, inputs: Props) -> None:
        """The update brings all that the create adds; DynamoDB refuses to enable it twice."""

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        backups = context.call("dynamodb", "DescribeContinuousBackups", {"TableName": id})
        living = context.call("dynamodb", "DescribeTimeToLive", {"TableName": id})
        outputs = from_api(_REPORTED, {**item, **backups, **living})
        if not outputs["serverSideEncryption"]["enabled"] and not known.get("serverSideEncryption"):
            del outputs["serverSideEncryption"]
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        for params in self._updates(changed, old, wanted):
            context.call("dynamodb", "UpdateTable", {"TableName": id, **params})
        if "ttl" in changed:
            self._expire(context, id, wanted.get("ttl") or {}, old.get("ttl") or {})
        if "pointInTimeRecovery" in changed:
            self._recover(context, id, wanted.get("pointInTimeRecovery") or {})

    def _updates(self, changed: set[str], old: Props, wanted: Props) -> Iterator[Props]:
        if "deletionProtectionEnabled" in changed:
            yield {"DeletionProtectionEnabled": bool(wanted.get("deletionProtectionEnabled"))}
        if changed & {"billingMode", "readCapacity", "writeCapacity", "onDemandThroughput"}:
            params = to_api(
                {name: self.fields[name] for name in ("billingMode", "onDemandThroughput")}, wanted
            )
            if wanted["billingMode"] == "PROVISIONED":
                params["ProvisionedThroughput"] = _throughput(wanted)
            yield params
        if "tableClass" in changed:
            yield {"TableClass": wanted.get("tableClass") or "STANDARD"}
        if "serverSideEncryption" in changed:
            yield {"SSESpecification": encryption(wanted.get("serverSideEncryption") or {"enabled": False})}
        if changed & {"streamEnabled", "streamViewType"}:
            stream: Props = {"StreamEnabled": bool(wanted.get("streamEnabled"))}
            if wanted.get("streamEnabled"):
                stream["StreamViewType"] = wanted.get("streamViewType")
            yield {"StreamSpecification": stream}
        if "globalSecondaryIndexes" in changed:
            yield from self._index_updates(old, wanted)

    def _index_updates(self, old: Props, wanted: Props) -> Iterator[Props]:
        before, after = (
            {index["name"]: index for index in props.get("globalSecondaryIndexes") or []}
            for props in (old, wanted)
        )
        attributes = to_api({"attributes": self.fields["attributes"]}, wanted)
        for name in sorted(before):
            if before[name] != after.get(name):
                yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
        for name in sorted(after):
            if before.get(name) != after[name]:
                yield {"GlobalSecondaryIndexUpdates": [{"Create": _index(after[name])}], **attributes}

    @staticmethod
    def _expire(context: AwsContext, id: str, wanted: Props, old: Props) -> None:
        def set_to(enabled: bool, name: str) -> None:
            specification = {"Enabled": enabled, "AttributeName": name}
            params = {"TableName": id, "TimeToLiveSpecification": specification}
            context.call("dynamodb", "UpdateTimeToLive", params)

        if old.get("enabled"):
            set_to(False, old["attributeName"])
        if wanted.get("enabled"):
            set_to(True, wanted["attributeName"])

    @staticmethod
    def _recover(context: AwsContext, id: str, wanted: Props) -> None:
        specification: Props = {"PointInTimeRecoveryEnabled": bool(wanted.get("enabled"))}
        if wanted.get("enabled") and wanted.get("recoveryPeriodInDays"):
            specification["RecoveryPeriodInDays"] = wanted["recoveryPeriodInDays"]
        params = {"TableName": id, "PointInTimeRecoverySpecification": specification}
        context.call("dynamodb", "UpdateContinuousBackups", params)


def _unindexed(inputs: Props) -> Iterator[Failure]:
    attributes = inputs.get("attributes")
    if not isinstance(attributes, list) or not all(isinstance(attribute, dict) for attribute in attributes):
        return
    named = {attribute.get("name") for attribute in attributes}
    used = {inputs.get("hashKey"), inputs.get("rangeKey")}
    for kind in ("globalSecondaryIndexes", "localSecondaryIndexes"):
        for entry in inputs.get(kind) or []:
            if not isinstance(entry, dict):
                return
            used |= {entry.get("hashKey"), entry.get("rangeKey")}
    if UNKNOWN in named | used:
        return
    for index, entry in enumerate(attributes):
        if entry.get("name") not in used:
            yield Failure(
                f"attributes[{index}]", f"all attributes must be indexed. Unused attributes: {entry['name']}"
            )
    for name in sorted(str(attribute_name) for attribute_name in used - named if attribute_name):
        yield Failure("attributes", f"all indexes must match a defined attribute. Unmatched indexes: {name}")
