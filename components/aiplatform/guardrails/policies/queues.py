"""Kueue's own objects, and the gates by which it holds Pods back, belong to the platform and to Kueue."""

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    PLATFORM,
    Policy,
    Rule,
    Validation,
    namespace_conditions,
    trusted,
)

_GATES = (
    "dyn({pod}.spec).?schedulingGates.orValue([]).filter(gate, gate.name.startsWith('kueue.x-k8s.io/'))"
    ".map(gate, gate.name)"
)


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    return Policy(
        "queues",
        (
            Rule("kueue.x-k8s.io", ("*",), ("CREATE", "UPDATE", "DELETE")),
            Rule("", ("pods",), ("UPDATE",)),
        ),
        (
            Validation(
                f"request.kind.kind == 'Pod' || variables.trusted || {PLATFORM}",
                "ai-platform: only the platform changes queues and quotas; expected a workload in a queue of "
                "its namespace",
            ),
            Validation(
                "request.kind.kind != 'Pod' || variables.trusted "
                f"|| {_GATES.format(pod='oldObject')}.all(gate, gate in {_GATES.format(pod='object')})",
                "ai-platform: spec.schedulingGates: only Kueue removes its gates; expected them unchanged "
                "until the Pod is admitted",
            ),
        ),
        {"trusted": trusted(settings)},
        namespace_conditions(settings),
    )
