"""The administrators of a cluster on GKE: a binding in the cluster, and a role to reach it."""

from collections.abc import Collection, Mapping
from typing import Final

import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_gcp import container, projects
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import ClusterRoleBinding, RoleRefArgs, SubjectArgs

from aiplatform.cluster.gcp.context import GkeContext
from aiplatform.cluster.rules import keyed

REACH: Final = "roles/container.clusterViewer"
"""Allows to read clusters and to reach their endpoints, in the whole project: GKE has no role for a single
cluster. The binding decides what is allowed in the cluster."""
_KINDS: Final[Mapping[str, str]] = {"user": "User", "serviceAccount": "User", "group": "Group"}
"""Kind of an IAM member -> kind of the subject in Kubernetes, which is named by the e-mail address."""
_API: Final = "rbac.authorization.k8s.io"


def grant_admins(context: GkeContext, cluster: container.Cluster, provider: kubernetes.Provider) -> None:
    """Grant all admins of the arguments access. The principal that runs the program has
    roles/container.admin in the project already."""
    for key, admin in keyed(context.settings.admins, _key).items():
        member = Output.from_input(admin)
        projects.IAMMember(
            f"{context.name}-admin-{key}",
            project=context.location.project,
            role=REACH,
            member=admin,
            opts=context.options(context.apis["cloudresourcemanager"]),
        )
        ClusterRoleBinding(
            f"{context.name}-admin-{key}",
            metadata=ObjectMetaArgs(name=f"ai-platform-admin-{key}"),
            role_ref=RoleRefArgs(api_group=_API, kind="ClusterRole", name="cluster-admin"),
            subjects=[
                SubjectArgs(
                    api_group=_API,
                    kind=member.apply(lambda known: _KINDS[known.partition(":")[0]]),
                    name=member.apply(lambda known: known.partition(":")[2]),
                )
            ],
            # It owns nothing in the cloud, so it is deleted with the cluster.
            opts=ResourceOptions(parent=context.parent, provider=provider, deleted_with=cluster),
        )


def _key(member: str, _: Collection[str]) -> str:
    """The whole address: two domains may have the same name."""
    return member.partition(":")[2].replace("@", "-at-")
