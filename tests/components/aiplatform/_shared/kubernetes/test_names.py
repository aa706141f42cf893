"""Kubernetes' rules for labels and taints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiplatform._shared.kubernetes import names as rules

_NAME = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
_DOMAIN = st.from_regex(r"[a-z0-9]{1,8}\.(com|dev|io)", fullmatch=True)


@given(_DOMAIN, _NAME)
def test_a_key_in_a_users_domain_is_accepted(domain: str, name: str) -> None:
    assert rules.key_problem(name) is None
    if domain != "k8s.io":
        assert rules.key_problem(f"{domain}/{name}") is None


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a b", "-a", "a-", "Upper.com/a", "a/b/c", "x" * 64, "example.com/" + "x" * 60]
)
def test_a_key_that_kubernetes_or_eks_refuses_is_refused(key: str) -> None:
    assert rules.key_problem(key)


@pytest.mark.parametrize(
    "key",
    ["kubernetes.io/x", "node-role.kubernetes.io/gpu", "k8s.io/x", "eks.amazonaws.com/x", "ai-platform/x"],
)
def test_a_reserved_domain_is_refused(key: str) -> None:
    assert "domain" in (rules.key_problem(key) or "")


def test_the_domains_of_kubelet_labels_are_accepted() -> None:
    assert rules.key_problem("node.kubernetes.io/role") is None


@given(_NAME)
def test_a_name_is_also_a_value(name: str) -> None:
    assert rules.value_problem(name) is None
    assert rules.value_problem(f"-{name}")


@pytest.mark.parametrize("name", ["a", "gpu-1", "inference-l40s-spot1"])
def test_a_pools_name_is_a_dns_label(name: str) -> None:
    assert rules.pool_name(20)(name) is None


@pytest.mark.parametrize("name", ["", "A", "1a", "a-", "a_b", "x" * 21, "system"])
def test_another_name_of_a_pool_is_refused(name: str) -> None:
    assert rules.pool_name(20)(name)
