"""The device plugin of Elastic Fabric Adapters."""

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.efa_plugin.args import EfaPluginArgs, EfaPluginSettings
from aiplatform.efa_plugin.outputs import EfaPluginOutputs

__all__ = ["EfaPlugin", "EfaPluginArgs", "EfaPluginOutputs"]


class EfaPlugin(ComponentResource):
    """AWS's EFA device plugin in kube-system, as a typed object, on the nodes whose pool has EFA (label
    `ai-platform/efa`). It needs the AWS and the Kubernetes provider of the cluster in `opts.providers`."""

    daemon_set: KnownOutput[str]
    """The name of the DaemonSet in kube-system."""

    def __init__(self, name: str, args: EfaPluginArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(EfaPluginSettings, args, "EfaPluginArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.efa_plugin import aws

        super().__init__("aiplatform:index:EfaPlugin", name, {}, opts)
        aws.build(self, name, settings)
        self.outputs: EfaPluginOutputs = {"daemon_set": aws.NAME}
        publish(self, self.outputs)
