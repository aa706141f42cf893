"""Spec of kubernetes.forbid_rbac_wildcards."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _role(*rules: Any, kind: str = "ClusterRole") -> Resource:
    return resource(f"kubernetes:rbac.authorization.k8s.io/v1:{kind}", {"rules": list(rules)})


def _rule(verbs: Any = ("get",), resources: Any = ("pods",), **more: Any) -> dict[str, Any]:
    return {"apiGroups": [""], "verbs": list(verbs), "resources": list(resources), **more}


SPEC = Spec(
    passes={
        "a role that names": _role(_rule()),
        "the scale of every resource": _role(_rule(resources=("*/scale",))),
        "metrics below a path": _role({"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]}),
        "a role that others are added to": resource(
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", {"aggregationRule": {}}
        ),
    },
    fails={
        "every verb": Fails(
            _role(_rule(), _rule(("*",))), "rules[1].verbs[0]", "'*', all present and future verbs"
        ),
        "every resource, in a namespace": Fails(
            _role(_rule(resources=("pods", "*")), kind="Role"),
            "rules[0].resources[1]",
            "all present and future resources",
        ),
        "commands in every resource": Fails(
            _role(_rule(resources=("*/exec",))), "rules[0].resources[0]", "'*/exec'"
        ),
        "every path below the root": Fails(
            _role({"nonResourceURLs": ["/*"], "verbs": ["get"]}), "rules[0].nonResourceURLs[0]"
        ),
        "a patch of a role": Fails(_role(_rule(("*",)), kind="ClusterRolePatch"), "rules[0].verbs[0]"),
        "every path": Fails(
            _role({"nonResourceURLs": ["*"], "verbs": ["get"]}), "rules[0].nonResourceURLs[0]"
        ),
    },
    unknown={
        "the rules": resource("kubernetes:rbac.authorization.k8s.io/v1:Role", {"rules": UNKNOWN}),
        "a rule": _role(UNKNOWN),
        "the verbs": _role({"verbs": UNKNOWN, "resources": ["pods"]}),
        "a verb": _role(_rule((UNKNOWN,))),
    },
)
