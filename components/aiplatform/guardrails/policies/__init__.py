"""The policies of the guardrails, as expressions of the Common Expression Language (CEL)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies import (
    accelerators,
    exposure,
    hosts,
    images,
    labels,
    namespaces,
    pods,
    priorities,
    queues,
)
from aiplatform.guardrails.policies.policy import Policy

BUILDERS: Final[Mapping[str, Callable[[GuardrailsSettings], Policy | None]]] = {
    "accelerators": accelerators.policy,
    "queues": queues.policy,
    "namespaces": namespaces.policy,
    "bare-pods": pods.policy,
    "images": images.policy,
    "host-access": hosts.policy,
    "public-addresses": exposure.policy,
    "labels": labels.policy,
    "priorities": priorities.policy,
}
"""Policy -> what builds it; None where the arguments leave it nothing to check."""


def policies(settings: GuardrailsSettings) -> Iterator[Policy]:
    """Yield the policies that these arguments enforce."""
    for name in settings.actions():
        policy = BUILDERS[name](settings)
        if policy is not None:
            yield policy
