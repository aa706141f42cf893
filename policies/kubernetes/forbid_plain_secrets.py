"""Secrets are in secret stores, not in plain configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.pods import WORKLOADS, Container, check_containers
from ..framework.values import Hidden

POLICY = Policy(
    title="No secrets in pod specs and ConfigMaps",
    severity="high",
    description="Everyone with read access to a pod or a ConfigMap can read its values, and they appear in "
    "deployment logs, support bundles and backups of etcd.",
    remediation="Let the workload read the cloud's secret manager with its identity, or refer to a Secret by "
    "`valueFrom.secretKeyRef`.",
    frameworks=("CIS EKS 4.4.1", "CIS Kubernetes 5.4.1", "NIST 800-53 IA-5(7)", "SOC 2 CC6.1"),
)

_PATTERNS = {
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
def on_pods(resource: Resource) -> Iterator[Outcome]:
    """Environment variables of containers."""
    yield from check_containers(resource, _check_container)


def _check_container(container: Container) -> Iterator[Outcome]:
    yield from check_each(container.entries("env"), _check_variable)


def _check_variable(variable: Entry) -> Iterator[Outcome]:
    yield from _check(variable.where("value"), variable.raw("name"), variable.known("value"))
    variable.known("name")


@POLICY.on("kubernetes:core/v1:ConfigMap")
def on_config_maps(resource: Resource) -> Iterator[Outcome]:
    """Entries of ConfigMaps."""
    data = resource.mapping("data")
    if len(data) > 1 and all(isinstance(value, Hidden) for value in data.values()):
        # One secret among its sources makes the engine treat the whole mapping as one.
        yield Violation("data", "is a secret of the program as a whole")
        return
    yield from check_each(data, _check_entry, resource)


def _check_entry(key: str, resource: Resource) -> Iterator[Outcome]:
    path = f"data[{key}]"
    yield from _check(path, key, Entry(path, resource.mapping("data")[key]).known())


def _check(path: str, name: Any, value: Any) -> Iterator[Outcome]:
    if not isinstance(value, str) or not value:
        return
    # The problem never contains the value, only the kind of it.
    if isinstance(value, Hidden):
        yield Violation(path, f"{name!r} contains a secret of the program")
        return
    for kind, pattern in _PATTERNS.items():
        if pattern.search(value):
            yield Violation(path, f"{name!r} contains what looks like {kind}")
            return
    # `$(...)` is another variable; a name, an address or a path states where the secret is.
    if (
        isinstance(name, str)
        and _NAMES.search(name)
        and not re.search(r"^\$\(|^arn:|/|\.json$|\.pem$", value)
    ):
        yield Violation(path, f"{name!r} contains a value, and is a secret by its name")
