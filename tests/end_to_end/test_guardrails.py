"""The guardrails on a real API server: what they refuse, and what users and controllers need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.guardrail_adapters import SHARES_ADMITTED
from tests.end_to_end.guardrail_cases import (
    ADMITTED,
    BYPASSES,
    CLAIM,
    CONTROLLER,
    DEVELOPER,
    FORGED,
    GOOGLE_ADMITTED,
    GOOGLE_REFUSED,
    HUB,
    INSIDER,
    JOBSET,
    KUEUE,
    NEIGHBOUR,
    NO_QUEUE,
    NOT_A_TEAM,
    ON_GPU_NODES,
    OPERATOR,
    PUBLIC,
    REFUSED,
    SETTINGS,
)
from tests.end_to_end.guardrail_fabrics import (
    ADDITIONS,
    FABRIC_ADMITTED,
    FABRIC_TEAMS,
    LARGE,
    additions,
    fabric_teams,
    with_fabrics,
)
from tests.end_to_end.guardrail_objects import (
    GPU,
    IMAGE,
    QUEUE,
    controlled,
    image,
    job,
    pod,
    service,
    spec,
)
from tests.end_to_end.guardrail_rights import grant_everything, grant_namespaces
from tests.end_to_end.guardrail_teams import ALL_REFUSED
from tests.end_to_end.guardrails import (
    ADMIN,
    Cluster,
    Object,
    before_policy,
    control_plane_of,
    guardrails,
    namespace,
    pods_of,
    replace_policies,
    replicas_of,
    until,
)

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.apply(guardrails(**with_fabrics(SETTINGS)))
        running.apply(
            namespace("team-a", cloud="aws", queues=["default"], members={"developer": [DEVELOPER[1]]})
        )
        running.apply(namespace("team-b", cloud="aws", queues=["default"], priority_classes=["serving"]))
        for team in fabric_teams():
            running.apply(team)
        for name in ("scratch", "gateway"):
            running.create("/api/v1/namespaces", {"metadata": {"name": name}})
        for name in ("team-a", "scratch", "fabric", "gateway", *FABRIC_TEAMS):
            grant_everything(running, name)
        grant_namespaces(running)
        # Policies are enforced a moment after they are created.
        for name, case in REFUSED.items():
            assert until(lambda c=case: running.refusal(c[1], c[0], c[2])), f"{name} is not refused"
        yield running


@pytest.mark.parametrize("name", BYPASSES)
def test_a_way_past_the_quota_is_refused_with_the_platforms_error(cluster: Cluster, name: str) -> None:
    user, body, where, error = BYPASSES[name]
    message = cluster.refusal(body, user, where)
    assert "ai-platform: " in message, message or "it was admitted"
    assert error in message


@pytest.mark.parametrize("name", [name for name in ALL_REFUSED if name not in BYPASSES])
def test_what_violates_a_policy_is_refused_with_the_platforms_error(cluster: Cluster, name: str) -> None:
    user, body, where, error = ALL_REFUSED[name]
    message = cluster.refusal(body, user, where)
    assert error in message, message or "it was admitted"


@pytest.mark.parametrize("name", [*ADMITTED, *FABRIC_ADMITTED, *SHARES_ADMITTED])
def test_what_users_and_controllers_need_is_admitted(cluster: Cluster, name: str) -> None:
    user, body, where = {**ADMITTED, **FABRIC_ADMITTED, **SHARES_ADMITTED}[name]
    assert cluster.refusal(body, user, where) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"kueue.x-k8s.io/managed-namespace": "true"}},
        {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        {"labels": {"resource.kubernetes.io/admin-access": "true"}},
        {"annotations": {"ai-platform/queues": "default,team-b"}},
        {"annotations": {"ai-platform/priority-classes": "serving"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["scratch", "team-a"])
def test_a_team_cannot_change_by_what_its_namespace_is_controlled(
    cluster: Cluster, name: str, change: Object
) -> None:
    if name == "team-a" and "managed-namespace" in str(change):
        change = {"labels": {"kueue.x-k8s.io/managed-namespace": None}}
    path = f"/api/v1/namespaces/{name}?dryRun=All"
    status, text, _ = cluster.request("PATCH", path, {"metadata": change}, INSIDER)
    assert status == 403, text
    assert "only the platform sets those" in text
    assert cluster.request("PATCH", path, {"metadata": change}, ADMIN)[0] == 200, (
        "a principal that may escalate cluster roles is the platform"
    )
    harmless = {"metadata": {"labels": {"topic": "vision"}}}
    assert cluster.request("PATCH", path, harmless, INSIDER)[0] == 200


def test_the_labels_of_a_namespace_do_not_change_by_its_subresources(cluster: Cluster) -> None:
    path = "/api/v1/namespaces/scratch"
    body = json.loads(cluster.request("GET", path)[1])
    for part in ("status", "finalize"):
        url = f"{path}/{part}?dryRun=All"
        body["metadata"]["labels"].pop("kueue.x-k8s.io/managed-namespace", None)
        status, text, _ = cluster.request("PUT", url, body, OPERATOR)
        assert status == 200, text
        body["metadata"]["labels"]["kueue.x-k8s.io/managed-namespace"] = "true"
        status, text, _ = cluster.request("PUT", url, body, OPERATOR)
        assert status == 403, (part, "a namespace that Kueue manages would have any queue")
        assert "only the platform sets those" in text


def test_a_namespace_is_deleted_by_its_controller(cluster: Cluster) -> None:
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "short"}})
    assert cluster.request("DELETE", "/api/v1/namespaces/short", None, OPERATOR)[0] == 200
    assert until(lambda: cluster.request("GET", "/api/v1/namespaces/short")[0] == 404)


@pytest.mark.parametrize(
    ("user", "name", "expected"),
    [
        (OPERATOR, "monitoring", 403),
        (OPERATOR, "argo", 403),
        (OPERATOR, "amazon-guardduty", 403),
        (OPERATOR, "experiments", 201),
        (NEIGHBOUR, "amazon-guardduty", 403),
        (ADMIN, "monitoring", 201),
        (("eks:addon-manager", OPERATOR[1]), "amazon-guardduty", 201),
        (("system:addon-manager", OPERATOR[1]), "amazon-guardduty", 201),
    ],
)
def test_only_the_platform_and_the_cloud_create_namespaces_that_no_policy_evaluates(
    cluster: Cluster, user: tuple[str, str], name: str, expected: int
) -> None:
    body = {"metadata": {"name": name}}
    status, text, _ = cluster.request("POST", "/api/v1/namespaces?dryRun=All", body, user)
    assert status == expected, text
    if expected == 403:
        assert "no policy evaluates" in text


def test_the_pods_of_a_real_job_and_deployment_are_created(cluster: Cluster) -> None:
    body = job(spec(GPU), QUEUE)
    created = cluster.create("/apis/batch/v1/namespaces/team-a/jobs", body)
    deployment = controlled("Deployment", spec(GPU), QUEUE)
    # As Kueue's webhook does.
    deployment["spec"]["template"]["metadata"]["labels"].update(QUEUE)
    other = cluster.create("/apis/apps/v1/namespaces/team-a/deployments", deployment)
    for owner in (created, other):
        name = owner["metadata"]["name"]
        assert until(lambda n=name: pods_of(cluster, n)), f"{name} has no Pod"


def test_only_kueue_removes_the_gates_of_a_pod(cluster: Cluster) -> None:
    gates = [{"name": "kueue.x-k8s.io/admission"}, {"name": "team/data"}]
    body = pod(spec(GPU, schedulingGates=gates), QUEUE)
    status, text, _ = cluster.request("POST", "/api/v1/namespaces/team-a/pods", body, HUB)
    assert status == 201, text
    path = f"/api/v1/namespaces/team-a/pods/{json.loads(text)['metadata']['name']}"
    for user, left, expected in (
        (INSIDER, gates[1:], 403),
        (INSIDER, gates[:1], 200),
        (ADMIN, [], 403),
        (KUEUE, [], 200),
    ):
        change = {"spec": {"schedulingGates": left}}
        status, text, _ = cluster.request("PATCH", f"{path}?dryRun=All", change, user)
        assert status == expected, (user, text)


def test_a_child_of_a_workload_is_changed_by_controllers_only(cluster: Cluster) -> None:
    path = "/apis/batch/v1/namespaces/team-a/jobs"
    body = job(spec(GPU), owner="JobSet")
    body["spec"]["suspend"] = True
    status, text, _ = cluster.request("POST", path, body, JOBSET)
    assert status == 201, text
    child = f"{path}/{json.loads(text)['metadata']['name']}?dryRun=All"
    status, text, _ = cluster.request("PATCH", child, {"spec": {"suspend": False}}, INSIDER)
    assert status == 403, "it would start before its JobSet is admitted"
    assert FORGED in text
    assert cluster.request("PATCH", child, {"spec": {"suspend": False}}, JOBSET)[0] == 200


def test_what_ran_before_a_policy_may_still_be_scaled_rolled_and_deleted(cluster: Cluster) -> None:
    bad = controlled("Deployment", image("evil.com/old:1"))
    bad["metadata"] = {"name": "old", "finalizers": ["example.com/wait"]}
    # No node runs its Pods, so a rolling update would wait for the new ones.
    bad["spec"].update(replicas=3, strategy={"type": "Recreate"})
    apps = "/apis/apps/v1/namespaces/scratch"
    path, sets = f"{apps}/deployments", f"{apps}/replicasets"
    with before_policy(cluster, "images", INSIDER, controlled("Deployment", image("evil.com/new:1"))):
        assert cluster.request("POST", path, bad, INSIDER)[0] == 201
        assert until(lambda: replicas_of(cluster, sets, "evil.com/old:1") == [3])
    annotation = {"metadata": {"annotations": {"checked": "yes"}}}
    assert cluster.request("PATCH", f"{path}/old", annotation, INSIDER)[0] == 200
    fewer = {"spec": {"replicas": 2}}
    assert cluster.request("PATCH", f"{path}/old/scale", fewer, INSIDER)[0] == 200
    assert until(lambda: replicas_of(cluster, sets, "evil.com/old:1") == [2]), "its controller scales it"
    good = {"spec": {"template": {"spec": {"containers": image(IMAGE)["containers"]}}}}
    assert cluster.request("PATCH", f"{path}/old", good, INSIDER)[0] == 200
    assert until(lambda: replicas_of(cluster, sets, "evil.com/old:1") == [0]), "its controller replaces it"
    assert cluster.request("DELETE", f"{path}/old", None, INSIDER)[0] == 200
    without = {"metadata": {"finalizers": None}}
    assert cluster.request("PATCH", f"{path}/old", without, INSIDER)[0] == 200, "its finalizer can be removed"


def test_a_public_service_from_before_the_policy_is_deleted_by_its_controller(cluster: Cluster) -> None:
    public = service("LoadBalancer")
    public["metadata"] = {"name": "old", "finalizers": ["service.kubernetes.io/load-balancer-cleanup"]}
    path = "/api/v1/namespaces/scratch/services"
    with before_policy(cluster, "public-addresses", INSIDER, service("LoadBalancer")):
        assert cluster.request("POST", path, public, INSIDER)[0] == 201
    assert cluster.request("DELETE", f"{path}/old", None, INSIDER)[0] == 200
    others = {"spec": {"externalIPs": ["192.0.2.1"]}}
    assert cluster.request("PATCH", f"{path}/old", others, INSIDER)[0] == 403, "nodes still serve it"
    without = {"metadata": {"finalizers": None}}
    status, text, _ = cluster.request("PATCH", f"{path}/old", without, INSIDER)
    assert status == 200, text
    assert cluster.request("GET", f"{path}/old")[0] == 404


def test_a_workload_without_labels_from_before_the_policy_is_changed_and_deleted(cluster: Cluster) -> None:
    def body() -> Object:
        plain = controlled("Deployment", spec())
        plain["metadata"] = {"name": "plain", "labels": {"a": "b"}, "finalizers": ["example.com/wait"]}
        return plain

    path = "/apis/apps/v1/namespaces/team-a/deployments"
    collection = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    binding = f"{collection}/ai-platform-labels"
    warn = {"spec": {"validationActions": ["Warn"]}}
    deny = {"spec": {"validationActions": ["Deny", "Audit"]}}
    assert cluster.request("PATCH", binding, warn)[0] == 200
    assert until(lambda: cluster.request("POST", path, body(), INSIDER)[0] == 201)
    assert cluster.request("PATCH", binding, deny)[0] == 200
    probe = controlled("Deployment", spec())
    probe["metadata"] = {"generateName": "x-"}
    assert until(lambda: cluster.refusal(probe, INSIDER))
    paused = {"spec": {"paused": True}}
    assert cluster.request("PATCH", f"{path}/plain", paused, INSIDER)[0] == 200
    relabelled = {"metadata": {"labels": {"a": "c"}}}
    assert cluster.request("PATCH", f"{path}/plain", relabelled, INSIDER)[0] == 403
    assert cluster.request("PATCH", f"{path}/plain", relabelled, CONTROLLER)[0] == 200
    assert cluster.request("DELETE", f"{path}/plain", None, INSIDER)[0] == 200
    without = {"metadata": {"finalizers": None}}
    assert cluster.request("PATCH", f"{path}/plain", without, INSIDER)[0] == 200


def test_only_kueue_changes_its_labels_and_annotations_of_a_pod(cluster: Cluster) -> None:
    body = pod(spec(), QUEUE, annotations={"kueue.x-k8s.io/role-hash": "a"})
    status, text, _ = cluster.request("POST", "/api/v1/namespaces/team-a/pods", body, HUB)
    assert status == 201, text
    path = f"/api/v1/namespaces/team-a/pods/{json.loads(text)['metadata']['name']}"
    for change in (
        {"annotations": {"kueue.x-k8s.io/pod-group-name": "g"}},
        {"annotations": {"kueue.x-k8s.io/role-hash": "b"}},
        {"labels": {"kueue.x-k8s.io/pod-group-name": "g"}},
        {"labels": {"kueue.x-k8s.io/queue-name": None}},
    ):
        for part in ("", "/status"):
            url = f"{path}{part}?dryRun=All"
            status, text, _ = cluster.request("PATCH", url, {"metadata": change}, INSIDER)
            assert status == 403, (change, part)
            assert "only Kueue changes those of a Pod" in text
            assert cluster.request("PATCH", url, {"metadata": change}, KUEUE)[0] == 200, (change, part)
    harmless = {"metadata": {"labels": {"topic": "vision"}, "annotations": {"checked": "yes"}}}
    assert cluster.request("PATCH", f"{path}?dryRun=All", harmless, INSIDER)[0] == 200


def test_a_pod_gets_no_toleration_of_accelerators_later(cluster: Cluster) -> None:
    path = "/api/v1/namespaces/scratch/pods"
    status, text, _ = cluster.request("POST", path, pod(spec()), INSIDER)
    assert status == 201, text
    created = json.loads(text)
    path = f"{path}/{created['metadata']['name']}?dryRun=All"
    before = created["spec"].get("tolerations", [])
    for added, expected in (
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, 403),
        ({"operator": "Exists"}, 403),
        ({"key": "example.com/pool", "operator": "Exists"}, 200),
    ):
        change = {"spec": {"tolerations": [*before, added]}}
        status, text, _ = cluster.request("PATCH", path, change, INSIDER)
        assert status == expected, (added, text)


def test_a_job_that_kueue_put_on_nodes_with_accelerators_is_changed_by_its_user(cluster: Cluster) -> None:
    path = "/apis/batch/v1/namespaces/team-a/jobs"
    body = job(spec(), QUEUE)
    body["spec"]["suspend"] = True
    status, text, _ = cluster.request("POST", path, body, INSIDER)
    assert status == 201, text
    path = f"{path}/{json.loads(text)['metadata']['name']}"
    flavored = {"spec": {"template": {"spec": ON_GPU_NODES}}}
    assert cluster.request("PATCH", f"{path}?dryRun=All", flavored, INSIDER)[0] == 403
    assert cluster.request("PATCH", path, flavored, KUEUE)[0] == 200
    for change in ({"metadata": {"labels": {"topic": "vision"}}}, {"spec": {"activeDeadlineSeconds": 60}}):
        status, text, _ = cluster.request("PATCH", f"{path}?dryRun=All", change, INSIDER)
        assert status == 200, text


def test_a_developer_creates_no_pods_and_reads_no_secrets(cluster: Cluster) -> None:
    where = "/api/v1/namespaces/team-a"
    for method, path, body in (
        ("POST", f"{where}/pods?dryRun=All", pod(spec())),
        ("GET", f"{where}/secrets", None),
        ("POST", f"{where}/serviceaccounts/default/token", {"spec": {}}),
        ("PATCH", where, {"metadata": {"labels": {"topic": "vision"}}}),
        ("GET", "/api/v1/namespaces/team-b/pods", None),
        ("POST", "/apis/networking.k8s.io/v1/namespaces/team-a/networkpolicies", {"spec": {}}),
    ):
        status, text, _ = cluster.request(method, path, body, DEVELOPER)
        assert status == 403, (method, path, text)
    assert cluster.request("GET", f"{where}/pods", None, DEVELOPER)[0] == 200


def test_containers_without_requests_get_them_and_others_keep_theirs(cluster: Cluster) -> None:
    for resources, expected in (
        (None, {"cpu": "100m", "memory": "256Mi"}),
        ({"memory": "64Gi"}, {"cpu": "100m", "memory": "64Gi"}),
    ):
        base = spec()
        if resources:
            base["containers"][0]["resources"] = {"requests": resources}
        path = "/api/v1/namespaces/team-a/pods?dryRun=All"
        status, text, _ = cluster.request("POST", path, pod(base, owner="Job"), CONTROLLER)
        assert status == 201, text
        assert json.loads(text)["spec"]["containers"][0]["resources"] == {"requests": expected}


@pytest.mark.parametrize("container", ADDITIONS)
def test_only_a_pod_of_the_pool_gets_devices_and_capabilities(cluster: Cluster, container: str) -> None:
    body, expected = ADDITIONS[container]
    path = "/api/v1/namespaces/tcpx-team/pods"
    status, text, _ = cluster.request("POST", path, body, CONTROLLER)
    assert status == 201, text
    named = {"name": json.loads(text)["metadata"]["name"]}
    path = f"{path}/{named['name']}"
    cluster.create(f"{path}/binding", {"metadata": named, "target": {"kind": "Node", "name": "gpu-1"}})
    for part, change in additions(container).items():
        status, text, _ = cluster.request("PATCH", f"{path}{part}?dryRun=All", change, INSIDER)
        assert status == expected, (part, text)


@pytest.mark.parametrize("where", LARGE)
def test_a_large_workload_is_evaluated_within_the_limit_of_costs(cluster: Cluster, where: str) -> None:
    message = cluster.refusal(LARGE[where], INSIDER, where)
    assert message == "", "a policy that exceeds it refuses (failurePolicy)"


def test_every_expression_is_of_the_right_type_for_every_kind(cluster: Cluster) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"

    def statuses() -> dict[str, Any]:
        """Return the statuses of the policies, once all are checked."""
        items = json.loads(cluster.request("GET", path)[1])["items"]
        by_name = {item["metadata"]["name"]: item.get("status", {}) for item in items}
        return by_name if all("typeChecking" in status for status in by_name.values()) else {}

    checked = until(statuses)
    assert len(checked) == 9
    warnings = {
        name: status["typeChecking"].get("expressionWarnings")
        for name, status in checked.items()
        if status["typeChecking"].get("expressionWarnings")
    }
    assert not warnings, warnings


def test_a_warning_admits_and_reaches_the_client(cluster: Cluster) -> None:
    binding = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/ai-platform-images"
    assert cluster.request("PATCH", binding, {"spec": {"validationActions": ["Warn", "Audit"]}})[0] == 200
    body = job(image("registry.acme.com/train:1"))

    def answer() -> str:
        path = "/apis/batch/v1/namespaces/team-a/jobs?dryRun=All"
        status, _, headers = cluster.request("POST", path, body, DEVELOPER)
        return headers.get("Warning", "") if status == 201 else ""

    assert "no digest" in until(answer)


def test_claims_by_templates_are_admitted_in_a_queue_where_kueue_counts_them(cluster: Cluster) -> None:
    replace_policies(cluster, "accelerators", device_claims=True)
    shared = job(spec(None, resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]), QUEUE)
    # The API server takes a moment to enforce the other policy.
    assert until(lambda: "no quota counts a claim that Pods share" in cluster.refusal(shared, INSIDER))
    assert NO_QUEUE in cluster.refusal(job(spec(None, **CLAIM)), INSIDER)
    assert NOT_A_TEAM in cluster.refusal(job(spec(None, **CLAIM)), INSIDER, "scratch")
    assert cluster.refusal(job(spec(None, **CLAIM), QUEUE), INSIDER) == ""


def test_public_addresses_and_namespaces_of_the_system_on_gke_are_refused(cluster: Cluster) -> None:
    replace_policies(cluster, "public-addresses", "namespaces", cloud="gcp")
    for name, body in GOOGLE_REFUSED.items():
        message = until(lambda b=body: cluster.refusal(b, INSIDER, "scratch"))
        assert PUBLIC in message, name
    for name, body in GOOGLE_ADMITTED.items():
        assert cluster.refusal(body, INSIDER, "scratch") == "", name
    # By its prefix no policy evaluates it.
    path = "/api/v1/namespaces?dryRun=All"
    for metadata in ({"name": "gke-mine"}, {"generateName": "gke-"}, {"name": "gmp-system"}):
        body = {"metadata": metadata}
        assert until(lambda b=body: cluster.request("POST", path, b, OPERATOR)[0] == 403), metadata
        assert cluster.request("POST", path, body, ADMIN)[0] == 201
    assert cluster.request("POST", path, {"metadata": {"name": "gk-mine"}}, OPERATOR)[0] == 201
