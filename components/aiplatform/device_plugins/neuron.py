"""AWS Neuron's device plugin, for Trainium and Inferentia."""

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
from aiplatform._shared.kubernetes.node_labels import DEVICE_PLUGIN

NAME: Final = "neuron-device-plugin"


def build(component: pulumi.ComponentResource, name: str, image: Input[str]) -> apps.DaemonSet:
    """Create the plugin and what it needs as children of `component`."""
    options = ResourceOptions(parent=component)
    account = core.ServiceAccount(f"{name}-neuron-service-account", metadata=metadata(NAME), opts=options)
    role = rbac.ClusterRole(
        f"{name}-neuron-cluster-role",
        metadata=metadata(NAME, namespaced=False),
        rules=_rules(),
        opts=options,
    )
    binding = rbac.ClusterRoleBinding(
        f"{name}-neuron-cluster-role-binding",
        metadata=metadata(NAME, namespaced=False),
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=NAME),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)],
        opts=ResourceOptions(parent=component, depends_on=[role]),
    )
    plugin = core.ContainerArgs(
        name=NAME,
        image=image,
        env=[
            from_field("NODE_NAME", "spec.nodeName"),
            *env({"KUBECONFIG": "/etc/kubernetes/kubelet.conf"}),
        ],
        volume_mounts=[
            mount("sockets", SOCKETS),
            mount("run", "/run"),
            mount("aws-config", "/opt/aws", read_only=True),
        ],
        resources=requests("10m", "256Mi"),
        security_context=restricted(),
    )
    return daemon_set(
        component,
        f"{name}-neuron",
        NAME,
        {DEVICE_PLUGIN: "neuron"},
        [plugin],
        [
            host_path("sockets", SOCKETS, "Directory"),
            host_path("run", "/run"),
            host_path("aws-config", "/opt/aws"),
        ],
        [account, binding],
        service_account_name=NAME,
    )


def _rules() -> list[rbac.PolicyRuleArgs]:
    """It annotates Pods with their devices, for Neuron's scheduler extension."""
    permissions = (
        ("nodes", ["get", "list", "watch"]),
        ("nodes/status", ["patch", "update"]),
        ("pods", ["get", "list", "watch", "patch", "update"]),
        ("events", ["create", "patch"]),
    )
    return [
        rbac.PolicyRuleArgs(api_groups=[""], resources=[resource], verbs=verbs)
        for resource, verbs in permissions
    ]
