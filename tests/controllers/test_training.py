"""A team trains, releases and uses a model: the examples' code as processes, with the real controllers,
MLflow on PostgreSQL and the lakehouse.

Only the calls of `kubectl`, the Kubeflow SDK and the command `aiplatform model` are made here, with the
rights of members; what the programs know they know from the team's ConfigMaps and Secret.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from botocore.exceptions import ClientError
from kubernetes import client

from cli.model.jobs import Releases
from cli.output import CommandError
from tests.controllers.training_platform import OTHER, RELEASER, TEAM, Platform, created, image, kubeconfig
from tests.end_to_end import clients, pods
from tests.end_to_end.test_processes import processes_of
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(1500)
EXAMPLES: Final = Path(__file__).parents[2] / "examples"
COMMIT: Final = "a" * 40
STEPS: Final = 6000
EVERY: Final = 200
"""Steps between checkpoints, and between metrics."""
MODEL: Final = f"{TEAM}/churn"


@pytest.fixture(scope="module")
def platform(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform, with one team that trains and another."""
    with created(home, tmp_path_factory.mktemp("platform")) as platform:
        yield platform


def manifests(path: str) -> list[dict[str, Any]]:
    """Return the objects of an example, in the team's namespace, with the image of its folder."""
    name = path.partition("/")[0]
    text = (EXAMPLES / path).read_text()
    objects = list(yaml.safe_load_all(text))
    for item in objects:
        item["metadata"]["namespace"] = TEAM
    known = {entry for entry in _strings(objects) if ".dkr.ecr." in entry}
    text = json.dumps(objects)
    for reference in known:
        text = text.replace(reference, image(name))
    return json.loads(text)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _strings(entry)


def arguments(platform: Platform, stated: Sequence[str], **changes: Any) -> list[str]:
    """Return the arguments of an example with the tables of this platform, and with changes."""
    database = platform.teams.table.partition(".")[0]
    options = dict(word.split("=", 1) for word in stated if word.startswith("--"))
    if "--snapshot" in options:
        options["--snapshot"] = str(platform.teams.snapshots[0])
    options |= {f"--{name.replace('_', '-')}": str(value) for name, value in changes.items()}
    steps = [word for word in stated if not word.startswith("--")]
    values = {name: value.replace("acme_prod_curated", database) for name, value in options.items()}
    return [*steps, *(f"{name}={value}" for name, value in values.items())]


def conditions(platform: Platform, item: Mapping[str, Any]) -> dict[str, str]:
    """Return the conditions of an object that are true, with their messages."""
    status = platform.cluster.get(item).get("status") or {}
    entries = status.get("conditions") or ()
    return {entry["type"]: entry.get("message", "") for entry in entries if entry["status"] == "True"}


