"""Systems Manager: parameters."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class Parameter(AwsResource):
    def make(self, context: AwsContext, inputs: Props) -> Props:
        params = self.create_params(context, inputs)
        if inputs.get("overwrite"):  # tags and Overwrite exclude each other in one call
            params = {k: v for k, v in params.items() if k != "Tags"} | {"Overwrite": True}
        return context.call("ssm", "PutParameter", params)

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("overwrite"):
            self._change_tags(context, id, {}, inputs)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        filters = [{"Key": "Name", "Option": "Equals", "Values": [id]}]
        reported = context.call("ssm", "DescribeParameters", {"ParameterFilters": filters})["Parameters"]
        names = {
            "Description": "description",
            "Tier": "tier",
            "AllowedPattern": "allowedPattern",
            "KeyId": "keyId",
        }
        outputs = {name: reported[0][api] for api, name in names.items() if reported and reported[0].get(api)}
        if item.get("Type") != "SecureString":
            outputs["insecureValue"] = item.get("Value", "")
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new) - {"overwrite"}:
            params = {k: v for k, v in self.create_params(context, new).items() if k != "Tags"}
            context.call("ssm", "PutParameter", {**params, "Overwrite": True})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        try:
            super().unmake(context, id, state)
        except ClientError as error:
            if code_of(error) not in self.not_found:
                raise
