"""Access entries of the cluster's administrators."""

from collections.abc import Collection, Sequence

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output
from pulumi_aws import eks

from aiplatform.cluster.aws.context import EksContext
from aiplatform.cluster.rules import keyed


def grant_admins(context: EksContext, cluster: eks.Cluster) -> list[pulumi.Resource]:
    """Create access entries of the admins and of the creator; return what must exist before Kubernetes
    objects."""
    name, settings = context.name, context.settings
    creator = _creator(context) if settings.eks.creator_is_admin else None
    names = {f"{name}-admin-{key}": arn for key, arn in keyed(settings.admins, _key).items()}
    associations: list[pulumi.Resource] = []
    for logical, arn in names.items():
        # One entry a principal: a creator who becomes an admin, or stops being one, keeps the entry.
        former = [f"{name}-creator"] if arn == creator else []
        associations.append(_admin(context, logical, cluster, arn, former))
    if creator is not None and creator not in settings.admins:
        role, account_id = creator.rsplit("/", maxsplit=1)[-1], creator.split(":")[4]
        former = [f"{name}-admin-{role}", f"{name}-admin-{role}-{account_id}"]
        former = [logical for logical in former if logical not in names]
        associations.append(
            _admin(context, f"{name}-creator", cluster, creator, former, keeps_principal=True)
        )
    return associations


def _creator(context: EksContext) -> str:
    """Return the arn of the user that runs the program, or of the role of its session, with its path."""
    session = aws.iam.get_session_context(arn=context.account.caller_arn, opts=context.invoke_options)
    return session.issuer_arn


def _key(arn: str, taken: Collection[str]) -> str:
    """Return the name of the role, with its account if two admins have that name."""
    role, account_id = arn.rsplit("/", maxsplit=1)[-1], arn.split(":")[4]
    return f"{role}-{account_id}" if role in taken else role


def _admin(
    context: EksContext,
    name: str,
    cluster: eks.Cluster,
    principal: Input[str],
    former_names: Sequence[str],
    *,
    keeps_principal: bool = False,
) -> eks.AccessPolicyAssociation:
    """Create an access entry. former_names: logical names that the principal's entry may have had.
    keeps_principal: whether the principal stays when another one runs the program."""
    entry = eks.AccessEntry(
        name,
        cluster_name=cluster.name,
        principal_arn=principal,
        type="STANDARD",
        tags=context.settings.tags,
        opts=context.options(
            ignore_changes=["principalArn"] if keeps_principal else None, former_names=former_names
        ),
    )
    principal_arn: Output[str] = entry.principal_arn
    partition = context.account.partition
    return eks.AccessPolicyAssociation(
        name,
        cluster_name=cluster.name,
        principal_arn=principal_arn,
        policy_arn=f"arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
        opts=context.options(former_names=former_names),
    )
