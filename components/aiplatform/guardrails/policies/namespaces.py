"""Labels and annotations of namespaces by which others decide: Kueue, Pod Security, and these policies."""

from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    PLATFORM,
    Policy,
    Rule,
    Validation,
    literal,
    namespace_conditions,
    trusted,
)

GUARDED: Final = (
    "kueue.x-k8s.io/",
    "pod-security.kubernetes.io/",
    "ai-platform/",
    # The namespace's ResourceClaims may then use devices that others have ("Dynamic Resource Allocation").
    "resource.kubernetes.io/admin-access",
)
"""Keys, or prefixes of keys, that only the platform sets."""

_ENTRIES: Final = (
    "{absent} ? [''].filter(s, false) : "
    "dyn({object}.metadata.?{map}.orValue({{}})).map(key, "
    "{guarded}.exists(prefix, key.startsWith(prefix)), key + '=' + {object}.metadata.{map}[key])"
)


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    variables = {
        f"{when}_{kind}": _ENTRIES.format(absent=absent, object=name, map=kind, guarded=literal(GUARDED))
        for when, name, absent in (
            ("old", "oldObject", "request.operation == 'CREATE'"),
            ("new", "object", "false"),
        )
        for kind in ("labels", "annotations")
    }
    return Policy(
        "namespaces",
        (Rule("", ("namespaces",)),),
        tuple(
            Validation(
                f"(variables.new_{kind}.all(entry, entry in variables.old_{kind}) "
                f"&& variables.old_{kind}.all(entry, entry in variables.new_{kind})) "
                f"|| variables.trusted || {PLATFORM}",
                f"ai-platform: metadata.{kind}: only the platform sets those that begin with "
                f"{', '.join(GUARDED)}; expected them unchanged",
            )
            for kind in ("labels", "annotations")
        ),
        {**variables, "trusted": trusted(settings)},
        namespace_conditions(settings),
    )
