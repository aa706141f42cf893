"""What runs in the namespace of promotions as a workflow, on a real API server: the template `promotion`, in
Pods of Argo's controller, after a member of the release group resumed it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

import pytest

from aiplatform.continuous_training import promotion
from aiplatform.model_store.args import RELEASE_GROUP as GROUP
from tests.components.aiplatform.model_store.example import APPROVERS, IMAGE, REGISTRY, store
from tests.end_to_end.guardrails import ADMIN, Cluster, Object, control_plane_of, definition, until

pytestmark = pytest.mark.end_to_end

RELEASE = "release"
EXECUTOR = "quay.io/argoproj/argoexec:v4.0.6"
MANAGER = ("maria", GROUP)
CONTROLLER = ("system:serviceaccount:argo:argo-workflows-workflow-controller", "")
DISPATCHER = ("system:serviceaccount:promotion-requests:promotion-requests", "")
PROMOTER = ("system:serviceaccount:release:promoter", "")
CI = ("ci", "ai-platform:pipeline:search")
APPROVED_BY = "ai-platform/approved-by"
WORKFLOWS = f"/apis/argoproj.io/v1alpha1/namespaces/{RELEASE}/workflows"
RBAC = "rbac.authorization.k8s.io"


def workflow(name: str = "promote", **spec: object) -> Object:
    """Return a workflow as a request for a promotion becomes one."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": RELEASE, "annotations": {APPROVED_BY: ""}},
        "spec": {
            "suspend": True,
            "workflowTemplateRef": {"name": "promotion"},
            "arguments": {"parameters": [{"name": "model", "value": "search/ranker"}]},
            **spec,
        },
    }


def step() -> Object:
    """Return the Pod of a step, as Argo's controller makes it of the template (workflowpod.go of Argo
    Workflows v4.0.5)."""
    [_, template, _] = promotion.template(IMAGE, 10)["spec"]["templates"]
    variables = [
        {"name": "ARGO_CONTAINER_NAME", "value": "main"},
        {"name": "ARGO_NODE_ID", "value": "promote-1"},
        {"name": "ARGO_INCLUDE_SCRIPT_OUTPUT", "value": "false"},
    ]
    options = ["--loglevel", "info", "--log-format", "text", "--gloglevel", "0"]
    argo = {"name": "var-run-argo", "mountPath": "/var/run/argo"}
    program = copy.deepcopy(template["container"])
    program["command"] = ["/var/run/argo/argoexec", "emissary", *options, "--", *program["command"]]
    program["env"] += variables
    program["volumeMounts"].append(argo)
    security = {**program["securityContext"], "readOnlyRootFilesystem": False, "runAsUser": 8737}

    def executor(name: str) -> Object:
        return {
            "name": name,
            "image": EXECUTOR,
            "command": ["argoexec", name, *options],
            "env": variables,
            "securityContext": security,
            "volumeMounts": [argo],
        }

    owner = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "name": "promote",
        "uid": "0",
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "step",
            "labels": template["metadata"]["labels"],
            "annotations": {APPROVED_BY: "maria"},
            "ownerReferences": [owner],
        },
        "spec": {
            "serviceAccountName": "promoter",
            "automountServiceAccountToken": True,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": template["activeDeadlineSeconds"],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 8737, "fsGroup": 8737},
            "initContainers": [executor("init")],
            "containers": [executor("wait"), {"name": "main", **program}],
            "volumes": [
                {"name": "var-run-argo", "emptyDir": {}},
                {"name": "tmp-dir-argo", "emptyDir": {}},
                *template["volumes"],
            ],
        },
    }


def changed(change: Callable[[Object], None]) -> Object:
    """Return the Pod with a change."""
    body = json.loads(json.dumps(step()))
    change(body)
    return body


