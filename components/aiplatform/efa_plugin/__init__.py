"""The device plugin of Elastic Fabric Adapters."""

from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform.efa_plugin.args import EfaPluginArgs, EfaPluginSettings

__all__ = ["EfaPlugin", "EfaPluginArgs", "EfaPluginOutputs"]


class EfaPluginOutputs(TypedDict):
    """Outputs of the EFA device plugin."""

    daemon_set: Input[str]
    """The name of the DaemonSet in kube-system."""


class EfaPlugin(ComponentResource):
    """AWS's EFA device plugin in kube-system, as a typed object, on the nodes whose pool has EFA (label
    `ai-platform/efa`). It needs the AWS and the Kubernetes provider of the cluster in `opts.providers`."""

    daemon_set: Output[str]
    """The name of the DaemonSet in kube-system."""

    def __init__(self, name: str, args: EfaPluginArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(EfaPluginSettings, args, "EfaPluginArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.efa_plugin import aws

        super().__init__("aiplatform:index:EfaPlugin", name, {}, opts)
        aws.build(self, name, settings)
        self.outputs: EfaPluginOutputs = {"daemon_set": aws.NAME}
        self.daemon_set = Output.from_input(aws.NAME)
        self.register_outputs(self.outputs)
