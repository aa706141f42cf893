"""DynamoDB: tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import UNKNOWN, Context, Failure, Props


def _keys(hash_key: Any, range_key: Any) -> list[Props]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else schema


def _index(index: Any) -> Any:
    if not isinstance(index, Mapping):
        return index
    index_props: Props = dict(index)
    projection: Props = {"ProjectionType": index_props.get("projectionType")}
    if index_props.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index_props["nonKeyAttributes"]
    result: Props = {"IndexName": index_props.get("name"), "Projection": projection}
    if index_props.get("hashKey"):
        result["KeySchema"] = _keys(index_props["hashKey"], index_props.get("rangeKey"))
    if index_props.get("readCapacity") and index_props.get("writeCapacity"):
        result["ProvisionedThroughput"] = _throughput(index_props)
    return result


def _throughput(index_props: Props) -> Props:
    return {
        "ReadCapacityUnits": index_props["readCapacity"],
        "WriteCapacityUnits": index_props["writeCapacity"],
    }


def indexes(value: Any) -> Any:
    return [_index(element) for element in value] if isinstance(value, list) else value


def _key_of(schema: Any, kind: str) -> str:
    return next((key["AttributeName"] for key in schema if key["KeyType"] == kind), "")


def of_indexes(value: Any) -> Any:
    indexes: list[Props] = []
    for index in value:
        index_props = {"name": index["IndexName"], "hashKey": _key_of(index["KeySchema"], "HASH")}
        if _key_of(index["KeySchema"], "RANGE"):
            index_props["rangeKey"] = _key_of(index["KeySchema"], "RANGE")
        index_props["projectionType"] = index["Projection"]["ProjectionType"]
        if index["Projection"].get("NonKeyAttributes"):
            index_props["nonKeyAttributes"] = index["Projection"]["NonKeyAttributes"]
        throughput = index.get("ProvisionedThroughput") or {}
        if throughput.get("ReadCapacityUnits"):
            index_props["readCapacity"] = throughput["ReadCapacityUnits"]
            index_props["writeCapacity"] = throughput["WriteCapacityUnits"]
        indexes.append(index_props)
    return indexes or None


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
        reported = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
        recovery: Props = {"enabled": reported.get("PointInTimeRecoveryStatus") == "ENABLED"}
        if reported.get("RecoveryPeriodInDays"):
            recovery["recoveryPeriodInDays"] = reported["RecoveryPeriodInDays"]
        living = context.call("dynamodb", "DescribeTimeToLive", {"TableName": id})["TimeToLiveDescription"]
        ttl: Props = {"enabled": living.get("TimeToLiveStatus") == "ENABLED"}
        if living.get("AttributeName"):
            ttl["attributeName"] = living["AttributeName"]
        sse = item.get("SSEDescription") or {}
        encryption: Props = {"enabled": sse.get("Status") == "ENABLED"}
        if sse.get("KMSMasterKeyArn"):
            encryption["kmsKeyArn"] = sse["KMSMasterKeyArn"]
        outputs: Props = {"pointInTimeRecovery": recovery, "ttl": ttl, "streamEnabled": False}
        outputs["streamEnabled"] = bool((item.get("StreamSpecification") or {}).get("StreamEnabled"))
        if encryption["enabled"] or known.get("serverSideEncryption"):
            outputs["serverSideEncryption"] = encryption
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
        name = wanted.get("attributeName") or old.get("attributeName")
        if old.get("enabled") and wanted.get("enabled"):
            off = {"Enabled": False, "AttributeName": old["attributeName"]}
            context.call("dynamodb", "UpdateTimeToLive", {"TableName": id, "TimeToLiveSpecification": off})
        if bool(old.get("enabled")) or bool(wanted.get("enabled")):
            specification = {"Enabled": bool(wanted.get("enabled")), "AttributeName": name}
            context.call(
                "dynamodb", "UpdateTimeToLive", {"TableName": id, "TimeToLiveSpecification": specification}
            )

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
