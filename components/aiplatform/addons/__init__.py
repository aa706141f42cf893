"""Add-ons of a cluster: the controllers of the catalog, and the kinds that they bring."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import INTERNAL_ISSUER
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.addons.args import CLAIMS, AddonOptionsArgs, AddonsArgs, AddonsSettings
from aiplatform.addons.inputs import PodsReadyArgs
from aiplatform.addons.outputs import AddonsOutputs
from aiplatform.addons.permissions import SECRETS

if TYPE_CHECKING:
    from aiplatform.addons.install import Installed

CERTIFICATES: Final = "cert-manager"

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
    internal_issuer: KnownOutput[str | None]
    """The ClusterIssuer of certificates for names inside the cluster, whose authority is the cluster's own;
    null without cert-manager."""
    ready: Output[dict[str, str]]
    """Add-on -> its version, known once its controller runs. A custom resource with the value as an input,
    such as an annotation, is created after the controller is ready and deleted before it."""

    secrets_role_arn: Output[str | None]
    """AWS: the role of external-secrets, which the roles of SecretStores trust; none where it is not
    installed."""

    def __init__(self, name: str, args: AddonsArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(AddonsSettings, args, "AddonsArgs")
        super().__init__("aiplatform:index:Addons", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.addons import device_classes, issuers
        from aiplatform.addons.install import install_all

        self.installed: Mapping[str, Installed] = install_all(self, name, settings)
        """Add-on -> what custom resources of a Python program depend on: its `resources`."""
        secrets = self.installed.get(SECRETS)
        issuer = None
        if CERTIFICATES in self.installed:
            issuers.create(self, name, self.installed[CERTIFICATES])
            issuer = INTERNAL_ISSUER
        if CLAIMS in self.installed:
            device_classes.create(self, name, self.installed[CLAIMS])
        addons = [addon.addon for addon in self.installed.values()]
        self.outputs: AddonsOutputs = {
            "versions": {addon.name: addon.version for addon in addons},
            "namespaces": {addon.name: addon.namespace for addon in addons if addon.namespace},
            "internal_issuer": issuer,
            "ready": Output.all(**{name: addon.ready for name, addon in self.installed.items()}),
            "secrets_role_arn": secrets.role_arn if secrets is not None else None,
        }
        publish(self, self.outputs)
