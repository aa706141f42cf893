"""Alerts of nodes, their disks and volumes, and of Pods that find no node."""

from collections.abc import Iterator

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings


def rules(_: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    yield Alert(
        name="NodeNotReady",
        severity="warning",
        # A node that is taken out of service on purpose is cordoned.
        expression=(
            'kube_node_status_condition{condition="Ready", status="true"} == 0 '
            "unless on (node) kube_node_spec_unschedulable == 1"
        ),
        summary="node {{ $labels.node }} is not ready",
        description=(
            "The kubelet does not report, or reports a problem. Kubernetes deletes the node's Pods after "
            "5 minutes."
        ),
        pending="15m",
    )
    # `/` is a read-only image on Bottlerocket and on GKE's nodes. A device has several mount points.
    filesystem = '{fstype=~"ext4|xfs|btrfs"}'
    yield Alert(
        name="NodeDiskFull",
        severity="warning",
        expression=(
            "max by (instance, device) "
            f"(node_filesystem_avail_bytes{filesystem} / node_filesystem_size_bytes{filesystem} "
            f"and node_filesystem_readonly{filesystem} == 0) < 0.1"
        ),
        summary="disk {{ $labels.device }} of node {{ $labels.instance }} is nearly full",
        description=(
            "{{ $value | humanizePercentage }} are free. Below 10 % the kubelet deletes images and evicts "
            "Pods."
        ),
        pending="15m",
    )
    yield Alert(
        name="NodeMemoryLow",
        severity="warning",
        expression="node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05",
        summary="node {{ $labels.instance }} has hardly any memory left",
        description=(
            "{{ $value | humanizePercentage }} are available. The kernel ends processes when none is left."
        ),
        pending="15m",
    )
    volume = "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"
    yield Alert(
        name="VolumeFull",
        severity="warning",
        expression=f"{volume} < 0.1",
        summary="volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is nearly full",
        description="{{ $value | humanizePercentage }} are free.",
        pending="15m",
    )
    yield Alert(
        name="PodUnschedulable",
        severity="warning",
        expression="max by (namespace, pod) (kube_pod_status_unschedulable) == 1",
        summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} finds no node",
        description=(
            "It has waited for half an hour: no node fits, and no node came. Serving does not scale up "
            "meanwhile."
        ),
        pending="30m",
    )
