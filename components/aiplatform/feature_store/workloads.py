"""What runs on the cluster, the same on both clouds: the server, and the schedule that fills its store."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.autoscaling import v2 as autoscaling
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.workloads import (
    Home,
    container_security,
    disruption_budget,
    network_policy,
    pod_security,
    resources,
    spread,
    way_in,
    way_out,
    ways_out,
)
from aiplatform.feature_store.args import MATERIALIZER, SERVER, FeatureStoreSettings
from aiplatform.feature_store.config import FILE, secrets

PORT: Final = 6566
_FOLDER: Final = "/etc/feast"
# The image's own user (feast-dev/feast, feature_servers/multicloud/Dockerfile).
_USER: Final = 1001
_REDIS: Final = 6379
_DATABASE: Final = 5432

_RUN: Final = f'exec feast --chdir {_FOLDER} materialize-incremental "$(date -u +%Y-%m-%dT%H:%M:%S)"'
"""Feast wants to be told until when."""


@dataclass(frozen=True)
class Who:
    """An identity of Pods. annotations: of their service account. ready: known when they get credentials."""

    annotations: Input[Mapping[str, Input[str]]]
    ready: Input[str]


@dataclass(frozen=True)
class Platform:
    """What Pods need that differs by cloud."""

    server: Who
    materializer: Who
    variables: Mapping[str, Input[str]]


class Workloads:
    """Makes the objects as children of one component."""

    def __init__(
        self,
        home: Home,
        settings: FeatureStoreSettings,
        config: Output[str],
        platform: Platform,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        self.home = home
        self.settings = settings
        self.config = config
        self.platform = platform
        self.depends_on = list(depends_on)

    def build(self) -> core.Service:
        """All of it. depends_on of the component's other parts: namespace, rights and stores."""
        file = core.ConfigMap(
            f"{self.home.name}-config",
            metadata=self.home.metadata(SERVER),
            data={FILE: self.config},
            opts=self.home.options(*self.depends_on),
        )
        self._materializer(file)
        return self._server(file)

    def _account(self, part: str, who: Who) -> core.ServiceAccount:
        return core.ServiceAccount(
            f"{self.home.name}-{part}-account",
            metadata=self.home.metadata(part, who.annotations),
            automount_service_account_token=False,
            opts=self.home.options(*self.depends_on),
        )

    def _guarded(self, part: str, clients: Sequence[str]) -> pulumi.Resource:
        more = [way_out(_REDIS)] if self.settings.store == "valkey" else []
        more += [way_out(_DATABASE)] if self.settings.registry.kind == "sql" else []
        return network_policy(
            self.home,
            part,
            ways_out(self.settings.cloud, *more),
            [way_in(PORT, clients)] if clients else [],
            self.depends_on,
        )

    def _server(self, file: core.ConfigMap) -> core.Service:
        settings, who = self.settings.server, self.platform.server
        account = self._account(SERVER, who)
        guarded = self._guarded(SERVER, settings.clients)
        service = core.Service(
            f"{self.home.name}-{SERVER}-service",
            metadata=self.home.metadata(SERVER),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=self.home.labels_of(SERVER),
                ports=[core.ServicePortArgs(name="http", port=80, target_port=PORT, protocol="TCP")],
            ),
            opts=self.home.options(*self.depends_on),
        )
        deployment = apps.Deployment(
            f"{self.home.name}-{SERVER}-deployment",
            metadata=self.home.metadata(SERVER, self._await()),
            spec=apps.DeploymentSpecArgs(
                # To begin with, so that `up` waits for them all; then the autoscaler says how many.
                replicas=settings.min_replicas,
                selector=self.home.selector(SERVER),
                strategy=apps.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
                ),
                template=self._pod(SERVER, who, [self._server_container()], restart="Always"),
            ),
            opts=ResourceOptions.merge(
                self.home.options(account, guarded, file, *self.depends_on),
                ResourceOptions(ignore_changes=["spec.replicas"]),
            ),
        )
        autoscaling.HorizontalPodAutoscaler(
            f"{self.home.name}-{SERVER}-autoscaler",
            metadata=self.home.metadata(SERVER),
            spec=autoscaling.HorizontalPodAutoscalerSpecArgs(
                scale_target_ref=autoscaling.CrossVersionObjectReferenceArgs(
                    api_version="apps/v1", kind="Deployment", name=SERVER
                ),
                min_replicas=settings.min_replicas,
                max_replicas=settings.max_replicas,
                metrics=[
                    autoscaling.MetricSpecArgs(
                        type="Resource",
                        resource=autoscaling.ResourceMetricSourceArgs(
                            name="cpu",
                            target=autoscaling.MetricTargetArgs(type="Utilization", average_utilization=70),
                        ),
                    )
                ],
            ),
            opts=self.home.options(deployment),
        )
        disruption_budget(self.home, SERVER, self.depends_on)
        return service

    def _await(self) -> Mapping[str, str]:
        """Pods whose Secret is made by another hand, later perhaps, are not waited for."""
        return {"pulumi.com/skipAwait": "true"} if self.settings.registry.kind == "sql" else {}

    def _server_container(self) -> core.ContainerArgs:
        def probe(**timing: Any) -> core.ProbeArgs:
            return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path="/health", port=PORT), **timing)

        settings = self.settings
        serve = ["feast", "--chdir", _FOLDER, "serve", "--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104
        return self._container(
            SERVER,
            [*serve, "--no-access-log", "--registry_ttl_sec", str(settings.registry.cache_seconds)],
            resources(settings.server.cpu, settings.server.memory),
            ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
            startup_probe=probe(period_seconds=5, failure_threshold=60),
            liveness_probe=probe(period_seconds=20, failure_threshold=3),
            readiness_probe=probe(period_seconds=5, failure_threshold=3),
        )

    def _materializer(self, file: core.ConfigMap) -> None:
        settings, who = self.settings.materialization, self.platform.materializer
        account = self._account(MATERIALIZER, who)
        guarded = self._guarded(MATERIALIZER, [])
        container = self._container(
            MATERIALIZER, ["/bin/sh", "-c", _RUN], resources(settings.cpu, settings.memory)
        )
        batch.CronJob(
            f"{self.home.name}-{MATERIALIZER}",
            metadata=self.home.metadata(MATERIALIZER),
            spec=batch.CronJobSpecArgs(
                schedule=settings.schedule,
                time_zone="Etc/UTC",
                suspend=settings.suspended,
                # Each run begins where the last one ended: two at a time would write twice.
                concurrency_policy="Forbid",
                starting_deadline_seconds=600,
                successful_jobs_history_limit=3,
                failed_jobs_history_limit=3,
                job_template=batch.JobTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=self.home.labels_of(MATERIALIZER)),
                    spec=batch.JobSpecArgs(
                        backoff_limit=2,
                        active_deadline_seconds=settings.timeout_minutes * 60,
                        template=self._pod(MATERIALIZER, who, [container], restart="Never"),
                    ),
                ),
            ),
            opts=self.home.options(account, guarded, file, *self.depends_on),
        )

    def _container(
        self, part: str, command: list[str], asks: core.ResourceRequirementsArgs, **more: Any
    ) -> core.ContainerArgs:
        plain = [core.EnvVarArgs(name=name, value=value) for name, value in self._variables().items()]
        hidden = [
            core.EnvVarArgs(
                name=variable,
                value_from=core.EnvVarSourceArgs(
                    secret_key_ref=core.SecretKeySelectorArgs(name=secret, key=key)
                ),
            )
            for variable, (secret, key) in secrets(self.settings, part).items()
        ]
        return core.ContainerArgs(
            name=part,
            image=self.settings.chosen_image,
            command=command,
            env=[*plain, *hidden],
            resources=asks,
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name="config", mount_path=_FOLDER, read_only=True),
                core.VolumeMountArgs(name="scratch", mount_path="/tmp"),  # noqa: S108 - the Pod's own
            ],
            **more,
        )

    def _variables(self) -> Mapping[str, Input[str]]:
        # The root file system is read-only.
        return {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1", **self.platform.variables}  # noqa: S108

    def _pod(
        self, part: str, who: Who, containers: list[core.ContainerArgs], *, restart: str
    ) -> core.PodTemplateSpecArgs:
        return core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(
                labels=self.home.labels_of(part),
                annotations={
                    # Feast reads its file once: with another one come new Pods.
                    "ai-platform/config": self.config.apply(
                        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
                    ),
                    "ai-platform/identity": who.ready,
                },
            ),
            spec=core.PodSpecArgs(
                service_account_name=part,
                automount_service_account_token=False,
                restart_policy=restart,
                security_context=pod_security(_USER),
                topology_spread_constraints=spread(self.home, part) if restart == "Always" else None,
                containers=containers,
                volumes=[
                    core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=SERVER)),
                    core.VolumeArgs(
                        name="scratch", empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="2Gi")
                    ),
                ],
            ),
        )
