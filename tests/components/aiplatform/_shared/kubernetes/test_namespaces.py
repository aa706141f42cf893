"""What a team's namespace has."""

from typing import Any

import pulumi
import pytest

from aiplatform._shared.kubernetes.namespaces import NamespaceContents, create
from aiplatform._shared.kubernetes.namespaces.limits import Quota
from aiplatform._shared.kubernetes.namespaces.roles import ROLES, rules
from aiplatform._shared.kubernetes.namespaces.traffic import Flow, Traffic
from tests.components.recording import Recording, record
from tests.inventories import kubernetes_rules

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"


def namespace(**contents: Any) -> Recording:
    arguments: dict[str, Any] = {"cloud": "aws", "queues": ["default"], **contents}

    def program() -> None:
        parent = pulumi.ComponentResource("tests:index:Team", "team")
        create(parent, "team", NamespaceContents("vision", **arguments))

    return record(program)


def metadata(recorded: Recording) -> dict[str, Any]:
    return recorded.one("kubernetes:core/v1:Namespace").inputs["metadata"]


def addresses(recorded: Recording) -> dict[str, set[int]]:
    """Address -> ports that every Pod may connect to."""
    policy = recorded.one(POLICY, "team-platform-services").inputs["spec"]
    reached: dict[str, set[int]] = {}
    for rule in policy["egress"]:
        for peer in rule.get("to") or [{}]:
            address = (peer.get("ipBlock") or {}).get("cidr", "any" if not peer else "pods")
            reached.setdefault(address, set()).update(port["port"] for port in rule["ports"])
    return reached


def test_the_namespace_is_restricted_and_managed_by_kueue() -> None:
    labels = metadata(namespace())["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["kueue.x-k8s.io/managed-namespace"] == "true"


def test_a_namespace_without_a_queue_is_not_managed_by_kueue() -> None:
    assert "kueue.x-k8s.io/managed-namespace" not in metadata(namespace(queues=[]))["labels"]
    assert "annotations" not in metadata(namespace(queues=[]))


def test_the_namespace_lists_what_the_guardrails_allow_it() -> None:
    annotations = metadata(namespace(queues=["default", "spot"], priority_classes=["serving"]))["annotations"]
    assert annotations == {
        "ai-platform/queues": "default,spot",
        "ai-platform/priority-classes": "serving",
    }


def test_all_traffic_is_denied_that_no_policy_allows() -> None:
    spec = namespace().one(POLICY, "team-default-deny").inputs["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        ("aws", {"any": {443}, "pods": {53}, "169.254.170.23/32": {80}}),
        (
            "gcp",
            {
                "any": {443},
                "pods": {53},
                "169.254.20.10/32": {53},
                "169.254.169.254/32": {53, 80},
                "169.254.169.252/32": {988},
            },
        ),
    ],
)
def test_pods_reach_dns_https_and_their_credentials(cloud: str, expected: dict[str, set[int]]) -> None:
    assert addresses(namespace(cloud=cloud)) == expected, "on AWS not the instance's metadata"


def test_pods_of_the_namespace_reach_each_other_on_every_port() -> None:
    spec = namespace().one(POLICY, "team-same-namespace").inputs["spec"]
    peers = [{"podSelector": {}}]
    assert spec["ingress"] == [{"from": peers}], "training chooses ports at random"
    assert spec["egress"] == [{"to": peers}]


def test_listed_namespaces_are_connected_and_no_others() -> None:
    plain = [policy.name for policy in namespace().all(POLICY)]
    assert {"team-clients", "team-services"}.isdisjoint(plain)
    traffic = Traffic(clients=[Flow("gateway", 8080)], services=[Flow("mlflow", 5000)])
    recorded = namespace(traffic=traffic)
    (ingress,) = recorded.one(POLICY, "team-clients").inputs["spec"]["ingress"]
    (egress,) = recorded.one(POLICY, "team-services").inputs["spec"]["egress"]
    assert "gateway" in str(ingress["from"])
    assert ingress["ports"] == [{"port": 8080, "protocol": "TCP"}]
    assert "mlflow" in str(egress["to"])
    assert egress["ports"] == [{"port": 5000, "protocol": "TCP"}]


def test_a_quota_has_no_accelerators() -> None:
    quota = Quota(cpu="64", memory="256Gi", storage="2Ti")
    hard = namespace(quota=quota).one("kubernetes:core/v1:ResourceQuota").inputs["spec"]["hard"]
    assert hard == {
        "pods": "500",
        "persistentvolumeclaims": "100",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "requests.cpu": "64",
        "requests.memory": "256Gi",
        "requests.storage": "2Ti",
    }, "accelerators have one quota, Kueue's"


def test_containers_get_no_limit_that_they_do_not_state() -> None:
    (limit,) = namespace().one("kubernetes:core/v1:LimitRange").inputs["spec"]["limits"]
    assert limit == {"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "256Mi"}}, (
        "a default limit refuses a container that requests more than it"
    )


def test_only_roles_with_members_exist() -> None:
    recorded = namespace(members={"developer": ["ml-team@acme.com"]})
    assert [role.name for role in recorded.all(ROLE)] == ["team-developer"]
    binding = recorded.one("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").inputs
    assert binding["subjects"] == [
        {"kind": "Group", "name": "ml-team@acme.com", "apiGroup": "rbac.authorization.k8s.io"}
    ]
    assert binding["roleRef"]["name"] == "team-developer"


def test_every_rule_of_a_role_names_resources_and_verbs_that_exist() -> None:
    recorded = namespace(members={role: ["group"] for role in ROLES})
    assert len(recorded.all(ROLE)) == 3
    assert list(kubernetes_rules.errors(recorded)) == []


def allowed(role: Any, resource: str, verb: str, group: str = "") -> bool:
    return any(group == g and resource in names and verb in verbs for g, names, verbs in rules(role))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_a_team_can_leave_its_limits(role: Any) -> None:
    forbidden = (
        ("", "pods", "create"),
        ("", "pods", "patch"),
        ("", "pods/ephemeralcontainers", "patch"),
        ("", "serviceaccounts", "create"),
        ("", "serviceaccounts/token", "create"),
        ("", "resourcequotas", "delete"),
        ("", "limitranges", "patch"),
        ("", "namespaces", "patch"),
        ("apps", "daemonsets", "create"),
        ("apps", "replicasets", "patch"),
        ("networking.k8s.io", "networkpolicies", "create"),
        ("networking.k8s.io", "networkpolicies", "delete"),
        ("kueue.x-k8s.io", "localqueues", "create"),
        ("kueue.x-k8s.io", "workloads", "patch"),
        ("rbac.authorization.k8s.io", "rolebindings", "create"),
        ("rbac.authorization.k8s.io", "roles", "escalate"),
        ("external-secrets.io", "secretstores", "create"),
    )
    assert [entry for entry in forbidden if allowed(role, entry[1], entry[2], entry[0])] == []
    assert not any("*" in (*names, *verbs, group) for group, names, verbs in rules(role))


def test_each_role_has_more_than_the_one_before() -> None:
    assert not allowed("reader", "jobs", "create", "batch")
    assert allowed("developer", "jobs", "create", "batch")
    assert not allowed("developer", "secrets", "get"), "an ExternalSecret brings them into Pods"
    assert allowed("owner", "secrets", "get")
    assert allowed("reader", "pods/log", "get")
