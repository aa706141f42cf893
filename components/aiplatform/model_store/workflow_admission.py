"""What runs in the namespace of promotions as a workflow: steps of the template `promotion`, with the
platform's image, and Argo's executor next to it.

A workflow refers to that template and states its parameters, and nothing else. In prod it is suspended until
a member of the release group resumes it, whose name it has from then on. Pods of steps are created by Argo's
controller only.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aiplatform._shared.references.model_store import NAMESPACE
from aiplatform.guardrails.policies.policy import PLATFORM, literal
from aiplatform.model_store.args import (
    CONFIGURATION,
    FILES,
    IMPORTER,
    PROMOTER,
    REQUESTS,
    TEMPLATE,
)

Rules = list[tuple[str, str]]
"""Expressions, and what they expect."""
Rule = tuple[str, Sequence[str], Sequence[str]]
"""API group, resources and operations that a policy applies to."""

GROUP: Final = "argoproj.io"
CONTROLLER: Final = "system:serviceaccount:argo:argo-workflows-workflow-controller"
"""The user of Argo's controller, as component Pipelines installs it."""
_DISPATCHER: Final = f"system:serviceaccount:{REQUESTS}:{REQUESTS}"
_IDENTITIES: Final = [f"system:serviceaccount:{NAMESPACE}:{account}" for account in (PROMOTER, IMPORTER)]
_BY_CONTROLLER: Final = f"request.userInfo.username == {literal(CONTROLLER)}"
OF_WORKFLOW: Final = (
    f"{_BY_CONTROLLER} && object.?metadata.?ownerReferences.orValue([]).exists(owner, "
    f"owner.kind == 'Workflow' && owner.apiVersion.startsWith('{GROUP}/'))"
)
"""Whether a Pod is that of a step: Argo's controller creates it for a Workflow."""
_PROGRAM: Final = ("python", "-m", "model_release")
"""The entry point of the platform's image. Argo states it, so that it does not look it up in the registry."""
_EXECUTOR: Final = "/var/run/argo/argoexec"
"""Argo's executor in the container of a step: it runs the program after `--`."""
_MOUNTS: Final = ("/tmp", "/etc/model-release", "/var/run/argo")  # noqa: S108 - in the container
_TOKENS: Final = "/var/run/secrets/"
"""Where the API server and EKS mount tokens."""
_INJECTED: Final = (
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_STS_REGIONAL_ENDPOINTS",
)
"""Variables that EKS adds to Pods with an identity (aws/amazon-eks-pod-identity-webhook)."""
_SPEC: Final = ("arguments", "suspend", "workflowTemplateRef")


def pod_rules(
    image: str, executor: str, label: str, approved_by: str, longest: int, refused: Sequence[str]
) -> Rules:
    """Return what the Pod of a step must be. label: that of Pods with their service account. approved_by:
    the annotation. longest: seconds. refused: fields of containers."""
    pod = "object.spec"
    main = f"{pod}.containers.filter(container, container.name == 'main')[0]"
    initial = f"{pod}.?initContainers.orValue([])"
    entry = " && ".join(
        f"{main}.command[size({main}.command) - {len(_PROGRAM) - index}] == {literal(word)}"
        for index, word in enumerate(_PROGRAM)
    )
    runs = f"{main}.command[size({main}.command) - {len(_PROGRAM) + 1}] == '--'"
    fields = ("command", *[field for field in refused if field != "command"])
    return [
        (
            f"{pod}.?serviceAccountName.orValue('') == {literal(PROMOTER)} "
            f"&& object.?metadata.?labels[?{literal(label)}].orValue('') == {literal(PROMOTER)}",
            f"the service account {PROMOTER}, and the label {label} with its name",
        ),
        (
            f"size({pod}.containers) == 2 && {pod}.containers.exists_one(c, c.name == 'main') "
            f"&& {pod}.containers.exists_one(c, c.name == 'wait') && {literal(image)} != '' "
            f"&& {pod}.containers.all(c, c.image == (c.name == 'main' ? {literal(image)} : "
            f"{literal(executor)}))",
            "the containers `main`, with the image of the model store's argument `image`, and `wait`, with "
            "that of Argo's executor",
        ),
        (
            f"size({initial}) == 1 && {initial}.all(c, c.name == 'init' && c.image == {literal(executor)} "
            "&& size(c.?command.orValue([])) >= 2 && c.command[0] == 'argoexec' && c.command[1] == 'init' "
            "&& size(c.?args.orValue([])) == 0)",
            "the init container `init` of Argo's executor",
        ),
        (
            f"{pod}.containers.all(c, c.name != 'wait' || (size(c.?command.orValue([])) >= 2 "
            "&& c.command[0] == 'argoexec' && c.command[1] == 'wait' && size(c.?args.orValue([])) == 0))",
            "`argoexec wait` in the container `wait`",
        ),
        (
            f"size({main}.?command.orValue([])) >= {len(_PROGRAM) + 3} "
            f"&& {main}.command[0] == {literal(_EXECUTOR)} && {main}.command[1] == 'emissary' "
            f"&& {main}.command.filter(word, word == '--').size() == 1 && {runs} && {entry}",
            f"the command `{' '.join(_PROGRAM)}` by Argo's executor: the image's entry point runs, and "
            "nothing else",
        ),
        (
            f"{pod}.containers.all(c, {' && '.join(f'!has(c.{field})' for field in fields[1:])})",
            f"no {', '.join(f'`{field}`' for field in fields[1:])}",
        ),
        (
            f"{main}.?env.orValue([]).all(variable, variable.name == 'APPROVED_BY' "
            "? variable.?valueFrom.?fieldRef.?fieldPath.orValue('') == "
            f"{literal(_field(approved_by))} : !has(variable.valueFrom) "
            f"&& (variable.name.startsWith('ARGO_') || variable.name in {literal(list(_INJECTED))})) "
            f"&& {main}.?envFrom.orValue([]).all(source, "
            f"source.?configMapRef.?name.orValue('') == {literal(CONFIGURATION)})",
            f"variables only from the ConfigMap {CONFIGURATION} and of Argo's executor, and APPROVED_BY from "
            f"the annotation {approved_by}",
        ),
        (
            f"{pod}.?volumes.orValue([]).all(volume, has(volume.emptyDir) "
            f"|| volume.?configMap.?name.orValue('') == {literal(FILES)} "
            "|| volume.?projected.?sources.orValue([]).exists(source, has(source.serviceAccountToken)) "
            "&& volume.projected.sources.all(source, has(source.serviceAccountToken) "
            "|| has(source.downwardAPI) || source.?configMap.?name.orValue('') == 'kube-root-ca.crt'))",
            f"volumes only of emptyDir, tokens and the ConfigMap {FILES}",
        ),
        (
            f"{main}.?volumeMounts.orValue([]).all(mount, mount.mountPath in {literal(list(_MOUNTS))} "
            f"|| mount.mountPath.startsWith({literal(_TOKENS)}))",
            f"volumes mounted at {', '.join(_MOUNTS)} only",
        ),
        (
            f"{pod}.?activeDeadlineSeconds.orValue({longest + 1}) <= {longest}",
            f"`activeDeadlineSeconds` of at most {longest}",
        ),
    ]


