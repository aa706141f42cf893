"""Who the Pods of one Kubernetes service account are in the cloud."""

from typing import TypedDict, cast

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform.workload_identity.args import WorkloadIdentityArgs, WorkloadIdentitySettings

__all__ = [
    "ClusterReferenceArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
    "WorkloadIdentityOutputs",
]


class WorkloadIdentityOutputs(TypedDict):
    """What others need to know of a workload identity."""

    principal: Input[str]
    """How grants name it: a role's arn, or `serviceAccount:` and an address."""
    role_arn: Input[str | None]
    """AWS: the role's arn."""
    role_name: Input[str | None]
    """AWS: the role's name, for policies."""
    service_account_email: Input[str | None]
    """Google Cloud: the service account's address."""
    annotations: Input[dict[str, str]]
    """What the Kubernetes service account must carry; nothing on AWS."""
    namespace: str
    """The Pods' namespace."""
    service_account: str
    """The Pods' service account."""
    ready: Input[str]
    """Known when Pods get credentials: who starts Pods waits for it."""


class WorkloadIdentity(ComponentResource):
    """Who the Pods of one Kubernetes service account are in the cloud: on EKS an IAM role by Pod Identity, on
    GKE a Google service account by Workload Identity Federation. No key is made. It has no rights until a
    grant or a policy names it, and makes no Kubernetes object."""

    principal: Output[str]
    """How grants name it: a role's arn, or `serviceAccount:` and an address."""
    role_arn: Output[str | None]
    """AWS: the role's arn."""
    role_name: Output[str | None]
    """AWS: the role's name, for policies."""
    service_account_email: Output[str | None]
    """Google Cloud: the service account's address."""
    annotations: Output[dict[str, str]]
    """What the Kubernetes service account must carry; nothing on AWS."""
    namespace: Output[str]
    """The Pods' namespace."""
    service_account: Output[str]
    """The Pods' service account."""
    ready: Output[str]
    """Known when Pods get credentials: who starts Pods waits for it."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: ResourceOptions | None = None) -> None:
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
        for key, output in self.outputs.items():
            # The same object where it is an output already: components know it by the role that it will be.
            setattr(self, key, output if isinstance(output, Output) else Output.from_input(output))
        self.register_outputs(self.outputs)
