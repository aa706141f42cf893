"""The values of each add-on's chart.

A module for each chart has a function `values(setup)`. It states what the platform decides and nothing that
is the chart's default anyway.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.addons.values import (
    argo_workflows,
    aws_load_balancer_controller,
    cert_manager,
    dcgm_exporter,
    dra_driver_nvidia_gpu,
    envoy_gateway,
    external_dns,
    external_secrets,
    gpu_operator,
    jobset,
    karpenter,
    keda,
    kserve,
    kubeflow_trainer,
    kuberay_operator,
    kueue,
    lws,
    prometheus_pushgateway,
)
from aiplatform.addons.values.setup import Setup

VALUES: Final[Mapping[str, Callable[[Setup], Mapping[str, Any]]]] = {
    "argo-workflows": argo_workflows.values,
    "aws-load-balancer-controller": aws_load_balancer_controller.values,
    "cert-manager": cert_manager.values,
    "dcgm-exporter": dcgm_exporter.values,
    "dra-driver-nvidia-gpu": dra_driver_nvidia_gpu.values,
    "envoy-gateway": envoy_gateway.values,
    "external-dns": external_dns.values,
    "external-secrets": external_secrets.values,
    "gpu-operator": gpu_operator.values,
    "jobset": jobset.values,
    "karpenter": karpenter.values,
    "keda": keda.values,
    "kserve": kserve.values,
    "kubeflow-trainer": kubeflow_trainer.values,
    "kuberay-operator": kuberay_operator.values,
    "kueue": kueue.values,
    "lws": lws.values,
    "prometheus-pushgateway": prometheus_pushgateway.values,
}
"""Add-on -> its values. An add-on without an entry has none: its chart brings definitions alone."""
BUDGETS: Final[Mapping[str, Mapping[str, str]]] = {
    "kubeflow-trainer": kubeflow_trainer.PODS,
    "kuberay-operator": kuberay_operator.PODS,
    "lws": lws.PODS,
}
"""Add-on whose chart has no PodDisruptionBudget -> the labels of its Pods."""
