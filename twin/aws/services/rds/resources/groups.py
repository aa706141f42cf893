"""RDS: subnet groups and parameter groups."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, to_api
from twin.provider_interface import Props

_PARAMETERS: Final = entries.shape(__name__, "parameters")
_AT_ONCE: Final = 20
"""Parameters that one call may change."""


class ParameterGroup(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set(context, id, inputs.get("parameters") or [])

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        params = {"DBParameterGroupName": id, "Source": "user"}
        reported = context.call("rds", "DescribeDBParameters", params)["Parameters"]
        parameters = [
            {"applyMethod": "immediate", **from_api(_PARAMETERS, parameter)}
            for parameter in reported
            if "ParameterValue" in parameter
        ]
        return {"parameters": parameters} if parameters else {}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "parameters" not in self.changed(old, new):
            return
        before, wanted = old.get("parameters") or [], new.get("parameters") or []
        names = {parameter["name"] for parameter in wanted}
        gone = [parameter for parameter in before if parameter["name"] not in names]
        reset = [{**parameter, "applyMethod": "pending-reboot"} for parameter in gone]
        self._set(context, id, reset, "ResetDBParameterGroup")
        self._set(context, id, [parameter for parameter in wanted if parameter not in before])

    @staticmethod
    def _set(
        context: AwsContext, id: str, parameters: list[Props], operation: str = "ModifyDBParameterGroup"
    ) -> None:
        sent = [to_api(_PARAMETERS, {"applyMethod": "immediate", **parameter}) for parameter in parameters]
        for first in range(0, len(sent), _AT_ONCE):
            some = sent[first : first + _AT_ONCE]
            context.call("rds", operation, {"DBParameterGroupName": id, "Parameters": some})
