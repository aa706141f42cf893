"""What runs in the namespace of promotions: Jobs with the platform's image, whose annotation states the
member of the release group that created them.

A user who creates such a Job acts as its service account, which writes releases. Pods are created by the Job
controller only, so that no other kind of workload does, or by that of workflows where there are some
(workflow_admission.py).
"""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.workloads import NAMESPACE_LABEL
from aiplatform.guardrails.policies.policy import PLATFORM, literal
from aiplatform.model_store import workflow_admission
from aiplatform.model_store.args import (
    CONFIGURATION,
    FILES,
    IMPORTER,
    NAMESPACE,
    PROMOTER,
    ModelStoreSettings,
)

APPROVED_BY: Final = "ai-platform/approved-by"
"""The annotation of Jobs and their Pods: the user that approved, as the API server authenticated it."""
JOB_LABEL: Final = "ai-platform/release-job"
"""The label of Pods by which network policies select them: their service account."""
API_GROUP: Final = "ai-platform"
APPROVABLE: Final = "releases"
VERB: Final = "approve"
"""The right to create these Jobs, by RBAC: whether the authenticator or the authorizer of a cloud knows the
groups of a user, the API server evaluates it. Nothing else has this resource."""

REFUSED_IN_CONTAINERS: Final = (
    "command",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "volumeDevices",
    "workingDir",
)
"""Fields by which the kubelet runs another program in the container, with its identity, or by which the
entry point finds other modules (Python looks first in the working directory)."""
REFUSED_IN_PODS: Final = ("dnsConfig", "hostAliases", "nodeName")
"""Fields by which a name leads elsewhere, such as that of the registry, which gets a password, and by which
Pods pass the scheduler."""
REFUSED_IN_STEPS: Final = ("dnsConfig", "hostAliases")
"""As REFUSED_IN_PODS; the scheduler binds a Pod after its creation."""
FILES_AT: Final = "/etc/model-release"
"""Where the ConfigMap FILES is."""
MOUNT_PATHS: Final = ("/tmp", FILES_AT)  # noqa: S108 - in the container
"""Where volumes may be: none hides a file of the image."""
MAX_SECONDS: Final = 6 * 3600
"""The longest time that a Job may state, seconds: evictions, a full node and an image that is not found end,
too."""

_Rule = tuple[str, Sequence[str], Sequence[str]]
"""API group, resources and operations that a policy applies to."""
_ACCOUNTS: Final = literal([PROMOTER, IMPORTER])
_ANNOTATION: Final = f"{{object}}.?metadata.?annotations[?{literal(APPROVED_BY)}].orValue('')"
_FIELD: Final = f"metadata.annotations['{APPROVED_BY}']"
_MAY_APPROVE: Final = (
    f"authorizer.group({literal(API_GROUP)}).resource({literal(APPROVABLE)})"
    f".namespace({literal(NAMESPACE)}).check({literal(VERB)}).allowed()"
)
_CONTROLLERS: Final = literal(
    ["system:serviceaccount:kube-system:job-controller", "system:kube-controller-manager"]
)
_NODES: Final = (
    "request.userInfo.?groups.orValue([]).exists(group, "
    "group in ['system:nodes', 'system:serviceaccounts:kube-system'])"
)


def _without(place: str, fields: Sequence[str]) -> str:
    return " && ".join(f"!has({place}.{field})" for field in fields)


def _names(fields: Sequence[str]) -> str:
    return ", ".join(f"`{field}`" for field in fields)


def _pod_rules(pod: str, image: str, labels: str) -> list[tuple[str, str]]:
    """Return expressions and messages of what Pods must be. pod: the expression of their specification.
    labels: that of their labels."""
    return [
        (
            f"{pod}.?serviceAccountName.orValue('') in {_ACCOUNTS} "
            f"&& {labels}[?{literal(JOB_LABEL)}].orValue('') == {pod}.serviceAccountName",
            f"the service account is {PROMOTER} or {IMPORTER}, and the label {JOB_LABEL} has its name",
        ),
        (
            f"size({pod}.containers) == 1 && size({pod}.?initContainers.orValue([])) == 0 "
            f"&& {literal(image)} != '' && {pod}.containers[0].image == {literal(image)}",
            "one container with the image of the model store's argument `image`",
        ),
        (
            _without(f"{pod}.containers[0]", REFUSED_IN_CONTAINERS),
            f"no {_names(REFUSED_IN_CONTAINERS)}: the image's entry point runs, and nothing else",
        ),
    ]


