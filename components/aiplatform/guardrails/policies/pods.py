"""Pods of teams only by controllers: EKS enforces no NetworkPolicy on a Pod without an owner (EKS user guide,
"Limit Pod traffic with Kubernetes network policies"), and nothing restarts it when its node fails."""

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    PLATFORM,
    POD,
    TEAM_NAMESPACE,
    Policy,
    Validation,
    namespace_conditions,
    strings,
    trusted,
)


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    return Policy(
        "bare-pods",
        (POD,),
        (
            Validation(
                f"variables.trusted || request.userInfo.username in {strings(settings.pod_creators)} "
                f"|| !({TEAM_NAMESPACE}) || {PLATFORM}",
                "ai-platform: only controllers create Pods here; expected a Job, a Deployment or another "
                "workload that creates them",
            ),
        ),
        {"trusted": trusted(settings)},
        namespace_conditions(settings),
    )
