"""What a team has in its namespace: the monitors' declarations, CronJobs, and connections to the
Pushgateway."""

from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.kubernetes.workloads import NAMESPACE_LABEL, egress_to
from aiplatform.model_monitor import declarations
from aiplatform.model_monitor.args import LOGS, REPORTS, ModelMonitorSettings, ModelMonitorTeam
from aiplatform.model_monitor.platform import Store
from aiplatform.teams.args import CONFIGURATION as PLATFORM
from aiplatform.teams.args import FILES
from aiplatform.training.plan import FILES_AT

NAME: Final = "model-monitor"
"""The ConfigMap with a team's monitors, and the first part of the names of CronJobs."""
COMMANDS: Final = ("compact", "compare")
POD: Final = "ai-platform/model-monitor"
"""The label of Pods of monitors, which connect to the Pushgateway."""
MODEL: Final = "ai-platform/model"
LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform", "app.kubernetes.io/name": NAME}
_FILE: Final = "monitors.json"
_FOLDER: Final = "/etc/model-monitor"
_REGISTRY_SECRET: Final = "mlflow"  # noqa: S105 - the name of a Secret
_REFUSED: Final = 2
"""The exit code of what is refused, which is not repeated."""
_USER: Final = 65532
"""The user of the image."""
_ATTEMPTS: Final = 2


def cron_job(command: str, model: str) -> str:
    """Return the name of a CronJob."""
    return f"{NAME}-{command}-{model}"


