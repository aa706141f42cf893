"""Checks of admission refuse what they cannot check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Properties, Resource, Violation, any_of, check_each

POLICY = Policy(
    title="Checks of admission fail closed",
    severity="medium",
    description="With `failurePolicy: Ignore` the API server accepts every object while the webhook does not "
    "answer or an expression fails: overloading the webhook switches the check off. That concerns checks of "
    "pods, workloads, permissions, namespaces, Secrets and networks; a webhook for the objects of an "
    "operator may ignore failures, and one that only changes objects is no check.",
    remediation="Set `failurePolicy: Fail`, run at least two replicas of the webhook, and exempt its own "
    "namespace and `kube-system` by `namespaceSelector`.",
    frameworks=("NIST 800-53 SI-17", "NIST 800-53 CM-7", "SOC 2 CC8.1"),
)

_ADMISSION: Final = "kubernetes:admissionregistration.k8s.io/v1:"
_GROUPS: Final = ("", "apps", "batch", "rbac.authorization.k8s.io", "networking.k8s.io", "*")
_RESOURCES: Final = (
    "*",
    "clusterrolebindings",
    "clusterroles",
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "ingresses",
    "jobs",
    "namespaces",
    "networkpolicies",
    "pods",
    "replicasets",
    "rolebindings",
    "roles",
    "secrets",
    "serviceaccounts",
    "services",
    "statefulsets",
)


@POLICY.on(f"{_ADMISSION}ValidatingWebhookConfiguration", f"{_ADMISSION}ValidatingWebhookConfigurationPatch")
def on_webhooks(resource: Resource) -> Iterator[Outcome]:
    """Webhooks that check such objects and ignore failures."""
    yield from check_each(resource.entries("webhooks"), _check, "rules")


@POLICY.on(f"{_ADMISSION}ValidatingAdmissionPolicy", f"{_ADMISSION}ValidatingAdmissionPolicyPatch")
def on_policies(resource: Resource) -> Iterator[Outcome]:
    """Policies of the API server that ignore errors of their expressions."""
    yield from _check(Entry("spec", resource.known("spec") or {}), "matchConstraints.resourceRules")


def _check(subject: Properties, rules: str) -> Iterator[Outcome]:
    if subject.known("failurePolicy") == "Ignore" and any_of(subject.entries(rules), _is_for_security):
        path = subject.where("failurePolicy")
        yield Violation(path, "is 'Ignore': what cannot be checked is accepted; expected 'Fail'")


def _is_for_security(rule: Entry) -> bool:
    groups = any_of(rule.entries("apiGroups"), lambda group: group.known() in _GROUPS)
    return groups and any_of(
        rule.entries("resources"), lambda entry: str(entry.known()).partition("/")[0] in _RESOURCES
    )
