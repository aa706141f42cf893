"""Accelerators only through a queue.

Kueue counts what it manages, and it manages workloads in namespaces with its label. What it does not see gets
accelerators without a quota: Pods in other namespaces, Pods and Jobs whose owner is claimed to be in a queue
("same-namespace ownership spoofing is out of scope", its source), DaemonSets, devices that are requested as
ResourceClaims, Pods that run on a node with accelerators without requesting one, and groups of Pods, of which
it counts the first one times their number.
"""

from typing import Final

from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform.accelerators.fabric import EFA
from aiplatform.addons.catalog import catalog
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    CLAIMS,
    CONTAINERS_OF_POD,
    POD,
    POD_VARIABLES,
    QUEUE,
    REQUESTS_ACCELERATOR,
    REQUESTS_ADAPTER,
    TEAM_NAMESPACE,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    is_accelerator,
    is_toleration_of_accelerators,
    literal,
    namespace_conditions,
    of_old_object,
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

# As for spec_changes, with what else this policy reads.
_CHANGES: Final = "request.operation != 'UPDATE' || object.spec != oldObject.spec || " + " || ".join(
    f"object.metadata.?{key}.orValue({empty}) != oldObject.metadata.?{key}.orValue({empty})"
    for key, empty in (("labels", "{}"), ("ownerReferences", "[]"))
)


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    kueue = f"system:serviceaccounts:{catalog()['kueue'].namespace}"
    return Policy(
        "accelerators",
        (POD, *WORKLOADS, Rule("trainer.kubeflow.org", ("trainjobs",))),
        [*_VALIDATIONS, _claims(settings), *_adapters(settings)],
        {
            **POD_VARIABLES,
            **{f"old_{name}": of_old_object(POD_VARIABLES[name]) for name in ("spec", "ray", "pods")},
            # Kueue adds those of a flavor to a Job; a change of the Job by its user leaves them there.
            "same_tolerations": (
                "request.operation == 'UPDATE' && variables.pods.map(pod, pod.?tolerations.orValue([])) "
                "== variables.old_pods.map(pod, pod.?tolerations.orValue([]))"
            ),
            "trusted": trusted(settings),
            "kueue": f"request.userInfo.?groups.orValue([]).exists(group, group == {literal(kueue)})",
            # Controllers scale and suspend what exists, also what violates the policy since before it was
            # enforced. Its Pods are evaluated when they are created.
            "maintained": "request.operation == 'UPDATE' && variables.trusted",
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
                f"{REQUESTS_ACCELERATOR}))"
                + (f" || variables.pods.exists(pod, {CLAIMS})" if settings.device_claims else "")
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


def _claims(settings: GuardrailsSettings) -> Validation:
    """Return what Pods may claim. Kueue counts claims of templates, by its configuration; of a ResourceClaim,
    which several Pods share, it never knows the quantity."""
    if settings.device_claims:
        return Validation(
            "variables.maintained || !variables.pods.exists(pod, pod.?resourceClaims.orValue([])"
            ".exists(claim, claim.?resourceClaimTemplateName.orValue('') == ''))",
            "ai-platform: resourceClaims: no quota counts a claim that Pods share; expected "
            "resourceClaimTemplateName",
        )
    return Validation(
        f"variables.maintained || !variables.pods.exists(pod, {CLAIMS})",
        "ai-platform: resourceClaims: no quota counts them; expected accelerators as resources of "
        "containers, such as nvidia.com/gpu",
    )


def _adapters(settings: GuardrailsSettings) -> list[Validation]:
    """Return the accelerator that a Pod with an adapter of EFA has to request. Kueue does not count adapters:
    without one a Pod would take those of a node whose accelerators a quota has given to others."""
    if settings.cloud != "aws":
        return []
    accelerated = f"pod.?containers.orValue([]).exists(container, {REQUESTS_ACCELERATOR})"
    if settings.device_claims:
        accelerated += f" || {CLAIMS}"
    return [
        Validation(
            f"variables.maintained || !variables.pods.exists(pod, {CONTAINERS_OF_POD}"
            f".exists(container, {REQUESTS_ADAPTER}) && !({accelerated}))",
            f"ai-platform: containers: a Pod requests {EFA} and no accelerator, and no quota counts "
            "adapters; expected accelerators in the same Pod",
        ),
        *_shares(settings),
    ]


def _shares(settings: GuardrailsSettings) -> list[Validation]:
    """Return the limit of adapters by accelerators: a Pod with one accelerator and all adapters of a node
    would leave its other accelerators to Pods that need none."""
    if not settings.adapters:
        return []
    shares = {name: float(share) for name, share in settings.adapters.items()}
    selected = f"pod.?nodeSelector[?{literal(POOL)}].orValue('')"
    share = f"{literal(shares)}[?{selected}].orValue({max(shares.values())})"
    requested = f"container.?resources.?limits[?{literal(EFA)}].orValue('0')"
    adapters = f"quantity(string({requested})).asInteger()"
    limits = "container.?resources.?limits.orValue({})"
    counted = (
        f"{limits}.map(name, {is_accelerator('name')} "
        "? quantity(string(container.resources.limits[name])).asInteger() : 0).sum()"
    )
    containers = "dyn(pod.?containers.orValue([])).map(container, {number}).sum()"
    most = f"({share} * double({containers.format(number=counted)}))"
    # Of init containers one runs at a time.
    excess = (
        f"double({containers.format(number=adapters)}) > {most} "
        f"|| dyn(pod.?initContainers.orValue([])).exists(container, double({adapters}) > {most})"
    )
    return [
        Validation(
            f"variables.maintained || !variables.pods.exists(pod, !({CLAIMS}) && ({excess}))",
            f"ai-platform: containers: a Pod requests more {EFA} than the share of its accelerators, so that "
            "others of its node have none; expected at most the adapters of a node for each accelerator, "
            "times the accelerators of the Pod",
        )
    ]


_GROUP: Final = "kueue.x-k8s.io/pod-group-name"

_VALIDATIONS: Final = (
    # Kueue leaves alone what its owner is said to be queued for.
    Validation(
        "!variables.managed || variables.trusted || !variables.owner.exists(kind, "
        f"kind in {literal([*OWNERS, 'ReplicaSet'])})",
        "ai-platform: metadata.ownerReferences: only controllers create or change what another workload "
        "controls; expected no controlling owner",
    ),
    # Kueue itself sets the group of a Pod only after it was created (StatefulSet, LeaderWorkerSet). The
    # annotation role-hash, by which a Pod of a group could claim to be as another, has no effect without a
    # group; Kueue's webhook sets it on every Pod that it holds back.
    Validation(
        "request.kind.kind != 'Pod' || !variables.managed || "
        f"!({literal(_GROUP)} in object.metadata.?labels.orValue({{}}) "
        f"|| {literal(_GROUP)} in object.metadata.?annotations.orValue({{}}))",
        f"ai-platform: metadata: {_GROUP}: Kueue counts a group by its first Pod; expected neither a label "
        "nor an annotation of this name",
    ),
    Validation(
        "!variables.accelerated || variables.managed || variables.maintained",
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
        "!variables.accelerated || variables.child || variables.queue != '' "
        # Kueue suspends a Job that is in no queue.
        "|| (variables.kueue && request.operation == 'UPDATE')",
        "ai-platform: metadata.labels: the workload requests an accelerator, or its runtime does, without a "
        f"queue; expected {QUEUE}",
    ),
    Validation(
        "variables.maintained || variables.queue == '' || variables.queues == '' "
        "|| variables.queue in variables.queues.split(',')",
        f"ai-platform: metadata.labels: {QUEUE} is no queue of this namespace; expected one that the "
        "namespace's annotation ai-platform/queues lists",
    ),
    # Of requests that a device class also offers Kueue counts the largest of the init containers. Those with
    # restartPolicy Always run at the same time, and the scheduler gives each its accelerators.
    Validation(
        "variables.maintained || !variables.pods.exists(pod, pod.?initContainers.orValue([])"
        f".exists(container, {REQUESTS_ACCELERATOR}))",
        "ai-platform: initContainers: one requests an accelerator, which a quota may not count; expected "
        "accelerators in containers only",
    ),
    # Kueue adds the tolerations of a flavor to every Pod that it assigns there, with an accelerator or not.
    Validation(
        "variables.child || variables.kueue "
        "|| (variables.trusted && variables.owner.exists(kind, kind == 'ReplicaSet')) "
        "|| variables.accelerated || variables.same_tolerations || !variables.pods.exists(pod, "
        f"pod.?tolerations.orValue([]).exists(toleration, {is_toleration_of_accelerators('toleration')}))",
        "ai-platform: tolerations: the workload requests no accelerator; expected no toleration of the "
        "taints of nodes with accelerators",
    ),
    Validation(
        "variables.trusted || !variables.pods.exists(pod, pod.?nodeName.orValue('') != '')",
        "ai-platform: nodeName: the scheduler and the taints of nodes would be ignored; expected none",
    ),
)
