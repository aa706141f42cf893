"""The topics `functions` and `log_bucket`."""

from __future__ import annotations

from pydantic import ConfigDict

from aiplatform.function.args import FunctionArgs, FunctionSettings
from aiplatform.log_bucket.args import LogBucketArgs, LogBucketSettings
from stacks.settings.generated import topic_of


class Function(
    topic_of(FunctionArgs, FunctionSettings, without=("name", "project", "profile", "package.path"))
):
    """A function by its name (docs/functions.md). Its callers are names of workload identities of the file,
    or principals of the cloud; its zones are those of `lakehouse`. A package is an object in S3."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    in_network: bool = False
    """Whether it reaches private addresses of the environment's network. Default false."""


class LogBucket(
    topic_of(
        LogBucketArgs,
        LogBucketSettings,
        without=("project", "excluded_functions", "excluded_workflows"),
    )
):
    """Google Cloud: one log bucket, sink and exclusion for the functions and workflows of the environment, in
    place of one for each. Those that state `log_days` or `log_bucket` do not use it (docs/functions.md)."""