def wait(platform: Platform, item: Mapping[str, Any], condition: str, seconds: float = 300) -> None:
    """Wait for a condition of an object; fail with the logs of its Pods."""

    def met() -> bool:
        now = conditions(platform, item)
        assert "Failed" not in now, f"{now}\n{logs(platform)}"
        return condition in now

    try:
        eventually(f"{item['kind']} {item['metadata']['name']} is {condition}", met, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{conditions(platform, item)}\n{logs(platform)}") from error


def logs(platform: Platform) -> str:
    """Return the ends of the logs of the team's Pods."""
    core, parts = platform.cluster.core, list[str]()
    for pod in core.list_namespaced_pod(TEAM).items:
        name = pod.metadata.name
        try:
            text = core.read_namespaced_pod_log(name, TEAM)[-3000:]
        except client.ApiException as error:
            text = str(error.body)[:500]
        parts.append(f"--- {name} {pod.status.phase} {pod.status.message or ''}\n{text}")
    return "\n".join(parts)


@dataclass(frozen=True)
class Trained:
    """What a training left: the run in MLflow, and the step after which it was killed at the latest."""

    run: dict[str, Any]
    killed_after: int
    restarts: int


@pytest.fixture(scope="module")
def trained(platform: Platform) -> Trained:
    """A TrainJob of two nodes, of which one was killed in mid-run."""
    [job] = manifests("training/trainjob.yaml")
    trainer = job["spec"]["trainer"]
    trainer["args"] = arguments(
        platform, trainer["args"], steps=STEPS, checkpoint_every=EVERY, log_every=EVERY
    )
    trainer["env"][1]["value"] = COMMIT
    platform.members[TEAM].create(job)
    bucket = platform.store["checkpoints_bucket"]

    def saved() -> int:
        keys = platform.keys(bucket, f"{TEAM}/churn-7/")
        return max((int(key.split("/")[2][5:]) for key in keys if key.endswith("complete.json")), default=0)

    try:
        eventually("checkpoints", lambda: saved() >= 3 * EVERY, 300)
    except AssertionError as error:
        raise AssertionError(f"{conditions(platform, job)}\n{logs(platform)}") from error
    worker = [
        pod
        for pod in platform.cluster.core.list_namespaced_pod(TEAM).items
        if pod.metadata.name.startswith("churn-7-node-0-1-")
    ]
    [process] = processes_of(worker)
    process.kill()
    after = saved()
    wait(platform, job, "Complete")
    job_set = {**job, "apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet"}
    restarts = platform.cluster.get(job_set)["status"]["restarts"]
    [version] = versions(platform)
    run = platform.registry.read(TEAM, f"runs/get?run_id={version['run_id']}")["run"]
    return Trained(run, after, restarts)


def versions(platform: Platform) -> list[dict[str, Any]]:
    """Return the versions of the model in the registry."""
    answer = platform.registry.read(TEAM, f"model-versions/search?filter=name%3D'{TEAM}.churn'")
    return answer.get("model_versions", [])


def test_training_that_loses_a_process_continues_from_its_last_checkpoint(
    platform: Platform, trained: Trained
) -> None:
    assert trained.restarts == 1, "JobSet starts all nodes again"
    path = f"metrics/get-history?run_id={trained.run['info']['run_id']}&metric_key="
    starts = platform.registry.read(TEAM, f"{path}resumed_from")["metrics"]
    first, second = (int(entry["value"]) for entry in sorted(starts, key=lambda entry: entry["timestamp"]))
    assert first == 0
    assert 3 * EVERY <= second <= trained.killed_after + EVERY, "at the last complete checkpoint"
    began = max(entry["timestamp"] for entry in starts)
    losses = platform.registry.read(TEAM, f"{path}loss&max_results=1000")["metrics"]
    again = [int(entry["step"]) for entry in losses if entry["timestamp"] >= began]
    assert min(again) == second + EVERY, "no step from zero"
    assert max(again) == STEPS
    assert {int(entry["step"]) for entry in losses} == {*range(EVERY, STEPS + 1, EVERY)}, "one run has all"


def test_model_knows_the_pinned_snapshot_and_what_it_was_made_from(
    platform: Platform, trained: Trained
) -> None:
    parameters = {entry["key"]: entry["value"] for entry in trained.run["data"]["params"]}
    tags = {entry["key"]: entry["value"] for entry in trained.run["data"]["tags"]}
    metrics = {entry["key"]: entry["value"] for entry in trained.run["data"]["metrics"]}
    pinned = platform.teams.snapshots[0]
    assert len(platform.teams.snapshots) == 2, "the table has a newer one"
    assert parameters["snapshot_id"] == str(pinned)
    assert json.loads(tags["ai-platform.snapshots"]) == {platform.teams.table: pinned}
    assert tags["ai-platform.image"] == image("training")
    assert tags["ai-platform.code_commit"] == COMMIT
    assert metrics["accuracy"] > 0.95, "rows of the newer snapshot have the opposite label"


def test_checkpoints_are_objects_with_final_names_below_the_namespace(
    platform: Platform, trained: Trained
) -> None:
    del trained
    keys = platform.keys(platform.store["checkpoints_bucket"])
    assert {key.split("/")[0] for key in keys} == {TEAM}
    assert {key.rpartition("/")[2] for key in keys} == {"state.npz", "complete.json"}


def test_the_kubeflow_sdk_submits_the_same_job(platform: Platform, trained: Trained, tmp_path: Path) -> None:
    del trained
    [job] = manifests("training/trainjob.yaml")
    words = arguments(platform, job["spec"]["trainer"]["args"], steps=EVERY, checkpoint_every=EVERY)
    more = [word for word in words if not word.startswith("--run-name")]
    done = subprocess.run(
        [
            *clients.command("kubeflow"),
            "python",
            str(EXAMPLES / "training" / "submit.py"),
            *(TEAM, image("training"), COMMIT, "churn-8", *more),
        ],
        env=clients.environment(
            "kubeflow", {"KUBECONFIG": str(kubeconfig(platform.members[TEAM], tmp_path))}
        ),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{logs(platform)}"
    item = {**job, "metadata": {"name": "churn-8", "namespace": TEAM}}
    assert "Complete" in conditions(platform, item), "the SDK waits for the end"
    assert platform.cluster.get(item)["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "default"
    assert len(versions(platform)) == 2


@pytest.fixture(scope="module")
def released(platform: Platform, trained: Trained) -> dict[str, Any]:
    """The first version as champion, promoted by the person who releases."""
    del trained
    return run_release(platform, RELEASER, ["promote", MODEL, "1"])


def run_release(platform: Platform, who: str, command: Sequence[str]) -> Any:
    """Run a command of the program that releases models, as `aiplatform model` does."""
    return Releases(platform.members[who].api, seconds=240, interval=1).run(command, label="churn")


def objects(platform: Platform) -> dict[str, str]:
    """Return the objects of the releases with their ETags."""
    listing = platform.cluster.plain.aws("s3").list_objects_v2(Bucket=platform.store["releases_bucket"])
    return {entry["Key"]: entry["ETag"] for entry in listing.get("Contents", ())}


def test_an_author_changes_the_run_and_the_release_stays(
    platform: Platform, trained: Trained, released: dict[str, Any]
) -> None:
    before = objects(platform)
    names = {key.removeprefix(f"{MODEL}/1/") for key in before}
    assert {"manifest.json", "card.json"} <= names, released
    assert ":assumed-role/team-releaser/" in released["approved_by"], "as the API server authenticated it"
    assert released["run"] == trained.run["info"]["run_id"]
    assert any(name.startswith("model/") and name.endswith("weights.npz") for name in names), names
    run = trained.run["info"]["run_id"]
    changed = platform.registry.user(TEAM, "overwrite_file", run=run, path="model_card.json")
    assert changed == {"text": "changed"}, "the author changes a file of the run"
    assert objects(platform) == before
    verified = run_release(platform, RELEASER, ["verify", MODEL, "1"])
    assert verified, "the files are those of the manifest"
    s3 = pods.client(platform.cluster.plain, platform.session(TEAM), "s3")
    for name in ("manifest.json", "model/artifacts/weights.npz"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=platform.store["releases_bucket"], Key=f"{MODEL}/1/{name}", Body=b"changed")
    with pytest.raises(CommandError, match="no right to it"):
        run_release(platform, TEAM, ["promote", MODEL, "1"])


def test_another_team_reads_neither_checkpoints_nor_releases(
    platform: Platform, released: dict[str, Any]
) -> None:
    del released
    wanted = {
        platform.store["checkpoints_bucket"]: f"{TEAM}/churn-7/step-{STEPS:08d}/complete.json",
        platform.store["releases_bucket"]: f"{MODEL}/1/manifest.json",
    }
    reader = pods.client(platform.cluster.plain, platform.session(TEAM), "s3")
    other = pods.client(platform.cluster.plain, platform.session(OTHER), "s3")
    for bucket, key in wanted.items():
        assert reader.get_object(Bucket=bucket, Key=key)["Body"].read(), "the team reads its files"
        for attempt in (
            lambda bucket=bucket, key=key: other.get_object(Bucket=bucket, Key=key),
            lambda bucket=bucket: other.list_objects_v2(Bucket=bucket, Prefix=f"{TEAM}/"),
            lambda bucket=bucket: other.list_objects_v2(Bucket=bucket),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()


def test_batch_inference_commits_the_predictions_of_all_shards_once(
    platform: Platform, released: dict[str, Any]
) -> None:
    del released
    [job_set] = manifests("batch-inference/jobset.yaml")
    for job in job_set["spec"]["replicatedJobs"]:
        [container] = job["template"]["spec"]["template"]["spec"]["containers"]
        container["args"] = arguments(platform, container["args"], **_batch(job["name"]))
    member = platform.members[TEAM]
    member.create(job_set)
    wait(platform, job_set, "Completed")
    stored = platform.teams.stored("churn_predictions", "customer_id")
    assert len(stored["snapshots"]) == 1, "one commit"
    rows = stored["rows"]
    assert [row["customer_id"] for row in rows] == [100_000 + number for number in range(600)], (
        "each row once"
    )
    assert {row["release"] for row in rows} == {"churn/1"}
    assert 0 < sum(row["probability"] > 0.5 for row in rows) < 600
    member.delete(job_set)
    eventually("it is gone", lambda: job_set["metadata"]["name"] not in _job_sets(platform))
    member.create(job_set)
    wait(platform, job_set, "Completed")
    again = platform.teams.stored("churn_predictions", "customer_id")
    assert again == stored, "a run that is repeated adds nothing"


def _job_sets(platform: Platform) -> list[str]:
    items = platform.cluster.list("jobset.x-k8s.io/v1alpha2", "JobSet", TEAM)
    return [item["metadata"]["name"] for item in items]


def _batch(job: str) -> dict[str, Any]:
    return {"release": "churn/1"} if job == "shard" else {}


ADMITTED: Final = (
    "training/trainjob.yaml",
    "fine-tune/trainjob.yaml",
    "batch-inference/jobset.yaml",
    "ray/rayjob.yaml",
    "several-nodes/leaderworkerset.yaml",
    "notebook/job.yaml",
)


@pytest.mark.parametrize("path", ADMITTED)
def test_example_is_admitted_to_a_teams_namespace_of_prod(platform: Platform, path: str) -> None:
    member = platform.members[TEAM]
    for item in manifests(path):
        # A job that ran has the example's name.
        item["metadata"]["name"] += "-new"
        assert member.dry_run(item) == "", f"{item['kind']} {item['metadata']['name']}"
        unqueued = json.loads(
            json.dumps(item).replace(
                '"kueue.x-k8s.io/queue-name": "default"', '"kueue.x-k8s.io/queue-name": "other"'
            )
        )
        if unqueued != item:
            assert "ai-platform: " in member.dry_run(unqueued), "the guardrails evaluate it"
