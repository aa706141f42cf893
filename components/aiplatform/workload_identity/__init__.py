"""The cloud identity of the Pods of one Kubernetes service account."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.workload_identity.args import WorkloadIdentityArgs, WorkloadIdentitySettings

__all__ = [
    "ClusterReferenceArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
    "WorkloadIdentityReferenceArgs",
]


class WorkloadIdentity(ComponentResource):
    """The cloud identity of the Pods of one Kubernetes service account: on EKS an IAM role by Pod Identity,
    on GKE a Google service account by Workload Identity Federation, without keys. It has no permissions until
    a grant or a policy names it, and creates no Kubernetes object."""

    principal: Output[str]
    """The principal for grants: a role's arn, or `serviceAccount:` and an email address."""
    role_arn: Output[str | None]
    """AWS: the role's arn."""
    role_name: Output[str | None]
    """AWS: the role's name, for policies."""
    service_account_email: Output[str | None]
    """Google Cloud: the service account's email address."""
    annotations: Output[dict[str, str]]
    """Annotations that the Kubernetes service account must have; none on AWS."""
    namespace: Output[str]
    """The Pods' namespace."""
    service_account: Output[str]
    """The Pods' service account."""
    ready: Output[str]
    """Known once Pods can get credentials: what creates Pods should depend on it."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("WorkloadIdentityArgs", args, opts)
        settings = read(WorkloadIdentitySettings, args, "WorkloadIdentityArgs")
        super().__init__("aiplatform:index:WorkloadIdentity", name, {}, opts)
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        if settings.cloud == "gcp":
            from aiplatform.workload_identity import gcp as cloud
        else:
            from aiplatform.workload_identity import aws as cloud
        outputs = {
            **cloud.build(self, name, settings),
            "namespace": settings.namespace,
            "service_account": settings.service_account,
        }
        self.outputs = cast("WorkloadIdentityReferenceArgs", outputs)
        publish(self, self.outputs)