def _template_rules(pod: str) -> list[tuple[str, str]]:
    """Return expressions and messages of what the Pods of a Job must be before the API server and the cloud
    add tokens and variables."""
    return [
        (
            f"{pod}.containers[0].?env.orValue([]).all(variable, variable.name == 'APPROVED_BY' "
            "&& variable.?valueFrom.?fieldRef.?fieldPath.orValue('') == "
            f"{literal(_FIELD)}) "
            f"&& {pod}.containers[0].?envFrom.orValue([]).all(source, "
            f"source.?configMapRef.?name.orValue('') == {literal(CONFIGURATION)})",
            f"variables only from the ConfigMap {CONFIGURATION}, and APPROVED_BY from the annotation "
            f"{APPROVED_BY}",
        ),
        (
            f"{pod}.?volumes.orValue([]).all(volume, has(volume.emptyDir) "
            f"|| volume.?configMap.?name.orValue('') == {literal(FILES)})",
            f"volumes only of emptyDir and the ConfigMap {FILES}",
        ),
        (
            f"{pod}.containers[0].?volumeMounts.orValue([]).all(mount, "
            f"mount.mountPath in {literal(list(MOUNT_PATHS))})",
            f"volumes mounted at {', '.join(MOUNT_PATHS)} only",
        ),
        (
            f"{_without(pod, REFUSED_IN_PODS)} && {pod}.?dnsPolicy.orValue('ClusterFirst') == 'ClusterFirst'",
            f"no {_names(REFUSED_IN_PODS)}, and `dnsPolicy` ClusterFirst: names lead where the cluster says",
        ),
    ]


def _validations(rules: Sequence[tuple[str, str]], what: str) -> list[admission.ValidationArgs]:
    return [
        admission.ValidationArgs(
            expression=expression, message=f"ai-platform: {what}: expected {message}", reason="Forbidden"
        )
        for expression, message in rules
    ]


def _job_rules(image: str) -> list[tuple[str, str]]:
    pod = "object.spec.template.spec"
    stated = _ANNOTATION.format(object="object")
    return [
        (f"request.operation != 'CREATE' || {_MAY_APPROVE}", "a member of the release group as its creator"),
        (
            f"request.operation == 'CREATE' ? {stated} == request.userInfo.username "
            f": {stated} == {_ANNOTATION.format(object='oldObject')}",
            f"the annotation {APPROVED_BY} with the name of the user that creates it, which stays",
        ),
        (
            f"{_ANNOTATION.format(object='object.spec.template')} == {stated}",
            f"the annotation {APPROVED_BY} of its Pods to be its own",
        ),
        (
            f"object.spec.?activeDeadlineSeconds.orValue({MAX_SECONDS + 1}) <= {MAX_SECONDS}",
            f"`activeDeadlineSeconds` of at most {MAX_SECONDS}",
        ),
        *_pod_rules(pod, image, "object.spec.template.?metadata.?labels"),
        *_template_rules(pod),
    ]


def _of_pods(image: str, executor: str | None) -> list[tuple[str, str]]:
    """Return what Pods must be. executor: the image of Argo's executor; None without workflows."""
    by_job = (
        f"(request.userInfo.username in {_CONTROLLERS} "
        "&& object.?metadata.?ownerReferences.orValue([]).exists(owner, owner.kind == 'Job'))"
    )
    of_job = _pod_rules("object.spec", image, "object.?metadata.?labels")
    if executor is None:
        return [(by_job, "a Job as its creator"), *of_job]
    of_workflow = f"({workflow_admission.OF_WORKFLOW})"
    of_step = workflow_admission.pod_rules(
        image, executor, JOB_LABEL, APPROVED_BY, MAX_SECONDS, REFUSED_IN_CONTAINERS
    )
    names = (
        f"{_without('object.spec', REFUSED_IN_STEPS)} "
        "&& object.spec.?dnsPolicy.orValue('ClusterFirst') == 'ClusterFirst'",
        f"no {_names(REFUSED_IN_STEPS)}, and `dnsPolicy` ClusterFirst: names lead where the cluster says",
    )
    return [
        (f"{by_job} || {of_workflow}", "a Job as its creator, or a Workflow"),
        *((f"{of_workflow} || ({expression})", message) for expression, message in of_job),
        *((f"!{of_workflow} || ({expression})", message) for expression, message in (*of_step, names)),
    ]


def _unchanged(field: str) -> str:
    return f"{field.format(object='object')} == {field.format(object='oldObject')}"


