"""Add-ons of a cluster: the controllers of the catalog, and the kinds that they bring."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.addons.args import AddonOptionsArgs, AddonsArgs, AddonsSettings
from aiplatform.addons.inputs import PodsReadyArgs
from aiplatform.addons.outputs import AddonsOutputs

if TYPE_CHECKING:
    from aiplatform.addons.install import Installed

__all__ = [
    "AddonOptionsArgs",
    "Addons",
    "AddonsArgs",
    "AddonsOutputs",
    "ClusterReferenceArgs",
    "PodsReadyArgs",
]


class Addons(ComponentResource):
    """The add-ons of a cluster, each from its publisher's Helm chart with the platform's values. Every object
    of a chart is a separate resource. It needs the cluster's Kubernetes provider in `opts.providers`."""

    versions: KnownOutput[dict[str, str]]
    """Add-on -> the version of its chart."""
    namespaces: KnownOutput[dict[str, str]]
    """Add-on -> its namespace; those that bring only kinds have none."""
    ready: Output[dict[str, str]]
    """Add-on -> its version, known once its controller runs. A custom resource with the value as an input,
    such as an annotation, is created after the controller is ready and deleted before it."""

    def __init__(self, name: str, args: AddonsArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(AddonsSettings, args, "AddonsArgs")
        super().__init__("aiplatform:index:Addons", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.addons.install import install_all

        self.installed: Mapping[str, Installed] = install_all(self, name, settings)
        """Add-on -> what custom resources of a Python program depend on: its `resources`."""
        addons = [addon.addon for addon in self.installed.values()]
        self.outputs: AddonsOutputs = {
            "versions": {addon.name: addon.version for addon in addons},
            "namespaces": {addon.name: addon.namespace for addon in addons if addon.namespace},
            "ready": Output.all(**{name: addon.ready for name, addon in self.installed.items()}),
        }
        publish(self, self.outputs)
