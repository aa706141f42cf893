"""Kinesis: Firehose's delivery streams into Iceberg tables and into S3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props

_KINDS: Final = {"iceberg": "icebergConfiguration", "extended_s3": "extendedS3Configuration"}


class FirehoseDeliveryStream(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        for member in ("IcebergDestinationConfiguration", "ExtendedS3DestinationConfiguration"):
            if isinstance(params.get(member), dict):
                _complete(params[member], iceberg=member.startswith("Iceberg"))
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        sse = inputs.get("serverSideEncryption") or {}
        if sse.get("enabled"):
            self._encrypt(context, inputs["name"], sse)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        reported = item.get("DeliveryStreamEncryptionConfiguration") or {}
        on = reported.get("Status") == "ENABLED"
        outputs: Props = {"destination": known.get("destination") or ""}
        if on or known.get("serverSideEncryption"):
            sse: Props = {"enabled": on, "keyType": reported.get("KeyType") or "AWS_OWNED_CMK"}
            outputs["serverSideEncryption"] = {
                **sse,
                **({"keyArn": reported["KeyARN"]} if reported.get("KeyARN") else {}),
            }
        if not known.get("destination"):
            outputs["destination"] = "iceberg" if known.get("icebergConfiguration") else "extended_s3"
        return outputs

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        # On import the name is the arn's last part.
        return super().outputs(context, id, item, {"name": id.rpartition("/")[2], **state})

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        return super().find(context, id, {**state, "name": id.rpartition("/")[2]})

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        for kind, name in _KINDS.items():
            if name in changed and new.get("destination") == kind:
                self._redirect(context, old, new, name)
        if "serverSideEncryption" in changed:
            sse = new.get("serverSideEncryption") or {}
            if sse.get("enabled"):
                self._encrypt(context, old["name"], sse)
            else:
                context.call("firehose", "StopDeliveryStreamEncryption", {"DeliveryStreamName": old["name"]})

    def _redirect(self, context: AwsContext, old: Props, new: Props, name: str) -> None:
        field = self.fields[name]
        wanted = to_api({name: replace(field, api="_")}, new)["_"]
        _complete(wanted, iceberg=name.startswith("iceberg"))
        backup = wanted.pop("S3BackupConfiguration", None)
        s3_update = wanted.pop("S3Configuration", None)
        wanted |= {"S3BackupUpdate": backup} if backup else {}
        if s3_update:
            wanted["S3Configuration"] = s3_update
        params = {
            "DeliveryStreamName": old["name"],
            "CurrentDeliveryStreamVersionId": old["versionId"],
            "DestinationId": old["destinationId"],
            field.api.replace("Configuration", "Update"): wanted,
        }
        context.call("firehose", "UpdateDestination", params)

    @staticmethod
    def _encrypt(context: AwsContext, name: str, sse: Props) -> None:
        configuration: Props = {"KeyType": sse.get("keyType") or "AWS_OWNED_CMK"}
        if sse.get("keyArn"):
            configuration["KeyARN"] = sse["keyArn"]
        params = {"DeliveryStreamName": name, "DeliveryStreamEncryptionConfigurationInput": configuration}
        context.call("firehose", "StartDeliveryStreamEncryption", params)


_HINTS: Final = {"IntervalInSeconds": 300, "SizeInMBs": 5}


def _complete(destination: Props, *, iceberg: bool) -> None:
    """The provider's defaults."""
    destination["BufferingHints"] = {**_HINTS, **(destination.get("BufferingHints") or {})}
    destination.setdefault("S3BackupMode", "FailedDataOnly" if iceberg else "Disabled")
    if iceberg:
        destination.setdefault("RetryOptions", {"DurationInSeconds": 300})
    for part in (destination.get("S3Configuration"), *([] if iceberg else [destination])):
        if isinstance(part, dict):
            part["BufferingHints"] = {**_HINTS, **(part.get("BufferingHints") or {})}
            part.setdefault("CompressionFormat", "UNCOMPRESSED")
            if not part.get("EncryptionConfiguration"):
                part["EncryptionConfiguration"] = {"NoEncryptionConfig": "NoEncryption"}
