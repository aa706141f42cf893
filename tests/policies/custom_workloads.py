"""Custom resources and releases of charts that create Pods, for the specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.framework import Resource
from tests.policies.spec import resource
from tests.policies.workloads import container, metadata, pod

RAY_HEAD = "spec.headGroupSpec.template.spec"
RAY_WORKER = "spec.workerGroupSpecs[0].template.spec"
PYTORCH_WORKER = "spec.pytorchReplicaSpecs.Worker.template.spec"
JOB_SET = "spec.replicatedJobs[0].template.spec.template.spec"


def custom(kind: str, spec: Any, namespace: Any = "training") -> Resource:
    """Return a custom resource. kind: with its API, `ray.io/v1:RayCluster`."""
    api, _, name = kind.partition(":")
    props = {"apiVersion": api, "kind": name, "metadata": metadata(namespace, "it"), "spec": spec}
    return resource(f"kubernetes:{kind}", props)


def _template(*containers: Any, **more: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "it"}}, "spec": pod(*containers, **more)}


def ray_cluster(*workers: Any, namespace: Any = "training", **more: Any) -> Resource:
    """Return a RayCluster. workers: the containers of its workers. more: keys of the spec of their Pods."""
    return custom("ray.io/v1:RayCluster", _ray(*workers, **more), namespace)


def ray_job(*workers: Any, **more: Any) -> Resource:
    """Return a RayJob."""
    return custom("ray.io/v1:RayJob", {"entrypoint": "python a.py", "rayClusterSpec": _ray(*workers, **more)})


def ray_service(*workers: Any, **more: Any) -> Resource:
    """Return a RayService."""
    return custom("ray.io/v1:RayService", {"rayClusterConfig": _ray(*workers, **more)})


def _ray(*workers: Any, **more: Any) -> dict[str, Any]:
    group = {"groupName": "gpu", "replicas": 1, "template": _template(*workers, **more)}
    return {"headGroupSpec": {"template": _template(GOOD, **GOOD_POD)}, "workerGroupSpecs": [group]}


def pytorch_job(*workers: Any, **more: Any) -> Resource:
    """Return a PyTorchJob of the Kubeflow training operator."""
    replicas = {"replicas": 2, "restartPolicy": "OnFailure", "template": _template(*workers, **more)}
    return custom("kubeflow.org/v1:PyTorchJob", {"pytorchReplicaSpecs": {"Worker": replicas}})


def train_job(trainer: Mapping[str, Any] | None = None, **pod_spec: Any) -> Resource:
    """Return a TrainJob of Kubeflow Trainer. pod_spec: what it changes in the Pods of its runtime."""
    overrides = [{"targetJobs": [{"name": "node"}], "spec": pod_spec}]
    spec = {
        "runtimeRef": {"name": "torch"},
        "trainer": dict(trainer or {}),
        "podTemplateOverrides": overrides,
    }
    return custom("trainer.kubeflow.org/v1alpha1:TrainJob", spec)


def training_runtime(*containers: Any, **more: Any) -> Resource:
    """Return a TrainingRuntime of Kubeflow Trainer."""
    return custom(
        "trainer.kubeflow.org/v1alpha1:TrainingRuntime", {"template": {"spec": _jobs(*containers, **more)}}
    )


def job_set(*containers: Any, **more: Any) -> Resource:
    """Return a JobSet."""
    return custom("jobset.x-k8s.io/v1alpha2:JobSet", _jobs(*containers, **more))


def _jobs(*containers: Any, **more: Any) -> dict[str, Any]:
    template = {"spec": {"template": _template(*containers, **more)}}
    return {"replicatedJobs": [{"name": "node", "replicas": 1, "template": template}]}


def inference_service(model: Mapping[str, Any] | None = None, **predictor: Any) -> Resource:
    """Return an InferenceService of KServe. predictor: keys of its predictor, which is the spec of a Pod."""
    model = {"modelFormat": {"name": "huggingface"}, "storageUri": "s3://models/llama", **(model or {})}
    return custom("serving.kserve.io/v1beta1:InferenceService", {"predictor": {"model": model, **predictor}})


def serving_runtime(*containers: Any, **more: Any) -> Resource:
    """Return a ServingRuntime of KServe."""
    formats = [{"name": "huggingface", "version": "1"}]
    return custom(
        "serving.kserve.io/v1alpha1:ServingRuntime",
        {"supportedModelFormats": formats, **pod(*containers, **more)},
    )


def workflow(*templates: Mapping[str, Any], kind: str = "Workflow", **more: Any) -> Resource:
    """Return a Workflow, WorkflowTemplate or CronWorkflow of Argo. more: keys of the workflow's spec."""
    spec: dict[str, Any] = {
        "entrypoint": "main",
        "templates": [{"name": "main", **template} for template in templates],
        **more,
    }
    return custom(
        f"argoproj.io/v1alpha1:{kind}",
        {"schedule": "0 3 * * *", "workflowSpec": spec} if kind == "CronWorkflow" else spec,
    )


