"""The OpenTelemetry collector in the cluster: a Deployment behind a Service, in its namespace."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import yaml
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.workloads import (
    Application,
    container_security,
    critical_pods,
    disruption_budget,
    egress_rules,
    namespace,
    network_policy,
    pod_security,
    resources,
    spread,
)
from aiplatform._shared.outputs import mapped
from aiplatform.addons.values.setup import PRIORITY_CLASS, TOLERATIONS
from aiplatform.observability.collectors import Definitions, Settings, image
from aiplatform.observability.traces.args import Traces
from aiplatform.observability.traces.configuration import (
    DIRECTORY,
    FILE,
    GRPC,
    HEALTH,
    HTTP,
    METRICS,
    NAME,
    NAMESPACE,
    REQUESTS,
    configuration,
)

_PORTS: Final = (("otlp-grpc", GRPC, "kubernetes.io/h2c"), ("otlp-http", HTTP, "http"))
_USER: Final = 10001
_MOST_PODS: Final = 20
_GRACE_SECONDS: Final = 30


def create(
    context: Context[Settings],
    traces: Traces,
    exporter: Input[dict[str, Any]],
    granted: Sequence[pulumi.Resource],
    definitions: Definitions | None,
) -> list[pulumi.Resource]:
    """Create the collector and what it depends on. granted: its permissions in the cloud. definitions:
    what brings the kinds by which Prometheus finds its Pods."""
    application = Application(context.parent, f"{context.name}-traces", NAMESPACE)
    exists = namespace(application)
    quota = critical_pods(
        f"{application.name}-critical-pods",
        NAMESPACE,
        [PRIORITY_CLASS],
        _MOST_PODS,
        application.options(exists[0]),
    )
    before = [*exists, quota]
    ports = (GRPC, HTTP, METRICS)
    # Any Pod of the cluster may send traces; where it may connect to is decided in its namespace.
    ingress = networking.NetworkPolicyIngressRuleArgs(
        ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP") for port in ports]
    )
    traffic = network_policy(
        application, NAME, egress_rules(context.settings.cluster.cloud), [ingress], before[:1]
    )
    cloud = context.settings.cluster.cloud
    text = mapped(
        exporter,
        lambda known: yaml.safe_dump(configuration(cloud, traces, known), sort_keys=False, width=200),
    )
    data: Mapping[str, Input[str]] = {FILE: text}
    config = core.ConfigMap(
        f"{application.name}-configuration",
        metadata=application.metadata(NAME),
        data=data,
        opts=application.options(*before),
    )
    permissions = _permissions(application, before)
    pods = _deployment(context, application, traces, text, [*before, traffic, config, *permissions, *granted])
    service = _service(application, before)
    if traces.replicas > 1:
        disruption_budget(application, NAME, before)
    monitors = [_monitor(application, definitions)] if definitions is not None else []
    return [pods, service, *monitors]


def _permissions(application: Application, before: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Create the service account, which reads the metadata of Pods and namespaces."""
    account = core.ServiceAccount(
        f"{application.name}-service-account",
        metadata=application.metadata(NAME),
        opts=application.options(*before),
    )
    name = f"{NAMESPACE}-{NAME}"
    metadata = meta.ObjectMetaArgs(name=name, labels=application.labels_of(NAME))
    role = rbac.ClusterRole(
        f"{application.name}-cluster-role",
        metadata=metadata,
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=[""], resources=["namespaces", "pods"], verbs=["get", "list", "watch"]
            )
        ],
        opts=application.options(),
    )
    binding = rbac.ClusterRoleBinding(
        f"{application.name}-cluster-role-binding",
        metadata=metadata,
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=name),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)],
        opts=application.options(role),
    )
    return [account, binding]


def _deployment(
    context: Context[Settings],
    application: Application,
    traces: Traces,
    text: Input[str],
    depends_on: Sequence[pulumi.Resource],
) -> apps.Deployment:
    digest = mapped(text, lambda known: hashlib.sha256(known.encode()).hexdigest()[:16])
    return apps.Deployment(
        f"{application.name}-deployment",
        metadata=application.metadata(NAME),
        spec=apps.DeploymentSpecArgs(
            replicas=traces.replicas,
            selector=application.selector(NAME),
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(
                    labels=application.labels_of(NAME),
                    # A changed configuration changes the Pods, which read it when they start.
                    annotations={"ai-platform/configuration": digest},
                ),
                spec=core.PodSpecArgs(
                    service_account_name=NAME,
                    priority_class_name=PRIORITY_CLASS,
                    security_context=pod_security(_USER),
                    termination_grace_period_seconds=_GRACE_SECONDS,
                    tolerations=[
                        core.TolerationArgs(key=toleration["key"], operator=toleration["operator"])
                        for toleration in TOLERATIONS
                    ],
                    topology_spread_constraints=spread(application, NAME),
                    containers=[_container(context)],
                    volumes=[
                        core.VolumeArgs(
                            name="configuration", config_map=core.ConfigMapVolumeSourceArgs(name=NAME)
                        )
                    ],
                ),
            ),
        ),
        opts=application.options(*depends_on),
    )


def _container(context: Context[Settings]) -> core.ContainerArgs:
    probe = core.ProbeArgs(http_get=core.HTTPGetActionArgs(path="/", port=HEALTH), period_seconds=10)
    return core.ContainerArgs(
        name=NAME,
        image=image(context.settings, "opentelemetry-collector"),
        args=[f"--config={DIRECTORY}/{FILE}"],
        ports=[
            core.ContainerPortArgs(name=name, container_port=port)
            for name, port in (("otlp-grpc", GRPC), ("otlp-http", HTTP), ("metrics", METRICS))
        ],
        # Go collects garbage before the limit ends the container.
        env=[core.EnvVarArgs(name="GOMEMLIMIT", value="200MiB")],
        volume_mounts=[core.VolumeMountArgs(name="configuration", mount_path=DIRECTORY, read_only=True)],
        resources=resources(*REQUESTS),
        liveness_probe=probe,
        readiness_probe=probe,
        security_context=container_security(),
    )


def _service(application: Application, before: Sequence[pulumi.Resource]) -> core.Service:
    return core.Service(
        f"{application.name}-service",
        metadata=application.metadata(NAME),
        spec=core.ServiceSpecArgs(
            selector=application.labels_of(NAME),
            ports=[
                core.ServicePortArgs(name=name, port=port, target_port=port, app_protocol=protocol)
                for name, port, protocol in _PORTS
            ],
        ),
        opts=application.options(*before),
    )


def _monitor(application: Application, definitions: Definitions) -> CustomResource:
    return CustomResource(
        f"{application.name}-monitor",
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        metadata=application.metadata(NAME),
        spec={
            "jobLabel": "app.kubernetes.io/name",
            "selector": {"matchLabels": application.labels_of(NAME)},
            "podMetricsEndpoints": [{"port": "metrics", "interval": "60s"}],
        },
        opts=ResourceOptions(parent=application.parent, depends_on=definitions),
    )
