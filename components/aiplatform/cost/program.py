"""The program in the cluster that holds queues and ends idle work: namespace, rights, and CronJobs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes.names import COST_ACCOUNT, REAPER_ACCOUNT
from aiplatform._shared.kubernetes.workloads import (
    Application,
    container_security,
    egress_rules,
    egress_to,
    namespace,
    network_policy,
    pod_security,
    resources,
)
from aiplatform.cost.args import NAMESPACE, CostSettings
from aiplatform.cost.platform import Hold
from aiplatform.cost.reaper import CostReaper

LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform", "app.kubernetes.io/part-of": "cost-control"}
HOLD: Final = "budget-hold"
"""The CronJob that reads alerts."""
SCHEDULE: Final = "schedule"
"""The CronJob that compares the times of the schedule with the clock."""
REAPER: Final = "reaper"
"""The CronJob that ends idle work."""
EVENTS: Final = "default"
"""The namespace of events about objects without one, which the API server requires."""
_RBAC: Final = "rbac.authorization.k8s.io"
_USER: Final = 65532
"""The user of the image."""
_REFUSED: Final = 2
"""The exit code of what is refused, which is not repeated."""
_SECONDS: Final = 300
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Command:
    """A command of the program, the service account that it runs as, and its variables."""

    name: str
    account: str
    variables: Mapping[str, Input[str]]


class Program:
    """The objects in the cluster. before: options with what exists before them."""

    def __init__(
        self, component: pulumi.ComponentResource, name: str, settings: CostSettings, before: ResourceOptions
    ) -> None:
        self._component, self._name, self._settings, self._before = component, name, settings, before

    def create(self, source: Hold | None) -> None:
        """Create all of them. source: of alerts; None where no budget holds queues."""
        settings = self._settings
        application = Application(self._component, self._name, NAMESPACE, LABELS)
        exists = namespace(application)
        if settings.hold is not None or settings.schedule is not None:
            self._holds(application, source, exists)
        if settings.reaper is not None:
            self._reaper(application, settings.reaper, exists)

    def _holds(
        self, application: Application, source: Hold | None, exists: Sequence[pulumi.Resource]
    ) -> None:
        """Create what holds queues, by alerts and by a schedule."""
        settings = self._settings
        account = core.ServiceAccount(
            f"{self._name}-service-account",
            metadata=application.metadata(
                COST_ACCOUNT, source.identity.annotations if source is not None else None
            ),
            opts=self._options(*exists),
        )
        rights = self._rights(account)
        egress = egress_rules(settings.cloud)
        if source is not None and settings.hold is not None:
            policy = network_policy(application, HOLD, egress, [], exists)
            variables: dict[str, Input[str]] = {
                "QUEUE": source.queue,
                "BUDGET": source.budget,
                "PERCENT": str(settings.hold.percent),
                "CLUSTER_QUEUES": ",".join(settings.held_queues),
                **source.variables,
            }
            ready = [account, policy, *rights, *source.ready]
            command = Command("budget", COST_ACCOUNT, variables)
            self._cron_job(application, HOLD, settings.hold.schedule, command, ready)
        if settings.schedule is not None:
            policy = network_policy(application, SCHEDULE, egress, [], exists)
            stated: dict[str, Input[str]] = {
                "SCHEDULE": json.dumps(settings.schedule.environment()),
                "CLUSTER_QUEUES": ",".join(settings.cluster_queues),
            }
            ready = [account, policy, *rights]
            command = Command("schedule", COST_ACCOUNT, stated)
            self._cron_job(application, SCHEDULE, settings.schedule.every, command, ready)

    def _reaper(
        self, application: Application, reaper: CostReaper, exists: Sequence[pulumi.Resource]
    ) -> None:
        """Create what ends idle work, with an account that nothing else has."""
        account = core.ServiceAccount(
            f"{self._name}-{REAPER}-service-account",
            metadata=application.metadata(REAPER_ACCOUNT),
            opts=self._options(*exists),
        )
        # Workloads and Pods of teams, whose namespaces are created later.
        rights = self._cluster_role(
            REAPER,
            f"{NAMESPACE}-{REAPER}",
            account,
            REAPER_ACCOUNT,
            rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["list"]),
            rbac.PolicyRuleArgs(
                api_groups=["kueue.x-k8s.io"], resources=["workloads"], verbs=["get", "patch"]
            ),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create"]),
        )
        url = self._settings.prometheus_url or ""
        address = urlsplit(url)
        every_namespace = networking.NetworkPolicyPeerArgs(namespace_selector=meta.LabelSelectorArgs())
        metrics = egress_to(address.port or _PORTS[address.scheme], [every_namespace])
        policy = network_policy(application, REAPER, egress_rules(self._settings.cloud, metrics), [], exists)
        variables: dict[str, Input[str]] = {
            "PROMETHEUS_URL": url,
            "IDLE_HOURS": str(reaper.idle_hours),
            "DRY_RUN": json.dumps(reaper.dry_run),
            "CLUSTER_QUEUES": ",".join(self._settings.cluster_queues),
        }
        command = Command("reaper", REAPER_ACCOUNT, variables)
        self._cron_job(application, REAPER, reaper.schedule, command, [account, policy, rights])

    def _rights(self, account: core.ServiceAccount) -> list[pulumi.Resource]:
        """Allow the program to read and change these ClusterQueues, and to create events about them. It can
        neither create nor delete a queue."""
        queues = rbac.PolicyRuleArgs(
            api_groups=["kueue.x-k8s.io"],
            resources=["clusterqueues"],
            resource_names=list(self._settings.cluster_queues),
            verbs=["get", "patch"],
        )
        binding = self._cluster_role("queues", NAMESPACE, account, COST_ACCOUNT, queues)
        events = rbac.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create"])
        of_events = meta.ObjectMetaArgs(name=NAMESPACE, namespace=EVENTS, labels=LABELS)
        reports = rbac.Role(f"{self._name}-events", metadata=of_events, rules=[events], opts=self._options())
        reporting = rbac.RoleBinding(
            f"{self._name}-events",
            metadata=of_events,
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=NAMESPACE),
            subjects=_subjects(COST_ACCOUNT),
            opts=self._options(reports, account),
        )
        return [binding, reporting]

    def _cluster_role(
        self,
        part: str,
        name: str,
        account: core.ServiceAccount,
        account_name: str,
        *rules: rbac.PolicyRuleArgs,
    ) -> pulumi.Resource:
        """Create a ClusterRole, and its binding to a service account, which it returns."""
        metadata = meta.ObjectMetaArgs(name=name, labels=LABELS)
        role = rbac.ClusterRole(
            f"{self._name}-{part}", metadata=metadata, rules=list(rules), opts=self._options()
        )
        return rbac.ClusterRoleBinding(
            f"{self._name}-{part}",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="ClusterRole", name=name),
            subjects=_subjects(account_name),
            opts=self._options(role, account),
        )

    def _cron_job(
        self,
        application: Application,
        part: str,
        schedule: str,
        command: Command,
        ready: Sequence[pulumi.Resource],
    ) -> None:
        container = core.ContainerArgs(
            name="main",
            image=self._settings.image or "",
            args=[command.name],
            env=[core.EnvVarArgs(name=key, value=value) for key, value in command.variables.items()],
            resources=resources("50m", "256Mi"),
            security_context=container_security(),
            volume_mounts=[core.VolumeMountArgs(name="work", mount_path="/tmp")],  # noqa: S108 - of the Pod
        )
        work = core.VolumeArgs(name="work", empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="64Mi"))
        refused = batch.PodFailurePolicyRuleArgs(
            action="FailJob",
            on_exit_codes=batch.PodFailurePolicyOnExitCodesRequirementArgs(
                container_name="main", operator="In", values=[_REFUSED]
            ),
        )
        labels = application.labels_of(part)
        batch.CronJob(
            f"{self._name}-{part}",
            metadata=application.metadata(part),
            spec=batch.CronJobSpecArgs(
                schedule=schedule,
                time_zone="UTC",
                concurrency_policy="Forbid",
                starting_deadline_seconds=_SECONDS,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=3,
                job_template=batch.JobTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=labels),
                    spec=batch.JobSpecArgs(
                        # The next run is soon.
                        backoff_limit=1,
                        active_deadline_seconds=_SECONDS,
                        pod_failure_policy=batch.PodFailurePolicyArgs(rules=[refused]),
                        template=core.PodTemplateSpecArgs(
                            metadata=meta.ObjectMetaArgs(labels=labels),
                            spec=core.PodSpecArgs(
                                service_account_name=command.account,
                                restart_policy="Never",
                                security_context=pod_security(_USER),
                                containers=[container],
                                volumes=[work],
                            ),
                        ),
                    ),
                ),
            ),
            opts=self._options(*ready),
        )

    def _options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        further = ResourceOptions(parent=self._component, depends_on=list(depends_on) or None)
        return ResourceOptions.merge(self._before, further)


def _subjects(account: str) -> list[rbac.SubjectArgs]:
    return [rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=NAMESPACE)]
