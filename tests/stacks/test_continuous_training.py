"""The topic `continuous_training`: what an environment supplies, and what it refuses by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.images import repositories
from stacks.loading import load_file
from tests.components.recording import ACCOUNT
from tests.policies.test_environments import violations
from tests.stacks.environments import REGISTRY, build
from tests.stacks.test_google_files import changed, problems

DIGEST = "@sha256:" + "1" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OWNERS = {"aws": f"arn:aws:iam::{ACCOUNT}:role/owners", "gcp": "group:search-owners@acme.example"}
TABLE, VIEW = "curated.trips", "customer_stats"


def model(**more: Any) -> dict[str, Any]:
    """A model that prod accepts; parts of it are merged."""
    training = {
        "image": f"{REGISTRY}/train{DIGEST}",
        "code_commit": COMMIT,
        "runtime": "torch-training",
        "args": ["--table=${TABLE}", "--snapshot=${SNAPSHOT}", "--run-name=${RUN_NAME}"],
        "nodes": 2,
        **more.pop("training", {}),
    }
    evaluation = {
        "metric": "accuracy",
        "margin": 0.01,
        "thresholds": {"accuracy": {"min": 0.8}},
        "args": ["--run=${RUN_ID}"],
        **more.pop("evaluation", {}),
    }
    return {"table": TABLE, "training": training, "evaluation": evaluation, **more}


def topic(
    stack: str = "aws-prod", *, declared: dict[str, Any] | None = None, **change: Any
) -> dict[str, Any]:
    """A change of a file: a team, and a model that it trains; further keys, `__` for a slash."""
    cloud = stack.partition("-")[0]
    changes: dict[str, Any] = {
        "addons/options/keda": {"enabled": True},
        "teams": {
            "search": {"owners": [OWNERS[cloud]], "queue": "training", "priority_classes": ["serving"]}
        },
        "model_store/image": f"{REGISTRY}/model-release{DIGEST}",
        "pipelines": {"teams": {"search": {}}},
        "continuous_training": {
            "image": f"{REGISTRY}/training-steps{DIGEST}",
            "teams": {"search": {"models": {"fares": declared or model()}}},
        },
    }
    if cloud == "gcp":
        changes["cluster/gke/google_groups"] = "gke-security-groups@acme.example"
    return {**changes, **{key.replace("__", "/"): value for key, value in change.items()}}


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_trains_continuously_without_a_violation(tmp_path: Path, stack: str) -> None:
    settings = load_file(changed(tmp_path, topic(stack, declared=model(on_data=True)), stack))
    recording = build(settings).recording
    [models] = [
        entry
        for entry in recording.all("kubernetes:core/v1:ConfigMap")
        if entry.inputs["metadata"]["name"] == "continuous-training"
    ]
    declared = json.loads(models.inputs["data"]["models.json"])["fares"]
    assert declared["table"].endswith("_curated.trips"), "as the catalog names it"
    policies = recording.all("kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy")
    names = {entry.inputs["metadata"]["name"] for entry in policies}
    assert {"ai-platform-release-workflows", "ai-platform-release-identities"} <= names
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


def test_buckets_notify_of_commits_only_where_data_starts_trainings(tmp_path: Path) -> None:
    def notified(folder: str, **more: Any) -> set[str]:
        (tmp_path / folder).mkdir()
        change = topic("aws-prod", declared=model(**more))
        settings = load_file(changed(tmp_path / folder, change, "aws-prod"))
        recording = build(settings, without=("kubernetes", "ml", "teams")).recording
        return {entry.name for entry in recording.all("aws:s3/bucketNotification:BucketNotification")}

    assert notified("with", on_data=True) == {f"lakehouse-{zone}" for zone in ("raw", "curated", "serving")}
    assert notified("without") == {"lakehouse-raw"}


def test_the_image_of_the_steps_is_admitted_in_namespaces_of_teams(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic(), "aws-prod"))
    assert f"{REGISTRY}/training-steps" in repositories(settings)


def test_the_example_is_accepted_in_prod(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "continuous-training" / "environment.yaml"
    change: dict[str, Any] = {}
    for key, content in yaml.safe_load(example.read_text()).items():
        topic_name = key.removeprefix("ai-platform:")
        for part, value in content.items():
            # Topics of the file keep their other keys.
            change |= (
                {f"addons/options/{name}": option for name, option in value.items()}
                if topic_name == "addons"
                else {f"{topic_name}/{part}": value}
            )
    settings = load_file(changed(tmp_path, change, "aws-prod"))
    assert settings.continuous_training is not None


_PATH = r"continuous_training\.teams\.search\.models\.fares"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown table": (
        {"table": "curated.trip"},
        rf"{_PATH}\.table: .*no table 'curated.trip'.*mean 'curated.trips'",
    ),
    "an unknown feature view": (
        {"feature_views": {"nothing": {"version": "3", "table": TABLE}}},
        rf"{_PATH}\.feature_views\.nothing: .*has no view 'nothing'",
    ),
    "an unknown table of a feature view": (
        {"feature_views": {VIEW: {"version": "3", "table": "curated.none"}}},
        rf"{_PATH}\.feature_views\.{VIEW}\.table: .*no table 'curated.none'",
    ),
    "a margin above 1": (
        {"evaluation": {"margin": 1.5}},
        rf"{_PATH}\.evaluation\.margin: got 1.5; expected 0 to 1",
    ),
    "a negative margin": ({"evaluation": {"margin": -0.1}}, rf"{_PATH}\.evaluation\.margin: got -0.1"),
    "no thresholds in prod": (
        {"evaluation": {"thresholds": {}}},
        rf"{_PATH}\.evaluation\.thresholds: missing, and in prod",
    ),
    "a threshold without a limit": (
        {"evaluation": {"thresholds": {"accuracy": {}}}},
        rf"{_PATH}\.evaluation\.thresholds\.accuracy\.min: missing",
    ),
    "thresholds that exclude each other": (
        {"evaluation": {"thresholds": {"accuracy": {"min": 0.9, "max": 0.8}}}},
        rf"{_PATH}\.evaluation\.thresholds\.accuracy\.min: got 0.9, above max 0.8",
    ),
    "an unknown runtime": (
        {"training": {"runtime": "torch-trainin"}},
        rf"{_PATH}\.training\.runtime: training has no runtime 'torch-trainin'.*mean 'torch-training'",
    ),
    "an unknown runtime of the evaluation": (
        {"evaluation": {"runtime": "none"}},
        rf"{_PATH}\.evaluation\.runtime: training has no runtime 'none'",
    ),
    "an unknown service": ({"service": "fares"}, rf"{_PATH}\.service: "),
    "a schedule that is none": (
        {"schedule": {"schedules": ["0 25 * * *"]}},
        rf"{_PATH}\.schedule\.schedules\[0\]: got '0 25 \* \* \*'; expected hour from 0 to 23",
    ),
    "a time zone that is none": (
        {"schedule": {"schedules": ["0 3 * * *"], "timezone": "Europe/Berln"}},
        rf"{_PATH}\.schedule\.timezone: got 'Europe/Berln'; expected a time zone of IANA",
    ),
    "an image without a digest": (
        {"training": {"image": f"{REGISTRY}/train:1"}},
        rf"{_PATH}\.training\.image: got .*expected an image with a digest",
    ),
    "a short commit": (
        {"training": {"code_commit": "0123456"}},
        rf"{_PATH}\.training\.code_commit: got '0123456'; expected a full commit",
    ),
    "an unknown placeholder": (
        {"training": {"args": ["--snapshot=${SNAPSHOTT}"]}},
        rf"{_PATH}\.training\.args\[0\]: unknown placeholder 'SNAPSHOTT'",
    ),
    "prompts of an evaluation by metrics": (
        {"evaluation": {"prompts": [{"prompt": "2 + 2?", "expected": "4"}]}},
        rf"{_PATH}\.evaluation\.prompts: got some without kind prompts",
    ),
    "no prompts": (
        {"evaluation": {"kind": "prompts", "metric": "correct", "thresholds": {"correct": {"min": 0.9}}}},
        rf"{_PATH}\.evaluation\.prompts: missing",
    ),
    "weights that do not rise to 100": (
        {"service": "fares", "rollout": {"weights": [10, 5, 100]}},
        rf"{_PATH}\.rollout\.weights: got \[10, 5, 100\]; expected weights that rise to 100",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    change, reason = WRONG[name]
    reported = problems(tmp_path, topic("aws-prod", declared=model(**change)), "aws-prod")
    assert any(re.search(rf"Pulumi\.aws-prod\.yaml:\d+: .*{reason}", problem) for problem in reported), (
        reported
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"addons__options__keda": {"enabled": False}}, r"addons\.options\.keda\.enabled: not true"),
        ({"pipelines": {"teams": {}}}, r"pipelines\.teams: "),
        (
            {"teams": {"search": {"owners": [OWNERS["aws"]]}}},
            r"teams\.search\.queue: missing, and its TrainJobs",
        ),
        (
            {"workload_identities__requests": {"namespace": "a", "service_account": "b"}},
            r"workload_identities\.requests: the platform creates an identity 'requests'",
        ),
        (
            {
                "pipelines": {
                    "teams": {
                        "search": {
                            "schedules": {"nightly": {"template": "train-fare", "schedules": ["0 3 * * *"]}}
                        }
                    }
                }
            },
            r"pipelines\.teams\.search\.schedules\.nightly\.template: the team has no model that "
            r"'train-fare' trains.*mean 'train-fares'",
        ),
    ],
)
def test_what_another_topic_lacks_is_reported(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    reported = problems(tmp_path, topic("aws-prod", **change), "aws-prod")
    assert any(re.search(reason, problem) for problem in reported), reported


def test_an_unknown_team_is_reported(tmp_path: Path) -> None:
    change = topic("aws-prod")
    change["continuous_training"]["teams"] = {"serch": {"models": {"fares": model()}}}
    reported = problems(tmp_path, change, "aws-prod")
    assert any("continuous_training.teams.serch: no team has this name" in entry for entry in reported)


SERVING = {
    "server_image": f"{REGISTRY}/model-server{DIGEST}",
    "default_runtimes": ["serving"],
    "teams": {"search": {"services": {"prices": {"model": "prices", "runtime": "vllm-serving"}}}},
}


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("price", "no service 'price'.*mean 'prices'"),
        ("prices", "'prices' serves the model 'prices'"),
        ("prices", "serving has no rollouts"),
    ],
)
def test_a_service_is_one_of_the_team_that_serves_the_model(
    tmp_path: Path, service: str, reason: str
) -> None:
    change = topic("aws-prod", declared=model(service=service), serving=SERVING)
    reported = problems(tmp_path, change, "aws-prod")
    assert any(re.search(rf"{_PATH}\.service: .*{reason}", entry) for entry in reported), reported
