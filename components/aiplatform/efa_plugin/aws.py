"""The EFA device plugin on EKS."""

from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.kubernetes.daemon_set import SOCKETS, daemon_set, host_path, mount, requests
from aiplatform._shared.kubernetes.node_labels import EFA
from aiplatform.efa_plugin.args import EfaPluginSettings, image_in

NAME: Final = "aws-efa-k8s-device-plugin"


def build(component: pulumi.ComponentResource, name: str, settings: EfaPluginSettings) -> apps.DaemonSet:
    """Create the plugin as a child of `component`."""
    account = account_of(component)
    plugin = core.ContainerArgs(
        name=NAME,
        image=settings.image or image_in(account.region, account.dns_suffix),
        volume_mounts=[
            mount("sockets", SOCKETS),
            mount("infiniband", "/dev/infiniband"),
            mount("neuron-tools", "/opt/aws/neuron"),
        ],
        resources=requests("10m", "64Mi"),
        # It opens the devices of the adapters; upstream runs it privileged since it also aligns them with
        # accelerators.
        security_context=core.SecurityContextArgs(privileged=True, run_as_user=0, run_as_non_root=False),
    )
    return daemon_set(
        component,
        f"{name}-daemon-set",
        NAME,
        {EFA: "true"},
        [plugin],
        [
            host_path("sockets", SOCKETS, "Directory"),
            host_path("infiniband", "/dev/infiniband"),
            host_path("neuron-tools", "/opt/aws/neuron", "DirectoryOrCreate"),
        ],
        # It looks for the adapters in the network namespace of the node, and does not use the API server.
        host_network=True,
        automount_service_account_token=False,
    )
