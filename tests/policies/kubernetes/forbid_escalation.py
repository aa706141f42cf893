"""Spec of kubernetes.forbid_escalation."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def _role(verbs: Any, *resources: Any, kind: str = "ClusterRole", **more: Any) -> Resource:
    rule = {"apiGroups": [""], "verbs": verbs, "resources": list(resources), **more}
    return resource(f"{RBAC}{kind}", {"rules": [rule]})


SPEC = Spec(
    passes={
        "pods": _role(["get", "list", "watch"], "pods"),
        "secrets of one namespace": _role(["get"], "secrets", kind="Role"),
        "one secret": _role(["get"], "secrets", resourceNames=["server-tls"]),
        "one role may be bound": _role(["bind"], "clusterroles", resourceNames=["view"]),
        "making secrets": _role(["create"], "secrets"),
        "logs of pods": _role(["get"], "pods/log"),
        "commands in pods of one namespace": _role(["create"], "pods/exec", kind="Role"),
        "creating pods in one namespace": _role(["create"], "pods", kind="Role"),
        "reading webhooks": _role(["get", "list", "watch"], "validatingwebhookconfigurations"),
        "the certificate of one webhook": _role(
            ["patch"], "mutatingwebhookconfigurations", resourceNames=["injector"]
        ),
        "an aggregation without rules": resource(
            f"{RBAC}ClusterRole",
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "ml"}}]}},
        ),
        "an aggregation with the rules that the cluster adds": resource(
            f"{RBAC}ClusterRole",
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "ml"}}]}, "rules": []},
        ),
    },
    fails={
        "binding roles": Fails(_role(["get", "bind"], "clusterroles"), "rules[0].verbs", "'bind'"),
        "impersonating": Fails(_role(["impersonate"], "users"), "rules[0].verbs", "'impersonate'"),
        "tokens of accounts": Fails(
            _role(["create"], "serviceaccounts/token", kind="Role"), "rules[0].resources", "'create' on all"
        ),
        "kubelets": Fails(_role(["get"], "nodes/proxy"), "rules[0].resources", "nodes/proxy"),
        "commands in all pods": Fails(_role(["create"], "pods/exec"), "rules[0].resources", "'pods/exec'"),
        "debugging all pods": Fails(
            _role(["patch"], "pods/ephemeralcontainers"), "rules[0].resources", "ephemeralcontainers"
        ),
        "pods in every namespace": Fails(
            _role(["create", "delete"], "pods"), "rules[0].resources", "'create' on all 'pods'"
        ),
        "webhooks": Fails(
            _role(["patch"], "mutatingwebhookconfigurations"), "rules[0].resources", "mutatingwebhook"
        ),
        "certificates of everyone": Fails(
            _role(["update"], "certificatesigningrequests/approval"), "rules[0].resources", "approval"
        ),
        "binding the administrator by its name": Fails(
            _role(["bind"], "clusterroles", resourceNames=["cluster-admin"]), "rules[0].verbs", "'bind'"
        ),
        "impersonating the administrators' group": Fails(
            _role(["impersonate"], "groups", resourceNames=["system:masters"]), "rules[0].verbs"
        ),
        "a patch of a role": Fails(
            _role(["escalate"], "clusterroles", kind="ClusterRolePatch"), "rules[0].verbs", "'escalate'"
        ),
        "rules that are added to a role of all users": Fails(
            resource(
                f"{RBAC}ClusterRole",
                {
                    "metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
                    "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}],
                },
            ),
            "rules[0].resources",
            "'secrets'",
        ),
        "all secrets": Fails(_role(["list"], "pods", "secrets"), "rules[0].resources", "'secrets'"),
    },
    unknown={
        "the verbs": _role(UNKNOWN, "pods"),
        "a resource": _role(["get"], UNKNOWN),
    },
)
