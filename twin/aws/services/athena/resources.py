"""Athena: workgroups."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props


def log_types(value: Any) -> Any:
    return (
        {element["key"]: list(element["values"]) for element in value} if isinstance(value, list) else value
    )


def of_log_types(value: Any) -> Any:
    return [{"key": key, "values": value[key]} for key in sorted(value)]


_CONFIGURATION: Final = entries.shape(__name__, "configuration")
_NESTED: Final = {
    "ResultConfiguration": "ResultConfigurationUpdates",
    "ManagedQueryResultsConfiguration": "ManagedQueryResultsConfigurationUpdates",
}
_REMOVABLE: Final = ("BytesScannedCutoffPerQuery", "CustomerContentEncryptionConfiguration")


class Workgroup(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        configuration = params.get("Configuration")
        if isinstance(configuration, dict):
            # The provider's defaults of a configuration that is given.
            configuration.setdefault("EnforceWorkGroupConfiguration", True)
            configuration.setdefault("PublishCloudWatchMetricsEnabled", True)
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("state") not in (None, "ENABLED"):
            context.call("athena", "UpdateWorkGroup", {"WorkGroup": id, "State": inputs["state"]})

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        try:
            return super().find(context, id, state)
        except ClientError as error:
            # One code for everything: the words report.
            if "is not found" in str(error):
                return None
            raise

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        reported, known = outputs.get("configuration"), state.get("configuration")
        if isinstance(reported, dict) and isinstance(known, dict):
            # What Athena adds is no change of what the program asked for.
            outputs["configuration"] = {name: value for name, value in reported.items() if name in known}
            engine = outputs["configuration"].get("engineVersion")
            if isinstance(engine, dict) and "effectiveEngineVersion" not in (known["engineVersion"] or {}):
                engine.pop("effectiveEngineVersion", None)
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        params: Props = {"WorkGroup": id}
        if "description" in changed:
            params["Description"] = new.get("description") or ""
        if "state" in changed:
            params["State"] = new.get("state") or "ENABLED"
        if "configuration" in changed:
            params["ConfigurationUpdates"] = _updates(old, new)
        if len(params) > 1:
            context.call("athena", "UpdateWorkGroup", params)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params: Props = {"WorkGroup": id}
        if state.get("forceDestroy"):
            params["RecursiveDeleteOption"] = True
        try:
            context.call("athena", "DeleteWorkGroup", params)
        except ClientError as error:
            if "is not found" not in str(error):
                raise


def _updates(old: Props, new: Props) -> Props:
    before, wanted = (to_api(_CONFIGURATION, props.get("configuration") or {}) for props in (old, new))
    updates: Props = {}
    for name, value in wanted.items():
        updates[_NESTED.get(name, name)] = value
    for name in _REMOVABLE:
        if name in before and name not in wanted:
            updates[f"Remove{name}"] = True
    result, past = wanted.get("ResultConfiguration") or {}, before.get("ResultConfiguration") or {}
    gone = {f"Remove{name}": True for name in past if name not in result}
    if gone:
        updates["ResultConfigurationUpdates"] = {**result, **gone}
    return updates
