"""A model from the data to its replacement, everything by objects of Kubernetes, with the Pods of the
platform's images as processes: a training that CI submits, the promotion that a member of the release group
approves, the server that loads the release, requests with a token through the gateway, a better version, a
worse one, the command by which requests go back, and a version with errors.

The fixtures are the steps, in the order in which they are written: each needs those before it. The version
with errors comes last, since its server takes the place of the one that the command goes back from.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client

from tests.controllers.clients import TOKENS
from tests.controllers.envoy import Answer
from tests.controllers.lifecycle_platform import (
    CI,
    COMMIT,
    MINIMUM,
    MODEL,
    PROGRAM,
    RELEASE,
    SERVER,
    SERVICE,
    Platform,
    created,
    customers,
    outputs_of,
)
from tests.controllers.training_platform import OTHER, RELEASER, TEAM
from tests.controllers.workflows import parameters, steps, workflow
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(3600)
STEPS: Final = ("pin", "features", "train", "candidate", "evaluate", "register")
TRAINING: Final = 900
"""Seconds that a training has."""


@pytest.fixture(scope="module")
def platform(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with created(home, tmp_path_factory.mktemp("lifecycle")) as platform:
        ci = platform.member(CI)
        eventually("access of CI", lambda: not ci.dry_run(workflow("probe", "train-churn", TEAM)), 120)
        yield platform


def few_orders(tenure: float, orders: float, _: float) -> bool:
    return orders + tenure < 15


def many_orders(tenure: float, orders: float, _: float) -> bool:
    return orders + tenure >= 15


def many_visits(_: float, __: float, visits: float) -> bool:
    return visits > 5


def train(platform: Platform, name: str) -> dict[str, Any]:
    """Submit a training as CI, and return its workflow at its end."""
    platform.member(CI).create(workflow(name, f"train-{MODEL}", TEAM))
    ended = platform.ended(TEAM, name, TRAINING)
    assert ended["status"]["phase"] == "Succeeded", platform.state(TEAM)
    return ended


def approve(platform: Platform, version: str) -> dict[str, Any]:
    """Approve the promotion of a version by the command, and return its workflow at its end."""
    name = platform.requested(version)["metadata"]["name"]
    platform.model_command(RELEASER, "approve", name)
    ended = platform.ended(RELEASE, name, 600)
    assert ended["status"]["phase"] == "Succeeded", platform.state(RELEASE)
    return ended


@dataclass(frozen=True)
class Training:
    """A training that CI submitted: the newest snapshot of its table, and its workflow at its end."""

    snapshot: int
    workflow: dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """A rollout at its end. weights: those that the route had. known: how many answers clients had before."""

    workflow: dict[str, Any]
    weights: list[dict[str, int]]
    known: int

    @property
    def result(self) -> str:
        """What became of it."""
        return outputs_of(self.workflow).get("result", "")


@pytest.fixture(scope="module")
def trained(platform: Platform) -> Training:
    """The first training, after the first customers are in the lakehouse."""
    platform.teams.write(customers(1, few_orders))
    return Training(platform.teams.snapshots[-1], train(platform, "first"))


def test_training_of_ci_runs_on_two_nodes_at_the_pinned_snapshot(
    platform: Platform, trained: Training
) -> None:
    phases = steps(trained.workflow)
    assert {name: phases[name] for name in (*STEPS, "request")} == dict.fromkeys(
        (*STEPS, "request"), "Succeeded"
    )
    [version] = platform.versions().values()
    run = platform.registry.read(TEAM, f"runs/get?run_id={version['run_id']}")["run"]
    stated = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
    assert stated == {"nodes": "2", "columns": "tenure,orders", "snapshot": str(trained.snapshot)}
    owners = platform.cluster.workloads(TEAM)
    assert {"Admitted", "Finished"} & set(owners["first"]), "the TrainJob had quota of the team's queue"


def test_version_is_registered_with_snapshot_commit_digest_and_evaluation(
    platform: Platform, trained: Training
) -> None:
    tags = platform.versions()["1"]["tags"]
    assert json.loads(tags["ai-platform.snapshots"]) == {platform.teams.table: trained.snapshot}
    assert tags["ai-platform.code_commit"] == COMMIT
    assert tags["ai-platform.image"] == PROGRAM
    assert tags["ai-platform.evaluation.result"] == "better"
    assert float(tags["ai-platform.evaluation.candidate.accuracy"]) > MINIMUM


@pytest.fixture(scope="module")
def waiting(platform: Platform, trained: Training) -> dict[str, Any]:
    """The promotion that the training requested, by a Job that KEDA started."""
    del trained
    return platform.requested("1")


def test_promotion_waits_and_ci_neither_approves_nor_creates_one(
    platform: Platform, waiting: dict[str, Any]
) -> None:
    assert waiting["spec"]["suspend"] is True, "in prod a member of the release group decides"
    name = waiting["metadata"]["name"]
    refused = platform.model_command(CI, "approve", name, check=False)
    assert refused.returncode != 0
    assert "no right to it" in refused.stderr + refused.stdout
    ci = platform.member(CI)
    with pytest.raises(client.ApiException) as forbidden:
        ci.patch(waiting, {"spec": {"suspend": None}})
    assert forbidden.value.status == 403
    assert "forbidden" in ci.refusal(workflow("mine", "promotion", RELEASE))
    assert not steps_begun(platform, name), "nothing has been promoted"


def steps_begun(platform: Platform, name: str) -> bool:
    """Return whether a promotion has created a Pod."""
    label = f"workflows.argoproj.io/workflow={name}"
    return bool(platform.cluster.core.list_namespaced_pod(RELEASE, label_selector=label).items)


@pytest.fixture(scope="module")
def promoted(platform: Platform, waiting: dict[str, Any]) -> dict[str, Any]:
    """The promotion at its end, approved by a member of the release group."""
    del waiting
    return approve(platform, "1")


def test_approved_version_is_a_release_with_the_approver_and_the_champion(
    platform: Platform, promoted: dict[str, Any]
) -> None:
    approver = promoted["metadata"]["annotations"]["ai-platform/approved-by"]
    assert ":assumed-role/team-releaser/" in approver, "as the API server authenticated it"
    assert platform.champion() == "1"
    files = manifest(platform, "1")["files"]
    assert any(name.endswith("model.pkl") for name in files), files
    keys = platform.base.keys(platform.store["releases_bucket"], f"{TEAM}/{MODEL}/1/")
    assert {f"{TEAM}/{MODEL}/1/{name}" for name in ("card.json", "manifest.json")} <= set(keys)


def manifest(platform: Platform, version: str) -> dict[str, Any]:
    """Return the manifest of a release."""
    s3 = platform.cluster.plain.aws("s3")
    key = f"{TEAM}/{MODEL}/{version}/manifest.json"
    return json.loads(s3.get_object(Bucket=platform.store["releases_bucket"], Key=key)["Body"].read())


@pytest.fixture(scope="module")
def served(platform: Platform, promoted: dict[str, Any]) -> Rollout:
    """The first rollout, which the promotion started, at its end."""
    del promoted
    name = platform.rolled_out("1")["metadata"]["name"]
    rollout = Rollout(*platform.moved(name), 0)
    assert rollout.result == "promoted", platform.state(TEAM)
    return rollout


def pod_of(platform: Platform, color: str) -> Any:
    """Return the Pod of the server of a color."""
    label = f"serving.kserve.io/inferenceservice={SERVICE}-{color}"
    [pod] = platform.cluster.core.list_namespaced_pod(TEAM, label_selector=label).items
    return pod


def test_server_has_the_release_that_the_platforms_program_copied_and_compared(
    platform: Platform, served: Rollout
) -> None:
    assert platform.service.weights() == {"blue": 100}, "there was nothing to go back to"
    assert served.result == "promoted"
    pod = pod_of(platform, "blue")
    [copy] = pod.spec.init_containers
    [main] = pod.spec.containers
    bucket = platform.store["releases_bucket"]
    assert copy.args == [f"s3://{bucket}/{TEAM}/{MODEL}/1", "/mnt/models"]
    assert main.image == SERVER
    assert pod.spec.service_account_name == "serving", "the identity that reads releases of the team only"
    [ended] = [entry.state.terminated for entry in pod.status.init_container_statuses]
    assert ended.exit_code == 0, "each file is that of the manifest"
    s3 = platform.cluster.plain.aws("s3")
    for name, entry in manifest(platform, "1")["files"].items():
        body = s3.get_object(Bucket=bucket, Key=f"{TEAM}/{MODEL}/1/model/{name}")["Body"].read()
        assert hashlib.sha256(body).hexdigest() == entry["sha256"], name


def test_gateway_answers_a_token_of_the_team_and_refuses_requests_without(
    platform: Platform, served: Rollout
) -> None:
    del served
    ask = platform.clients.ask
    eventually("an answer", lambda: ask(TOKENS.token(TEAM)).status == 200, 60)
    assert prediction(ask(TOKENS.token(TEAM))) == (1, 0), "few orders: the customer leaves"
    assert ask("").status == 401
    assert ask(TOKENS.token(OTHER)).status == 403
    assert ask(TOKENS.token(TEAM, seconds=-120)).status == 401, "expired"


def prediction(answer: Answer) -> tuple[int, ...]:
    """Return the predictions of an answer."""
    return tuple(json.loads(answer.body)["predictions"])


@pytest.fixture(scope="module")
def better(platform: Platform, served: Rollout) -> Iterator[Rollout]:
    """The rollout of a better version, once customers behave differently, while clients send requests. They
    do until the end."""
    del served
    with platform.clients.running():
        platform.teams.write(customers(2, many_orders))
        train(platform, "second")
        known = len(platform.clients.answers)
        approve(platform, "2")
        name = platform.rolled_out("2")["metadata"]["name"]
        yield Rollout(*platform.moved(name), known)


def test_better_version_becomes_champion_and_gets_the_requests_step_by_step(
    platform: Platform, better: Rollout
) -> None:
    assert better.result == "promoted", outputs_of(better.workflow)
    assert platform.champion() == "2"
    green = [weights["green"] for weights in better.weights if weights.get("green")]
    assert green == [10, 50, 100], better.weights
    assert platform.service.services() == {"blue": "1", "green": "2"}, "the release before is kept"
    tags = platform.versions()["2"]["tags"]
    assert tags["ai-platform.evaluation.champion_version"] == "1", "they were compared"
    known = len(platform.clients.answers)
    recent = eventually("answers", lambda: platform.clients.recent(20, known), 60)
    assert {answer.served_by for answer in recent} == {f"{SERVICE}-green"}
    assert {prediction(answer) for answer in recent} == {(0, 1)}, "many orders: the customer leaves"


def test_clients_got_answers_all_the_time(platform: Platform, better: Rollout) -> None:
    statuses = Counter(answer.status for answer in platform.clients.answers[better.known :])
    # One that takes longer than ten seconds on this machine has none.
    assert statuses[200] > 0.99 * statuses.total(), statuses


@pytest.fixture(scope="module")
def worse(platform: Platform, better: Rollout) -> Training:
    """A training on customers of which every second one, those that it learns from, has the wrong label."""
    del better
    rows = customers(3, many_orders)
    for row in rows[::2]:
        row["churned"] = str(1 - int(row["churned"]))
    platform.teams.write(rows)
    return Training(platform.teams.snapshots[-1], train(platform, "third"))


def test_worse_version_is_registered_and_not_promoted(platform: Platform, worse: Training) -> None:
    phases = steps(worse.workflow)
    assert (phases["register"], phases["request"]) == ("Succeeded", "Skipped")
    result = platform.versions()["3"]["tags"]["ai-platform.evaluation.result"]
    assert "is not better than" in result
    assert "is below" in result, "of the threshold"
    assert platform.champion() == "2"
    versions = {parameters(item)["version"] for item in platform.workflows(RELEASE, "promotion")}
    assert versions == {"1", "2"}
    assert platform.service.weights()["green"] == 100, "the requests stay where they are"


@pytest.fixture(scope="module")
def moved_back(platform: Platform, worse: Training) -> float:
    """The command by which requests go back to the release before: after how many seconds all of them do."""
    del worse
    file = platform.kubeconfig(RELEASER)
    known, began = len(platform.clients.answers), time.monotonic()
    words = ("rollback", "aws-dev", f"{TEAM}/{MODEL}", "--from", "2", "--kubeconfig", str(file))
    process = platform.cluster.plain.spawn("model", *words)

    def moved() -> float | None:
        recent = platform.clients.recent(20, known)
        colors = {answer.served_by for answer in recent or ()}
        return time.monotonic() - began if colors == {f"{SERVICE}-blue"} else None

    try:
        took: float = platform.eventually("requests go back", moved, 120, TEAM)
        assert process.wait(600) == 0, f"{platform.cluster.plain.spawned()}\n{platform.state(RELEASE)}"
    finally:
        process.kill()
    return took


def test_command_moves_requests_and_champion_back_in_less_than_a_minute(
    platform: Platform, moved_back: float
) -> None:
    assert moved_back < 60
    printed = platform.cluster.plain.spawned()
    assert f"requests to {SERVICE} go to version 1" in printed
    assert f"{TEAM}/{MODEL} 1 is champion" in printed
    assert platform.service.stable() == "blue"
    assert platform.champion() == "1"


@pytest.fixture(scope="module")
def erring(platform: Platform, moved_back: float) -> Rollout:
    """The rollout of a version that is better, and needs a column that clients do not send."""
    del moved_back
    platform.teams.write(customers(4, many_visits, visits=True))
    train(platform, "fourth")
    approve(platform, "4")
    known = len(platform.clients.answers)
    name = platform.rolled_out("4")["metadata"]["name"]
    return Rollout(*platform.moved(name), known)


def test_version_with_errors_is_rolled_back_by_what_the_gateway_measures(
    platform: Platform, erring: Rollout
) -> None:
    outputs = outputs_of(erring.workflow)
    assert outputs["result"] == "rolled-back", outputs
    assert "requests ended with status 5xx; expected at most 1.0%" in outputs["reason"]
    assert max(weights.get("green", 0) for weights in erring.weights) == 10, "the first step was its last"
    failed = [answer for answer in platform.clients.answers[erring.known :] if answer.status >= 500]
    assert failed, "clients got them from the version"
    assert {answer.served_by for answer in failed} <= {f"{SERVICE}-green", ""}
    assert platform.service.weights() == {"blue": 100}
    assert platform.service.services() == {"blue": "1"}, "it is deleted"
    known = len(platform.clients.answers)
    recent = eventually("answers", lambda: platform.clients.recent(20, known), 60)
    assert {answer.status for answer in recent} == {200}


def test_champion_goes_back_by_the_command_without_another_rollout(
    platform: Platform, erring: Rollout
) -> None:
    del erring
    assert platform.champion() == "4", "a rollout that goes back leaves the alias"
    before = len(platform.workflows(TEAM, "rollout"))
    platform.model_command(RELEASER, "rollback", f"{TEAM}/{MODEL}", "--from", "4")
    assert platform.champion() == "1"
    assert len(platform.workflows(TEAM, "rollout")) == before, "its requests are there already"
    assert platform.service.weights() == {"blue": 100}


@pytest.mark.parametrize("name", ["training", "mlflow", "team"])
def test_preview_after_all_of_it_shows_no_change(platform: Platform, erring: Rollout, name: str) -> None:
    del erring
    stack = platform.stack_of(name)
    result = stack.preview()
    assert set(result.change_summary) <= {"same"}, result.stdout
