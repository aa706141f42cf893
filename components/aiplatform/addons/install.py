"""Installing an add-on: its namespace, its chart's objects as resources, and what others wait for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.helm import v4 as helm
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.yaml import v2 as yaml

from aiplatform.addons.catalog import Addon
from aiplatform.addons.charts import Location
from aiplatform.addons.values.setup import PRIORITY_CLASS

_DEFINITION: Final = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
_SERVICE: Final = "kubernetes:core/v1:Service"
_LEVEL: Final = "pod-security.kubernetes.io"
_MOST_PODS: Final = "100"


@dataclass(frozen=True)
class Installed:
    """An add-on in the cluster."""

    addon: Addon
    resources: Output[list[pulumi.Resource]]
    """All of its objects, for `depends_on`. A custom resource that depends on them is created once the
    controller is ready and deleted while the controller still runs: a dependency on the chart alone would
    only do the first."""


def install(
    parent: pulumi.ComponentResource,
    name: str,
    addon: Addon,
    location: Location,
    values: Mapping[str, Any],
    depends_on: Sequence[pulumi.Resource] = (),
) -> Installed:
    """Create the objects of an add-on. Every object is a separate resource: a preview shows what changes, the
    policy pack evaluates it, and a refresh finds what others changed.

    name: the first part of logical names. depends_on: what exists before, such as other add-ons' resources.
    """
    logical = f"{name}-{addon.name}"
    namespace = _namespace(parent, logical, addon) if addon.namespace else None
    options = ResourceOptions(
        parent=parent,
        depends_on=[*([namespace] if namespace else []), *depends_on],
        transforms=[_adapt],
    )
    if addon.is_manifest:
        group = yaml.ConfigGroup(logical, files=[location.chart], opts=options)
        return Installed(addon, _resources(group.resources))
    chart = helm.Chart(
        logical,
        # The first part of the names of the chart's objects, which documents and other charts refer to.
        name=addon.chart_name,
        namespace=addon.namespace,
        chart=location.chart,
        version=location.version,
        repository_opts=helm.RepositoryOptsArgs(repo=location.repository) if location.repository else None,
        values=dict(values),
        opts=options,
    )
    return Installed(addon, _resources(chart.resources))


def _resources(resources: Any) -> Output[list[pulumi.Resource]]:
    return cast("Output[list[pulumi.Resource]]", resources)


def _namespace(parent: pulumi.ComponentResource, logical: str, addon: Addon) -> core.Namespace:
    namespace = core.Namespace(
        f"{logical}-namespace",
        metadata=meta.ObjectMetaArgs(
            name=addon.namespace,
            labels={
                "app.kubernetes.io/managed-by": "ai-platform",
                **{f"{_LEVEL}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
                f"{_LEVEL}/enforce-version": "latest",
            },
        ),
        opts=ResourceOptions(parent=parent),
    )
    # GKE admits Pods of this priority outside kube-system only where a quota covers them; elsewhere it is a
    # limit that is never reached (GKE documentation, "Priority classes").
    core.ResourceQuota(
        f"{logical}-critical-pods",
        metadata=meta.ObjectMetaArgs(name="critical-pods", namespace=addon.namespace),
        spec=core.ResourceQuotaSpecArgs(
            hard={"pods": _MOST_PODS},
            scope_selector=core.ScopeSelectorArgs(
                match_expressions=[
                    core.ScopedResourceSelectorRequirementArgs(
                        scope_name="PriorityClass", operator="In", values=[PRIORITY_CLASS]
                    )
                ]
            ),
        ),
        opts=ResourceOptions(parent=parent, depends_on=[namespace]),
    )
    return namespace


def _adapt(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Change how Pulumi handles an object of a chart."""
    props = cast("Mapping[str, Any]", args.props)
    if args.type_ == _DEFINITION:
        # Deleting a definition deletes every object of its kind: neither an upgrade nor the end of the
        # component may do that. Installing it again takes over the one that stayed.
        options = ResourceOptions.merge(args.opts, ResourceOptions(retain_on_delete=True))
        return pulumi.ResourceTransformResult(_annotated(props, "pulumi.com/patchForce"), options)
    if args.type_ == _SERVICE:
        # Pulumi would wait for endpoints of each; the Deployments behind them are awaited anyway.
        return pulumi.ResourceTransformResult(_annotated(props, "pulumi.com/skipAwait"), args.opts)
    return None


def _annotated(props: Mapping[str, Any], annotation: str) -> dict[str, Any]:
    metadata: dict[str, Any] = dict(props.get("metadata") or {})
    metadata["annotations"] = {
        **cast("Mapping[str, str]", metadata.get("annotations") or {}),
        annotation: "true",
    }
    return {**props, "metadata": metadata}