def node_class(**spec: Any) -> Resource:
    """Return an EC2NodeClass of Karpenter."""
    selector = [{"tags": {"karpenter.sh/discovery": "acme"}}]
    properties = {"role": "nodes", "subnetSelectorTerms": selector, **spec}
    return custom("karpenter.k8s.aws/v1:EC2NodeClass", properties)


def release(values: Any, namespace: Any = "serving", **more: Any) -> Resource:
    """Return a release of a chart with these values."""
    props = {
        "chart": "server",
        "repositoryOpts": {"repo": "https://charts.example.com"},
        "version": "1.2.3",
        "namespace": namespace,
        "values": values,
        **more,
    }
    return resource("kubernetes:helm.sh/v3:Release", props)


GOOD = container(
    securityContext={
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
    resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
)
"""A container that no policy reports, in a Pod with GOOD_POD."""
GOOD_POD = {
    "serviceAccountName": "trainer",
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}
GOOD_WORKLOADS: Mapping[str, Resource] = {
    "a Ray cluster": ray_cluster(GOOD, **GOOD_POD),
    "a Ray job": ray_job(GOOD, **GOOD_POD),
    "a Ray service": ray_service(GOOD, **GOOD_POD),
    "a PyTorch job": pytorch_job(GOOD, **GOOD_POD),
    "a train job": train_job(
        {"image": GOOD["image"], "command": ["python", "train.py"], "numNodes": 2},
        containers=[{"name": "node", "env": [{"name": "EPOCHS", "value": "3"}]}],
        volumes=[{"name": "scratch", "emptyDir": {}}],
    ),
    "a training runtime": training_runtime(GOOD, **GOOD_POD),
    "a job set": job_set(GOOD, **GOOD_POD),
    "an inference service": inference_service({"resources": {"limits": {"nvidia.com/gpu": 1}}}),
    "a serving runtime": serving_runtime(GOOD, **GOOD_POD),
    "a workflow whose Pods have the context of the workflow": workflow({"container": GOOD}, **GOOD_POD),
    "a scheduled workflow": workflow(
        {"script": {**GOOD, "source": "print(1)"}}, kind="CronWorkflow", **GOOD_POD
    ),
    "a release of a chart": release(
        {
            "image": {"repository": "ghcr.io/acme/server", "tag": "v1.2.3"},
            "hostNetwork": False,
            "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "securityContext": {"privileged": False, "capabilities": {"drop": ["ALL"]}, "runAsUser": 1000},
            "persistence": {"enabled": True, "hostPath": ""},
        }
    ),
    "the settings of an operator": custom(
        "nvidia.com/v1:ClusterPolicy",
        {
            "devicePlugin": {
                "repository": "nvcr.io/nvidia",
                "image": "k8s-device-plugin",
                "version": "v0.20.0",
                "env": [{"name": "PASS_DEVICE_SPECS", "value": "true"}],
            }
        },
    ),
    "the schema of a custom resource": resource(
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        {
            "spec": {
                "versions": [
                    {"schema": {"openAPIV3Schema": {"properties": {"containers": {"type": "array"}}}}}
                ]
            }
        },
    ),
    "a pattern of a policy": custom(
        "kyverno.io/v1:ClusterPolicy",
        {
            "rules": [
                {"validate": {"pattern": {"spec": {"containers": [{"image": "*:*"}], "hostNetwork": True}}}}
            ]
        },
    ),
}
"""Objects that no policy about Pods reports."""
