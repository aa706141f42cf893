"""Spec of kubernetes.forbid_escalation."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _role(verbs: Any, *resources: Any, kind: str = "ClusterRole", **more: Any) -> Resource:
    rule = {"apiGroups": [""], "verbs": verbs, "resources": list(resources), **more}
    return resource(f"kubernetes:rbac.authorization.k8s.io/v1:{kind}", {"rules": [rule]})


SPEC = Spec(
    passes={
        "pods": _role(["get", "list", "watch"], "pods"),
        "secrets of one namespace": _role(["get"], "secrets", kind="Role"),
        "one secret": _role(["get"], "secrets", resourceNames=["server-tls"]),
        "one role may be bound": _role(["bind"], "clusterroles", resourceNames=["view"]),
        "making secrets": _role(["create"], "secrets"),
    },
    fails={
        "binding roles": Fails(_role(["get", "bind"], "clusterroles"), "rules[0].verbs", "'bind'"),
        "impersonating": Fails(_role(["impersonate"], "users"), "rules[0].verbs", "'impersonate'"),
        "tokens of accounts": Fails(
            _role(["create"], "serviceaccounts/token", kind="Role"), "rules[0].resources", "'create' on all"
        ),
        "kubelets": Fails(_role(["get"], "nodes/proxy"), "rules[0].resources", "nodes/proxy"),
        "all secrets": Fails(_role(["list"], "pods", "secrets"), "rules[0].resources", "'secrets'"),
    },
    unknown={
        "the verbs": _role(UNKNOWN, "pods"),
        "a resource": _role(["get"], UNKNOWN),
    },
)
