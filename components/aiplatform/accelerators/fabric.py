"""What a Pod needs to use the network between the accelerators of several nodes: pure data, no resources.

Sources: EFA: EKS user guide, "Run machine learning training on Amazon EKS with Elastic Fabric Adapter".
GPUDirect: GKE documentation, "Maximize GPU network bandwidth in Standard mode clusters" (TCPX, TCPXO) and
"Maximize GPU network bandwidth with GPUDirect RDMA"; GoogleCloudPlatform/container-engine-accelerators,
folders gpudirect-tcpx, gpudirect-tcpxo (README, release of Jan 9 2026) and gpudirect-rdma, commit 992db81;
GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool/gpu-direct-workload, commit 1047080.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, cast

from aiplatform.accelerators.gcp import Fabric
from aiplatform.accelerators.inputs import PodRequirementsArgs as PodRequirementsArgs
from aiplatform.accelerators.inputs import PodSidecarArgs as PodSidecarArgs

EFA: Final = "vpc.amazonaws.com/efa"
HUGE_PAGES: Final = "hugepages-2Mi"
EFA_HUGE_PAGES: Final = "5120Mi"
"""Of a Pod. EFA's driver reserves 5128 pages of 2 MiB on each node, which are not part of its memory."""
NODE_HUGE_PAGES: Final = "10256Mi"
"""Of a node with EFA's driver."""
INTERFACES: Final = "networking.gke.io/interfaces"
DEFAULT_INTERFACE: Final = "networking.gke.io/default-interface"
DEVICES: Final = "devices.gke.io/container."
"""With a container's name after it, the annotation by which the device injector of GKE adds devices of the
node to a container that requests none."""

LIBRARIES: Final = "/usr/local/nvidia/lib64"
"""Where a container finds the driver's libraries and NCCL's plugin. GKE's device plugin mounts the folder
into containers with GPUs; the installers add the plugin to it."""
NODE_LIBRARIES: Final = "/home/kubernetes/bin/nvidia"
"""The folder of the node that contains these libraries, in `lib64`."""
MARKERS: Final = ".ai-platform-gpudirect-"
"""First part of the names of files in the folder of libraries, each of an installed version."""
NODE_GIB: Final = "/home/kubernetes/bin/gib"
"""The folder of the node with the plugin of GPUDirect RDMA (gIB)."""
_LIBRARIES: Final = {LIBRARIES: f"{NODE_LIBRARIES}/lib64"}
# The daemons set parameters of the network there. A container that can write to /proc/sys controls the node.
_SYSTEM: Final = {"/hostsysfs": "/sys", "/hostprocsysfs": "/proc/sys"}
_GPUS: Final = [*(f"/dev/nvidia{index}" for index in range(8)), "/dev/nvidiactl", "/dev/nvidia-uvm"]
_TCPX_SOCKETS: Final = "/run/tcpx"


@dataclass(frozen=True)
class PodSidecar:
    """A container next to that of the workload, which operates its network cards: an init container with
    `restartPolicy: Always`. As an ordinary container it would keep the Pod of a Job from completing."""

    name: str
    """Its name, which an annotation of the Pod contains."""
    image: str
    """Its image."""
    command: list[str]
    """Its command."""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    """Its environment variables. Default: none."""
    host_paths: dict[str, str] = field(default_factory=dict[str, str])
    """Path in the container -> path of the node that is mounted there, writable. Default: none."""
    read_only_host_paths: dict[str, str] = field(default_factory=dict[str, str])
    """As `host_paths`, read-only. Default: none."""
    capabilities: list[str] = field(default_factory=list[str])
    """Linux capabilities that it adds. Default: none."""
    devices: list[str] = field(default_factory=list[str])
    """Devices of the node that it gets by an annotation of the Pod. Default: none."""


