"""DaemonSets that prepare the nodes of a pool for GPUDirect.

They do what Google's manifests do (GoogleCloudPlatform/container-engine-accelerators: nccl-tcpx-installer,
nccl-tcpxo-installer, nccl-rdma-installer, nri-device-injector), on the nodes of one pool, so that the plugin
of each pool is updated by itself. All Pods of a job need the same version of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.kubernetes.daemon_set import daemon_set, host_path, mount, requests, restricted
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform.accelerators.fabric import MARKERS, NODE_GIB, NODE_LIBRARIES, marker
from aiplatform.accelerators.gcp import Fabric
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import nodes

_PRIVILEGED: Final = core.SecurityContextArgs(privileged=True, run_as_user=0)


@dataclass(frozen=True)
class _Installation:
    """mounts: path in the container -> path of the node. libraries: the folder of libraries in the
    container."""

    script: str
    libraries: str
    mounts: Mapping[str, str]


_INSTALLATIONS: Final[Mapping[Fabric, _Installation]] = {
    "tcpx": _Installation(
        "/scripts/container_entry.sh install --install-nccl && mkdir -p /usr/local/nvidia/lib64 "
        "&& cp -r /var/lib/tcpx/lib64/. /usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib64",
        {"/var/lib": "/var/lib", "/usr/local": "/home/kubernetes/bin"},
    ),
    "tcpxo": _Installation(
        "chmod 755 /scripts/container_entry.sh && /scripts/container_entry.sh install --install-nccl "
        "&& mkdir -p /usr/local/nvidia/lib64 && cp -r /var/lib/tcpxo/lib64/. /usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib64",
        {"/var/lib": "/var/lib", "/usr/local": "/home/kubernetes/bin"},
    ),
    "rdma": _Installation(
        "/scripts/container_entry.sh install && cp -r /var/lib/gib/lib64/. /node/libraries "
        "&& cp -r /var/lib/gib/. /node/gib",
        "/node/libraries",
        {"/node/libraries": f"{NODE_LIBRARIES}/lib64", "/node/gib": NODE_GIB},
    ),
}

# In the namespaces of the node's first process. The network cards of A3 Mega are the PCI devices 1ae0:0084;
# their registers are mounted below /dev, where containers can mount them. COS refuses incoming connections
# that no rule accepts.
_TCPXO_DEVICES: Final = """\
set -eu
iptables -C INPUT -p tcp -j ACCEPT 2>/dev/null || iptables -I INPUT -p tcp -j ACCEPT
modprobe import-helper
for address in $(lspci -nn -D | grep 1ae0:0084 | cut -d' ' -f1); do
  folder=/dev/aperture_devices/$address
  mkdir -p "$folder"
  mountpoint -q "$folder" || mount --bind "$(readlink -f "/sys/bus/pci/devices/$address")" "$folder"
done
chmod -R a+r /dev/aperture_devices
chmod a+rw /dev/aperture_devices/*/resource*
"""


def gpudirect_installers(
    component: pulumi.ComponentResource, name: str, pool: GpuPoolSettings, fabric: Fabric
) -> list[apps.DaemonSet]:
    """Create the DaemonSets of a pool as children of `component`."""
    created = [_installer(component, name, pool, fabric)]
    if fabric != "rdma":
        created.append(_device_injector(component, name, pool))
    return created


def _installer(
    component: pulumi.ComponentResource, name: str, pool: GpuPoolSettings, fabric: Fabric
) -> apps.DaemonSet:
    image = nodes.image(pool, f"gpudirect-{fabric}-installer")
    installation = _INSTALLATIONS[fabric]
    # Pods wait for the file. A node that starts again installs again.
    script = (
        f"rm -f {installation.libraries}/{MARKERS}*; {installation.script} "
        f"&& touch {installation.libraries}/{marker(nodes.installed_version(fabric))}"
    )
    names = {path: f"node-{number}" for number, path in enumerate(installation.mounts)}
    mounts = [mount(volume, path) for path, volume in names.items()]
    volumes = [
        host_path(volume, installation.mounts[path], "DirectoryOrCreate") for path, volume in names.items()
    ]
    steps = [
        core.ContainerArgs(
            name="install",
            image=image,
            command=["/bin/sh", "-ec", script],
            volume_mounts=mounts,
            resources=requests("150m", "512Mi"),
            security_context=_PRIVILEGED,
        )
    ]
    if fabric == "tcpxo":
        # nsenter is part of every Debian and Ubuntu image, which the installer's is.
        enter = ["nsenter", "--all", "--target", "1", "--", "/bin/bash", "-c", _TCPXO_DEVICES]
        steps.insert(
            0,
            core.ContainerArgs(
                name="devices",
                image=image,
                command=enter,
                resources=requests("50m", "64Mi"),
                security_context=_PRIVILEGED,
            ),
        )
    return daemon_set(
        component,
        f"{name}-nccl-installer",
        f"{pool.name}-nccl-{fabric}-installer",
        {POOL: pool.name},
        [
            # Of the same image, which the node has: nothing is left to do.
            core.ContainerArgs(
                name="installed",
                image=image,
                command=["sleep", "infinity"],
                resources=requests("1m", "16Mi"),
                security_context=restricted(),
            )
        ],
        volumes,
        init_containers=steps,
        host_network=True,
        host_pid=True if fabric == "tcpxo" else None,
        automount_service_account_token=False,
    )


def _device_injector(component: pulumi.ComponentResource, name: str, pool: GpuPoolSettings) -> apps.DaemonSet:
    """A plugin of containerd that gives containers the devices which an annotation of their Pod lists. It
    gives any device of the node to any Pod: the guardrails decide which Pods may have the annotation."""
    return daemon_set(
        component,
        f"{name}-device-injector",
        f"{pool.name}-device-injector",
        {POOL: pool.name},
        [
            core.ContainerArgs(
                name="device-injector",
                image=nodes.image(pool, "nri-device-injector"),
                volume_mounts=[mount("dev", "/dev"), mount("nri", "/var/run/nri")],
                resources=requests("150m", "128Mi"),
                security_context=_PRIVILEGED,
            )
        ],
        [host_path("dev", "/dev"), host_path("nri", "/var/run/nri")],
        host_network=True,
        automount_service_account_token=False,
    )
