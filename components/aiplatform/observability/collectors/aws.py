"""The identity of a collector on AWS: an IAM role for its service account, by Pod Identity."""

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks, iam

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.pod_identity import applied, on_creation
from aiplatform._shared.aws.policy_documents import pod_identity_trust
from aiplatform._shared.context import Context
from aiplatform.observability.collectors import Collector, Settings


def grant(
    context: Context[Settings], account: Account, collector: Collector, policy: Input[str]
) -> list[pulumi.Resource]:
    """Create the role of a collector with a policy, and the association with its service account. Returns
    what its Pods wait for: a Pod gets credentials only from an association that EKS has applied when it
    starts."""
    settings = context.settings
    logical = f"{context.name}-{collector.name}"
    role = iam.Role(
        f"{logical}-role",
        name_prefix=collector.role.of(settings.prefix),
        description=collector.description,
        assume_role_policy=Output.from_input(settings.cluster.name).apply(
            lambda cluster: pod_identity_trust(account, cluster, collector.namespace, collector.name)
        ),
        tags=settings.tags,
        opts=context.options(),
    )
    role_policy = iam.RolePolicy(f"{logical}-policy", role=role.name, policy=policy, opts=context.options())
    association = applied(
        eks.PodIdentityAssociation(
            f"{logical}-identity",
            cluster_name=settings.cluster.name,
            namespace=collector.namespace,
            service_account=collector.name,
            role_arn=role.arn,
            tags=settings.tags,
            opts=pulumi.ResourceOptions.merge(
                # A service account has at most one association.
                context.options(role_policy, delete_before_replace=True),
                pulumi.ResourceOptions(hooks=on_creation(f"{logical}-identity")),
            ),
        )
    )
    return [association]
