"""Access entries of the cluster's administrators."""

from collections.abc import Collection, Sequence

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import eks

from aiplatform._shared.aws.account import Account
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.rules import keyed


def grant_admins(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    cluster: eks.Cluster,
    account: Account,
) -> list[pulumi.Resource]:
    """Create access entries of the admins and of the creator; return what must exist before Kubernetes
    objects."""
    creator = _creator(parent, account) if settings.eks.creator_is_admin else None
    names = {f"{name}-admin-{key}": arn for key, arn in keyed(settings.admins, _key).items()}
    associations: list[pulumi.Resource] = []
    for logical, arn in names.items():
        # One entry a principal: a creator who becomes an admin, or stops being one, keeps the entry.
        former = [f"{name}-creator"] if arn == creator else []
        associations.append(_admin(parent, logical, settings, cluster, account, arn, former))
    if creator is not None and creator not in settings.admins:
        role, account_id = creator.rsplit("/", maxsplit=1)[-1], creator.split(":")[4]
        former = [f"{name}-admin-{role}", f"{name}-admin-{role}-{account_id}"]
        former = [logical for logical in former if logical not in names]
        associations.append(
            _admin(parent, f"{name}-creator", settings, cluster, account, creator, former, keep=True)
        )
    return associations


def _creator(parent: pulumi.Resource, account: Account) -> str:
    """Return the arn of the user that runs the program, or of the role of its session, with its path."""
    options = pulumi.InvokeOptions(parent=parent)
    return aws.iam.get_session_context(arn=account.caller_arn, opts=options).issuer_arn


def _key(arn: str, taken: Collection[str]) -> str:
    """Return the name of the role, with its account if two admins have that name."""
    role, account_id = arn.rsplit("/", maxsplit=1)[-1], arn.split(":")[4]
    return f"{role}-{account_id}" if role in taken else role


def _admin(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    cluster: eks.Cluster,
    account: Account,
    principal: Input[str],
    former_names: Sequence[str],
    *,
    keep: bool = False,
) -> eks.AccessPolicyAssociation:
    """Create an access entry. former_names: logical names that the principal's entry may have had. keep: the
    principal stays when another one runs the program."""
    ignored = ["principalArn"] if keep else None
    aliases = [pulumi.Alias(name=former) for former in former_names] or None
    entry = eks.AccessEntry(
        name,
        cluster_name=cluster.name,
        principal_arn=principal,
        type="STANDARD",
        tags=settings.tags,
        opts=ResourceOptions(parent=parent, ignore_changes=ignored, aliases=aliases),
    )
    principal_arn: Output[str] = entry.principal_arn
    return eks.AccessPolicyAssociation(
        name,
        cluster_name=cluster.name,
        principal_arn=principal_arn,
        policy_arn=f"arn:{account.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
        opts=ResourceOptions(parent=parent, aliases=aliases),
    )
