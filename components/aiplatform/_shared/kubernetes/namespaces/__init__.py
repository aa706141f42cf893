"""A namespace for workloads of a team: Pod Security, network policies, defaults and quotas, and roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.namespaces import limits, roles
from aiplatform._shared.kubernetes.namespaces import traffic as network
from aiplatform.addons.values.kueue import MANAGED_NAMESPACES

PodSecurity = Literal["restricted", "baseline", "privileged"]

_LEVEL: Final = "pod-security.kubernetes.io"


@dataclass(frozen=True)
class NamespaceContents:
    """What a namespace has."""

    namespace: str
    """Its name in Kubernetes."""
    cloud: Cloud
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the namespace and of every object in it."""
    queues: Sequence[str] = ()
    """The queues that its workloads may name (annotation `ai-platform/queues`). With none, Kueue does not
    manage the namespace, and no workload in it gets an accelerator."""
    priority_classes: Sequence[str] = ()
    """Priority classes that it may use in addition to those of everyone."""
    pod_security: PodSecurity = "restricted"
    """The level of the Pod Security Standards. `privileged` is for namespaces with a network fabric: the
    guardrails list what their Pods may use."""
    quota: limits.Quota = field(default_factory=limits.Quota)
    traffic: network.Traffic = field(default_factory=network.Traffic)
    members: roles.Members = field(default_factory=dict[roles.Role, Sequence[Input[str]]])
    """Role -> the groups that have it."""


def create(
    parent: pulumi.Resource, name: str, contents: NamespaceContents, after: ResourceOptions | None = None
) -> list[pulumi.Resource]:
    """Create the namespace and its contents. name: the first part of logical names. after: what it depends
    on, such as the controllers that remove finalizers of its objects when it is deleted. Returns what must
    exist before Pods: the namespace, its network policies and its defaults."""
    resource = core.Namespace(
        f"{name}-namespace",
        metadata=meta.ObjectMetaArgs(
            name=contents.namespace,
            labels={**contents.labels, **namespace_labels(contents)},
            annotations=namespace_annotations(contents),
        ),
        opts=ResourceOptions.merge(after, ResourceOptions(parent=parent)),
    )
    options = ResourceOptions(parent=parent, depends_on=[resource])

    def metadata(object_name: str) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(
            name=object_name, namespace=contents.namespace, labels=dict(contents.labels) or None
        )

    roles.create(name, metadata, contents.members, options)
    return [
        resource,
        *network.create(name, metadata, contents.cloud, contents.traffic, options),
        *limits.create(name, metadata, contents.quota, options),
    ]


def namespace_labels(contents: NamespaceContents) -> dict[str, str]:
    """Return the labels by which Pod Security and Kueue decide."""
    modes = ("enforce", "audit", "warn")
    return {
        **{f"{_LEVEL}/{mode}": contents.pod_security for mode in modes},
        f"{_LEVEL}/enforce-version": "latest",
        **(MANAGED_NAMESPACES if contents.queues else {}),
    }


def namespace_annotations(contents: NamespaceContents) -> dict[str, str] | None:
    """Return the annotations by which the guardrails decide."""
    lists = {
        "ai-platform/queues": contents.queues,
        "ai-platform/priority-classes": contents.priority_classes,
    }
    return {key: ",".join(names) for key, names in lists.items() if names} or None
