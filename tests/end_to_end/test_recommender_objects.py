"""The objects of the team of examples/recommender on a real API server, with the namespace, roles and
guardrails of a production environment. Only the control plane runs: Pods are created, and none is started."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from examples.recommender import deploy
from stacks.loading import load_file
from tests.components.recording import Recording
from tests.end_to_end.guardrails import ADMIN, Cluster, Object, collection, control_plane_of, until
from tests.stacks.environments import build
from tests.stacks.test_recommender import NAMES, copied, merged

pytestmark = pytest.mark.end_to_end

TEAM = "shop"
OF_ADMISSION = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "PriorityClass")
ACCOUNTS = f"/api/v1/namespaces/{TEAM}/serviceaccounts"
PODS = f"/api/v1/namespaces/{TEAM}/pods"


@dataclass
class Deployed:
    """The cluster of an environment, and the objects that deploy.py writes for it."""

    cluster: Cluster
    objects: list[Object]
    owner: tuple[str, str]
    """A user, and the group of the team's owners."""

    def object(self, kind: str, name: str) -> Object:
        """Return an object."""
        [item] = [item for item in self.objects if (item["kind"], item["metadata"]["name"]) == (kind, name)]
        return copy.deepcopy(item)

    def create(self, body: Object) -> None:
        """Create an object as an owner of the team."""
        status, text, headers = self.cluster.request("POST", collection(body, TEAM), body, self.owner)
        assert status == 201, text
        assert "Warning" not in headers, "its Pods would be refused later"

    def pods(self, prefix: str) -> list[Object]:
        """Return the Pods whose names begin like this."""
        items = json.loads(self.cluster.request("GET", PODS)[1])["items"]
        return [item for item in items if item["metadata"]["name"].startswith(prefix)]


@pytest.fixture(scope="module", params=NAMES)
def deployed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    stack, folder = request.param, tmp_path_factory.mktemp("environment")
    environments = copied(folder)
    deploy.compose(stack, NAMES[stack], environments)
    recording = build(load_file(merged(environments, stack, folder))).recording
    objects = yaml.safe_load((environments / "recommender" / f"{stack}.yaml").read_text())["items"]
    with control_plane_of(tmp_path_factory.mktemp("home")) as cluster:
        cluster.apply(of_team(recording))
        for account in ("workloads", "serving"):
            cluster.request("POST", ACCOUNTS, {"metadata": {"name": account}})
        # Policies are enforced a moment after they are created.
        assert until(lambda: cluster.refusal(bare(objects), ADMIN, TEAM)), "nothing is enforced"
        yield Deployed(cluster, objects, ("ada", owners(recording)))


def of_team(recording: Recording) -> Recording:
    """Return what an environment registers of the team's namespace, and what evaluates every object."""

    def concerns(entry: Any) -> bool:
        metadata = entry.inputs.get("metadata")
        if not entry.type.startswith("kubernetes:") or not isinstance(metadata, dict):
            return False
        names = (metadata.get("namespace"), metadata["name"] if entry.type.endswith(":Namespace") else None)
        return TEAM in names or entry.type.rpartition(":")[2] in OF_ADMISSION

    return Recording([entry for entry in recording.resources if concerns(entry)], [], None)


def owners(recording: Recording) -> str:
    """Return the group that the role of owners is bound to: of the access entry in EKS, of Google in GKE."""
    [binding] = [
        entry.inputs
        for entry in recording.all("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
        if (entry.inputs["metadata"]["namespace"], entry.inputs["metadata"]["name"]) == (TEAM, "team-owner")
    ]
    [subject] = binding["subjects"]
    assert subject["kind"] == "Group", subject
    return str(subject["name"])


def bare(objects: list[Object]) -> Object:
    """Return a Pod without a controller, which the guardrails refuse."""
    [item] = [item for item in objects if item["kind"] == "Deployment"]
    spec = {**item["spec"]["template"]["spec"], "nodeName": "node"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": spec}


def test_an_owner_of_the_team_creates_every_object_without_a_warning(deployed: Deployed) -> None:
    for item in deployed.objects:
        deployed.create(item)
    assert until(lambda: len(deployed.pods("recommendations-")) == 2), "the guardrails admit its Pods"


@pytest.mark.parametrize("name", ["features", "quality"])
def test_the_pods_of_a_schedule_are_admitted(deployed: Deployed, name: str) -> None:
    template = deployed.object("CronJob", name)["spec"]["jobTemplate"]
    metadata = {"name": f"{name}-now", "labels": template["metadata"]["labels"]}
    deployed.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]})
    assert until(lambda: deployed.pods(f"{name}-now-")), "the guardrails admit its Pod"
    [pod] = deployed.pods(f"{name}-now-")
    steps = [entry["name"] for entry in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]]
    assert steps == (["apply", "update", "examples"] if name == "features" else ["quality"]), "in this order"


def test_the_level_of_pod_security_refuses_a_server_that_runs_as_root(deployed: Deployed) -> None:
    """What admits everything would admit the objects, too."""
    item = deployed.object("Deployment", "recommendations")
    item["metadata"]["name"] = "root"
    item["spec"]["template"]["spec"]["securityContext"] = {}
    _, _, headers = deployed.cluster.request("POST", collection(item, TEAM), item, deployed.owner)
    assert "runAsNonRoot" in headers["Warning"]


def test_an_image_of_a_tag_and_one_of_another_registry_are_refused(deployed: Deployed) -> None:
    item = deployed.object("Deployment", "recommendations")
    [container] = item["spec"]["template"]["spec"]["containers"]
    item["metadata"]["name"] = "other"
    reference = container["image"]
    container["image"] = f"{reference.partition('@')[0]}:1"
    assert "digest" in deployed.cluster.refusal(item, deployed.owner, TEAM)
    container["image"] = f"registry.example/serving@{reference.partition('@')[2]}"
    assert "its registry is not allowed" in deployed.cluster.refusal(item, deployed.owner, TEAM)
