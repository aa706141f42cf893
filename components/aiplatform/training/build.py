"""The resources of training: add-ons, the right to read runtimes, and the runtimes."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes import custom_objects
from aiplatform._shared.outputs import mapped_object
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_budget, create_namespace, install
from aiplatform.addons.values import BUDGETS, VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.training import plan
from aiplatform.training.args import RAY, RAY_HEAD_PORTS, READERS, TRAINER, TrainingSettings


def build(
    component: pulumi.ComponentResource, name: str, settings: TrainingSettings, opts: ResourceOptions | None
) -> Mapping[str, Installed]:
    """Create all resources as children of `component`. Returns the add-ons by name.

    The runtimes depend on what the component depends on, which the engine does not pass on to children, and
    on Trainer, whose webhook checks them.
    """
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    namespaces = {
        addon.name: create_namespace(component, name, addon.namespace, settings.cloud, addon.webhook_ports)
        for addon in settings.installed
    }
    installed = {
        addon.name: _install(component, name, settings, addon, namespaces[addon.name], before)
        for addon in settings.installed
    }
    _create_reader_role(component, name)
    if settings.ray:
        _allow_ray_heads(component, name, namespaces[RAY])
    after = ResourceOptions.merge(before, ResourceOptions(depends_on=installed[TRAINER].resources))

    fixed = ResourceOptions(replace_on_changes=list(plan.IMMUTABLE), delete_before_replace=True)
    options = ResourceOptions.merge(ResourceOptions.merge(after, ResourceOptions(parent=component)), fixed)
    for key in settings.all_runtimes:
        manifest = mapped_object(settings.mirrors, _planned(settings, key))
        custom_objects.create(f"{name}-{key}", plan.API_VERSION, plan.KIND, manifest, options)
    return installed


def _planned(settings: TrainingSettings, key: str) -> Callable[[Mapping[str, str]], Mapping[str, Any]]:
    def planned(mirrors: Mapping[str, str]) -> Mapping[str, Any]:
        return plan.runtimes(settings, mirrors)[key]

    return planned


def _install(
    component: pulumi.ComponentResource,
    name: str,
    settings: TrainingSettings,
    addon: Addon,
    namespace: list[pulumi.Resource],
    before: ResourceOptions,
) -> Installed:
    values = mapped_object(
        settings.mirrors,
        lambda mirrors: VALUES[addon.name](Setup(replicas=settings.replicas, mirrors=mirrors)),
    )
    installed = install(
        component, name, addon, locate(addon, settings.charts), values, namespace, after=before
    )
    if settings.replicas > 1 and addon.name in BUDGETS:
        create_budget(component, f"{name}-{addon.name}", addon, namespace)
    return installed


def _allow_ray_heads(component: pulumi.ComponentResource, name: str, exists: list[pulumi.Resource]) -> None:
    """Let the operator reach the heads of Ray, by whose API it submits jobs and reads their state."""
    namespace = catalog()[RAY].namespace
    networking.NetworkPolicy(
        f"{name}-ray-heads",
        metadata=meta.ObjectMetaArgs(name="ray-heads", namespace=namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(),
            policy_types=["Egress"],
            egress=[
                networking.NetworkPolicyEgressRuleArgs(
                    to=[
                        networking.NetworkPolicyPeerArgs(
                            namespace_selector=meta.LabelSelectorArgs(),
                            pod_selector=meta.LabelSelectorArgs(match_labels={"ray.io/node-type": "head"}),
                        )
                    ],
                    ports=[
                        networking.NetworkPolicyPortArgs(port=port, protocol="TCP") for port in RAY_HEAD_PORTS
                    ],
                )
            ],
        ),
        opts=ResourceOptions(parent=component, depends_on=exists),
    )


def _create_reader_role(component: pulumi.ComponentResource, name: str) -> None:
    """Create the role that reads what the Kubeflow SDK looks up: runtimes and Trainer's version. Only the
    platform writes runtimes."""
    rbac.ClusterRole(
        f"{name}-runtime-readers",
        metadata=meta.ObjectMetaArgs(name=READERS, labels={"app.kubernetes.io/managed-by": "ai-platform"}),
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=["trainer.kubeflow.org"],
                resources=["clustertrainingruntimes"],
                verbs=["get", "list", "watch"],
            ),
            rbac.PolicyRuleArgs(
                api_groups=[""],
                resources=["configmaps"],
                resource_names=["kubeflow-trainer-public"],
                verbs=["get"],
            ),
        ],
        opts=ResourceOptions(parent=component),
    )
