"""The program in the cluster that holds queues: its namespace, its rights on ClusterQueues, and CronJobs."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes.workloads import (
    Application,
    container_security,
    egress_rules,
    namespace,
    network_policy,
    pod_security,
    resources,
)
from aiplatform.cost.args import NAMESPACE, CostSettings
from aiplatform.cost.platform import Hold

LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform", "app.kubernetes.io/part-of": "cost-control"}
HOLD: Final = "budget-hold"
"""The CronJob that reads alerts."""
SCHEDULE: Final = "schedule"
"""The CronJob that compares the times of the schedule with the clock."""
EVENTS: Final = "default"
"""The namespace of events about objects without one, which the API server requires."""
_RBAC: Final = "rbac.authorization.k8s.io"
_USER: Final = 65532
"""The user of the image."""
_REFUSED: Final = 2
"""The exit code of what is refused, which is not repeated."""
_SECONDS: Final = 300


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
        account = core.ServiceAccount(
            f"{self._name}-service-account",
            metadata=application.metadata(
                NAMESPACE, source.identity.annotations if source is not None else None
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
                **source.variables,
            }
            ready = [account, policy, *rights, *source.ready]
            self._cron_job(application, HOLD, settings.hold.schedule, "budget", variables, ready)
        if settings.schedule is not None:
            policy = network_policy(application, SCHEDULE, egress, [], exists)
            stated = {"SCHEDULE": json.dumps(settings.schedule.environment())}
            ready = [account, policy, *rights]
            self._cron_job(application, SCHEDULE, settings.schedule.every, "schedule", stated, ready)

    def _rights(self, account: core.ServiceAccount) -> list[pulumi.Resource]:
        """Allow the program to read and change these ClusterQueues, and to create events about them. It can
        neither create nor delete a queue."""
        queues = rbac.PolicyRuleArgs(
            api_groups=["kueue.x-k8s.io"],
            resources=["clusterqueues"],
            resource_names=list(self._settings.cluster_queues),
            verbs=["get", "patch"],
        )
        events = rbac.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create"])
        subjects = [rbac.SubjectArgs(kind="ServiceAccount", name=NAMESPACE, namespace=NAMESPACE)]
        whole = meta.ObjectMetaArgs(name=NAMESPACE, labels=LABELS)
        of_events = meta.ObjectMetaArgs(name=NAMESPACE, namespace=EVENTS, labels=LABELS)
        role = rbac.ClusterRole(f"{self._name}-queues", metadata=whole, rules=[queues], opts=self._options())
        binding = rbac.ClusterRoleBinding(
            f"{self._name}-queues",
            metadata=whole,
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="ClusterRole", name=NAMESPACE),
            subjects=subjects,
            opts=self._options(role, account),
        )
        reports = rbac.Role(f"{self._name}-events", metadata=of_events, rules=[events], opts=self._options())
        reporting = rbac.RoleBinding(
            f"{self._name}-events",
            metadata=of_events,
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=NAMESPACE),
            subjects=subjects,
            opts=self._options(reports, account),
        )
        return [binding, reporting]

    def _cron_job(
        self,
        application: Application,
        part: str,
        schedule: str,
        command: str,
        variables: Mapping[str, Input[str]],
        ready: Sequence[pulumi.Resource],
    ) -> None:
        known = {**variables, "CLUSTER_QUEUES": ",".join(self._settings.cluster_queues)}
        container = core.ContainerArgs(
            name="main",
            image=self._settings.image or "",
            args=[command],
            env=[core.EnvVarArgs(name=key, value=value) for key, value in known.items()],
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
                                service_account_name=NAMESPACE,
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
