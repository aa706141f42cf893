"""The device plugins of accelerators, for nodes whose machine image includes none."""

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.device_plugins.args import DevicePluginsArgs, DevicePluginsSettings
from aiplatform.device_plugins.outputs import DevicePluginsOutputs

__all__ = ["DevicePlugins", "DevicePluginsArgs", "DevicePluginsOutputs"]


class DevicePlugins(ComponentResource):
    """NVIDIA's and AWS Neuron's device plugins in kube-system, as typed objects, on the nodes whose pool
    needs them (label `ai-platform/device-plugin`). It needs the cluster's Kubernetes provider in
    `opts.providers`."""

    daemon_sets: KnownOutput[list[str]]
    """The names of the DaemonSets in kube-system."""

    def __init__(self, name: str, args: DevicePluginsArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(DevicePluginsSettings, args, "DevicePluginsArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.device_plugins import neuron, nvidia

        super().__init__("aiplatform:index:DevicePlugins", name, {}, opts)
        names: list[str] = []
        for plugin, image in settings.images.items():
            module = {"nvidia": nvidia, "neuron": neuron}[plugin]
            module.build(self, name, image)
            names.append(module.NAME)
        self.outputs: DevicePluginsOutputs = {"daemon_sets": names}
        publish(self, self.outputs)
