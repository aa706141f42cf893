"""Spec of kubernetes.deny_by_default."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource, stack

ALL = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _namespace(name: Any = "serving") -> Resource:
    return resource("kubernetes:core/v1:Namespace", {"metadata": {"name": name}}, name="namespace")


def _policy(spec: Any, namespace: Any = "serving", name: str = "policy") -> Resource:
    props = {"metadata": {"name": "default-deny", "namespace": namespace}, "spec": spec}
    return resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", props, name=name)


ONE_WAY = {"podSelector": {}}
SOME = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress", "Egress"]}

SPEC = Spec(
    passes={
        "a policy for both": stack(_namespace(), _policy(ALL)),
        "one that lets all pods ask for names": stack(
            _namespace(),
            _policy(
                {
                    **ALL,
                    "egress": [
                        {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]}
                    ],
                }
            ),
        ),
        "one that lets a namespace's pods reach each other": stack(
            _namespace(), _policy({**ALL, "ingress": [{"from": [{"podSelector": {}}]}]})
        ),
        "a policy for each": stack(
            _namespace(),
            _policy(ONE_WAY, name="in"),
            _policy({"podSelector": {}, "policyTypes": ["Egress"]}, name="out"),
        ),
        "a namespace whose name is unknown": stack(
            _namespace(UNKNOWN), _policy(ALL, UNKNOWN), uses={"policy": ["namespace"]}
        ),
        "a namespace of a user else's": stack(_policy(SOME, "other")),
    },
    fails={
        "no policy": Fails(stack(_namespace()), "metadata.name", "Ingress and Egress", of="namespace"),
        "one of another namespace": Fails(stack(_namespace(), _policy(ALL, "other")), "metadata.name"),
        "one that is about what comes in": Fails(
            stack(_namespace(), _policy(ONE_WAY)), "metadata.name", "denies Egress to"
        ),
        "one that allows everything": Fails(
            stack(_namespace(), _policy({**ALL, "ingress": [{}], "egress": [{}]})), "metadata.name"
        ),
        "one that allows all of the cluster in": Fails(
            stack(_namespace(), _policy({**ALL, "ingress": [{"from": [{"namespaceSelector": {}}]}]})),
            "metadata.name",
            "denies Ingress to",
        ),
        "one that allows all of the internet out": Fails(
            stack(_namespace(), _policy({**ALL, "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]})),
            "metadata.name",
            "denies Egress to",
        ),
        "one that selects some pods": Fails(stack(_namespace(), _policy(SOME)), "metadata.name"),
    },
    unknown={
        "what it says": stack(_namespace(), _policy(UNKNOWN)),
        "whom it selects": stack(_namespace(), _policy({**ALL, "podSelector": UNKNOWN})),
        "where it is": stack(_namespace(), _policy(ALL, UNKNOWN)),
        "which namespace it is": stack(_namespace(UNKNOWN), _policy(ALL)),
    },
)
