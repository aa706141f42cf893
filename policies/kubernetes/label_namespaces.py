"""Namespaces enforce a Pod Security Standard."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Deferred, Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Namespaces enforce Pod Security",
    severity="high",
    description="Pod Security admission also covers pods that no program declares: those of operators, of "
    "pipelines and of people. A namespace without its label accepts every pod.",
    remediation="Label the namespace `pod-security.kubernetes.io/enforce: restricted`.",
    frameworks=("CIS Kubernetes 5.2.1", "NIST 800-53 CM-7", "SOC 2 CC6.1"),
    options={
        "levels": Option(
            {"type": "array", "items": {"type": "string", "enum": ["baseline", "restricted", "privileged"]}},
            ["baseline", "restricted"],
            "The levels of the Pod Security Standards that a namespace may enforce.",
        ),
        "privileged_namespaces": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Namespaces that may enforce any level, because admission policies list what their pods may use "
            "of nodes.",
        ),
    },
)

_LABEL = "pod-security.kubernetes.io/enforce"


@POLICY.on("kubernetes:core/v1:Namespace")
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Namespaces without the label, or with a lower level."""
    level = resource.mapping("metadata.labels").get(_LABEL)
    if level is UNKNOWN:
        raise Deferred("metadata.labels")
    if level in options["levels"]:
        return
    name = resource.mapping("metadata").get("name")
    if name is UNKNOWN:
        raise Deferred("metadata.name")
    if not level or name not in options["privileged_namespaces"]:
        enforced = f"enforces {level!r}" if level else "enforces nothing"
        yield Violation("metadata.labels", f"{enforced}; expected {_LABEL}: {' or '.join(options['levels'])}")
