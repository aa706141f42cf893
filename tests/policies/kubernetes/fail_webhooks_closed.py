"""Spec of kubernetes.fail_webhooks_closed."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:"


def _rule(resources: Any, group: Any = "") -> dict[str, Any]:
    operations = ["CREATE", "UPDATE"]
    return {"apiGroups": [group], "apiVersions": ["*"], "operations": operations, "resources": [resources]}


def _webhook(policy: Any, *rules: Any, kind: str = "Validating") -> Resource:
    webhook = {"name": "check.acme.example", "failurePolicy": policy, "rules": list(rules)}
    return resource(f"{ADMISSION}{kind}WebhookConfiguration", {"webhooks": [webhook]})


def _policy(failures: Any, *rules: Any) -> Resource:
    spec = {"failurePolicy": failures, "matchConstraints": {"resourceRules": list(rules)}}
    return resource(f"{ADMISSION}ValidatingAdmissionPolicy", {"spec": spec})


PATH = "webhooks[0].failurePolicy"

SPEC = Spec(
    passes={
        "a check that fails closed": _webhook("Fail", _rule("pods")),
        "the default": _webhook(None, _rule("pods")),
        "a webhook that only changes pods": _webhook("Ignore", _rule("pods"), kind="Mutating"),
        "a check of the operator's own objects": _webhook(
            "Ignore", _rule("prometheusrules", "monitoring.coreos.com")
        ),
        "services of another group": _webhook("Ignore", _rule("services", "serving.knative.dev")),
        "a policy that fails closed": _policy("Fail", _rule("pods")),
    },
    fails={
        "a check of pods": Fails(_webhook("Ignore", _rule("pods")), PATH, "expected 'Fail'"),
        "a check of workloads among others": Fails(
            _webhook("Ignore", _rule("widgets", "acme.example"), _rule("deployments", "apps")), PATH
        ),
        "a check of bindings": Fails(
            _webhook("Ignore", _rule("rolebindings", "rbac.authorization.k8s.io")), PATH
        ),
        "a check of everything": Fails(_webhook("Ignore", _rule("*/*", "*")), PATH),
        "commands in pods": Fails(_webhook("Ignore", _rule("pods/exec")), PATH),
        "a policy of the API server": Fails(_policy("Ignore", _rule("pods")), "spec.failurePolicy"),
    },
    unknown={
        "what happens on a failure": _webhook(UNKNOWN, _rule("pods")),
        "what is checked": _webhook("Ignore", UNKNOWN),
        "the webhooks": resource(f"{ADMISSION}ValidatingWebhookConfiguration", {"webhooks": UNKNOWN}),
    },
)
