"""Identities of Pods by EKS Pod Identity: a role with a policy, its association with a service account, and
the delay after which EKS gives Pods the credentials of a new association.

The delay is in the program and not in the hook: the engine keeps the state of a resource locked while its
hook runs, and every other step waits for that lock, since it saves the state of all
(pkg/resource/deploy/step.go and pkg/resource/stack/deployment.go of Pulumi v3.274.1).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import pulumi
from pulumi import Input, Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceOptions
from pulumi_aws import eks, iam

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.policy_documents import pod_identity_trust
from aiplatform._shared.context import Context
from aiplatform._shared.hooks import unique_name
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference

_SECONDS: Final = 15
"""EKS applies associations after several seconds (EKS user guide, "How EKS Pod Identity works"). A Pod that
starts before has no credentials until it is replaced, also when its container restarts
(aws/amazon-eks-pod-identity-webhook, issue 264)."""

_created: Final = set[str]()
"""URNs of the associations that this update has created."""


class Settings(Protocol):
    """What an identity depends on in the settings of its component."""

    @property
    def cluster(self) -> ClusterReference:
        """The cluster."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of every resource."""
        ...


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class PodIdentity:
    """A role that the Pods of a service account have. They get its credentials only from an association that
    EKS has applied when they start: their workload depends on `association`."""

    role: iam.Role
    association: eks.PodIdentityAssociation


def pod_identity(
    context: Context[S],
    logical: str,
    *,
    namespace: Input[str],
    service_account: Input[str],
    policy: Input[str],
    description: str,
    role_name: str | None = None,
    name_prefix: str | None = None,
    former_policy_name: str | None = None,
) -> PodIdentity:
    """Create a role, its inline policy and its association with a service account, under the logical names
    `{logical}-role`, `{logical}-policy` and `{logical}-identity`.

    The association depends on the role and the policy alone, so that the time until EKS applies it passes
    while other objects are created.

    policy: the JSON document of what the Pods may do. role_name, name_prefix: the role's physical name, in
    full where other policies name it, or the part that AWS completes. former_policy_name: the logical name
    that the policy had, so that it is not created again.
    """
    settings, account = context.settings, account_of(context.parent)
    options = context.options()
    role = iam.Role(
        f"{logical}-role",
        name=role_name,
        name_prefix=name_prefix,
        description=description,
        assume_role_policy=Output.all(settings.cluster.name, namespace, service_account).apply(
            lambda known: pod_identity_trust(account, *map(str, known))
        ),
        tags=settings.tags,
        # Two roles cannot have one name at a time.
        opts=context.options(delete_before_replace=True) if role_name is not None else options,
    )
    role_policy = iam.RolePolicy(
        f"{logical}-policy",
        role=role.name,
        policy=policy,
        opts=ResourceOptions.merge(
            options,
            ResourceOptions(aliases=[pulumi.Alias(name=former_policy_name)] if former_policy_name else None),
        ),
    )
    association = associate(
        context,
        f"{logical}-identity",
        namespace=namespace,
        service_account=service_account,
        role=role,
        depends_on=[role_policy],
    )
    return PodIdentity(role, association)


def associate(
    context: Context[S],
    logical: str,
    *,
    namespace: Input[str],
    service_account: Input[str],
    role: iam.Role,
    depends_on: Sequence[pulumi.Resource] = (),
) -> eks.PodIdentityAssociation:
    """Create the association of a role, which trusts EKS, with a service account of the cluster. What depends
    on it is created once Pods get its credentials.

    depends_on: the role's policies, without which the Pods' first calls are refused.
    """
    association = eks.PodIdentityAssociation(
        logical,
        cluster_name=context.settings.cluster.name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        tags=context.settings.tags,
        opts=ResourceOptions.merge(
            # A service account has at most one association.
            context.options(*depends_on, delete_before_replace=True),
            ResourceOptions(hooks=on_creation(logical)),
        ),
    )
    return applied(association)


def on_creation(logical: str) -> ResourceHookBinding:
    """Return the hooks that an association needs for `applied`.

    logical: the association's logical name.
    """
    return ResourceHookBinding(after_create=[ResourceHook(unique_name(f"{logical}-applied"), _note)])


def applied(association: eks.PodIdentityAssociation) -> eks.PodIdentityAssociation:
    """Return an association with the hooks of `on_creation`: what depends on it waits until Pods get its
    credentials. A preview does not wait, nor an update in which the association exists.
    """
    # The SDK awaits the URN of each dependency, also of one by the enclosing component or by an output.
    association.__dict__["urn"] = association.urn.apply(_wait)
    return association


async def _note(args: ResourceHookArgs) -> None:
    _created.add(args.urn)


async def _wait(urn: str) -> str:
    if urn in _created:
        await asyncio.sleep(_SECONDS)
    return urn
