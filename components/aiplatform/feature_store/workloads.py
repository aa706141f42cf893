"""The workloads on the cluster, the same on both clouds: the server, and the schedule that fills its
store."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.autoscaling import v2 as autoscaling
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.kubernetes.workloads import (
    MONITORING,
    Application,
    container_security,
    disruption_budget,
    egress_rules,
    egress_to,
    ingress_from,
    network_policy,
    pod_security,
    resources,
    spread,
)
from aiplatform._shared.outputs import Tags, mapped
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.feature_store.args import (
    IDENTITY,
    MATERIALIZER,
    METRICS_PORT,
    NAMESPACE,
    PORT,
    SERVER,
    FeatureStoreSettings,
)
from aiplatform.feature_store.config import FILE, secrets
from aiplatform.feature_store.container_files import MATERIALIZE, program
from aiplatform.workload_identity import WorkloadIdentity, WorkloadIdentityArgs

ENDPOINT: Final = f"http://{SERVER}.{NAMESPACE}.svc.cluster.local"
_FOLDER: Final = "/etc/feast"
# The image's own user (feast-dev/feast, feature_servers/multicloud/Dockerfile).
_USER: Final = 1001
_REDIS: Final = 6379
_DATABASE: Final = 5432


@dataclass(frozen=True)
class Identity:
    """A workload identity of Pods. annotations: of their service account. ready: known once they get
    credentials."""

    annotations: Input[Mapping[str, Input[str]]]
    ready: Input[str]


@dataclass(frozen=True)
class Platform:
    """What differs by cloud. variables: environment variables of all containers."""

    server: Identity
    materializer: Identity
    variables: Mapping[str, Input[str]]


def create_server_identity(
    parent: pulumi.Resource, name: str, settings: FeatureStoreSettings, tags: Tags | None = None
) -> WorkloadIdentity:
    """Create the workload identity of the server. tags: on AWS; service accounts of Google have no labels."""
    args: WorkloadIdentityArgs = {
        "prefix": settings.prefix,
        "name": IDENTITY,
        "cluster": cast("ClusterReferenceArgs", settings.cluster),
        "namespace": NAMESPACE,
        "service_account": SERVER,
    }
    if tags is not None:
        args["tags"] = tags
    return WorkloadIdentity(f"{name}-server", args, ResourceOptions(parent=parent))


def materializer_identity(settings: FeatureStoreSettings) -> Identity:
    """Return the workload identity of the schedule, which arguments name."""
    return Identity(settings.materializer.annotations or {}, settings.materializer.ready or "")


@dataclass(frozen=True)
class Workloads:
    """Creates the Kubernetes objects. config: the `feature_store.yaml` of server and schedule. depends_on:
    namespace, permissions and stores."""

    application: Application
    settings: FeatureStoreSettings
    config: Output[str]
    platform: Platform
    depends_on: Sequence[pulumi.Resource]

    def build(self) -> core.Service:
        """Create all objects; returns the server's Service."""
        file = core.ConfigMap(
            f"{self.application.name}-config",
            metadata=self.application.metadata(SERVER),
            data={FILE: self.config, MATERIALIZE: program()},
            opts=self.application.options(*self.depends_on),
        )
        self._materializer(file)
        return self._server(file)

    def _service_account(self, part: str, identity: Identity) -> core.ServiceAccount:
        return core.ServiceAccount(
            f"{self.application.name}-{part}-account",
            metadata=self.application.metadata(part, identity.annotations),
            automount_service_account_token=False,
            opts=self.application.options(*self.depends_on),
        )

    def _network_policy(
        self, part: str, *ingress: networking.NetworkPolicyIngressRuleArgs
    ) -> pulumi.Resource:
        more = [egress_to(_REDIS)] if self.settings.store == "valkey" else []
        more += [egress_to(_DATABASE)] if self.settings.registry.kind == "sql" else []
        return network_policy(
            self.application,
            part,
            egress_rules(self.settings.cloud, *more),
            ingress,
            self.depends_on,
        )

    def _server(self, file: core.ConfigMap) -> core.Service:
        settings, identity = self.settings.server, self.platform.server
        account = self._service_account(SERVER, identity)
        policy = self._network_policy(SERVER, *self._ingress())
        service = core.Service(
            f"{self.application.name}-{SERVER}-service",
            metadata=self.application.metadata(SERVER),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=self.application.labels_of(SERVER),
                ports=[core.ServicePortArgs(name="http", port=80, target_port=PORT, protocol="TCP")],
            ),
            opts=self.application.options(*self.depends_on),
        )
        deployment = apps.Deployment(
            f"{self.application.name}-{SERVER}-deployment",
            metadata=self.application.metadata(SERVER, self._await()),
            spec=apps.DeploymentSpecArgs(
                # At first, so that `up` waits for all of them; later the autoscaler sets the number.
                replicas=settings.min_replicas,
                selector=self.application.selector(SERVER),
                strategy=apps.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
                ),
                template=self._pod(SERVER, identity, [self._server_container()], restart="Always"),
            ),
            opts=ResourceOptions.merge(
                self.application.options(account, policy, file, *self.depends_on),
                ResourceOptions(ignore_changes=["spec.replicas"]),
            ),
        )
        autoscaling.HorizontalPodAutoscaler(
            f"{self.application.name}-{SERVER}-autoscaler",
            metadata=self.application.metadata(SERVER),
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
            opts=self.application.options(deployment),
        )
        disruption_budget(self.application, SERVER, self.depends_on)
        return service

    def _ingress(self) -> Iterator[networking.NetworkPolicyIngressRuleArgs]:
        if self.settings.server.clients:
            yield ingress_from(PORT, self.settings.server.clients)
        if self.settings.server.metrics:
            yield ingress_from(METRICS_PORT, [MONITORING])

    def _await(self) -> Mapping[str, str]:
        """Pods whose Secret others create, possibly later, are not awaited."""
        return {"pulumi.com/skipAwait": "true"} if self.settings.registry.kind == "sql" else {}

    def _server_container(self) -> core.ContainerArgs:
        def probe(**timing: Any) -> core.ProbeArgs:
            return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path="/health", port=PORT), **timing)

        settings = self.settings
        serve = ["feast", "--chdir", _FOLDER, "serve", "--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104
        return self._container(
            SERVER,
            [
                *serve,
                "--no-access-log",
                # A Pod has one worker: with Feast's limit it would refuse connections while the next starts.
                "--max-requests",
                "0",
                "--registry_ttl_sec",
                mapped(settings.registry.cache_seconds, str),
                *(["--metrics"] if settings.server.metrics else []),
            ],
            resources(settings.server.cpu, settings.server.memory),
            ports=[
                core.ContainerPortArgs(name="http", container_port=PORT),
                *(
                    [core.ContainerPortArgs(name="metrics", container_port=METRICS_PORT)]
                    if settings.server.metrics
                    else []
                ),
            ],
            startup_probe=probe(period_seconds=5, failure_threshold=60),
            liveness_probe=probe(period_seconds=20, failure_threshold=3),
            readiness_probe=probe(period_seconds=5, failure_threshold=3),
        )

    def _materializer(self, file: core.ConfigMap) -> None:
        settings, identity = self.settings.materialization, self.platform.materializer
        account = self._service_account(MATERIALIZER, identity)
        policy = self._network_policy(MATERIALIZER)
        container = self._container(
            MATERIALIZER,
            ["python", f"{_FOLDER}/{MATERIALIZE}", _FOLDER],
            resources(settings.cpu, settings.memory),
        )
        batch.CronJob(
            f"{self.application.name}-{MATERIALIZER}",
            metadata=self.application.metadata(MATERIALIZER),
            spec=batch.CronJobSpecArgs(
                schedule=settings.schedule,
                time_zone="Etc/UTC",
                suspend=settings.suspended,
                # A run begins where the last one ended: two at a time would write twice.
                concurrency_policy="Forbid",
                starting_deadline_seconds=600,
                successful_jobs_history_limit=3,
                failed_jobs_history_limit=3,
                job_template=batch.JobTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=self.application.labels_of(MATERIALIZER)),
                    spec=batch.JobSpecArgs(
                        backoff_limit=2,
                        active_deadline_seconds=mapped(
                            settings.timeout_minutes, lambda minutes: minutes * 60
                        ),
                        template=self._pod(MATERIALIZER, identity, [container], restart="Never"),
                    ),
                ),
            ),
            opts=self.application.options(account, policy, file, *self.depends_on),
        )

    def _container(
        self, part: str, command: list[Input[str]], requirements: core.ResourceRequirementsArgs, **more: Any
    ) -> core.ContainerArgs:
        plain = [core.EnvVarArgs(name=name, value=value) for name, value in self._variables().items()]
        secret = [
            core.EnvVarArgs(
                name=variable,
                value_from=core.EnvVarSourceArgs(
                    secret_key_ref=core.SecretKeySelectorArgs(name=name, key=key)
                ),
            )
            for variable, (name, key) in secrets(self.settings, part).items()
        ]
        return core.ContainerArgs(
            name=part,
            image=self.settings.chosen_image,
            command=command,
            env=[*plain, *secret],
            resources=requirements,
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name="config", mount_path=_FOLDER, read_only=True),
                core.VolumeMountArgs(name="scratch", mount_path="/tmp"),  # noqa: S108 - a volume of the Pod
            ],
            **more,
        )

    def _variables(self) -> Mapping[str, Input[str]]:
        # The root file system is read-only.
        return {"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1", **self.platform.variables}  # noqa: S108

    def _pod(
        self, part: str, identity: Identity, containers: list[core.ContainerArgs], *, restart: str
    ) -> core.PodTemplateSpecArgs:
        return core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(
                labels=self.application.labels_of(part),
                annotations={
                    # Feast reads its file once: Pods are replaced when it changes.
                    "ai-platform/config": self.config.apply(
                        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
                    ),
                    "ai-platform/identity": identity.ready,
                },
            ),
            spec=core.PodSpecArgs(
                service_account_name=part,
                automount_service_account_token=False,
                restart_policy=restart,
                security_context=pod_security(_USER),
                topology_spread_constraints=spread(self.application, part) if restart == "Always" else None,
                containers=containers,
                volumes=[
                    core.VolumeArgs(name="config", config_map=core.ConfigMapVolumeSourceArgs(name=SERVER)),
                    core.VolumeArgs(
                        name="scratch", empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="2Gi")
                    ),
                ],
            ),
        )
