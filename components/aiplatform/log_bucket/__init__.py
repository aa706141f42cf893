"""A log bucket that functions and workflows share."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform.log_bucket.args import LogBucketArgs, LogBucketSettings
from aiplatform.log_bucket.outputs import LogBucketOutputs

__all__ = ["LogBucket", "LogBucketArgs", "LogBucketOutputs"]


class LogBucket(ComponentResource):
    """A log bucket of Cloud Logging that functions and workflows share, with one sink and one exclusion of
    the sink `_Default`, of which a project can have 50. Google Cloud only.

    `log_bucket` is the argument of this name of Function and Workflow. Takes the cloud's provider through
    `opts.providers`.
    """

    log_bucket: Output[str]
    """The log bucket, `projects/.../locations/.../buckets/...`."""
    kms_key: Output[str]
    """The key that encrypts it, `projects/.../cryptoKeys/...`."""

    def __init__(self, name: str, args: LogBucketArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(LogBucketSettings, args, "LogBucketArgs")
        super().__init__("aiplatform:index:LogBucket", name, {}, opts)
        # Imported late: arguments are checked without the SDK, which takes a second to load.
        from aiplatform.log_bucket import gcp

        created = gcp.create(self, name, settings)
        self.outputs = cast(
            "LogBucketOutputs", {"log_bucket": created.log_bucket, "kms_key": created.kms_key}
        )
        publish(self, self.outputs)
