"""A namespace says what pods it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Namespaces enforce Pod Security",
    severity="high",
    description="Pod Security admission judges also what no program declares: pods of operators, of "
    "pipelines and of people. A namespace without its label takes every pod there is.",
    remediation="Label the namespace `pod-security.kubernetes.io/enforce: restricted`.",
    frameworks=("CIS Kubernetes 5.2.1", "NIST 800-53 CM-7", "SOC 2 CC6.1"),
    options={
        "levels": Option(
            {"type": "array", "items": {"type": "string", "enum": ["baseline", "restricted", "privileged"]}},
            ["baseline", "restricted"],
            "The levels of the Pod Security Standards that a namespace may enforce.",
        ),
    },
)

_LABEL = "pod-security.kubernetes.io/enforce"


@POLICY.on("kubernetes:core/v1:Namespace")
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Namespaces that enforce nothing, or too little."""
    labels: Any = resource.get("metadata.labels")
    level: Any = UNKNOWN if labels is UNKNOWN else (labels and labels.get(_LABEL))
    if level is UNKNOWN:
        yield Undecided("metadata.labels")
    elif level not in options["levels"]:
        told = f"enforces {level!r}" if level else "enforces nothing"
        yield Finding("metadata.labels", f"{told}, expected {_LABEL}: {' or '.join(options['levels'])}")
