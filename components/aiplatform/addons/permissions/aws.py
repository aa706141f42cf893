"""An add-on's permissions on AWS: an IAM role for its service account, by Pod Identity."""

from typing import Final

import pulumi
from pulumi import Output

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.context import Context
from aiplatform.addons.catalog import Addon
from aiplatform.addons.permissions import interruptions, karpenter
from aiplatform.addons.permissions.aws_policies import dns, load_balancers, queues, secrets
from aiplatform.addons.permissions.settings import (
    DNS,
    KARPENTER,
    KARPENTER_NODES,
    KEDA,
    LOAD_BALANCERS,
    QUEUES,
    ROLES,
    SECRET_READERS,
    SERVICE_ACCOUNTS,
    Settings,
)

_DESCRIPTIONS: Final = {
    LOAD_BALANCERS: "AWS Load Balancer Controller: load balancers of this cluster",
    DNS: "ExternalDNS: records of the listed zones",
    KARPENTER: "Karpenter: instances of this cluster",
    KEDA: "KEDA: messages in queues of continuous training",
}


def grant(context: Context[Settings], addon: Addon) -> tuple[list[pulumi.Resource], Output[str]]:
    """Create the role of an add-on, its policy, and the association with its service account. Returns what
    its Pods wait for, and the role's arn."""
    settings, account = context.settings, account_of(context.parent)
    logical = f"{context.name}-{addon.name}"
    needed: list[pulumi.Resource] = []
    if addon.name == KARPENTER:
        messages = interruptions.create(context, account, logical)
        needed.extend(messages.needed)
        text: pulumi.Input[str] = _karpenter(context, account, messages)
    else:
        text = _policy(context, addon, account)
    identity = pod_identity(
        context,
        logical,
        namespace=addon.namespace,
        service_account=SERVICE_ACCOUNTS.get(addon.name, addon.name),
        policy=text,
        name_prefix=ROLES[addon.name].of(settings.prefix),
        description=_DESCRIPTIONS.get(addon.name, "External Secrets: assume the roles of secret stores"),
    )
    return [identity.association, *needed], identity.role.arn


def _karpenter(
    context: Context[Settings], account: Account, messages: interruptions.Interruptions
) -> Output[str]:
    settings = context.settings
    node_role = settings.cluster.node_role_arn or account.arn(
        "iam", f"role/{KARPENTER_NODES.of(settings.prefix)}", regional=False
    )
    return Output.all(
        settings.cluster.name,
        node_role,
        messages.queue.arn,
        messages.key.arn,
        settings.cluster.volume_key_arn,
    ).apply(lambda known: karpenter.policy(account, karpenter.Scope(*known)))


def _policy(context: Context[Settings], addon: Addon, account: Account) -> pulumi.Input[str]:
    settings = context.settings
    if addon.name == LOAD_BALANCERS:
        return Output.all(settings.cluster.name, settings.cluster.vpc_id).apply(
            lambda known: load_balancers(account, *map(str, known))
        )
    if addon.name == DNS:
        return Output.all(*settings.dns_zones).apply(
            lambda zones: dns(account, [str(zone) for zone in zones])
        )
    if addon.name == KEDA:
        return queues(account, settings.prefix, QUEUES)
    return secrets(account, SECRET_READERS.of(settings.prefix))
