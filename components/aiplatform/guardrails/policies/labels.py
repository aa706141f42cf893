"""Labels that every workload of a team has."""

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    POD,
    TEAM_NAMESPACE,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    literal,
    namespace_conditions,
    trusted,
)


def policy(settings: GuardrailsSettings) -> Policy | None:
    """Return the policy, or None where no label is required."""
    if not settings.required_labels:
        return None
    return Policy(
        "labels",
        (POD, *WORKLOADS, Rule("trainer.kubeflow.org", ("trainjobs",))),
        (
            Validation(
                f"!({TEAM_NAMESPACE}) || {literal(settings.required_labels)}.all(key, "
                "object.metadata.?labels[?key].orValue('') != '')",
                "ai-platform: metadata.labels: some are missing; expected "
                f"{', '.join(settings.required_labels)}",
            ),
        ),
        conditions={
            # What a workload controls has the labels that its template states.
            "not-controlled": (
                "!object.metadata.?ownerReferences.orValue([])"
                ".exists(owner, owner.?controller.orValue(false))"
            ),
            # What exists can still be changed otherwise, scaled and deleted.
            "changes": (
                "request.operation != 'UPDATE' || (!has(object.metadata.deletionTimestamp) "
                "&& object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({}) "
                f"&& !({trusted(settings)}))"
            ),
            **namespace_conditions(settings),
        },
    )
