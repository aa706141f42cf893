"""The policy on Kueue's objects and the program that controls costs (containers/cost_control)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.end_to_end.guardrail_cases import account
from tests.end_to_end.guardrails import Cluster, Object, control_plane_of, guardrails, namespace, until

pytestmark = pytest.mark.end_to_end
COST: Final = account("cost-control", "cost-control")
REAPER: Final = account("cost-control", "reaper")
OTHER: Final = account("cost-control", "default")
KUEUE: Final = "kueue.x-k8s.io"
QUEUE: Final = f"/apis/{KUEUE}/v1beta2/clusterqueues/a"
WORKLOAD: Final = f"/apis/{KUEUE}/v1beta2/namespaces/team-a/workloads/a"
HELD: Final[Object] = {"spec": {"stopPolicy": "Hold"}}
ENDED: Final[Object] = {"spec": {"active": False}}
RBAC: Final = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster in which these accounts have every right on Kueue's objects: only the policy refuses."""
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.apply(guardrails())
        running.apply(namespace("team-a", cloud="aws", queues=["default"]))
        rule = {"apiGroups": [KUEUE], "resources": ["*"], "verbs": ["*"]}
        name = {"metadata": {"name": "kueue-user"}}
        running.create(f"/apis/{RBAC}/v1/clusterroles", {**name, "rules": [rule]})
        subjects = [
            {"kind": "ServiceAccount", "name": user.rpartition(":")[2], "namespace": "cost-control"}
            for user, _ in (COST, REAPER, OTHER)
        ]
        role = {"kind": "ClusterRole", "name": "kueue-user", "apiGroup": RBAC}
        running.create(
            f"/apis/{RBAC}/v1/clusterrolebindings", {**name, "subjects": subjects, "roleRef": role}
        )
        for path, kind in ((QUEUE, "ClusterQueue"), (WORKLOAD, "Workload")):
            item = {"apiVersion": f"{KUEUE}/v1beta2", "kind": kind, "metadata": {"name": "a"}}
            running.create(path.removesuffix("/a"), item)
        # Policies are enforced a moment after they are created.
        assert until(lambda: running.request("PATCH", f"{QUEUE}?dryRun=All", HELD, OTHER)[0] == 403)
        yield running


@pytest.mark.parametrize(("user", "path", "body"), [(COST, QUEUE, HELD), (REAPER, WORKLOAD, ENDED)])
def test_cost_control_holds_queues_and_ends_workloads(
    cluster: Cluster, user: tuple[str, str], path: str, body: Object
) -> None:
    status, text, _ = cluster.request("PATCH", f"{path}?dryRun=All", body, user)
    assert status == 200, text


@pytest.mark.parametrize(
    ("user", "method", "path"),
    [
        (COST, "PATCH", WORKLOAD),
        (REAPER, "PATCH", QUEUE),
        (OTHER, "PATCH", WORKLOAD),
        (COST, "DELETE", QUEUE),
        (REAPER, "DELETE", WORKLOAD),
    ],
)
def test_each_of_its_accounts_changes_nothing_else(
    cluster: Cluster, user: tuple[str, str], method: str, path: str
) -> None:
    body = {"metadata": {"labels": {"a": "b"}}} if method == "PATCH" else None
    status, text, _ = cluster.request(method, f"{path}?dryRun=All", body, user)
    assert status == 403, text
    assert "only the platform changes queues" in text
