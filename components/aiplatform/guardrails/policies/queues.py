"""Kueue's own objects, and the gates, labels and annotations by which it holds Pods back, belong to the
platform and to Kueue."""

from typing import Final

from aiplatform._shared.kubernetes.names import COST_ACCOUNT, COST_NAMESPACE, REAPER_ACCOUNT
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    PLATFORM,
    Policy,
    Rule,
    Validation,
    is_toleration_of_accelerators,
    literal,
    namespace_conditions,
    trusted,
)

_GATES: Final = (
    "dyn({pod}.spec).?schedulingGates.orValue([]).filter(gate, gate.name.startsWith('kueue.x-k8s.io/'))"
    ".map(gate, gate.name)"
)
_ENTRIES: Final = (
    "dyn({pod}.metadata.?{map}.orValue({{}})).map(key, key.startsWith('kueue.x-k8s.io/'), "
    "key + '=' + {pod}.metadata.{map}[key])"
)
# A client may add tolerations to a Pod that exists.
_ADDED_TOLERATIONS: Final = (
    "dyn(object.spec).?tolerations.orValue([]).filter(toleration, "
    f"{is_toleration_of_accelerators('toleration')} "
    "&& !(toleration in dyn(oldObject.spec).?tolerations.orValue([])))"
)

_COST_CONTROL: Final = " || ".join(
    f"(request.userInfo.username == {literal(f'system:serviceaccount:{COST_NAMESPACE}:{account}')} "
    f"&& request.operation == 'UPDATE' && request.resource.resource == {literal(resource)})"
    for account, resource in ((COST_ACCOUNT, "clusterqueues"), (REAPER_ACCOUNT, "workloads"))
)
"""Whether cost control changes what it holds or ends. Its namespace is none of the system, so that all other
policies are evaluated for its Pods."""


def _unchanged(kind: str) -> str:
    """Return the expression by which a Pod's labels or annotations of Kueue are as before."""
    old, new = (_ENTRIES.format(pod=name, map=kind) for name in ("oldObject", "object"))
    return f"({old}).all(entry, entry in {new}) && ({new}).all(entry, entry in {old})"


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    return Policy(
        "queues",
        (
            Rule("kueue.x-k8s.io", ("*",), ("CREATE", "UPDATE", "DELETE")),
            # By the status, too, a client changes labels and annotations.
            Rule("", ("pods", "pods/status"), ("UPDATE",)),
        ),
        (
            Validation(
                f"request.kind.kind == 'Pod' || variables.trusted || {_COST_CONTROL} || {PLATFORM}",
                "ai-platform: only the platform changes queues and quotas; expected a workload in a queue of "
                "its namespace",
            ),
            Validation(
                "request.kind.kind != 'Pod' || variables.trusted "
                f"|| {_GATES.format(pod='oldObject')}.all(gate, gate in {_GATES.format(pod='object')})",
                "ai-platform: spec.schedulingGates: only Kueue removes its gates; expected them unchanged "
                "until the Pod is admitted",
            ),
            *(
                Validation(
                    f"request.kind.kind != 'Pod' || variables.trusted || ({_unchanged(kind)})",
                    f"ai-platform: metadata.{kind}: only Kueue changes those of a Pod that begin with "
                    "kueue.x-k8s.io/; expected them unchanged",
                )
                for kind in ("labels", "annotations")
            ),
            Validation(
                f"request.kind.kind != 'Pod' || variables.trusted || size({_ADDED_TOLERATIONS}) == 0",
                "ai-platform: spec.tolerations: the Pod would get onto nodes with accelerators; expected no "
                "further toleration of their taints",
            ),
        ),
        {"trusted": trusted(settings)},
        namespace_conditions(settings),
    )
