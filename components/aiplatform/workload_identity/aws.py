"""A workload identity on EKS: an IAM role for the Pods of one service account, by Pod Identity."""

from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import iam

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.pod_identity import associate
from aiplatform._shared.aws.policy_documents import pod_identity_trust
from aiplatform._shared.context import Context
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import declare
from aiplatform.workload_identity.args import WorkloadIdentitySettings


def build(
    component: pulumi.ComponentResource, name: str, settings: WorkloadIdentitySettings
) -> dict[str, Any]:
    """Create the role, without permissions, and the association as children of `component`."""
    account = account_of(component)
    role = iam.Role(
        f"{name}-role",
        # Not generated: grants and key policies name it.
        name=settings.physical_name,
        description=mapped(settings.pods, lambda pods: f"Pods of the service account {pods}"),
        assume_role_policy=Output.all(
            settings.cluster.name, settings.namespace, settings.service_account
        ).apply(lambda known: pod_identity_trust(account, *map(str, known))),
        tags=settings.tags,
        opts=ResourceOptions(parent=component, delete_before_replace=True),
    )
    association = associate(
        Context(component, name, settings),
        f"{name}-association",
        namespace=settings.namespace,
        service_account=settings.service_account,
        role=role,
    )
    arn = declare(role.arn, account.arn("iam", f"role/{settings.physical_name}", regional=False))
    return {
        "principal": arn,
        "role_arn": arn,
        "role_name": role.name,
        "service_account_email": None,
        "annotations": {},
        # Pods get credentials only from an association that exists when they start.
        "ready": Output.all(association.urn, association.association_id).apply(lambda known: str(known[1])),
    }
