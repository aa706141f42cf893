"""Labels and annotations of namespaces by which others decide (Kueue, Pod Security, and these policies), and
names by which no policy evaluates what a namespace contains."""

from typing import Final

from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    PLATFORM,
    Policy,
    Rule,
    Validation,
    literal,
    system_namespaces,
    trusted,
)
from aiplatform.guardrails.system_namespaces import SYSTEM_PREFIX

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
_CLOUD: Final = (
    "request.userInfo.username.startsWith('eks:') || (request.userInfo.username.startsWith('system:') "
    "&& !request.userInfo.username.startsWith('system:serviceaccount:'))"
)
"""Whether the request comes from the cloud or the control plane, such as EKS's manager of add-ons, which
creates `amazon-guardduty`. Neither EKS nor GKE gives a user such a name (EKS, "Create access entries":
username)."""


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    names = literal(system_namespaces(settings))
    prefix = SYSTEM_PREFIX.get(settings.cloud)
    # The name is in the object also where the server generates it.
    system = f"object.metadata.name in {names}" + (
        f" || object.metadata.name.startsWith('{prefix}')" if prefix is not None else ""
    )
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
        (
            # By the subresources, too, a client changes labels and annotations.
            Rule("", ("namespaces", "namespaces/status", "namespaces/finalize")),
        ),
        (
            Validation(
                f"request.operation != 'CREATE' || !({system}) || variables.trusted || variables.cloud "
                f"|| {PLATFORM}",
                "ai-platform: metadata.name: no policy evaluates what a namespace of this name contains; "
                "expected a name that is not of the system",
            ),
            *(
                Validation(
                    f"(variables.new_{kind}.all(entry, entry in variables.old_{kind}) "
                    f"&& variables.old_{kind}.all(entry, entry in variables.new_{kind})) "
                    f"|| variables.trusted || {PLATFORM}",
                    f"ai-platform: metadata.{kind}: only the platform sets those that begin with "
                    f"{', '.join(GUARDED)}; expected them unchanged",
                )
                for kind in ("labels", "annotations")
            ),
        ),
        {**variables, "trusted": trusted(settings), "cloud": _CLOUD},
        {"creation-or-not-of-the-system": f"request.operation == 'CREATE' || !({system})"},
        every_namespace=True,
    )
