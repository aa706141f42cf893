"""EKS's access policies, as groups that RBAC knows."""

from __future__ import annotations

from typing import Any

import pytest

from twin.kubernetes.access_policies import POLICIES, AccessPolicies, grants, group, with_groups
from twin.kubernetes.cloud_interface import Principal
from twin.tests.kubernetes.fakes import FakeKube

ARN = "arn:aws:eks::aws:cluster-access-policy/"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def principal(*policies: tuple[str, tuple[str, ...]]) -> Principal:
    return Principal("arn:aws:iam::123456789012:role/dev", ["developers"], policies=policies)


def role_of(binding: dict[str, Any]) -> tuple[str, str]:
    return binding["roleRef"]["name"], binding["subjects"][0]["name"]


def admit(kube: FakeKube, who: Principal, *namespaces: str) -> Principal:
    return AccessPolicies(kube).admit(who, namespaces)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("policy", "role"),
    [
        ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
        ("AmazonEKSAdminPolicy", "admin"),
        ("AmazonEKSEditPolicy", "edit"),
        ("AmazonEKSViewPolicy", "view"),
    ],
)
def test_a_policy_of_the_whole_cluster_is_a_group_bound_to_its_role(policy: str, role: str) -> None:
    kube = FakeKube()
    seen = admit(kube, principal((ARN + policy, ())))
    assert seen.groups == ["developers", f"eks-access-policy:{policy}"]
    binding = kube.objects[f"{RBAC}/clusterrolebindings/eks-access-policy:{policy}"]
    assert role_of(binding) == (role, f"eks-access-policy:{policy}")


def test_a_policy_of_some_namespaces_is_bound_there_alone() -> None:
    kube = FakeKube()
    seen = admit(
        kube, principal((ARN + "AmazonEKSEditPolicy", ("team-a", "lab-*"))), "team-a", "lab-1", "other"
    )
    assert "eks-access-policy:AmazonEKSEditPolicy:team-a" in seen.groups
    assert "eks-access-policy:AmazonEKSEditPolicy:lab-*" in seen.groups
    bound = sorted(at.split("/")[5] for at in kube.objects if "rolebindings" in at)
    assert bound == ["lab-1", "team-a"]
    assert not kube.below(f"{RBAC}/clusterrolebindings")


def test_a_namespace_that_comes_later_is_bound_then_and_again_when_made_anew() -> None:
    kube = FakeKube()
    policies = AccessPolicies(kube)  # pyright: ignore[reportArgumentType]
    policies.admit(principal(("AmazonEKSViewPolicy", ("team-a",))), [])
    assert not any("rolebindings" in at for at in kube.objects)
    policies.step(["team-a"])
    at = f"{RBAC}/namespaces/team-a/rolebindings/eks-access-policy:AmazonEKSViewPolicy:team-a"
    assert at in kube.objects
    del kube.objects[at]
    policies.step([])
    policies.step(["team-a"])
    assert at in kube.objects


def test_the_admin_who_only_looks_has_a_role_of_its_own() -> None:
    kube = FakeKube()
    admit(kube, principal(("AmazonEKSAdminViewPolicy", ())))
    role = kube.objects[f"{RBAC}/clusterroles/eks-access-policy:AmazonEKSAdminViewPolicy"]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_a_policy_that_is_not_known_grants_nothing() -> None:
    kube = FakeKube()
    admit(kube, principal(("AmazonEKSSomethingPolicy", ())))
    assert not any("binding" in at for at in kube.objects)


def test_who_loses_a_policy_loses_its_group_with_the_next_review() -> None:
    assert with_groups(principal()).groups == ["developers"]
    assert grants(principal(("A", ()), ("B", ("x",)))) == {("A", ""), ("B", "x")}


def test_bound_once_is_not_asked_again() -> None:
    kube = FakeKube()
    policies = AccessPolicies(kube)  # pyright: ignore[reportArgumentType]
    for _ in range(3):
        policies.admit(principal(("AmazonEKSViewPolicy", ())), [])
    assert len(kube.requests) == 1


def test_googles_roles_are_bound_under_a_name_of_their_own() -> None:
    assert group(("container.viewer", "")) == "gke-iam:container.viewer"
    assert POLICIES["container.admin"] == "cluster-admin"
    rules = POLICIES["container.viewer"]
    assert not isinstance(rules, str)
    for rule in rules:
        assert "secrets" not in rule.get("resources", [])
        assert "rbac.authorization.k8s.io" not in rule.get("apiGroups", [])
