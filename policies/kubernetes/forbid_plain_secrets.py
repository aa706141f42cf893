"""Secrets stand in a store of secrets, and not where everybody reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.pods import WORKLOADS, containers
from ..pack.values import Hidden

POLICY = Policy(
    title="No secrets in pod specs and ConfigMaps",
    severity="high",
    description="Whoever may look at a pod or a ConfigMap reads what stands in it, and so do logs of "
    "deployments, support bundles and etcd's backups.",
    remediation="Let the workload read the cloud's secret manager by its own identity, or refer to a Secret "
    "by `valueFrom.secretKeyRef`.",
    frameworks=("CIS EKS 4.4.1", "CIS Kubernetes 5.4.1", "NIST 800-53 IA-5(7)", "SOC 2 CC6.1"),
)

_SHAPES = {
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an API key of Google": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{40,})\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a token of Hugging Face": re.compile(r"\bhf_[0-9A-Za-z]{30,}\b"),
    "a password in an address": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@$%{(]+@"),
}
_NAMES = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|SECRET_ACCESS_KEY|PRIVATE_KEY|API_KEY|ACCESS_TOKEN|AUTH_TOKEN)$",
    re.IGNORECASE,
)


@POLICY.on(*WORKLOADS)
def on_pods(resource: Resource) -> Iterator[Judgement]:
    """Variables of containers."""
    for container in containers(resource):
        if isinstance(container, Undecided):
            yield container
            continue
        listed = container.get("env")
        if listed is UNKNOWN:
            yield Undecided(f"{container.path}.env")
        for path, variable in each(listed, f"{container.path}.env"):
            if variable is UNKNOWN:
                yield Undecided(path)
            else:
                yield from _judged(f"{path}.value", variable.get("name"), variable.get("value"))


@POLICY.on("kubernetes:core/v1:ConfigMap")
def on_config_maps(resource: Resource) -> Iterator[Judgement]:
    """Entries of ConfigMaps."""
    data: Any = resource.get("data")
    if data is UNKNOWN:
        yield Undecided("data")
        return
    entries: dict[str, Any] = data or {}
    if len(entries) > 1 and all(isinstance(value, Hidden) for value in entries.values()):
        # One secret among what it is made of makes the engine call all of it one.
        yield Finding("data", "is as a whole what the program calls a secret")
        return
    for key, value in entries.items():
        yield from _judged(f"data[{key}]", key, value)


def _judged(path: str, name: Any, value: Any) -> Iterator[Judgement]:
    if value is UNKNOWN:
        yield Undecided(path)
        return
    if not isinstance(value, str) or not value:
        return
    # Never what it is: only what it looks like.
    if isinstance(value, Hidden):
        yield Finding(path, f"{name!r} holds what the program calls a secret")
        return
    for what, shape in _SHAPES.items():
        if shape.search(value):
            yield Finding(path, f"{name!r} holds what looks like {what}")
            return
    # `$(...)` is another variable; what has the look of a name, an address or a path is where the secret is.
    if (
        isinstance(name, str)
        and _NAMES.search(name)
        and not re.search(r"^\$\(|^arn:|/|\.json$|\.pem$", value)
    ):
        yield Finding(path, f"{name!r} holds a value, by its name a secret")