class Namespaces:
    """The objects in the cluster. before: options with what exists before them."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        name: str,
        settings: ModelMonitorSettings,
        before: ResourceOptions,
    ) -> None:
        self._component, self._name, self._settings, self._before = component, name, settings, before

    def create(self, store: Store) -> None:
        """Create all of them."""
        gateway = self._settings.pushgateway
        if gateway is not None and gateway.namespace is not None:
            self._allow_pushes(gateway.namespace, gateway.port)
        for team, declared in self._settings.teams.items():
            self._team(team, declared, store)

    def _team(self, team: str, declared: ModelMonitorTeam, store: Store) -> None:
        logical = f"{self._name}-{team}"
        monitors = core.ConfigMap(
            f"{logical}-monitors",
            metadata=self._metadata(NAME, team, declared),
            data={_FILE: declarations.text(declared.monitors)},
            opts=self._options(),
        )
        ready = [monitors, *store.ready]
        if self._settings.pushgateway is not None:
            ready.append(self._allow_gateway(logical, team, declared))
        for model, monitor in declared.monitors.items():
            for command in COMMANDS:
                compares = command == "compare"
                labels = {**declared.labels, **LABELS, TEAM_LABEL: team, MODEL: model}
                batch.CronJob(
                    f"{logical}-{command}-{model}",
                    metadata=meta.ObjectMetaArgs(
                        name=cron_job(command, model), namespace=declared.namespace, labels=labels
                    ),
                    spec=batch.CronJobSpecArgs(
                        schedule=monitor.schedule if compares else self._settings.compact_schedule,
                        time_zone=monitor.timezone if compares else "UTC",
                        suspend=monitor.suspended,
                        # Two runs are safe, and of no use.
                        concurrency_policy="Forbid",
                        # Of a controller that did not run; the next window has other requests.
                        starting_deadline_seconds=3600,
                        successful_jobs_history_limit=3,
                        failed_jobs_history_limit=5,
                        job_template=batch.JobTemplateSpecArgs(
                            metadata=meta.ObjectMetaArgs(labels=labels),
                            spec=self._job(team, declared, model, command, store, labels),
                        ),
                    ),
                    opts=self._options(*ready),
                )

    def _job(
        self,
        team: str,
        declared: ModelMonitorTeam,
        model: str,
        command: str,
        store: Store,
        labels: dict[str, str],
    ) -> batch.JobSpecArgs:
        settings = self._settings
        refused = batch.PodFailurePolicyRuleArgs(
            action="FailJob",
            on_exit_codes=batch.PodFailurePolicyOnExitCodesRequirementArgs(
                container_name="main", operator="In", values=[_REFUSED]
            ),
        )
        return batch.JobSpecArgs(
            backoff_limit=_ATTEMPTS,
            active_deadline_seconds=settings.deadline_minutes * 60,
            pod_failure_policy=batch.PodFailurePolicyArgs(rules=[refused]),
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(labels={**labels, POD: "true"}),
                spec=core.PodSpecArgs(
                    service_account_name=declared.identity.service_account,
                    # It calls no API of Kubernetes; identities of clouds have separate tokens.
                    automount_service_account_token=False,
                    restart_policy="Never",
                    security_context=core.PodSecurityContextArgs(
                        run_as_non_root=True,
                        run_as_user=_USER,
                        fs_group=_USER,
                        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
                    ),
                    containers=[self._container(team, declared, model, command, store)],
                    volumes=[
                        core.VolumeArgs(
                            name="work", empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="2Gi")
                        ),
                        core.VolumeArgs(
                            name="monitors", config_map=core.ConfigMapVolumeSourceArgs(name=NAME)
                        ),
                        core.VolumeArgs(
                            name="files",
                            config_map=core.ConfigMapVolumeSourceArgs(name=FILES, optional=True),
                        ),
                    ],
                ),
            ),
        )

    def _container(
        self, team: str, declared: ModelMonitorTeam, model: str, command: str, store: Store
    ) -> core.ContainerArgs:
        settings = self._settings
        variables: dict[str, Input[str]] = {
            "MONITORS_FILE": f"{_FOLDER}/{_FILE}",
            "PLATFORM_TEAM": team,
            "LOGS_URI": uri(settings, store.bucket, LOGS),
            "REPORTS_URI": uri(settings, store.bucket, REPORTS),
        }
        if declared.queue is not None:
            variables["QUEUE"] = declared.queue
        if settings.pushgateway is not None:
            variables["PUSHGATEWAY_URL"] = settings.pushgateway.url
        namespace = core.EnvVarSourceArgs(
            field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace")
        )
        return core.ContainerArgs(
            name="main",
            image=settings.image,
            command=["python", "-m", "model_monitor"],
            args=[command, model],
            env_from=[
                core.EnvFromSourceArgs(config_map_ref=core.ConfigMapEnvSourceArgs(name=PLATFORM)),
                core.EnvFromSourceArgs(
                    secret_ref=core.SecretEnvSourceArgs(name=_REGISTRY_SECRET, optional=True)
                ),
            ],
            env=[
                core.EnvVarArgs(name="NAMESPACE", value_from=namespace),
                *(core.EnvVarArgs(name=key, value=value) for key, value in variables.items()),
            ],
            resources=core.ResourceRequirementsArgs(
                requests={"cpu": settings.cpu, "memory": settings.memory}, limits={"memory": settings.memory}
            ),
            security_context=core.SecurityContextArgs(
                run_as_non_root=True,
                run_as_user=_USER,
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=core.CapabilitiesArgs(drop=["ALL"]),
                seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            volume_mounts=[
                core.VolumeMountArgs(name="work", mount_path="/tmp"),  # noqa: S108 - a volume of the Pod
                core.VolumeMountArgs(name="monitors", mount_path=_FOLDER, read_only=True),
                core.VolumeMountArgs(name="files", mount_path=FILES_AT, read_only=True),
            ],
        )

    def _allow_gateway(self, logical: str, team: str, declared: ModelMonitorTeam) -> pulumi.Resource:
        """Allow Pods of monitors to connect to the Pushgateway, in addition to what the namespace allows."""
        gateway = self._settings.pushgateway
        assert gateway is not None, "called only where there is one"  # noqa: S101
        selector = {NAMESPACE_LABEL: gateway.namespace} if gateway.namespace is not None else None
        peer = networking.NetworkPolicyPeerArgs(
            namespace_selector=meta.LabelSelectorArgs(match_labels=selector)
        )
        return networking.NetworkPolicy(
            f"{logical}-pushes",
            metadata=self._metadata(f"{NAME}-pushes", team, declared),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels={POD: "true"}),
                policy_types=["Egress"],
                egress=[egress_to(gateway.port, [peer])],
            ),
            opts=self._options(),
        )

    def _allow_pushes(self, namespace: str, port: int) -> None:
        """Allow Pods of monitors in the namespaces of these teams to connect to the Pushgateway, whose
        namespace denies it otherwise."""
        peers = [
            networking.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: declared.namespace}),
                pod_selector=meta.LabelSelectorArgs(match_labels={POD: "true"}),
            )
            for declared in self._settings.teams.values()
        ]
        networking.NetworkPolicy(
            f"{self._name}-pushes",
            metadata=meta.ObjectMetaArgs(name=f"{NAME}-pushes", namespace=namespace, labels=LABELS),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(),
                policy_types=["Ingress"],
                ingress=[
                    networking.NetworkPolicyIngressRuleArgs(
                        from_=peers, ports=[networking.NetworkPolicyPortArgs(port=port, protocol="TCP")]
                    )
                ],
            ),
            opts=self._options(),
        )

    def _metadata(self, name: str, team: str, declared: ModelMonitorTeam) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(
            name=name, namespace=declared.namespace, labels={**LABELS, TEAM_LABEL: team}
        )

    def _options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        further = ResourceOptions(parent=self._component, depends_on=list(depends_on) or None)
        return ResourceOptions.merge(self._before, further)


def uri(settings: ModelMonitorSettings, bucket: Input[str], folder: str) -> Output[str]:
    """Return the URI of a folder of the bucket."""
    scheme = "gs" if settings.cloud == "gcp" else "s3"
    return Output.concat(scheme, "://", bucket, "/", folder)