@dataclass(frozen=True)
class PodRequirements:
    """What a Pod needs, in addition to its accelerators, to use the network between the accelerators of
    several nodes. Such a Pod uses a whole node."""

    fabric: Literal["efa", "tcpx", "tcpxo", "rdma"]
    """`efa` (AWS), or a kind of GPUDirect (Google Cloud): `tcpx`, `tcpxo` or `rdma`."""
    limits: dict[str, str] = field(default_factory=dict[str, str])
    """Resources that the workload's container requests, and its limits. Default: none."""
    annotations: dict[str, str] = field(default_factory=dict[str, str])
    """Annotations of the Pod. Default: none."""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    """Environment variables of the workload's container. Default: none."""
    setup: str | None = None
    """A shell script that the workload's container sources before it starts: it sets NCCL's variables.
    Default: none is needed."""
    host_paths: dict[str, str] = field(default_factory=dict[str, str])
    """Path in the workload's container -> path of the node that is mounted there, writable. Default: none."""
    read_only_host_paths: dict[str, str] = field(default_factory=dict[str, str])
    """As `host_paths`, read-only. Default: none."""
    capabilities: list[str] = field(default_factory=list[str])
    """Linux capabilities that the workload's container adds. Default: none."""
    shared_directory: str | None = None
    """A directory that the containers of the Pod share, for sockets. Default: none."""
    shared_memory: str = "64Gi"
    """The limit of /dev/shm, a volume in memory. NCCL and data loaders need more than a container's default
    of 64 MiB. What is used counts as memory of the container. Default `64Gi`."""
    sidecar: PodSidecar | None = None
    """The container that operates the network cards. Default: none is needed."""
    ready_file: str | None = None
    """A file in the workload's container, on a path of the node, that exists once the node has the software:
    an init container waits for it, because a Pod may start on a new node before. Default: none."""


def efa(interfaces: int, *, huge_pages: bool = True) -> PodRequirements:
    """Return the requirements of Pods on nodes with EFA.

    interfaces: of a node. huge_pages: whether what adds nodes knows of their huge pages; without, libfabric
    uses ordinary memory, which costs little.
    """
    limits = {EFA: str(interfaces)}
    # Without both NCCL would use TCP without an error. Later versions of aws-ofi-nccl have another name, and
    # take this one where the variable states it (its source, nvidia_plugin_name_fixup).
    environment = {"FI_PROVIDER": "efa", "NCCL_NET": "AWS Libfabric"}
    if huge_pages:
        limits[HUGE_PAGES] = EFA_HUGE_PAGES
    else:
        environment["FI_EFA_USE_HUGE_PAGE"] = "0"
    return PodRequirements("efa", limits, environment=environment)


def gpudirect(
    fabric: Fabric,
    images: Mapping[str, str],
    annotations: Mapping[str, str],
    installer: str | None = None,
) -> PodRequirements:
    """Return the requirements of Pods on nodes with GPUDirect.

    images: kind of GPUDirect -> image of its sidecar. annotations: those that attach the Pod to the networks.
    installer: the version that the platform installs on the nodes; None where others do.
    """
    ready_file = f"{LIBRARIES}/{marker(installer)}" if installer is not None else None
    return replace(_gpudirect(fabric, images, annotations), ready_file=ready_file)


def marker(version: str) -> str:
    """Return the name of the file by which a node states that it has this version of the software."""
    return f"{MARKERS}{version}"


def _gpudirect(fabric: Fabric, images: Mapping[str, str], annotations: Mapping[str, str]) -> PodRequirements:
    if fabric == "rdma":
        return _rdma(annotations)
    sidecar = _tcpx_daemon(images[fabric]) if fabric == "tcpx" else _tcpxo_daemon(images[fabric])
    devices = "".join(f"- path: {path}\n" for path in sidecar.devices)
    annotations = {**annotations, f"{DEVICES}{sidecar.name}": devices}
    if fabric == "tcpx":
        return PodRequirements(
            "tcpx",
            annotations=annotations,
            environment=_TCPX,
            # NCCL's plugin and the daemon share pinned memory.
            capabilities=["IPC_LOCK"],
            read_only_host_paths=_LIBRARIES,
            shared_directory=_TCPX_SOCKETS,
            sidecar=sidecar,
        )
    return PodRequirements(
        "tcpxo",
        annotations=annotations,
        environment=_TCPXO,
        host_paths={"/dev/aperture_devices": "/dev/aperture_devices"},
        read_only_host_paths=_LIBRARIES,
        sidecar=sidecar,
    )


