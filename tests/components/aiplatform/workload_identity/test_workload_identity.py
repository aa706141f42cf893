"""Who a workload is on each cloud, and what is refused."""

import json
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

GOOGLE: dict[str, Any] = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-123.svc.id.goog"}


def recorded(cluster: Any = CLUSTER, **more: Any) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "analyst",
        "cluster": cluster,
        "namespace": "research",
        "service_account": "notebooks",
        **more,
    }
    return record(lambda: WorkloadIdentity("analyst", arguments))


def problems(cluster: Any = CLUSTER, **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        recorded(cluster, **more)
    return [str(problem) for problem in caught.value.problems]


def test_it_is_documented() -> None:
    assert undocumented(WorkloadIdentity) == []


def test_on_eks_only_that_service_account_of_that_cluster_gets_the_role() -> None:
    identity = recorded()
    role = identity.one("aws:iam/role:Role").inputs
    assert role["name"] == "acme-dev-wi-analyst", "grants name it"
    [statement] = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    requests = statement["Condition"]["StringEquals"]
    assert requests["aws:RequestTag/kubernetes-namespace"] == "research"
    assert requests["aws:RequestTag/kubernetes-service-account"] == "notebooks"
    assert requests["aws:RequestTag/eks-cluster-name"] == CLUSTER["name"]
    association = identity.one("aws:eks/podIdentityAssociation:PodIdentityAssociation").inputs
    assert (association["namespace"], association["serviceAccount"]) == ("research", "notebooks")


def test_a_new_identity_has_no_permissions() -> None:
    kinds = {resource.type for resource in recorded().resources}
    assert not [kind for kind in kinds if "Policy" in kind], (
        "grants and policies come from who knows the work"
    )


def test_on_gke_only_that_service_account_can_impersonate_the_account() -> None:
    identity = recorded(GOOGLE)
    account = identity.one("gcp:serviceaccount/account:Account").inputs
    assert account["accountId"] == "acme-dev-wi-analyst"
    link = identity.one("gcp:serviceaccount/iAMMember:IAMMember").inputs
    assert link["role"] == "roles/iam.workloadIdentityUser"
    assert link["member"] == "serviceAccount:acme-dev-123.svc.id.goog[research/notebooks]"


def test_a_name_that_is_too_long_for_the_cloud_is_refused_with_the_limit() -> None:
    [problem] = problems(GOOGLE, name="analytics-of-everything")
    assert "service account's id" in problem
    assert "30" in problem
    assert not recorded(name="analytics-of-everything").resources[0].inputs, "a role's name has room for it"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "Analyst", "lower-case"),
        ("prefix", "acme_dev", "lower-case"),
        ("namespace", "a/b", "DNS label"),
        ("service_account", "", "DNS label"),
        ("tags", {"aws:x": "y"}, "is reserved for AWS"),
    ],
)
def test_a_wrong_argument_is_named(key: str, value: Any, words: str) -> None:
    [problem] = problems(**{key: value})
    assert key in problem
    assert words in problem


def test_a_prefix_of_the_wrong_form_gets_an_example_of_the_right_one() -> None:
    assert problems(prefix="acme_dev") == [
        "WorkloadIdentityArgs.prefix: got 'acme_dev'; expected lower-case letters and digits in words joined "
        "by single hyphens ('acme-dev')"
    ]


def test_google_has_no_tags_for_it_and_needs_the_pool_of_identities() -> None:
    [problem] = problems(GOOGLE, tags={"team": "research"})
    assert "no labels" in problem
    [problem] = problems({key: value for key, value in GOOGLE.items() if key != "workload_pool"})
    assert "workload_pool" in problem
