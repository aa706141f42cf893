"""Whether a kubeconfig is of the cluster of an environment: a drain of another one would evict what runs
there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cli.output import CommandError

_OPTIONS: Final = ("--cluster-name", "--cluster-id", "-i")
"""Options of `aws eks get-token` and of aws-iam-authenticator before the name of the cluster."""


def cluster_of(environment: str) -> str:
    """Return the name of the cluster that an environment's file leads to."""
    from cli import instances

    topic: Mapping[str, Any] = instances.config(environment)[instances.TOPIC]
    return f"{topic.get('org')}-{topic.get('name')}-cluster"


def refuse_other(environment: str, file: Path) -> None:
    """Raise CommandError where the current context of a kubeconfig is of another cluster."""
    expected = cluster_of(environment)
    context, name = current(file)
    if name != expected:
        raise CommandError(
            f"{file}: the current context, {context!r}, is of the cluster {name!r}; expected {expected!r}, "
            f"that of {environment}, as `aws eks update-kubeconfig --name {expected}`, `gcloud container "
            f"clusters get-credentials {expected}` or the output `kubeconfig` writes it"
        )


def current(file: Path) -> tuple[str, str]:
    """Return the current context of a kubeconfig, and the name of its cluster in the cloud: that of the
    command that gets a token, or else of the entry (`arn:aws:eks:...:cluster/NAME`,
    `gke_PROJECT_LOCATION_NAME`)."""
    from ruamel.yaml import YAML, YAMLError

    try:
        content: Any = YAML(typ="safe", pure=True).load(file.read_text())
        context = str(content["current-context"])
        body = _named(content["contexts"], context)["context"]
        user = _named(content.get("users") or (), body.get("user")).get("user") or {}
    except (OSError, YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: no kubeconfig: {error!r}") from error
    arguments: Sequence[str] = (user.get("exec") or {}).get("args") or ()
    for option, value in pairwise(arguments):
        if option in _OPTIONS:
            return context, str(value)
    entry = str(body.get("cluster", ""))
    return context, entry.rpartition("_" if entry.startswith("gke_") else "/")[2]


def _named(entries: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next((entry for entry in entries if entry["name"] == name), {})
