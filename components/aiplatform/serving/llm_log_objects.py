"""What a team has in its namespace for requests to language models: the logger, and copies for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes import custom_objects
from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.kubernetes.workloads import (
    container_security,
    ingress_from,
    pod_security,
    resources,
)
from aiplatform.gpu_tests import PRIORITY_LABEL, QUEUE_LABEL
from aiplatform.serving import llm_logs
from aiplatform.serving.args import ServingSettings
from aiplatform.serving.rollouts import COLORS
from aiplatform.serving.templates import SCRAPED

_RBAC: Final = "rbac.authorization.k8s.io"
_NOT_AWAITED: Final = {"pulumi.com/skipAwait": "true"}
_NAMED: Final = {"app.kubernetes.io/name": llm_logs.NAME}


def create(
    name: str,
    settings: ServingSettings,
    team: str,
    values: Mapping[str, Input[str]],
    options: ResourceOptions,
) -> None:
    """Create the objects of one team. name: the first part of logical names. values: variables of the
    logger."""
    _Objects(f"{name}-{team}", settings, team, options).create(values)


class _Objects:
    """logical: the first part of logical names."""

    def __init__(self, logical: str, settings: ServingSettings, team: str, options: ResourceOptions) -> None:
        self._logical, self._settings, self._team, self._options = logical, settings, team, options
        self._namespace = settings.namespace(team)
        self._labels = {**settings.teams[team].labels, TEAM_LABEL: team, **_NAMED}

    def create(self, values: Mapping[str, Input[str]]) -> None:
        """Create them: the logger first, then what copies requests to it."""
        account = core.ServiceAccount(
            f"{self._logical}-{llm_logs.NAME}",
            metadata=self._metadata(),
            # Its Pods mount the token.
            automount_service_account_token=False,
            opts=self._options,
        )
        before: list[pulumi.Resource] = [account, self._role(), self._configuration(), self._traffic()]
        service = self._service()
        deployment = self._deployment(values, before)
        for served in llm_logs.measured(self._settings, self._team):
            custom_objects.create(
                f"{self._logical}-{llm_logs.NAME}-{served}",
                llm_logs.API_VERSION,
                llm_logs.KIND,
                llm_logs.extension(self._namespace, served, {TEAM_LABEL: self._team}),
                ResourceOptions.merge(self._options, ResourceOptions(depends_on=[service, deployment])),
            )

    def _metadata(
        self, labels: Mapping[str, str] | None = None, annotations: Mapping[str, str] | None = None
    ) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(
            name=llm_logs.NAME,
            namespace=self._namespace,
            labels={**self._labels, **(labels or {})},
            annotations=annotations,
        )

    def _role(self) -> pulumi.Resource:
        """Allow it to read which release an InferenceService is of, and nothing else."""
        services = llm_logs.measured(self._settings, self._team)
        role = rbac.Role(
            f"{self._logical}-{llm_logs.NAME}-role",
            metadata=self._metadata(),
            rules=[
                rbac.PolicyRuleArgs(
                    api_groups=["serving.kserve.io"],
                    resources=["inferenceservices"],
                    verbs=["get"],
                    resource_names=[f"{service}-{color}" for service in services for color in COLORS],
                )
            ],
            opts=self._options,
        )
        return rbac.RoleBinding(
            f"{self._logical}-{llm_logs.NAME}-members",
            metadata=self._metadata(),
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=llm_logs.NAME),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=llm_logs.NAME, namespace=self._namespace)],
            opts=ResourceOptions.merge(self._options, ResourceOptions(depends_on=[role])),
        )

    def _configuration(self) -> pulumi.Resource:
        return core.ConfigMap(
            f"{self._logical}-{llm_logs.NAME}-configuration",
            metadata=self._metadata(),
            data=llm_logs.configuration(self._settings, self._team),
            opts=self._options,
        )

    def _traffic(self) -> pulumi.Resource:
        """Allow Envoy and Prometheus to connect, in addition to what the namespace allows."""
        namespaces = self._settings.client_namespaces
        return networking.NetworkPolicy(
            f"{self._logical}-{llm_logs.NAME}-traffic",
            metadata=self._metadata(),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels=_NAMED),
                policy_types=["Ingress"],
                ingress=[ingress_from(port, namespaces) for port in (llm_logs.PORT, llm_logs.METRICS_PORT)],
            ),
            opts=self._options,
        )

    def _service(self) -> pulumi.Resource:
        return core.Service(
            f"{self._logical}-{llm_logs.NAME}-service",
            metadata=self._metadata(annotations=_NOT_AWAITED),
            spec=core.ServiceSpecArgs(
                selector=_NAMED,
                ports=[
                    core.ServicePortArgs(
                        name="grpc",
                        port=llm_logs.PORT,
                        target_port=llm_logs.PORT,
                        app_protocol="kubernetes.io/h2c",
                    )
                ],
            ),
            opts=self._options,
        )

    def _deployment(self, values: Mapping[str, Input[str]], before: list[pulumi.Resource]) -> pulumi.Resource:
        settings = self._settings
        assert settings.llm_logger is not None, "called only where there is one"  # noqa: S101
        queued = {QUEUE_LABEL: settings.queue, PRIORITY_LABEL: settings.priority_class}
        return apps.Deployment(
            f"{self._logical}-{llm_logs.NAME}-deployment",
            # Its Pods wait for quota of the team, which an update need not have.
            metadata=self._metadata(queued, _NOT_AWAITED),
            spec=apps.DeploymentSpecArgs(
                replicas=settings.llm_logger.replicas,
                selector=meta.LabelSelectorArgs(match_labels=_NAMED),
                strategy=apps.DeploymentStrategyArgs(
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0)
                ),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(
                        labels={**self._labels, SCRAPED: "true"},
                        annotations={"ai-platform/configuration": llm_logs.digest(settings, self._team)},
                    ),
                    spec=self._pod(values),
                ),
            ),
            opts=ResourceOptions.merge(self._options, ResourceOptions(depends_on=before)),
        )

    def _pod(self, values: Mapping[str, Input[str]]) -> core.PodSpecArgs:
        settings = self._settings
        assert settings.llm_logger is not None, "called only where there is one"  # noqa: S101
        variables: dict[str, Input[str]] = {
            "NAMESPACE": self._namespace,
            "LOGGER_FILE": f"{llm_logs.FOLDER}/{llm_logs.FILE}",
            **values,
        }
        probe = core.GRPCActionArgs(port=llm_logs.PORT)
        return core.PodSpecArgs(
            service_account_name=llm_logs.NAME,
            automount_service_account_token=True,
            priority_class_name=settings.priority_class,
            termination_grace_period_seconds=llm_logs.END_SECONDS,
            security_context=pod_security(llm_logs.USER),
            containers=[
                core.ContainerArgs(
                    name="main",
                    image=settings.llm_logger.image,
                    command=["python", "-m", "llm_logger"],
                    env=[core.EnvVarArgs(name=key, value=value) for key, value in sorted(variables.items())],
                    ports=[
                        core.ContainerPortArgs(name="grpc", container_port=llm_logs.PORT),
                        core.ContainerPortArgs(name="metrics", container_port=llm_logs.METRICS_PORT),
                    ],
                    resources=resources("100m", "512Mi"),
                    security_context=container_security(),
                    readiness_probe=core.ProbeArgs(grpc=probe, period_seconds=5, timeout_seconds=2),
                    liveness_probe=core.ProbeArgs(
                        grpc=probe, initial_delay_seconds=30, period_seconds=10, timeout_seconds=5
                    ),
                    volume_mounts=[
                        core.VolumeMountArgs(name="work", mount_path="/tmp"),  # noqa: S108 - a volume
                        core.VolumeMountArgs(
                            name="configuration", mount_path=llm_logs.FOLDER, read_only=True
                        ),
                    ],
                )
            ],
            volumes=[
                core.VolumeArgs(name="work", empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="64Mi")),
                core.VolumeArgs(
                    name="configuration", config_map=core.ConfigMapVolumeSourceArgs(name=llm_logs.NAME)
                ),
            ],
        )
