"""What the component registers."""

from __future__ import annotations

from typing import Any

from aiplatform.training import Training
from tests.components.aiplatform.schema import undocumented
from tests.components.aiplatform.training.example import arguments
from tests.components.recording import Recording, record

RUNTIME = "kubernetes:trainer.kubeflow.org/v1alpha1:ClusterTrainingRuntime"


def training(cloud: str = "aws", **more: Any) -> Recording:
    args: Any = arguments(cloud, **more)
    return record(lambda: Training("training", args))


def test_the_logical_names_are_a_contract() -> None:
    assert [name for name in training().names() if "helm" not in name] == [
        "aiplatform:index:Training training",
        "kubernetes:core/v1:Namespace training-kubeflow-system-namespace",
        "kubernetes:core/v1:ResourceQuota training-kubeflow-system-critical-pods",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy training-kubeflow-system-network-policy",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole training-runtime-readers",
        f"{RUNTIME} training-jax-batch",
        f"{RUNTIME} training-torch-training",
        "pulumi:index:Stash training-kubeflow-trainer-installed",
    ]


def test_it_is_documented() -> None:
    assert undocumented(Training) == []


def test_the_outputs_name_runtimes_and_their_pools() -> None:
    outputs = training(runtimes={"torch-cpu": {"pool": "general"}}).result.outputs
    assert outputs["runtimes"] == ["torch-training", "jax-batch", "torch-cpu"]
    assert outputs["pools"]["torch-cpu"] == "general"
    assert outputs["versions"] == {"kubeflow-trainer": "2.3.0"}
    assert outputs["ray"] is False


def test_a_change_that_the_api_server_refuses_replaces_the_runtime() -> None:
    runtimes = training(runtimes={"torch-cpu": {"pool": "general"}}).all(RUNTIME)
    assert len(runtimes) == 3
    for runtime in runtimes:
        assert "spec.template.spec.failurePolicy" in runtime.replace_on_changes, "max_restarts is there"
        assert runtime.delete_before_replace is True, "both have the same name"


def test_the_role_of_teams_reads_runtimes_and_writes_none() -> None:
    recording = training()
    role = recording.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    assert role.inputs["metadata"]["name"] == recording.result.outputs["reader_role"]
    of_trainer, version = role.inputs["rules"]
    assert of_trainer == {
        "apiGroups": ["trainer.kubeflow.org"],
        "resources": ["clustertrainingruntimes"],
        "verbs": ["get", "list", "watch"],
    }
    assert version["resourceNames"] == ["kubeflow-trainer-public"], "no other ConfigMap"
    bindings = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
    assert recording.all(bindings) == [], "the component Teams gives it to members"


def test_ray_is_installed_on_request_and_reaches_the_heads_of_clusters() -> None:
    assert not any("ray" in name for name in training().names())
    recording = training(ray=True)
    assert recording.result.outputs["ray"] is True
    policy = recording.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "training-ray-heads")
    [rule] = policy.inputs["spec"]["egress"]
    assert {port["port"] for port in rule["ports"]} == {8000, 8265}


def test_several_replicas_have_disruption_budgets() -> None:
    budgets = "kubernetes:policy/v1:PodDisruptionBudget"
    assert training().all(budgets) == []
    assert len(training(replicas=2, ray=True).all(budgets)) == 2, "of Trainer and of KubeRay"