_IMAGES: Final = (
    "[{object}.spec.containers.map(container, container.image), "
    "{object}.spec.?initContainers.orValue([]).map(container, container.image)]"
)
_LABEL: Final = f"{{object}}.?metadata.?labels[?{literal(JOB_LABEL)}].orValue('')"
_CHANGES: Final = [
    (_unchanged(_IMAGES), "the image that the Pod was admitted with"),
    (
        f"{_unchanged(_ANNOTATION)} && {_unchanged(_LABEL)}",
        f"the annotation {APPROVED_BY} and the label {JOB_LABEL} that the Pod was admitted with",
    ),
]
_JOB_CHANGES: Final = "request.operation == 'CREATE' || " + " || ".join(
    f"object.{field} != oldObject.{field}"
    for field in ("spec", "metadata.?labels.orValue({})", "metadata.?annotations.orValue({})")
)
"""When the policy of Jobs applies: not to the end of a deletion, when the image of the store may be another
one."""
_TOKENS: Final = [
    (f"{_NODES} || {PLATFORM}", "no tokens of its service accounts but those of Pods"),
]
_DEBUGGING: Final = [
    ("false", "no ephemeral containers and no commands in Pods, which would run as its service accounts")
]


def create(context: Context[ModelStoreSettings], options: pulumi.ResourceOptions) -> None:
    """Create the policies and their bindings."""
    settings = context.settings
    image = settings.image or ""
    workflows = settings.workflows
    policies: dict[str, tuple[_Rule, list[tuple[str, str]]]] = {
        "release-jobs": (("batch", ("jobs",), ("CREATE", "UPDATE")), _job_rules(image)),
        "release-pods": (
            ("", ("pods",), ("CREATE",)),
            _of_pods(image, workflows and workflows.executor_image),
        ),
        # An image may be changed in a Pod that runs: the kubelet restarts the container with it.
        "release-pod-changes": (("", ("pods",), ("UPDATE",)), _CHANGES),
        "release-tokens": (("", ("serviceaccounts/token",), ("CREATE",)), _TOKENS),
        "release-debugging": (
            ("", ("pods/attach", "pods/ephemeralcontainers", "pods/exec"), ("CONNECT", "UPDATE")),
            _DEBUGGING,
        ),
    }
    if workflows is not None:
        is_prod = settings.profile == "prod"
        policies |= workflow_admission.policies(_MAY_APPROVE, APPROVED_BY, prod=is_prod)
        condition, rule = workflow_admission.elsewhere()
        everything = ("*", ("*",), ("CONNECT", "CREATE", "DELETE", "UPDATE"))
        _policy(context, "release-identities", everything, [rule], options, condition, elsewhere=True)
    conditions = {"release-jobs": _JOB_CHANGES}
    for name, (rule, rules) in policies.items():
        _policy(context, name, rule, rules, options, conditions.get(name))


def _policy(
    context: Context[ModelStoreSettings],
    name: str,
    rule: _Rule,
    rules: Sequence[tuple[str, str]],
    options: pulumi.ResourceOptions,
    condition: str | None = None,
    *,
    elsewhere: bool = False,
) -> None:
    """Create a policy and its binding. condition: of the requests that it concerns; default all. elsewhere:
    whether in any namespace, and not only in that of promotions."""
    group, resources, operations = rule
    metadata = meta.ObjectMetaArgs(
        name=f"ai-platform-{name}", labels={"app.kubernetes.io/managed-by": "ai-platform"}
    )
    policy = admission.ValidatingAdmissionPolicy(
        f"{context.name}-{name}-policy",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicySpecArgs(
            # A policy that cannot be evaluated refuses, as one that is violated.
            failure_policy="Fail",
            match_constraints=admission.MatchResourcesArgs(
                resource_rules=[
                    admission.NamedRuleWithOperationsArgs(
                        api_groups=[group],
                        api_versions=["*"] if group in ("*", workflow_admission.GROUP) else ["v1"],
                        operations=list(operations),
                        resources=list(resources),
                    )
                ],
                namespace_selector=(
                    meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: NAMESPACE})
                    if not elsewhere
                    else None
                ),
            ),
            match_conditions=(
                [admission.MatchConditionArgs(name="concerned", expression=condition)] if condition else None
            ),
            validations=_validations(rules, ", ".join(resources) if not elsewhere else name),
        ),
        opts=options,
    )
    admission.ValidatingAdmissionPolicyBinding(
        f"{context.name}-{name}-binding",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=f"ai-platform-{name}", validation_actions=["Deny"]
        ),
        opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[policy])),
    )
