"""Rules of Kubernetes roles in a recording, and their errors by the API of Kubernetes.

The API is that of the Python client, which is generated from Kubernetes' OpenAPI document. It has no custom
resources: their groups are not checked.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes.client

from tests.components.recording import Recording

ROLE: Final = re.compile(r"kubernetes:rbac\.authorization\.k8s\.io/v1:(Cluster)?Role")
_AGGREGATED: Final = ("metrics.k8s.io", "ai-platform", "gateway.networking.k8s.io")
"""Groups that a server in the cluster serves, one that only admission policies evaluate, and custom resources
of Kubernetes' own projects."""
_CLIENT: Final = Path(kubernetes.client.__file__).parent / "api"
_OPERATION: Final = re.compile(r"method='([A-Z]+)',\s+resource_path='/apis?/([^']+)'")
_NAMED: Final = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_ALL: Final = {"POST": "create", "DELETE": "deletecollection"}


@functools.cache
def verbs(group: str) -> Mapping[str, frozenset[str]]:
    """Return resource (`pods/eviction`) -> its verbs; empty for a group of custom resources."""
    name = group.removesuffix(".k8s.io").replace(".", "_") or "core"
    verbs_of: dict[str, set[str]] = {}
    for file in _CLIENT.glob(f"{name}_v*_api.py"):
        for method, path in _OPERATION.findall(file.read_text()):
            parts = path.split("/")[1 if not group else 2 :]
            if parts[:1] == ["watch"]:
                continue
            if parts[:2] == ["namespaces", "{namespace}"] and len(parts) > 2:
                parts = parts[2:]
            if parts[1:2] in (["{name}"], ["{namespace}"]):
                verbs_of.setdefault("/".join(parts[:1] + parts[2:3]), set()).add(_NAMED.get(method, ""))
            elif len(parts) == 1:
                verbs_of.setdefault(parts[0], set()).update(
                    {"list", "watch"} if method == "GET" else {_ALL.get(method, "")}
                )
    return {resource: frozenset(names - {""}) for resource, names in verbs_of.items()}


def errors(recording: Recording) -> Iterator[str]:
    """Yield the errors of the rules of roles, each with the role."""
    for role in recording.resources:
        if ROLE.fullmatch(role.type):
            for index, rule in enumerate(role.inputs.get("rules") or []):
                for error in _rule(rule):
                    yield f"{role.type} {role.name}: rules[{index}]: {error}"


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    if "nonResourceURLs" in rule:
        return
    known: dict[str, set[str]] = {}
    for group in rule["apiGroups"]:
        if group == "*" or not verbs(group):
            if group not in _AGGREGATED and (group.endswith(".k8s.io") or "." not in group):
                yield f"apiGroups: {group!r}: no such group"
            return
        for resource, group_verbs in verbs(group).items():
            known.setdefault(resource, set()).update(group_verbs)
    for resource in rule["resources"]:
        if resource not in known:
            close = difflib.get_close_matches(resource, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"resources: {resource}: not in {', '.join(map(repr, rule['apiGroups']))}{hint}"
    there = set[str]().union(*(known.get(resource, set()) for resource in rule["resources"]))
    for verb in rule["verbs"]:
        if there and verb not in there:
            requested, expected = ", ".join(rule["resources"]), ", ".join(sorted(there))
            yield f"verbs: {verb}: none of {requested} has it; expected {expected}"
        # "Using RBAC Authorization": the name is not known when the request is authorized.
        if verb in ("create", "deletecollection") and rule.get("resourceNames"):
            yield f"verbs: {verb}: is never allowed with resourceNames"