def main(body: Object) -> Object:
    """Return the container of the program."""
    return body["spec"]["containers"][1]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        running.create(crds, definition("argoproj.io", "v1alpha1", "WorkflowTemplate", "workflowtemplates"))
        workflows = {"executor_image": EXECUTOR}
        running.apply(
            store(
                registry=REGISTRY,
                release_group=[APPROVERS],
                image=IMAGE,
                workflows=workflows,
                profile="prod",
            )
        )
        for account in ("promoter", "importer"):
            path = f"/api/v1/namespaces/{RELEASE}/serviceaccounts"
            running.request("POST", path, {"metadata": {"name": account}})
        _may(running, CONTROLLER[0], ("", "pods"), ("argoproj.io", "workflows"))
        _may(running, DISPATCHER[0], ("argoproj.io", "workflows"))
        _may(running, "operator", ("argoproj.io", "workflows"), ("argoproj.io", "workflowtemplates"))
        assert until(lambda: running.refusal(workflow(suspend=False), DISPATCHER, RELEASE))
        assert until(lambda: not running.refusal(workflow(), DISPATCHER, RELEASE)), running.refusal(
            workflow(), DISPATCHER, RELEASE
        )
        yield running


def _may(cluster: Cluster, user: str, *resources: tuple[str, str]) -> None:
    """Allow a user to write kinds in the namespace, as roles of a cluster may."""
    name = user.replace(":", "-")
    where = f"/apis/{RBAC}/v1/namespaces/{RELEASE}"
    verbs = ["create", "patch", "update", "delete"]
    rules = [{"apiGroups": [group], "resources": [kind], "verbs": verbs} for group, kind in resources]
    cluster.create(f"{where}/roles", {"metadata": {"name": name}, "rules": rules})
    subjects = [{"kind": "User", "name": user, "apiGroup": RBAC}]
    reference = {"kind": "Role", "name": name, "apiGroup": RBAC}
    cluster.create(
        f"{where}/rolebindings", {"metadata": {"name": name}, "subjects": subjects, "roleRef": reference}
    )


def test_the_pod_of_a_step_is_admitted_from_argos_controller_alone(cluster: Cluster) -> None:
    assert cluster.refusal(step(), CONTROLLER, RELEASE) == ""
    assert "a Job as its creator, or a Workflow" in cluster.refusal(step(), ADMIN, RELEASE)
    bare = changed(lambda body: body["metadata"].pop("ownerReferences"))
    assert "a Job as its creator, or a Workflow" in cluster.refusal(bare, CONTROLLER, RELEASE)


TOKEN = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}


def test_what_the_cloud_adds_to_a_pod_is_admitted(cluster: Cluster) -> None:
    mount = {"name": "eks", "mountPath": "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"}
    variable = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}

    def add(body: Object) -> None:
        body["spec"]["volumes"].append({"name": "eks", "projected": {"sources": [TOKEN]}})
        main(body)["volumeMounts"].append(mount)
        main(body)["env"].append(variable)

    assert cluster.refusal(changed(add), CONTROLLER, RELEASE) == ""


def _command(*words: str) -> Object:
    return changed(lambda body: main(body).update(command=list(words)))


