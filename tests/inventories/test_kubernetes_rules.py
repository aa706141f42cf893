"""Every Kubernetes role of the program names groups, resources and verbs that Kubernetes has."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_kubernetes.rbac import v1 as rbac

from tests.components.recording import record
from tests.inventories import variants
from tests.inventories.kubernetes_rules import ROLE, errors, verbs
from tests.stacks.environments import STACKS, built

PODS: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


def problems_of(**change: Any) -> str:
    rule = {**PODS, **change}
    arguments = {"api_groups": rule["apiGroups"], "resources": rule["resources"], "verbs": rule["verbs"]}
    policy_rule = rbac.PolicyRuleArgs(**arguments, resource_names=rule.get("resourceNames"))
    return "\n".join(errors(record(lambda: rbac.ClusterRole("role", rules=[policy_rule]))))


def test_no_role_of_the_program_contradicts_the_api_of_kubernetes() -> None:
    recordings = [(stack, built(stack).recording) for stack in STACKS]
    seen: dict[str, str] = {}
    roles = 0
    for name, recording in [*recordings, *((name, variants.recorded(name)) for name in variants.NAMES)]:
        roles += sum(bool(ROLE.fullmatch(resource.type)) for resource in recording.resources)
        for error in errors(recording):
            seen.setdefault(error, name)
    assert roles > 10, "does this test still find the roles?"
    assert not seen, "\n".join(f"{name}: {error}" for error, name in seen.items())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"resources": ["podz"]}, "resources: podz: not in ''; did you mean pods?"),
        ({"resources": ["deployments"]}, "resources: deployments: not in ''"),
        ({"apiGroups": ["policies.k8s.io"]}, "apiGroups: 'policies.k8s.io': no such group"),
        ({"verbs": ["fetch"]}, "verbs: fetch: none of pods has it; expected create, delete"),
        ({"resources": ["pods/eviction"], "verbs": ["get"]}, "verbs: get: none of pods/eviction has it"),
        ({"verbs": ["create"], "resourceNames": ["a"]}, "verbs: create: is never allowed with resourceNames"),
    ],
)
def test_a_rule_that_allows_nothing_is_reported(change: dict[str, Any], problem: str) -> None:
    assert not problems_of(), "the rule is valid before the change"
    assert problem in problems_of(**change)


def test_a_custom_resource_is_not_checked() -> None:
    assert not problems_of(apiGroups=["cloud.google.com"], resources=["computeclasses"])


def test_verbs_are_those_of_the_api() -> None:
    assert verbs("")["pods/eviction"] == {"create"}
    assert verbs("apps")["deployments"] >= {"get", "list", "watch", "create", "deletecollection"}
    assert "get" in verbs("storage.k8s.io")["csinodes"], "which has no namespace"
    assert "get" in verbs("")["namespaces"]
