"""Which priorities a namespace may use: of Pods, and of workloads in a queue."""

from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    POD,
    POD_VARIABLES,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    namespace_conditions,
    strings,
    trusted,
)

ALLOWED: Final = "ai-platform/priority-classes"
"""The annotation of a namespace with the classes that it may use in addition, separated by commas."""
_OF_WORKLOAD: Final = "kueue.x-k8s.io/priority-class"


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    classes = sorted(settings.priority_classes.items())
    everyone = [name for name, entry in classes if entry.everyone]
    restricted = [name for name, entry in classes if not entry.everyone]
    return Policy(
        "priorities",
        (POD, *WORKLOADS, Rule("trainer.kubeflow.org", ("trainjobs",))),
        (
            Validation(
                "variables.pods.all(pod, pod.?priorityClassName.orValue('') in variables.allowed)",
                "ai-platform: priorityClassName: not for this namespace; expected one of "
                f"{', '.join(everyone) or 'none'}, or one that its annotation {ALLOWED} lists",
            ),
            Validation(
                f"!(variables.queued in {strings(restricted)}) || variables.queued in variables.allowed",
                f"ai-platform: metadata.labels: {_OF_WORKLOAD} is not for this namespace; expected none "
                f"of {', '.join(restricted) or 'these'} unless its annotation {ALLOWED} lists it",
            ),
        ),
        {
            **POD_VARIABLES,
            "queued": f"object.metadata.?labels[?'{_OF_WORKLOAD}'].orValue('')",
            "allowed": (
                f"{strings(['', *everyone])} + namespaceObject.metadata.?annotations[?'{ALLOWED}']"
                ".orValue('').split(',')"
            ),
        },
        {
            "not-in-deletion": "!has(object.metadata.deletionTimestamp)",
            # As for spec_changes: controllers scale and suspend what exists.
            "not-by-a-controller": f"request.operation != 'UPDATE' || !({trusted(settings)})",
            **namespace_conditions(settings),
        },
    )