def _field(annotation: str) -> str:
    return f"metadata.annotations['{annotation}']"


def policies(may_approve: str, approved_by: str, *, prod: bool) -> Mapping[str, tuple[Rule, Rules]]:
    """Return policies of workflows and of their templates, by their names. may_approve: the expression of a
    member of the release group. approved_by: the annotation. prod: whether workflows wait for a member."""
    return {
        "release-workflows": (
            (GROUP, ("workflows",), ("CREATE", "UPDATE")),
            _workflow_rules(may_approve, approved_by, prod),
        ),
        "release-templates": (
            (
                GROUP,
                ("cronworkflows", "workfloweventbindings", "workflowtemplates"),
                ("CREATE", "DELETE", "UPDATE"),
            ),
            [(PLATFORM, "an administrator of the cluster: they decide what runs as promotions")],
        ),
    }


def elsewhere() -> tuple[str, tuple[str, str]]:
    """Return the policy that keeps the identities of promotions in their namespace, whatever roles name them:
    the condition of a request that it concerns, and what it expects."""
    return f"request.userInfo.username in {literal(_IDENTITIES)}", (
        f"request.namespace == {literal(NAMESPACE)}",
        f"requests of the service accounts {PROMOTER} and {IMPORTER} in the namespace {NAMESPACE} only",
    )


def _workflow_rules(may_approve: str, approved_by: str, prod: bool) -> Rules:
    stated = f"{{object}}.?metadata.?annotations[?{literal(approved_by)}].orValue('')"
    now, before = stated.format(object="object"), stated.format(object="oldObject")
    suspended = "{object}.spec.?suspend.orValue(false)"
    rules = [
        (
            f"request.operation != 'CREATE' || request.userInfo.username == {literal(_DISPATCHER)} "
            f"|| {may_approve}",
            f"the service account {REQUESTS}/{REQUESTS} or a member of the release group as its creator",
        ),
        (
            f"object.spec.all(field, field in {literal(list(_SPEC))}) "
            f"&& object.spec.?workflowTemplateRef.?name.orValue('') == {literal(TEMPLATE)} "
            "&& !object.spec.?workflowTemplateRef.?clusterScope.orValue(false)",
            f"a reference to the template {TEMPLATE} and its parameters, and nothing else",
        ),
        (
            # Clients write times that are not there yet as null.
            "request.operation != 'CREATE' "
            "|| object.?status.orValue({}).all(key, object.status[key] == null)",
            "no `status`: Argo's controller writes it",
        ),
        (
            f"request.operation == 'CREATE' ? {now} == '' || ({now} == request.userInfo.username "
            f"&& {may_approve}) : {now} == {before} || ({before} == '' && {now} == "
            f"request.userInfo.username && {may_approve})",
            f"the annotation {approved_by} to be empty, or the name of the member of the release group that "
            "sets it, and to stay",
        ),
        (
            "request.operation != 'UPDATE' || (object.spec.?arguments.orValue({}) == "
            "oldObject.spec.?arguments.orValue({}))",
            "the parameters that it was created with",
        ),
        (
            f"request.operation != 'UPDATE' || {_BY_CONTROLLER} "
            "|| object.?status.orValue({}) == oldObject.?status.orValue({})",
            "the status to be written by Argo's controller only",
        ),
    ]
    if prod:
        is_suspended = suspended.format(object="object")
        rules.append(
            (
                f"{is_suspended} || {now} != ''",
                f"it to be suspended until a member of the release group resumes it, with its name in "
                f"{approved_by}",
            )
        )
    return rules
