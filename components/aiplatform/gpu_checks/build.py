"""The namespace of the tests, and its queues."""

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes import namespaces
from aiplatform._shared.kubernetes.namespaces import PodSecurity
from aiplatform.gpu_checks.args import GpuChecksSettings


def build(
    component: pulumi.ComponentResource, name: str, settings: GpuChecksSettings, opts: ResourceOptions | None
) -> None:
    """Create the objects as children of `component`. opts: those of the component. The engine does not pass
    on to children what it depends on: Kueue removes the finalizers of its objects."""
    after = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    exists = namespaces.create(
        component,
        name,
        namespaces.NamespaceContents(
            namespace=settings.namespace,
            cloud=settings.cloud,
            queues=list(settings.queues),
            pod_security=level(settings),
        ),
        after,
    )
    for pool, queue in settings.queues.items():
        options = ResourceOptions(
            parent=component,
            depends_on=exists,
            # Kueue lets no LocalQueue change it.
            replace_on_changes=["spec.clusterQueue"],
            delete_before_replace=True,
        )
        CustomResource(
            f"{name}-{pool}-queue",
            api_version="kueue.x-k8s.io/v1beta2",
            kind="LocalQueue",
            metadata=meta.ObjectMetaArgs(name=pool, namespace=settings.namespace),
            spec={"clusterQueue": queue},
            opts=ResourceOptions.merge(after, options),
        )


def level(settings: GpuChecksSettings) -> PodSecurity:
    """Return the Pod Security level: the lowest that the tests meet."""
    if settings.fabric:
        return "privileged"
    return "restricted" if settings.cloud == "aws" else "baseline"
