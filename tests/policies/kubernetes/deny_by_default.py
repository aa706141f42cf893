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
INTERNET = {"ipBlock": {"cidr": "0.0.0.0/0"}}
HTTPS = {"protocol": "TCP", "port": 443}


def _in(*rules: Any) -> dict[str, Any]:
    return {**SOME, "ingress": list(rules)}


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
        "HTTPS from the internet": _policy(_in({"from": [INTERNET], "ports": [HTTPS]})),
        "a namespace for some pods": _policy(
            _in({"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]})
        ),
        "a collector that reads all pods": _policy(
            {**SOME, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}
        ),
        "names for all pods": _policy({**ALL, "egress": [{"ports": [{"protocol": "UDP", "port": 53}]}]}),
        "a rule for the other direction, without effect": _policy(
            {**ALL, "policyTypes": ["Ingress"], "egress": [{}]}
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
        "a policy with an empty rule": Fails(
            _policy(_in({})), "spec.ingress[0]", "allows all traffic from everywhere"
        ),
        "a policy with an empty list of peers": Fails(_policy(_in({"from": []})), "spec.ingress[0]"),
        "a policy with an empty peer": Fails(_policy(_in({"from": [{}]})), "spec.ingress[0]"),
        "the internet, with an exception": Fails(
            _policy(
                {
                    **SOME,
                    "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}],
                }
            ),
            "spec.egress[0]",
            "to everywhere",
        ),
        "half of the internet": Fails(
            _policy(_in({"from": [{"ipBlock": {"cidr": "128.0.0.0/1"}}]})), "spec.ingress[0]"
        ),
        "every port of TCP": Fails(
            _policy(_in({"from": [INTERNET], "ports": [{"protocol": "TCP"}]})), "spec.ingress[0]"
        ),
        "a range of every port": Fails(
            _policy(_in({"ports": [{"protocol": "TCP", "port": 1, "endPort": 65535}]})), "spec.ingress[0]"
        ),
        "the whole cluster for all pods": Fails(
            _policy({**ALL, "ingress": [{"from": [{"namespaceSelector": {}}]}]}), "spec.ingress[0]"
        ),
        "one that selects some pods": Fails(stack(_namespace(), _policy(SOME)), "metadata.name"),
    },
    unknown={
        "a rule": _policy(_in(UNKNOWN)),
        "the peers of a rule": _policy(_in({"from": UNKNOWN})),
        "what it says": stack(_namespace(), _policy(UNKNOWN)),
        "whom it selects": stack(_namespace(), _policy({**ALL, "podSelector": UNKNOWN})),
        "where it is": stack(_namespace(), _policy(ALL, UNKNOWN)),
        "which namespace it is": stack(_namespace(UNKNOWN), _policy(ALL)),
    },
)