_SECRET: Object = {"name": "mine", "secret": {"secretName": "mine"}}
REFUSED: dict[str, tuple[Object, str]] = {
    "another image": (
        changed(lambda body: main(body).update(image=f"{IMAGE.split('@')[0]}@sha256:{'1' * 64}")),
        "the containers `main`",
    ),
    "another executor": (
        changed(lambda body: body["spec"]["containers"][0].update(image="quay.io/other/argoexec:v4.0.6")),
        "the containers `main`",
    ),
    "a third container": (
        changed(lambda body: body["spec"]["containers"].append({**main(body), "name": "third"})),
        "the containers `main`",
    ),
    "another init container": (
        changed(lambda body: body["spec"]["initContainers"][0].update(image=IMAGE)),
        "the init container `init`",
    ),
    "a second init container": (
        changed(lambda body: body["spec"]["initContainers"].append({**main(body), "name": "first"})),
        "the init container `init`",
    ),
    "another program of the executor": (
        changed(lambda body: body["spec"]["containers"][0].update(command=["sh", "-c", "id"])),
        "`argoexec wait`",
    ),
    "arguments of the executor": (
        changed(lambda body: body["spec"]["containers"][0].update(args=["--kubeconfig=/tmp/mine"])),
        "`argoexec wait`",
    ),
    "another program": (_command("sh", "-c", "id"), "the command `python -m model_release`"),
    "another program by the executor": (
        _command("/var/run/argo/argoexec", "emissary", "--", "python", "-m", "http.server"),
        "the command `python -m model_release`",
    ),
    "a program before the program": (
        _command(
            "/var/run/argo/argoexec",
            "emissary",
            "--",
            "sh",
            "-c",
            "id",
            "--",
            "python",
            "-m",
            "model_release",
        ),
        "the command `python -m model_release`",
    ),
    "no command": (changed(lambda body: main(body).pop("command")), "the command `python -m model_release`"),
    "another program by a probe": (
        changed(lambda body: main(body).update(livenessProbe={"exec": {"command": ["id"]}})),
        "`livenessProbe`",
    ),
    "other modules": (changed(lambda body: main(body).update(workingDir="/tmp")), "`workingDir`"),  # noqa: S108
    "modules by a variable": (
        changed(lambda body: main(body)["env"].append({"name": "PYTHONPATH", "value": "/tmp"})),  # noqa: S108
        "variables only from",
    ),
    "a literal approval": (
        changed(lambda body: main(body)["env"][0].update(valueFrom=None, value="maria")),
        "APPROVED_BY from the annotation",
    ),
    "a Secret as a variable of the executor": (
        changed(
            lambda body: main(body)["env"].append(
                {"name": "ARGO_X", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "a"}}}
            )
        ),
        "variables only from",
    ),
    "variables of a Secret": (
        changed(lambda body: main(body)["envFrom"].append({"secretRef": {"name": "mine"}})),
        "variables only from",
    ),
    "a Secret as a volume": (
        changed(lambda body: body["spec"]["volumes"].append(_SECRET)),
        "volumes only of emptyDir",
    ),
    "a Secret next to a token": (
        changed(
            lambda body: body["spec"]["volumes"].append(
                {"name": "mine", "projected": {"sources": [TOKEN, {"secret": {"name": "mine"}}]}}
            )
        ),
        "volumes only of emptyDir",
    ),
    "a volume over the program": (
        changed(lambda body: main(body)["volumeMounts"][0].update(mountPath="/opt/program")),
        "volumes mounted at /tmp",
    ),
    "the identity of imports": (
        changed(lambda body: body["spec"].update(serviceAccountName="importer")),
        "the service account promoter",
    ),
    "the network of imports": (
        changed(lambda body: body["metadata"]["labels"].update({"ai-platform/release-job": "importer"})),
        "the service account promoter",
    ),
    "a longer time": (
        changed(lambda body: body["spec"].update(activeDeadlineSeconds=7 * 3600)),
        "`activeDeadlineSeconds` of at most",
    ),
    "names of another server": (
        changed(lambda body: body["spec"].update(dnsPolicy="None", dnsConfig={"nameservers": ["192.0.2.1"]})),
        "no `dnsConfig`",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_pod_of_a_workflow_is_refused(cluster: Cluster, name: str) -> None:
    body, error = REFUSED[name]
    message = cluster.refusal(body, CONTROLLER, RELEASE)
    assert "ai-platform: pods: " in message, message or "it was admitted"
    assert error in message


def _with_status(body: Object) -> Object:
    return {**body, "status": {"storedWorkflowTemplateSpec": {"entrypoint": "mine"}}}


def _annotated(body: Object, name: str) -> Object:
    return {**body, "metadata": {**body["metadata"], "annotations": {APPROVED_BY: name}}}


WORKFLOW_REFUSALS: dict[str, tuple[Object, tuple[str, str], str]] = {
    "another creator": (workflow(), ("operator", ""), "as its creator"),
    "templates in it": (workflow(templates=[{"name": "main"}]), DISPATCHER, "and nothing else"),
    "another entry point": (workflow(entrypoint="mine"), DISPATCHER, "and nothing else"),
    "another template": (
        workflow(workflowTemplateRef={"name": "mine"}),
        DISPATCHER,
        "the template promotion",
    ),
    "a template of the cluster": (
        workflow(workflowTemplateRef={"name": "promotion", "clusterScope": True}),
        DISPATCHER,
        "the template promotion",
    ),
    "a status": (_with_status(workflow()), DISPATCHER, "no `status`"),
    "an approval of another user": (_annotated(workflow(), "maria"), DISPATCHER, "the annotation"),
    "one that does not wait": (workflow(suspend=False), DISPATCHER, "suspended until a member"),
}


@pytest.mark.parametrize("name", WORKFLOW_REFUSALS)
def test_another_workflow_is_refused(cluster: Cluster, name: str) -> None:
    body, user, error = WORKFLOW_REFUSALS[name]
    message = cluster.refusal(body, user, RELEASE)
    assert "ai-platform: workflows: " in message, message or "it was admitted"
    assert error in message


def test_the_identity_of_ci_creates_and_resumes_no_promotion(cluster: Cluster) -> None:
    assert "forbidden" in cluster.refusal(workflow(), CI, RELEASE)
    status, text, _ = cluster.request("PATCH", f"{WORKFLOWS}/any", {"spec": {"suspend": None}}, CI)
    assert status == 403, text


@pytest.fixture
def waiting(cluster: Cluster) -> Iterator[str]:
    """The path of a workflow that waits for an approval."""
    status, text, _ = cluster.request("POST", WORKFLOWS, workflow("waiting"), DISPATCHER)
    assert status == 201, text
    yield f"{WORKFLOWS}/waiting"
    cluster.request("DELETE", f"{WORKFLOWS}/waiting")


def _resume(name: str) -> Object:
    return {"metadata": {"annotations": {APPROVED_BY: name}}, "spec": {"suspend": None}}


def test_a_member_of_the_release_group_resumes_with_the_own_name(cluster: Cluster, waiting: str) -> None:
    refusals: list[tuple[Object, tuple[str, str], str]] = [
        ({"spec": {"suspend": None}}, MANAGER, "suspended until a member"),
        (_resume("another"), MANAGER, "the annotation ai-platform/approved-by"),
        (_resume("operator"), ("operator", ""), "the annotation ai-platform/approved-by"),
        (_resume(CONTROLLER[0]), CONTROLLER, "the annotation ai-platform/approved-by"),
        (
            {**_resume("maria"), "status": {"nodes": {}, "phase": "Running"}},
            MANAGER,
            "Argo's controller only",
        ),
        (
            {**_resume("maria"), "spec": {"suspend": None, "arguments": {"parameters": []}}},
            MANAGER,
            "the parameters that it was created with",
        ),
    ]
    for body, user, error in refusals:
        status, text, _ = cluster.request("PATCH", waiting, body, user)
        assert status == 403, f"{body}: {text}"
        assert error in text, text
    status, text, _ = cluster.request("PATCH", waiting, _resume("maria"), MANAGER)
    assert status == 200, text
    status, text, _ = cluster.request("PATCH", waiting, _resume("mario"), ("mario", GROUP))
    assert status == 403, "the approval stays"
    status, text, _ = cluster.request("PATCH", waiting, {"status": {"phase": "Running"}}, CONTROLLER)
    assert status == 200, text


def test_templates_of_promotions_are_those_of_administrators(cluster: Cluster) -> None:
    body = promotion.template(IMAGE, 10)
    assert cluster.refusal(body, ADMIN, RELEASE) == ""
    assert "an administrator of the cluster" in cluster.refusal(body, ("operator", ""), RELEASE)


def test_the_promoter_writes_nothing_elsewhere(cluster: Cluster) -> None:
    where = f"/apis/{RBAC}/v1"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}
    cluster.create(f"{where}/clusterroles", {"metadata": {"name": "writes"}, "rules": [rule]})
    subjects = [{"kind": "User", "name": PROMOTER[0], "apiGroup": RBAC}]
    reference = {"kind": "ClusterRole", "name": "writes", "apiGroup": RBAC}
    cluster.create(
        f"{where}/clusterrolebindings",
        {"metadata": {"name": "writes"}, "subjects": subjects, "roleRef": reference},
    )
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}
    assert until(lambda: "in the namespace release only" in cluster.refusal(body, PROMOTER, "default"))
    assert cluster.refusal(body, PROMOTER, RELEASE) == ""
