"""The identity of a collector on AWS: an IAM role for its service account, by Pod Identity."""

import pulumi
from pulumi import Input

from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.context import Context
from aiplatform.observability.collectors import Collector, Settings


def grant(context: Context[Settings], collector: Collector, policy: Input[str]) -> list[pulumi.Resource]:
    """Create the role of a collector with a policy, and the association with its service account. Returns
    what its Pods wait for."""
    identity = pod_identity(
        context,
        f"{context.name}-{collector.name}",
        namespace=collector.namespace,
        service_account=collector.name,
        policy=policy,
        name_prefix=collector.role.of(context.settings.prefix),
        description=collector.description,
    )
    return [identity.association]
