"""The Cluster Autoscaler: its rights, its flags, its order."""

import json
from typing import Any

import pytest
import yaml

from aiplatform._shared.args import ArgumentError
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.cluster_autoscaler.args import IMAGES, image_for
from aiplatform.cluster_autoscaler.permissions import priorities
from tests.components.aiplatform.pools import CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, record

POLICY = "aws:iam/rolePolicy:RolePolicy"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def autoscaler(**more: Any) -> Recording:
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, **more}
    return record(lambda: ClusterAutoscaler("autoscaler", arguments))


def pod(recorded: Recording) -> dict[str, Any]:
    return recorded.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


def test_the_logical_names_are_a_contract() -> None:
    assert autoscaler().names() == [
        "aiplatform:index:ClusterAutoscaler autoscaler",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation autoscaler-identity",
        "aws:iam/role:Role autoscaler-role",
        "aws:iam/rolePolicy:RolePolicy autoscaler-policy",
        "kubernetes:apps/v1:Deployment autoscaler-deployment",
        "kubernetes:core/v1:ConfigMap autoscaler-priorities",
        "kubernetes:core/v1:ServiceAccount autoscaler-service-account",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy autoscaler-network-policy",
        "kubernetes:policy/v1:PodDisruptionBudget autoscaler-disruption-budget",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole autoscaler-cluster-role",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding autoscaler-cluster-role-binding",
        "kubernetes:rbac.authorization.k8s.io/v1:Role autoscaler-role-in-namespace",
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding autoscaler-role-binding",
    ]


def test_it_is_documented() -> None:
    assert undocumented(ClusterAutoscaler) == []


def test_its_role_can_change_only_the_groups_of_its_cluster() -> None:
    statements = json.loads(autoscaler().one(POLICY).inputs["policy"])["Statement"]
    changing = [s for s in statements if any("Describe" not in a and ":Get" not in a for a in s["Action"])]
    (scale,) = changing
    assert scale["Action"] == [
        "autoscaling:SetDesiredCapacity",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
    ]
    assert scale["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/acme-dev-cluster": "owned"}
    }
    assert not any("*" in action for s in statements for action in s["Action"]), "no wildcard on actions"
    (node_groups,) = [s for s in statements if s["Action"] == ["eks:DescribeNodegroup"]]
    assert node_groups["Resource"] == f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/acme-dev-cluster/*/*"


def test_it_has_its_role_by_pod_identity_before_its_pod_starts() -> None:
    recorded = autoscaler()
    association = recorded.one("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert (association.inputs["namespace"], association.inputs["serviceAccount"]) == (
        "kube-system",
        "cluster-autoscaler",
    )
    deployment = recorded.one(DEPLOYMENT)
    assert recorded.depends(deployment, association), "a Pod that started before it gets no credentials"
    assert recorded.depends(association, recorded.one(POLICY))
    for binding in ("ClusterRoleBinding", "RoleBinding"):
        result = recorded.one(f"kubernetes:rbac.authorization.k8s.io/v1:{binding}")
        assert recorded.depends(deployment, result)
    trusted = json.loads(recorded.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]
    assert trusted["Principal"] == {"Service": "pods.eks.amazonaws.com"}


def test_it_finds_its_groups_by_tags_and_takes_them_in_order() -> None:
    container = pod(autoscaler(scale_down_after_minutes=3))["containers"][0]
    assert (
        "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,"
        "k8s.io/cluster-autoscaler/acme-dev-cluster=owned"
    ) in container["args"]
    assert "--expander=priority,least-waste" in container["args"]
    assert "--scale-down-unneeded-time=3m" in container["args"]
    assert container["env"] == [{"name": "AWS_REGION", "value": REGION}], "it cannot ask the metadata service"


def test_the_priorities_list_each_group_and_match_all_others() -> None:
    groups = [
        {"priority": 100, "autoscaling_group": "eks-h100-reserved-1"},
        {"priority": 90, "autoscaling_group": "eks-h100-spot-1", "capacity": "spot"},
        {"priority": 100, "autoscaling_group": "eks-t4-spot-1"},
    ]
    config = autoscaler(node_groups=groups).one("kubernetes:core/v1:ConfigMap").inputs
    assert config["metadata"]["name"] == "cluster-autoscaler-priority-expander", "the name is fixed"
    parsed = yaml.safe_load(config["data"]["priorities"])
    assert parsed == {
        100: ["^eks-h100-reserved-1$", "^eks-t4-spot-1$"],
        90: ["^eks-h100-spot-1$"],
        1: [".*"],
    }
    assert all(isinstance(number, int) for number in parsed), "the autoscaler reads whole numbers"


def test_the_priorities_without_pools_match_every_group() -> None:
    assert yaml.safe_load(priorities([])) == {1: [".*"]}


def test_its_pod_is_restricted_and_critical() -> None:
    spec = pod(autoscaler(replicas=2))
    container = spec["containers"][0]
    assert spec["priorityClassName"] == "system-cluster-critical"
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"livenessProbe", "readinessProbe"} <= set(container)
    assert container["resources"]["requests"]
    assert spec["tolerations"] == [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
    (wish,) = spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert wish["preference"]["matchExpressions"] == [
        {"key": "ai-platform/pool", "operator": "In", "values": ["system"]}
    ], "and where a cluster of another team has no such nodes, anywhere"


def test_its_egress_is_dns_https_and_the_credentials_agent() -> None:
    policy = autoscaler().one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs["spec"]
    ports = sorted({(port["port"], port["protocol"]) for rule in policy["egress"] for port in rule["ports"]})
    assert ports == [(53, "TCP"), (53, "UDP"), (80, "TCP"), (443, "TCP")]
    assert policy["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("minor", IMAGES)
def test_the_release_is_that_of_the_clusters_version(minor: str) -> None:
    assert image_for(minor) == image_for(f"{minor}.5"), "the patch does not count"
    assert image_for(minor).startswith(f"registry.k8s.io/autoscaling/cluster-autoscaler:v{minor}.")
    spec = pod(autoscaler(cluster={**CLUSTER, "version": minor}))
    assert spec["containers"][0]["image"] == image_for(minor)


def test_a_mirror_replaces_the_registry() -> None:
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/cluster-autoscaler:v1.36.1"
    recorded = autoscaler(image=image, cluster={**CLUSTER, "version": "1.99"})
    assert pod(recorded)["containers"][0]["image"] == image


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"cluster": {**CLUSTER, "version": "1.29"}}, "cluster.version: got '1.29'; expected one of 1.33"),
        ({"cluster": {k: v for k, v in CLUSTER.items() if k != "version"}}, "cluster.version: missing"),
        ({"replicas": 0}, "ClusterAutoscalerArgs.replicas: got 0; expected 1 to 3 replicas"),
        ({"image": "no-tag"}, "ClusterAutoscalerArgs.image: got 'no-tag'; expected an image with its tag"),
        ({"node_groups": [{"priority": 1}]}, "node_groups[0].autoscaling_group: missing"),
        ({"replica": 2}, "did you mean 'replicas'?"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_expected_value(
    arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        autoscaler(**arguments)
    assert expected in str(caught.value)
