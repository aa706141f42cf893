"""The AWS provider of the twin: `python -m twin.aws.provider` is pulumi-resource-aws."""

from __future__ import annotations

import os
from collections.abc import Sequence

from twin.aws import configuration
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.function import AwsFunction
from twin.aws.resources.function import table as functions
from twin.aws.resources.table import table as resources
from twin.provider_interface import Cloud, Context, Failure, Props

_SERVICES = {
    "bcmdata": "bcm_data_exports",
    "cloudwatch": "logs",
    "costexplorer": "ce",
    "kinesis": "firehose",
    "sfn": "stepfunctions",
    "vpc": "ec2",
    "lambda": "lambdas",
}
"""Folders of services that the SDK has as another module."""


class AwsCloud(Cloud):
    """AWS as the provider core sees it."""

    name = "aws"
    sdk = "pulumi_aws"

    def check_config(self, config: Props) -> Sequence[Failure]:
        return configuration.check(config)

    def configure(self, config: Props) -> AwsContext:
        return configuration.configure(config)

    def moves(self, old: Props, new: Props) -> Sequence[str]:
        """Another region, or allowed accounts of which none was allowed before."""
        moved = list(super().moves(old, new))
        before, now = (set(config.get("allowedAccountIds") or ()) for config in (old, new))
        if before and now and not before & now:
            moved.append("allowedAccountIds")
        return moved

    def resource(self, token: str) -> AwsResource | None:
        return resources().get(token)

    def function(self, token: str) -> AwsFunction | None:
        return functions().get(token)

    def where_to_add(self, token: str) -> str:
        module, _, rest = token.removeprefix("aws:").partition("/")
        kind = "functions" if rest.startswith("get") else "resources"
        return f"twin/aws/services/{_SERVICES.get(module, module)}/{kind}"

    def prepare(self, context: Context, token: str, inputs: Props) -> Props:
        """The inputs with `tagsAll`, for a type that has tags."""
        kind = self.resource(token)
        if kind is None or kind.tagging is None or not isinstance(context, AwsContext):
            return inputs
        return {**inputs, "tagsAll": context.tags.merged(inputs.get("tags"))}


def main() -> None:
    """Serve the provider to the engine that started this process."""
    from twin import instances
    from twin.provider import serve

    name = os.environ.get("AIPLATFORM_TWIN")
    serve(AwsCloud(), instances.load(name) if name else None)


if __name__ == "__main__":
    main()
