"""A DaemonSet for a device plugin: on labelled nodes, whatever their taints, before anything else."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

NAMESPACE: Final = "kube-system"
SOCKETS: Final = "/var/lib/kubelet/device-plugins"
"""Where the kubelet listens for device plugins."""


def labels(name: str) -> dict[str, str]:
    """The labels of a plugin's objects and Pods."""
    return {"app.kubernetes.io/name": name}


def metadata(name: str, *, namespaced: bool = True) -> meta.ObjectMetaArgs:
    """The metadata of a plugin's object."""
    return meta.ObjectMetaArgs(name=name, namespace=NAMESPACE if namespaced else None, labels=labels(name))


def mount(name: str, path: str, *, read_only: bool = False) -> core.VolumeMountArgs:
    """Where a volume stands in a container."""
    return core.VolumeMountArgs(name=name, mount_path=path, read_only=read_only or None)


def host_path(name: str, path: str, type_: str | None = None) -> core.VolumeArgs:
    """A folder of the node."""
    return core.VolumeArgs(name=name, host_path=core.HostPathVolumeSourceArgs(path=path, type=type_))


def from_field(name: str, path: str) -> core.EnvVarArgs:
    """An environment variable from the Pod's own fields."""
    return core.EnvVarArgs(
        name=name,
        value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path)),
    )


def env(values: Mapping[str, str]) -> list[core.EnvVarArgs]:
    """Environment variables."""
    return [core.EnvVarArgs(name=name, value=value) for name, value in values.items()]


def requests(cpu: str, memory: str) -> core.ResourceRequirementsArgs:
    """What the container asks for; memory is also its limit."""
    return core.ResourceRequirementsArgs(requests={"cpu": cpu, "memory": memory}, limits={"memory": memory})


def restricted() -> core.SecurityContextArgs:
    """No capability and no way to more; root still, as the kubelet's sockets belong to root."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def daemon_set(
    parent: pulumi.Resource,
    logical_name: str,
    name: str,
    nodes: Mapping[str, str],
    containers: Sequence[Input[core.ContainerArgs]],
    volumes: Sequence[core.VolumeArgs],
    depends_on: Sequence[pulumi.Resource] = (),
    annotations: Mapping[str, str] | None = None,
    **pod: Any,
) -> apps.DaemonSet:
    """The DaemonSet. It tolerates every taint: a node whose plugin is kept away by a taint of its pool has no
    accelerator. `pod` are further fields of the Pod's spec."""
    return apps.DaemonSet(
        logical_name,
        metadata=metadata(name),
        spec=apps.DaemonSetSpecArgs(
            selector=meta.LabelSelectorArgs(match_labels=labels(name)),
            update_strategy=apps.DaemonSetUpdateStrategyArgs(
                type="RollingUpdate",
                rolling_update=apps.RollingUpdateDaemonSetArgs(max_unavailable="10%"),
            ),
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(
                    labels=labels(name), annotations=dict(annotations) if annotations else None
                ),
                spec=core.PodSpecArgs(
                    priority_class_name="system-node-critical",
                    node_selector=dict(nodes),
                    tolerations=[core.TolerationArgs(operator="Exists")],
                    containers=list(containers),
                    volumes=list(volumes),
                    **pod,
                ),
            ),
        ),
        opts=ResourceOptions(parent=parent, depends_on=list(depends_on) or None),
    )
