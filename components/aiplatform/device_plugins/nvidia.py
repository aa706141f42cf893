"""NVIDIA's device plugin, with a configuration for each node by its label."""

import hashlib
import json
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes.daemon_set import (
    NAMESPACE,
    SOCKETS,
    daemon_set,
    env,
    from_field,
    host_path,
    metadata,
    mount,
    requests,
    restricted,
)
from aiplatform._shared.kubernetes.node_labels import DEVICE_PLUGIN, NVIDIA_CONFIG
from aiplatform.device_plugins.args import DEFAULT_CONFIG, nvidia_configurations

NAME: Final = "nvidia-device-plugin"
CONFIGS: Final = "nvidia-device-plugin-configs"
_AVAILABLE: Final = "/available-configs"
_SELECTED: Final = "/config"
_FILE: Final = "/config/config.yaml"
_SIGHUP: Final = "1"


def build(component: pulumi.ComponentResource, name: str, image: Input[str]) -> apps.DaemonSet:
    """Create the plugin and what it needs as children of `component`."""
    options = ResourceOptions(parent=component)
    account = core.ServiceAccount(f"{name}-nvidia-service-account", metadata=metadata(NAME), opts=options)
    # The config-manager reads the label of its node.
    role = rbac.ClusterRole(
        f"{name}-nvidia-cluster-role",
        metadata=metadata(NAME, namespaced=False),
        rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=["get", "list", "watch"])],
        opts=options,
    )
    binding = rbac.ClusterRoleBinding(
        f"{name}-nvidia-cluster-role-binding",
        metadata=metadata(NAME, namespaced=False),
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=NAME),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)],
        opts=ResourceOptions(parent=component, depends_on=[role]),
    )
    configurations = dict(nvidia_configurations())
    configs = core.ConfigMap(
        f"{name}-nvidia-configs", metadata=metadata(CONFIGS), data=configurations, opts=options
    )
    return daemon_set(
        component,
        f"{name}-nvidia",
        NAME,
        {DEVICE_PLUGIN: "nvidia"},
        [_manager(image), _plugin(image)],
        [
            host_path("sockets", SOCKETS, "Directory"),
            core.VolumeArgs(
                name="available-configs", config_map=core.ConfigMapVolumeSourceArgs(name=CONFIGS)
            ),
            core.VolumeArgs(name="config", empty_dir=core.EmptyDirVolumeSourceArgs()),
        ],
        [account, binding, configs],
        # A changed configuration changes the Pods, so that no node keeps the old one.
        annotations={"ai-platform/configs": _digest(configurations)},
        service_account_name=NAME,
        init_containers=[_init_container(image)],
        # The manager signals the plugin when the node's label changes.
        share_process_namespace=True,
    )


def _digest(configurations: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(configurations, sort_keys=True).encode()).hexdigest()[:16]


def _config_manager(image: Input[str], name: str, *, once: bool) -> core.ContainerArgs:
    return core.ContainerArgs(
        name=name,
        image=image,
        command=["config-manager"],
        env=[
            from_field("NODE_NAME", "spec.nodeName"),
            *env(
                {
                    "ONESHOT": "true" if once else "false",
                    "NODE_LABEL": NVIDIA_CONFIG,
                    "CONFIG_FILE_SRCDIR": _AVAILABLE,
                    "CONFIG_FILE_DST": _FILE,
                    "DEFAULT_CONFIG": DEFAULT_CONFIG,
                    "SEND_SIGNAL": "false" if once else "true",
                    "SIGNAL": "" if once else _SIGHUP,
                    "PROCESS_TO_SIGNAL": "" if once else "nvidia-device-plugin",
                }
            ),
        ],
        volume_mounts=[mount("available-configs", _AVAILABLE, read_only=True), mount("config", _SELECTED)],
        resources=requests("10m", "64Mi"),
        security_context=restricted(),
    )


def _init_container(image: Input[str]) -> core.ContainerArgs:
    return _config_manager(image, "choose-config", once=True)


def _manager(image: Input[str]) -> core.ContainerArgs:
    return _config_manager(image, "config-manager", once=False)


def _plugin(image: Input[str]) -> core.ContainerArgs:
    return core.ContainerArgs(
        name=NAME,
        image=image,
        command=["nvidia-device-plugin"],
        env=env(
            {
                "CONFIG_FILE": _FILE,
                "NVIDIA_VISIBLE_DEVICES": "all",
                "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
            }
        ),
        volume_mounts=[mount("sockets", SOCKETS), mount("config", _SELECTED)],
        resources=requests("10m", "256Mi"),
        security_context=restricted(),
    )