def _rdma(annotations: Mapping[str, str]) -> PodRequirements:
    return PodRequirements(
        "rdma",
        annotations=dict(annotations),
        environment={"LD_LIBRARY_PATH": LIBRARIES, "NCCL_NET": "gIB"},
        setup="/usr/local/gib/scripts/set_nccl_env.sh",
        read_only_host_paths={"/usr/local/nvidia": NODE_LIBRARIES, "/usr/local/gib": NODE_GIB},
    )


def _tcpx_daemon(image: str) -> PodSidecar:
    return PodSidecar(
        "tcpx-daemon",
        image,
        [
            "/tcpgpudmarxd/build/app/tcpgpudmarxd",
            *("--gpu_nic_preset", "a3vm"),
            *("--gpu_shmem_type", "fd"),
            *("--uds_path", _TCPX_SOCKETS),
            *("--setup_param", "--verbose 128 2 0 "),
        ],
        {"LD_LIBRARY_PATH": LIBRARIES},
        _SYSTEM,
        _LIBRARIES,
        ["NET_ADMIN"],
        list(_GPUS),
    )


def _tcpxo_daemon(image: str) -> PodSidecar:
    return PodSidecar(
        "tcpxo-daemon",
        image,
        [
            *("/bin/sh", "-ec"),
            # `exec`, so that the daemon gets the signal by which the kubelet ends it.
            "chmod 755 /fts/entrypoint_rxdm_container.sh; "
            "exec /fts/entrypoint_rxdm_container.sh --num_hops=2",
        ],
        {"LD_LIBRARY_PATH": LIBRARIES},
        _SYSTEM,
        _LIBRARIES,
        ["NET_ADMIN", "NET_BIND_SERVICE"],
        [*_GPUS, "/dev/dmabuf_import_helper"],
    )


_TCPX: Final = {
    "LD_LIBRARY_PATH": LIBRARIES,
    # The name in the log of NCCL 2.19, which the plugin's folder has. Without it NCCL would use TCP.
    "NCCL_NET": "GPUDirectTCPX_v7",
    "NCCL_SOCKET_IFNAME": "eth0",
    "NCCL_ALGO": "Ring,Tree",
    "NCCL_PROTO": "Simple",
    "NCCL_CROSS_NIC": "0",
    "NCCL_NET_GDR_LEVEL": "PIX",
    "NCCL_P2P_PXN_LEVEL": "0",
    "NCCL_DYNAMIC_CHUNK_SIZE": "524288",
    "NCCL_P2P_NET_CHUNKSIZE": "524288",
    "NCCL_P2P_PCI_CHUNKSIZE": "524288",
    "NCCL_P2P_NVL_CHUNKSIZE": "1048576",
    "NCCL_BUFFSIZE": "4194304",
    "NCCL_NSOCKS_PERTHREAD": "4",
    "NCCL_SOCKET_NTHREADS": "1",
    "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "eth1,eth2,eth3,eth4",
    "NCCL_GPUDIRECTTCPX_CTRL_DEV": "eth0",
    "NCCL_GPUDIRECTTCPX_TX_BINDINGS": (
        "eth1:8-21,112-125;eth2:8-21,112-125;eth3:60-73,164-177;eth4:60-73,164-177"
    ),
    "NCCL_GPUDIRECTTCPX_RX_BINDINGS": (
        "eth1:22-35,126-139;eth2:22-35,126-139;eth3:74-87,178-191;eth4:74-87,178-191"
    ),
    "NCCL_GPUDIRECTTCPX_PROGRAM_FLOW_STEERING_WAIT_MICROS": "500000",
    "NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX": _TCPX_SOCKETS,
}
"""NCCL's variables for GPUDirect-TCPX (gpudirect-tcpx/nccl-config.yaml), whose installer has no script that
sets them."""

