"""Monitors of language models: what an environment registers for them, and what it refuses."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiplatform.serving import llm_logs
from stacks.image_list import images_of
from stacks.images import repositories
from stacks.loading import load_file
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems
from tests.stacks.test_serving import topic as served

EXAMPLE = Path(__file__).parents[2] / "examples" / "llm-monitoring" / "environment.yaml"
MONITOR = "model_monitor.teams.search.monitors.assistant"
REGISTRIES = {
    "aws-prod": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme",
    "gcp-prod": "europe-west4-docker.pkg.dev/acme-ml-prod/acme",
}


def topic(stack: str = "aws-prod", **change: Any) -> dict[str, Any]:
    """The example as changes of a file; its images are in a registry that policies allow. Further keys, `__`
    for a slash."""
    text = EXAMPLE.read_text().replace("registry.example/acme", REGISTRIES[stack])
    example = {key.removeprefix("ai-platform:"): value for key, value in yaml.safe_load(text).items()}
    changes = {**served(stack), "feature_store": None}
    serving = {**changes.pop("serving"), **example.pop("serving")}
    lakehouse = example.pop("lakehouse")
    changes |= {
        "serving": serving,
        **{f"lakehouse/{key}": value for key, value in lakehouse.items()},
        **example,
    }
    return {**deepcopy(changes), **{key.replace("__", "/"): value for key, value in change.items()}}


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_measures_a_language_model_without_a_violation(tmp_path: Path, stack: str) -> None:
    settings = load_file(changed(tmp_path, topic(stack), stack))
    names = set(repositories(settings))
    assert any(name.endswith("/llm-logger") for name in names), "admitted next to the teams"
    assert "the loggers of language models" in str(list(images_of(settings)))
    assert not any(name.endswith("kserve/agent") for name in names), "no server has the agent"
    recording = build(settings).recording
    [extension] = recording.all("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy")
    assert extension.inputs["metadata"]["namespace"] == "search"
    [deployment] = [
        entry
        for entry in recording.all("kubernetes:apps/v1:Deployment")
        if entry.inputs["metadata"]["name"] == llm_logs.NAME
    ]
    [container] = deployment.inputs["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    [config] = [
        entry
        for entry in recording.all("kubernetes:core/v1:ConfigMap")
        if entry.inputs["metadata"]["name"] == "model-monitor"
    ]
    declared = json.loads(config.inputs["data"]["monitors.json"])["assistant"]
    assert declared["baseline_table"] is None
    assert declared["retrain"] is False
    assert declared["inference_services"] == ["chat-blue", "chat-green"]
    assert {column["name"]: column["type"] for column in declared["columns"]} == dict(llm_logs.COLUMNS)
    [job] = [
        entry.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        for entry in recording.all("kubernetes:batch/v1:CronJob")
        if entry.inputs["metadata"]["name"] == "model-monitor-compact-assistant"
    ]
    known = {entry["name"]: entry.get("value") for entry in job["env"]}
    assert known["LOGS_URI"] == variables["LOGS_URI"], "the monitor reads what the logger stores"
    assert "QUEUE" not in known, "nothing trains the model"
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


def _monitor(**more: Any) -> dict[str, Any]:
    declared = topic()["model_monitor"]["teams"]["search"]["monitors"]["assistant"]
    return {"model_monitor__teams__search__monitors__assistant": {**declared, **more}}


def _log(log: Any) -> dict[str, Any]:
    return {"serving__teams__search__services__chat__request_log": log}


def _column(name: str, kind: str = "category", **more: Any) -> dict[str, Any]:
    return _monitor(columns=[{"name": name, "type": kind, **more}])


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (
            _column("status", "number"),
            f"{MONITOR}.columns[0].type",
            "got 'number' of status; expected category",
        ),
        (_column("latency"), f"{MONITOR}.columns[0].name", "not measured.*mean 'latency_ms'"),
        (
            _column("prompt", classification="pii"),
            f"{MONITOR}.columns[0].name",
            "the service stores no texts.*request_log.payloads",
        ),
        (
            {**_column("answer"), **_log({"payloads": True})},
            f"{MONITOR}.columns[0]",
            "answer is a text of users; expected type category, classification pii",
        ),
        (_monitor(keys=["status"]), f"{MONITOR}.keys", "measured and not stored"),
        (_monitor(retrain=True), f"{MONITOR}.retrain", "nothing trains the model; expected false"),
        (_log(None), f"{MONITOR}.service", "'chat' stores no requests"),
        (
            {"serving__llm_logger": None},
            "serving.teams.search.services.chat.request_log",
            "there is no `llm_logger`",
        ),
    ],
)
def test_what_nothing_measures_is_reported_with_its_line(
    tmp_path: Path, change: dict[str, Any], key: str, reason: str
) -> None:
    reported = problems(tmp_path, topic(**change), "aws-prod")
    pattern = rf"Pulumi\.aws-prod\.yaml:\d+: {re.escape(key)}: .*{reason}"
    assert any(re.search(pattern, problem) for problem in reported), reported
