"""Installing an add-on: its namespace, its chart's objects as resources, and what others wait for."""

import copy
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.helm import v4 as helm
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.policy import v1 as policy
from pulumi_kubernetes.yaml import v2 as yaml

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.workloads import critical_pods
from aiplatform.addons import permissions, rendered, traffic
from aiplatform.addons.args import AddonsSettings
from aiplatform.addons.catalog import Addon
from aiplatform.addons.charts import Location, locate
from aiplatform.addons.values import BUDGETS
from aiplatform.addons.values.setup import NODE_PRIORITY_CLASS, PRIORITY_CLASS

_DEFINITION: Final = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
_RENDERED: Final = Path(rendered.__file__)
_LEVEL: Final = "pod-security.kubernetes.io"
_MOST_PODS: Final = 100
EXISTING_NAMESPACES: Final = ("kube-system",)
"""Namespaces that every cluster has."""


@dataclass(frozen=True)
class Installed:
    """An add-on in the cluster."""

    addon: Addon
    marker: pulumi.Stash
    """Depends on all of its objects of Kubernetes' own kinds. A custom resource that depends on it is created
    once the controller is ready and deleted while the controller still runs: a dependency on the chart alone
    would only do the first, and one on each object is in the state of each custom resource."""

    role_arn: Output[str] | None = None
    """AWS: the role of its controller, where it calls APIs of the cloud."""

    @property
    def resources(self) -> list[pulumi.Resource]:
        """What custom resources depend on, for `depends_on`."""
        return [self.marker]

    @property
    def ready(self) -> Output[str]:
        """The add-on's version, known once all of its objects are there and its Deployments are available."""
        return self.marker.urn.apply(lambda _: self.addon.version)


def install_all(
    parent: pulumi.ComponentResource, name: str, settings: AddonsSettings
) -> Mapping[str, Installed]:
    """Create the objects of all add-ons of the settings, each after what it requires, with the permissions of
    its controller in the cloud. Returns them by name.

    name: the first part of logical names.
    """
    context = Context[permissions.Settings](parent, name, settings)
    region = _region(parent) if settings.cloud == "aws" else ""
    namespaces = {
        namespace: create_namespace(
            parent,
            name,
            namespace,
            settings.cloud,
            {
                port
                for addon in settings.addons
                if addon.namespace == namespace
                for port in addon.webhook_ports
            },
            level=_level(settings.addons, namespace),
            internal_ports={
                port
                for addon in settings.addons
                if addon.namespace == namespace
                for port in addon.internal_ports
            },
        )
        for namespace in dict.fromkeys(addon.namespace for addon in settings.addons)
        if namespace not in ("", *EXISTING_NAMESPACES)
    }
    installed: dict[str, Installed] = {}
    for addon in settings.addons:
        granted = permissions.grant(context, addon)
        objects = install(
            parent,
            name,
            addon,
            locate(addon, settings.charts),
            settings.values(addon, region),
            [*namespaces.get(addon.namespace, ()), *granted.resources],
            [installed[before] for before in addon.ready_before(installed)],
        )
        installed[addon.name] = replace(objects, role_arn=granted.role_arn)
        if settings.replicas > 1 and addon.name in BUDGETS:
            create_budget(parent, f"{name}-{addon.name}", addon, namespaces[addon.namespace])
    return installed


def create_budget(
    parent: pulumi.ComponentResource, logical: str, addon: Addon, namespace: list[pulumi.Resource]
) -> None:
    """Create the PodDisruptionBudget of an add-on whose chart has none: one Pod stays. logical: the first
    part of its logical name. namespace: what exists before."""
    policy.PodDisruptionBudget(
        f"{logical}-disruption-budget",
        metadata=meta.ObjectMetaArgs(name=addon.name, namespace=addon.namespace),
        spec=policy.PodDisruptionBudgetSpecArgs(
            min_available=1, selector=meta.LabelSelectorArgs(match_labels=dict(BUDGETS[addon.name]))
        ),
        opts=ResourceOptions(parent=parent, depends_on=namespace),
    )


def _level(addons: Collection[Addon], namespace: str) -> str:
    """Return the Pod Security level of a namespace of add-ons."""
    return next(addon.pod_security for addon in addons if addon.namespace == namespace)


def _region(parent: pulumi.ComponentResource) -> str:
    # Imported late: on Google Cloud nothing needs AWS' SDK.
    from aiplatform._shared.aws.account import account_of

    return account_of(parent).region