_TCPXO: Final = {
    "LD_LIBRARY_PATH": LIBRARIES,
    "NCCL_NET": "FasTrak",
    "NCCL_LIB_DIR": LIBRARIES,
    "NCCL_SOCKET_IFNAME": "eth0",
    "NCCL_CROSS_NIC": "0",
    "NCCL_PROTO": "Simple,LL128",
    "NCCL_MIN_NCHANNELS": "4",
    "NCCL_TUNER_PLUGIN": "libnccl-tuner.so",
    "NCCL_TUNER_CONFIG_PATH": f"{LIBRARIES}/a3plus_tuner_config.textproto",
    "NCCL_SHIMNET_GUEST_CONFIG_CHECKER_CONFIG_FILE": f"{LIBRARIES}/a3plus_guest_config.textproto",
    "NCCL_NVLSTREE_MAX_CHUNKSIZE": "131072",
    "NCCL_P2P_NET_CHUNKSIZE": "524288",
    "NCCL_P2P_PCI_CHUNKSIZE": "524288",
    "NCCL_P2P_NVL_CHUNKSIZE": "1048576",
    "NCCL_BUFFSIZE": "8388608",
    "NCCL_NET_GDR_LEVEL": "PIX",
    "NCCL_NVLS_ENABLE": "1",
    "NCCL_FASTRAK_CTRL_DEV": "eth0",
    "NCCL_FASTRAK_IFNAME": "eth1,eth2,eth3,eth4,eth5,eth6,eth7,eth8",
    "NCCL_FASTRAK_NUM_FLOWS": "2",
    "NCCL_FASTRAK_USE_SNAP": "1",
    "NCCL_FASTRAK_PLUGIN_ACCEPT_TIMEOUT_MS": "600000",
    "NCCL_FASTRAK_ENABLE_CONTROL_CHANNEL": "0",
    "NCCL_FASTRAK_ENABLE_HOTPATH_LOGGING": "0",
    "NCCL_FASTRAK_USE_LLCM": "1",
    "NCCL_FASTRAK_LLCM_DEVICE_DIRECTORY": "/dev/aperture_devices",
    "CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5,6,7",
}
"""NCCL's variables for GPUDirect-TCPXO, as of the installer and the daemon in images.toml: the plugin
compares them with its own list when it starts."""


def network_annotations(networks: Sequence[str]) -> dict[str, str]:
    """Return the annotations that attach a Pod to networks of GPUDirect, the names of Kubernetes Networks in
    the order of a node's interfaces ("Set up multi-network support for Pods")."""
    attached = [{"interfaceName": "eth0", "network": "default"}]
    attached += [
        {"interfaceName": f"eth{number}", "network": name} for number, name in enumerate(networks, start=1)
    ]
    return {DEFAULT_INTERFACE: "eth0", INTERFACES: json.dumps(attached)}


def as_output(requirements: PodRequirements | None) -> PodRequirementsArgs | None:
    """Return the requirements as an output of a component."""
    if requirements is None:
        return None

    def present(fields: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in fields if value is not None}

    return cast(PodRequirementsArgs, asdict(requirements, dict_factory=present))


def node_access(requirements: PodRequirements, pools: Sequence[str]) -> dict[str, list[str]]:
    """Return what the guardrails must allow in a namespace for its Pods to meet the requirements: the keys of
    an entry of `fabric_namespaces`. Empty where they need nothing of the node.

    pools: names of the pools on which its Pods may run.
    """
    sidecar = requirements.sidecar
    containers = [requirements, *([sidecar] if sidecar is not None else [])]
    writable = {path for container in containers for path in container.host_paths.values()}
    readable = {path for container in containers for path in container.read_only_host_paths.values()}
    access = {
        "host_paths": sorted(writable),
        "read_only_host_paths": sorted(readable),
        "capabilities": sorted({name for container in containers for name in container.capabilities}),
        "devices": list(sidecar.devices) if sidecar is not None else [],
    }
    needed = {key: values for key, values in access.items() if values}
    return {**needed, "pools": list(pools)} if needed else {}


def access_of_pools(pools: Mapping[str, Fabric]) -> dict[str, list[str]]:
    """Return the entry of `fabric_namespaces` for a namespace whose Pods run on several pools with GPUDirect:
    what the Pods of any of them need, on the nodes of all. pools: name -> kind of GPUDirect."""
    images: dict[str, str] = dict.fromkeys(pools.values(), "")
    entries = [node_access(gpudirect(kind, images, {}), []) for kind in sorted(set(pools.values()))]
    keys = dict.fromkeys(key for entry in entries for key in entry)
    merged = {
        key: list(dict.fromkeys(value for entry in entries for value in entry.get(key, []))) for key in keys
    }
    return {**merged, "pools": list(pools)} if pools else {}
