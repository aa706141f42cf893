"""A workload identity on EKS: an IAM role that Pod Identity hands to the Pods of one service account."""

from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import eks, iam

from aiplatform._shared.aws.account import place
from aiplatform._shared.aws.policy_documents import pod_identity_trust
from aiplatform._shared.principals import declare
from aiplatform.workload_identity.args import WorkloadIdentitySettings


def build(parent: pulumi.ComponentResource, name: str, settings: WorkloadIdentitySettings) -> dict[str, Any]:
    """Role and association. The role has no rights yet: who knows what the workload does attaches them."""
    here = place(parent)
    role = iam.Role(
        f"{name}-role",
        # Not generated: grants, key policies and people name it.
        name=settings.physical_name,
        description=f"Pods of the service account {settings.namespace}/{settings.service_account}",
        assume_role_policy=Output.from_input(settings.cluster.name).apply(
            lambda cluster: pod_identity_trust(here, cluster, settings.namespace, settings.service_account)
        ),
        tags=settings.tags,
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )
    association = eks.PodIdentityAssociation(
        f"{name}-association",
        cluster_name=settings.cluster.name,
        namespace=settings.namespace,
        service_account=settings.service_account,
        role_arn=role.arn,
        tags=settings.tags,
        # One service account has one association: a new one meets the old.
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )
    arn = declare(role.arn, here.arn("iam", f"role/{settings.physical_name}", regional=False))
    return {
        "principal": arn,
        "role_arn": arn,
        "role_name": role.name,
        "service_account_email": None,
        "annotations": {},
        # Pods get credentials only from an association that stands when they start.
        "ready": association.association_id,
    }
