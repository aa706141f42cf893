"""DCGM exporter: a Pod on each node with GPUs.

On EKS it is a client of the DCGM engine that the node has already. EKS's add-on eks-node-monitoring-agent
runs an engine on each node with NVIDIA's GPUs, at a port of the node (its chart, DaemonSet dcgm-server). Next
to a second engine it reports failed hardware, and node repair replaces the node with all that runs there
(aws/containers-roadmap, issue 2763). The exporter starts an engine unless it gets the address of one.

On GKE no other engine runs, unless GKE's own metrics of GPUs are on (component `DCGM` of the cluster's
monitoring), so that the exporter starts one. The driver is in a folder of the node, and its devices reach
only privileged containers and those that request GPUs (Google Cloud, "NVIDIA Data Center GPU Manager",
exporters for Managed Service for Prometheus).
"""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.node_labels import GPU_PRESENT
from aiplatform.addons.values.setup import Setup

ENGINE_PORT: Final = 5555
"""The port of the engine of the node monitoring agent, on each node."""
OLDEST_AGENT: Final = (1, 5, 2)
"""The first version of the agent whose engine is known to be of DCGM 4, as the exporter is (its changelog).
Clients of one major version do not connect to an engine of another."""
_FILE: Final = "/etc/dcgm-exporter/default-counters.csv"
_NODE_LABELS: Final[Mapping[Cloud, str]] = {"aws": GPU_PRESENT, "gcp": "cloud.google.com/gke-gpu"}
"""The labels of nodes with NVIDIA's GPUs: the platform's, and GKE's own."""
_GOOGLE_DRIVER: Final = "/home/kubernetes/bin/nvidia"
"""The folder of the driver on GKE's nodes."""
_DRIVER: Final = "/usr/local/nvidia"
_EVERYWHERE: Final = ({"operator": "Exists"},)

COUNTERS: Final = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (MHz)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (C)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power (W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Energy since boot (mJ)."),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (%)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (%)."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Free memory (MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Used memory (MiB)."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "PCIe retries."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "The last XID error."),
    # Throttling and errors of memory: not in the exporter's own list.
    ("DCGM_FI_DEV_POWER_VIOLATION", "counter", "Time throttled by power limits (ns)."),
    ("DCGM_FI_DEV_THERMAL_VIOLATION", "counter", "Time throttled by temperature (ns)."),
    ("DCGM_FI_DEV_SYNC_BOOST_VIOLATION", "counter", "Time throttled by sync boost (ns)."),
    ("DCGM_FI_DEV_BOARD_LIMIT_VIOLATION", "counter", "Time throttled by limits of the board (ns)."),
    ("DCGM_FI_DEV_RELIABILITY_VIOLATION", "counter", "Time throttled for reliability (ns)."),
    ("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter", "Corrected memory errors since boot."),
    ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", "Uncorrected memory errors since boot."),
    ("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "counter", "Corrected memory errors in total."),
    ("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "counter", "Uncorrected memory errors in total."),
    ("DCGM_FI_DEV_RETIRED_PENDING", "counter", "Memory pages that the next reset retires."),
    ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Rows remapped for corrected errors."),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Rows remapped for uncorrected errors."),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows failed."),
    ("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "counter", "NVLink flow-control CRC errors."),
    ("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", "counter", "NVLink retries."),
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", "NVLink bandwidth counters of all lanes."),
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Share of time that the engine is active."),
    ("DCGM_FI_PROF_SM_ACTIVE", "gauge", "Share of cycles that an SM has a warp."),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Share of cycles that the tensor pipe is active."),
    ("DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Share of cycles that the memory interface is active."),
)
"""Field of DCGM, type of metric, help text."""


_ROOT: Final = {"runAsUser": 0, "runAsNonRoot": False}
"""The kubelet's socket is root's."""
_ON_EKS: Final[Mapping[str, Any]] = {
    "arguments": ["-f", _FILE, "-r", f"$(NODE_IP):{ENGINE_PORT}"],
    "extraEnv": [{"name": "NODE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}],
    # The engine has the privileges that profiling needs.
    "securityContext": {
        **_ROOT,
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": [], "drop": ["ALL"]},
    },
}
_ON_GKE: Final[Mapping[str, Any]] = {
    "arguments": ["-f", _FILE],
    "extraEnv": [{"name": "LD_LIBRARY_PATH", "value": f"{_DRIVER}/lib64"}],
    "extraHostVolumes": [{"name": "nvidia", "hostPath": _GOOGLE_DRIVER}],
    "extraVolumeMounts": [
        # The chart's own, which this list replaces: the file of the counters.
        {"name": "exporter-metrics-volume", "mountPath": _FILE, "subPath": "default-counters.csv"},
        {"name": "nvidia", "mountPath": _DRIVER, "readOnly": True},
    ],
    "securityContext": {**_ROOT, "privileged": True, "allowPrivilegeEscalation": True},
}
_OF_CLOUD: Final[Mapping[Cloud, Mapping[str, Any]]] = {"aws": _ON_EKS, "gcp": _ON_GKE}


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        "image": {**setup.image("dcgm-exporter"), "pullPolicy": "IfNotPresent"},
        **(_OF_CLOUD[setup.cloud]),
        "customMetrics": "".join(f"{', '.join(counter)}\n" for counter in COUNTERS),
        "nodeSelector": {_NODE_LABELS[setup.cloud]: "true"},
        "tolerations": [dict(toleration) for toleration in _EVERYWHERE],
        # Its kind comes with the Prometheus operator's definitions.
        "serviceMonitor": {"enabled": False},
        "kubernetesDRA": {"enabled": setup.device_claims},
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
    }
