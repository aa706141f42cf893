"""A function: code that runs for each event or request."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.inputs import LakehouseReferenceArgs
from aiplatform.function.args import (
    FunctionArgs,
    FunctionEventArgs,
    FunctionHttpArgs,
    FunctionObjectsArgs,
    FunctionPackageArgs,
    FunctionSettings,
)
from aiplatform.function.outputs import FunctionOutputs
from aiplatform.network.args import NetworkReferenceArgs

__all__ = [
    "Function",
    "FunctionArgs",
    "FunctionEventArgs",
    "FunctionHttpArgs",
    "FunctionObjectsArgs",
    "FunctionOutputs",
    "FunctionPackageArgs",
    "LakehouseReferenceArgs",
    "NetworkReferenceArgs",
]


class Function(ComponentResource):
    """Code that runs for each object that is created in a bucket, or for each request of authenticated
    callers: a function of Lambda, or a service of Cloud Run.

    It has an identity with the permissions that its arguments state, a log with a retention, alarms, and with
    `event` a place for dead letters. Each change of code or configuration is a new version; `traffic` states
    which part of the calls it gets. Idle it costs its key and its alarms.

    Takes the cloud's provider through `opts.providers`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    name: KnownOutput[str]
    """The name of the function or service, `{prefix}-{name}`."""
    target: Output[str]
    """What a caller invokes: the arn of the alias, or `projects/.../locations/.../services/...`."""
    url: Output[str]
    """The URL; on AWS empty without `http`."""
    principal: Output[str]
    """The identity of the code: a role's arn, or `serviceAccount:` and an email."""
    version: Output[str]
    """The latest version, as `traffic` names it."""
    dead_letters: Output[str]
    """Where events are kept that failed: the URL of a queue of SQS, or `projects/.../subscriptions/...`;
    empty without `event`."""
    logs: Output[str]
    """The log group, or the log bucket `projects/.../locations/.../buckets/...`."""
    kms_key: Output[str]
    """The key; empty where none of the customer encrypts it."""

    def __init__(self, name: str, args: FunctionArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(FunctionSettings, args, "FunctionArgs")
        super().__init__("aiplatform:index:Function", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second to load.
        if settings.cloud == "gcp":
            from aiplatform.function.gcp.build import create
        else:
            from aiplatform.function.aws.build import create
        deployed = create(self, name, settings)
        outputs = {
            "cloud": settings.cloud,
            "name": settings.physical_name,
            "target": deployed.target,
            "url": deployed.url,
            "principal": deployed.principal,
            "version": deployed.version,
            "dead_letters": deployed.dead_letters,
            "logs": deployed.logs,
            "kms_key": deployed.kms_key,
        }
        self.outputs = cast("FunctionOutputs", outputs)
        publish(self, self.outputs)
