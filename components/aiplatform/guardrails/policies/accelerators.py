"""Accelerators only through a queue.

Kueue counts what it manages, and it manages workloads in namespaces with its label. What it does not see gets
accelerators without a quota: Pods in other namespaces, Pods and Jobs whose owner is claimed to be in a queue
("same-namespace ownership spoofing is out of scope", its source), DaemonSets, devices that are requested as
ResourceClaims, and Pods that run on a node with accelerators without requesting one.
"""

from typing import Final

from aiplatform.accelerators.cards import CARDS
from aiplatform.addons.catalog import catalog
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    POD,
    POD_VARIABLES,
    QUEUE,
    TEAM_NAMESPACE,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    is_accelerator,
    literal,
    namespace_conditions,
    trusted,
)

QUEUED_OWNERS: Final = (
    "Job",
    "JobSet",
    "TrainJob",
    "RayCluster",
    "RayJob",
    "RayService",
    "LeaderWorkerSet",
    "Deployment",
    "StatefulSet",
)
"""Kinds with a queue, of whose Pods and children Kueue does not ask for one."""
OWNERS: Final = (*QUEUED_OWNERS, "Pod")
"""Kinds that control what is in their queue. A leader's Pod controls the StatefulSet of its workers
(LeaderWorkerSet)."""
UNQUEUED: Final = ("DaemonSet", "ReplicaSet", "ReplicationController")
"""Kinds that Kueue has no queue for. A Deployment's ReplicaSet belongs to the Deployment."""

# As for SPEC_CHANGES, with what else this policy reads.
_CHANGES: Final = "request.operation != 'UPDATE' || object.spec != oldObject.spec || " + " || ".join(
    f"object.metadata.?{key}.orValue({empty}) != oldObject.metadata.?{key}.orValue({empty})"
    for key, empty in (("labels", "{}"), ("ownerReferences", "[]"))
)
_REQUESTED: Final = (
    "container.?resources.?{kind}.orValue({{}}).exists(name, {accelerator} "
    "&& string(container.resources.{kind}[name]) != '0')"
)


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    kueue = f"system:serviceaccounts:{catalog()['kueue'].namespace}"
    return Policy(
        "accelerators",
        (POD, *WORKLOADS, Rule("trainer.kubeflow.org", ("trainjobs",))),
        _VALIDATIONS,
        {
            **POD_VARIABLES,
            "trusted": trusted(settings),
            "kueue": f"request.userInfo.?groups.orValue([]).exists(group, group == {literal(kueue)})",
            "managed": TEAM_NAMESPACE,
            "owner": (
                "object.metadata.?ownerReferences.orValue([])"
                ".filter(owner, owner.?controller.orValue(false)).map(owner, owner.kind)"
            ),
            # A child of a workload with a queue, whose controller made it. A Pod of a ReplicaSet has the
            # Deployment's queue as its own label.
            "child": (f"variables.trusted && variables.owner.exists(kind, kind in {literal(OWNERS)})"),
            "accelerated": (
                "request.kind.kind == 'TrainJob' ? variables.managed : "
                "variables.containers.exists(containers, containers.exists(container, "
                + " || ".join(
                    _REQUESTED.format(kind=kind, accelerator=is_accelerator("name"))
                    for kind in ("limits", "requests")
                )
                + "))"
            ),
            "labels": (
                "request.kind.kind == 'CronJob' ? variables.spec.jobTemplate.?metadata.?labels.orValue({}) "
                ": object.metadata.?labels.orValue({})"
            ),
            "queue": f"variables.labels[?{literal(QUEUE)}].orValue('')",
            "queues": "namespaceObject.metadata.?annotations[?'ai-platform/queues'].orValue('')",
        },
        {
            "changes": _CHANGES,
            **namespace_conditions(settings),
        },
    )


_DEVICE_TAINTS: Final = sorted({card.resource for card in CARDS.values()})

_VALIDATIONS: Final = (
    # Kueue leaves alone what its owner is said to be queued for.
    Validation(
        "!variables.managed || variables.trusted || !variables.owner.exists(kind, "
        f"kind in {literal([*OWNERS, 'ReplicaSet'])})",
        "ai-platform: metadata.ownerReferences: only controllers create or change what another workload "
        "controls; expected no controlling owner",
    ),
    Validation(
        "!variables.accelerated || variables.managed",
        "ai-platform: the workload requests an accelerator; expected a team's namespace, which has the label "
        "kueue.x-k8s.io/managed-namespace",
    ),
    Validation(
        f"!(variables.accelerated && request.kind.kind in {literal(UNQUEUED)} "
        "&& !(variables.trusted && variables.owner.exists(kind, kind == 'Deployment')))",
        "ai-platform: Kueue has no queue for the accelerators of a workload of this kind; expected a Job, "
        "JobSet, TrainJob, RayCluster, LeaderWorkerSet, Deployment or StatefulSet",
    ),
    Validation(
        "!variables.accelerated || variables.child || variables.queue != ''",
        "ai-platform: metadata.labels: the workload requests an accelerator, or its runtime does, without a "
        f"queue; expected {QUEUE}",
    ),
    Validation(
        "variables.queue == '' || variables.queues == '' || variables.queue in variables.queues.split(',')",
        f"ai-platform: metadata.labels: {QUEUE} is no queue of this namespace; expected one that the "
        "namespace's annotation ai-platform/queues lists",
    ),
    # Kueue's quotas do not count them.
    Validation(
        "!variables.pods.exists(pod, size(pod.?resourceClaims.orValue([])) > 0)",
        "ai-platform: resourceClaims: no quota counts them; expected accelerators as resources of "
        "containers, such as nvidia.com/gpu",
    ),
    # Kueue adds the tolerations of a flavor to every Pod that it assigns there, with an accelerator or not.
    Validation(
        "variables.child || variables.kueue || variables.owner.exists(kind, kind == 'ReplicaSet') "
        "|| variables.accelerated || !variables.pods.exists(pod, "
        "pod.?tolerations.orValue([]).exists(toleration, "
        "(toleration.?key.orValue('') == '' && toleration.?effect.orValue('') != 'NoExecute') "
        f"|| toleration.?key.orValue('') in {literal(_DEVICE_TAINTS)}))",
        "ai-platform: tolerations: the workload requests no accelerator; expected no toleration of the "
        "taints of nodes with accelerators",
    ),
    Validation(
        "variables.trusted || !variables.pods.exists(pod, pod.?nodeName.orValue('') != '')",
        "ai-platform: nodeName: the scheduler and the taints of nodes would be ignored; expected none",
    ),
)
