"""DaemonSets of device plugins: on labelled nodes, with any taints and the highest priority."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

NAMESPACE: Final = "kube-system"
SOCKETS: Final = "/var/lib/kubelet/device-plugins"
"""The folder of the kubelet's sockets for device plugins."""


def labels(name: str) -> dict[str, str]:
    """Return the labels of a plugin's objects and Pods."""
    return {"app.kubernetes.io/name": name}


def metadata(name: str, *, namespaced: bool = True) -> meta.ObjectMetaArgs:
    """Return the metadata of a plugin's object."""
    return meta.ObjectMetaArgs(name=name, namespace=NAMESPACE if namespaced else None, labels=labels(name))


def mount(name: str, path: str, *, read_only: bool = False) -> core.VolumeMountArgs:
    """Return the mount of a volume in a container."""
    return core.VolumeMountArgs(name=name, mount_path=path, read_only=read_only or None)


def host_path(name: str, path: str, type_: str | None = None) -> core.VolumeArgs:
    """Return a volume that is a folder of the node."""
    return core.VolumeArgs(name=name, host_path=core.HostPathVolumeSourceArgs(path=path, type=type_))


def from_field(name: str, path: str) -> core.EnvVarArgs:
    """Return an environment variable with the value of a field of the Pod."""
    return core.EnvVarArgs(
        name=name,
        value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path)),
    )


def env(values: Mapping[str, str]) -> list[core.EnvVarArgs]:
    """Return environment variables."""
    return [core.EnvVarArgs(name=name, value=value) for name, value in values.items()]


def requests(cpu: str, memory: str) -> core.ResourceRequirementsArgs:
    """Return the requests of a container; memory is also its limit."""
    return core.ResourceRequirementsArgs(requests={"cpu": cpu, "memory": memory}, limits={"memory": memory})


def restricted() -> core.SecurityContextArgs:
    """Return a security context without capabilities and privilege escalation. The user stays root, which
    owns the kubelet's sockets."""
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
    annotations: Mapping[str, Input[str]] | None = None,
    **pod: Any,
) -> apps.DaemonSet:
    """Create the DaemonSet. It tolerates every taint: without its plugin a node has no accelerator.

    nodes: the node selector. pod: further fields of the Pod's spec.
    """
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