def install(
    parent: pulumi.ComponentResource,
    name: str,
    addon: Addon,
    location: Location,
    values: Input[Mapping[str, Any]],
    depends_on: Sequence[pulumi.Resource] = (),
    required: Sequence[Installed] = (),
    after: ResourceOptions | None = None,
) -> Installed:
    """Create the objects of an add-on. Every object is a separate resource: a preview shows what changes, the
    policy pack evaluates it, and a refresh finds what others changed.

    name: the first part of logical names. depends_on: what exists before, such as its namespace. required:
    the add-ons that are ready before. after: options with what else exists before.
    """
    logical = f"{name}-{addon.name}"
    required_resources = [resource for some in required for resource in some.resources]
    options = ResourceOptions(parent=parent, depends_on=[*depends_on, *required_resources])
    if after is not None:
        options = ResourceOptions.merge(after, options)
    if addon.is_manifest:
        options.transforms = [_adapt]
        group = yaml.ConfigGroup(logical, files=[location.chart], opts=options)
        return Installed(addon, _mark(parent, logical, addon, group))
    chart = helm.Chart(
        logical,
        # The first part of the names of the chart's objects, which documents and other charts refer to.
        name=addon.chart_name,
        namespace=addon.namespace,
        chart=location.chart,
        version=location.version,
        repository_opts=helm.RepositoryOptsArgs(repo=location.repository) if location.repository else None,
        values=values,
        skip_crds=addon.skips_definitions or None,
        post_renderer=helm.PostRendererArgs(
            command=sys.executable, args=["-I", str(_RENDERED), addon.namespace]
        ),
        opts=options,
    )
    return Installed(addon, _mark(parent, logical, addon, chart))


def _mark(
    parent: pulumi.ComponentResource, logical: str, addon: Addon, installed: helm.Chart | yaml.ConfigGroup
) -> pulumi.Stash:
    # Only in the state: the engine stores the value itself.
    return pulumi.Stash(
        f"{logical}-installed",
        input=addon.version,
        opts=ResourceOptions(parent=parent, depends_on=resources_of(installed.resources)),
    )


def resources_of(objects: Any) -> Output[list[pulumi.Resource]]:
    """Return the objects of a chart on which others can depend. Custom resources are not among them: the SDK
    has no class for their kinds and gives their ids only."""
    return cast("Output[list[pulumi.Resource | str] | None]", objects).apply(
        lambda known: [entry for entry in known or () if isinstance(entry, pulumi.Resource)]
    )


def create_namespace(
    parent: pulumi.ComponentResource,
    name: str,
    namespace: str,
    cloud: Cloud,
    webhook_ports: Collection[int],
    *,
    level: str = "restricted",
    internal_ports: Collection[int] = (),
    metrics_ports: Collection[int] = (),
) -> list[pulumi.Resource]:
    """Create a namespace of add-ons: Pods in it may have the priority of critical ones, and only the
    connections that controllers need are allowed.

    name: the first part of logical names. namespace: its name. webhook_ports: those of all its add-ons, which
    the API server calls. level: of Pod Security. internal_ports: those that Pods of the namespace call.
    metrics_ports: those that Prometheus reads.
    """
    # Privileged ones have Pods on nodes, with the priority of such Pods.
    classes = [PRIORITY_CLASS] if level == "restricted" else [PRIORITY_CLASS, NODE_PRIORITY_CLASS]
    created = core.Namespace(
        f"{name}-{namespace}-namespace",
        metadata=meta.ObjectMetaArgs(
            name=namespace,
            labels={
                "app.kubernetes.io/managed-by": "ai-platform",
                **{f"{_LEVEL}/{mode}": level for mode in ("enforce", "audit", "warn")},
                f"{_LEVEL}/enforce-version": "latest",
            },
        ),
        opts=ResourceOptions(parent=parent),
    )
    options = ResourceOptions(parent=parent, depends_on=[created])
    quota = critical_pods(f"{name}-{namespace}-critical-pods", namespace, classes, _MOST_PODS, options)
    allowed = traffic.allow(name, namespace, cloud, webhook_ports, options, internal_ports, metrics_ports)
    return [created, quota, allowed]


def _adapt(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Change the definitions of a manifest, which has no post-renderer."""
    if args.type_ != _DEFINITION:
        return None
    # The provider reads the annotation of Helm only in charts.
    options = ResourceOptions.merge(args.opts, ResourceOptions(retain_on_delete=True))
    body = rendered.definition(copy.deepcopy(dict(cast("Mapping[str, Any]", args.props))))
    return pulumi.ResourceTransformResult(body, options)
