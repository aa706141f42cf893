"""What handles messages: KEDA's ScaledJobs, of a team in its namespace, and of requests for promotions in a
dedicated one, as in that of promotions only the platform's image runs."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes.workloads import (
    Application,
    egress_rules,
    namespace,
    network_policy,
)
from aiplatform._shared.references.model_store import NAMESPACE as RELEASE
from aiplatform.continuous_training import promotion, training
from aiplatform.continuous_training.args import (
    CONFIGURATION,
    TEAM,
    ContinuousTeam,
    ContinuousTrainingSettings,
)
from aiplatform.continuous_training.platform import Queue, Queues
from aiplatform.model_store.args import REQUESTS

Object = dict[str, Any]
KEDA: Final = "keda.sh/v1alpha1"
AUTHENTICATION: Final = "ai-platform-messages"
"""The ClusterTriggerAuthentication: KEDA counts messages by its operator's identity in the cloud."""
_RBAC: Final = "rbac.authorization.k8s.io"
_SECONDS: Final = 300
"""The longest time of a Job; a message comes again later than that."""
VISIBLE_AGAIN_SECONDS: Final = 360
Rule = tuple[str, Sequence[str], Sequence[str]]


class Messages:
    """The objects in the cluster. before: options with what exists before custom resources."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        name: str,
        settings: ContinuousTrainingSettings,
        before: ResourceOptions,
    ) -> None:
        self._component, self._name, self._settings, self._before = component, name, settings, before

    def create(self, queues: Queues) -> None:
        """Create all of them."""
        settings = self._settings
        provider = "gcp" if settings.cloud == "gcp" else "aws"
        authentication = self._custom(
            "messages",
            {
                "apiVersion": KEDA,
                "kind": "ClusterTriggerAuthentication",
                "metadata": {"name": AUTHENTICATION, "labels": training.LABELS},
                "spec": {"podIdentity": {"provider": provider}},
            },
        )
        self._custom("promotion", promotion.template(settings.release_image, settings.promotion_disk_gib))
        requests = self._requests_namespace(queues)
        for team_name, team in settings.teams.items():
            of_team = queues.teams[team_name]
            self._team(team_name, team, of_team.training, of_team.promotions, authentication)
            self._custom(
                f"{team_name}-requests",
                self._requests(team_name, of_team.promotions, of_team.training),
                authentication,
                *requests,
            )

    def _team(
        self,
        name: str,
        team: ContinuousTeam,
        queue: Queue,
        promotions: Queue,
        authentication: pulumi.Resource,
    ) -> None:
        configuration = core.ConfigMap(
            f"{self._name}-{name}-configuration",
            metadata=meta.ObjectMetaArgs(
                name=CONFIGURATION, namespace=team.namespace, labels=training.LABELS
            ),
            data={training.MODELS_FILE: training.declarations(team.models)},
            opts=self._options(),
        )
        account = str(team.identity.service_account)
        rules: list[Rule] = [(promotion.VERSION.partition("/")[0], ("workflows",), ("create", "list"))]
        bound = self._bind(
            f"{name}-{CONFIGURATION}", CONFIGURATION, team.namespace, rules, account, team.namespace
        )
        after = [configuration, *bound]
        for model in team.models:
            template = training.template(self._settings.image, name, team, model, promotions.send)
            created = self._custom(f"{name}-{model}", template, configuration)
            schedule = training.schedule(team, model)
            if schedule is not None:
                self._custom(f"{name}-{model}-schedule", schedule, created)
        container = training.container(self._settings.image, name, ["team-message"], promotions.send)
        container["env"].append({"name": "QUEUE", "value": queue.receive})
        self._custom(
            f"{name}-messages",
            self._scaled_job(CONFIGURATION, team.namespace, account, container, training.volumes(), queue),
            authentication,
            *after,
        )

    def _requests_namespace(self, queues: Queues) -> list[pulumi.Resource]:
        """Create the namespace in which requests for promotions become workflows of the namespace of
        promotions. Returns what its Jobs need."""
        settings = self._settings
        application = Application(
            self._component,
            f"{self._name}-{REQUESTS}",
            REQUESTS,
            {"app.kubernetes.io/part-of": "model-store"},
        )
        exists = namespace(application)
        account = core.ServiceAccount(
            f"{self._name}-{REQUESTS}-service-account",
            metadata=application.metadata(REQUESTS, queues.identity.annotations),
            opts=self._options(*exists, *queues.ready),
        )
        policy = network_policy(application, REQUESTS, egress_rules(settings.cloud), [], exists)
        rules: list[Rule] = [(promotion.VERSION.partition("/")[0], ("workflows",), ("create",))]
        bound = self._bind(REQUESTS, REQUESTS, RELEASE, rules, REQUESTS, REQUESTS)
        return [*exists, account, policy, *bound]

    def _requests(self, team: str, queue: Queue, answers: Queue) -> Object:
        settings = self._settings
        variables: dict[str, Input[str]] = {
            TEAM: team,
            "PROFILE": settings.profile,
            "QUEUE": queue.receive,
            "RELEASE_NAMESPACE": RELEASE,
            # Where the promotion reports to: a rollout is the team's.
            "TEAM_QUEUE": answers.send,
            **queue.variables,
        }
        container = {
            "name": "main",
            "image": settings.image,
            "command": list(training.PROGRAM),
            "args": ["promotion-message"],
            "env": [{"name": key, "value": value} for key, value in variables.items()],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": training.SECURITY,
            "volumeMounts": [{"name": "work", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the Pod
        }
        volumes = [{"name": "work", "emptyDir": {"sizeLimit": "100Mi"}}]
        return self._scaled_job(team, REQUESTS, REQUESTS, container, volumes, queue)

    def _scaled_job(
        self, name: str, space: str, account: str, container: Object, volumes: list[Object], queue: Queue
    ) -> Object:
        labels = {**training.LABELS, "app.kubernetes.io/name": REQUESTS if space == REQUESTS else name}
        return {
            "apiVersion": KEDA,
            "kind": "ScaledJob",
            "metadata": {"name": name, "namespace": space, "labels": labels},
            "spec": {
                "pollingInterval": 30,
                "maxReplicaCount": 2,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 5,
                "jobTargetRef": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": _SECONDS,
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {
                            "serviceAccountName": account,
                            "restartPolicy": "Never",
                            "securityContext": {
                                "runAsNonRoot": True,
                                "runAsUser": training.USER,
                                "fsGroup": training.USER,
                                "seccompProfile": {"type": "RuntimeDefault"},
                            },
                            "containers": [container],
                            "volumes": volumes,
                        },
                    },
                },
                "triggers": [
                    {
                        **queue.trigger,
                        "authenticationRef": {
                            "name": AUTHENTICATION,
                            "kind": "ClusterTriggerAuthentication",
                        },
                    }
                ],
            },
        }

    def _bind(
        self, logical: str, name: str, space: str, rules: Sequence[Rule], account: str, of: str
    ) -> list[pulumi.Resource]:
        """Create a Role and its binding to a service account of the namespace `of`."""
        metadata = meta.ObjectMetaArgs(name=name, namespace=space, labels=training.LABELS)
        role = rbac.Role(
            f"{self._name}-{logical}-role",
            metadata=metadata,
            rules=[
                rbac.PolicyRuleArgs(api_groups=[group], resources=list(kinds), verbs=list(verbs))
                for group, kinds, verbs in rules
            ],
            opts=self._options(),
        )
        binding = rbac.RoleBinding(
            f"{self._name}-{logical}-members",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=name),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=of)],
            opts=self._options(role),
        )
        return [role, binding]

    def _custom(self, logical: str, body: Object, *depends_on: pulumi.Resource) -> pulumi.Resource:
        kind = f"kubernetes:{body['apiVersion']}:{body['kind']}"
        return pulumi.CustomResource(
            kind,
            f"{self._name}-{logical}",
            body,
            ResourceOptions.merge(
                self._options(*depends_on), ResourceOptions(version=version("pulumi-kubernetes"))
            ),
        )

    def _options(self, *depends_on: pulumi.Resource) -> ResourceOptions:
        own = ResourceOptions(parent=self._component, depends_on=list(depends_on) or None)
        return ResourceOptions.merge(self._before, own)
