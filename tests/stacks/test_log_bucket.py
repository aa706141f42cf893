"""The topic `log_bucket`: the functions and workflows of an environment share a log bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.loading import load_file
from stacks.settings.composition import LAYERS, Layers
from tests.components.recording import Recording
from tests.policies.test_environments import violations
from tests.stacks import test_functions, test_workflows
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems
from tests.stacks.test_layer_stacks import deployed

BUCKET = "projects/acme-logs/locations/us-central1/buckets/audit"
LOGGING = {kind: f"gcp:logging/project{kind}:Project{kind}" for kind in ("BucketConfig", "Sink", "Exclusion")}


def topics(**more: Any) -> dict[str, Any]:
    """A function and more, and a workflow, that share a log bucket. more: of the function `score`."""
    return {
        **test_functions.topic("gcp-prod", **more),
        **test_workflows.topic("gcp"),
        "log_bucket": {"retention_days": 180},
    }


def built(folder: Path, change: dict[str, Any]) -> Recording:
    document = {key: value for key, value in change.items() if key != "log_bucket"}
    for key, value in change.get("log_bucket", {}).items():
        document[f"log_bucket/{key}"] = value
    return build(load_file(changed(folder, document, "gcp-prod"))).recording


def logging(recording: Recording, kind: str) -> set[str]:
    """Return the logical names of log buckets, sinks or exclusions of functions and workflows."""
    names = {resource.name for resource in recording.all(LOGGING[kind])}
    return {name for name in names if name.startswith(("function-", "workflow-", "log-bucket"))}


def test_functions_and_workflows_share_one_log_bucket_sink_and_exclusion(tmp_path: Path) -> None:
    recording = built(tmp_path, topics())
    assert {kind: logging(recording, kind) for kind in LOGGING} == {
        kind: {"log-bucket-logs"} for kind in LOGGING
    }, "a project has 50 exclusions of `_Default`, and 100 log buckets"
    bucket = recording.one(LOGGING["BucketConfig"], "log-bucket-logs")
    assert bucket.inputs["retentionDays"] == 180
    assert bucket.retain_on_delete, "prod keeps its logs"
    exclusion = recording.one(LOGGING["Exclusion"], "log-bucket-logs")
    service = recording.one("gcp:cloudrunv2/service:Service", "function-score")
    workflow = recording.one("gcp:workflows/workflow:Workflow", "workflow-scoring")
    assert all(recording.depends(writer, exclusion) for writer in (service, workflow)), "no log is elsewhere"
    names = [service.inputs["name"], workflow.inputs["name"]]
    query = recording.one(LOGGING["Sink"], "log-bucket-logs").inputs["filter"]
    patterns = re.findall(r'=~"([^"]+)"', query)
    for pattern, name in zip(patterns, names, strict=True):
        assert re.match(pattern, name), f"{name} has the prefix of the environment"


def test_no_policy_refuses_a_shared_log_bucket(tmp_path: Path) -> None:
    # The workflow of the example runs a job of another project, which a policy reports.
    recording = built(tmp_path, {key: value for key, value in topics().items() if "workflows" not in key})
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}" for entry in violations(recording, "gcp-prod")
    ] == []


def test_functions_in_a_separate_stack_use_the_log_bucket_of_the_layer_below(tmp_path: Path) -> None:
    change = {**test_functions.topic("gcp-prod"), "log_bucket/retention_days": 30}
    settings = load_file(changed(tmp_path, change, "gcp-prod"))
    whole = build(settings)
    separate = settings.model_copy(update={"layers": Layers(separate=list(LAYERS))})
    assert whole.above["models"]["log_bucket"]["log_bucket"], "the layer exports it"
    # Ids of recordings do not have the form of Google's.
    models = {**whole.above["models"], "log_bucket": {"log_bucket": BUCKET}}
    below = {"foundation": whole.exported, **whole.above, "models": models}
    recording = deployed(separate, "gcp-prod", "teams", below)
    assert logging(recording, "BucketConfig") == set()
    assert recording.one("aiplatform:index:Function", "function-score").published["logs"] == BUCKET


def test_without_the_topic_each_has_a_log_bucket(tmp_path: Path) -> None:
    change = topics()
    del change["log_bucket"]
    expected = {"function-score-logs", "function-ingest-logs", "workflow-scoring-log"}
    recording = built(tmp_path, change)
    assert {kind: logging(recording, kind) for kind in LOGGING} == dict.fromkeys(LOGGING, expected), (
        "an update of a deployed environment deletes no logs"
    )


def test_a_function_with_another_retention_keeps_its_log_bucket(tmp_path: Path) -> None:
    recording = built(tmp_path, topics(log_days=365))
    expected = {"function-score-logs", "log-bucket-logs"}
    assert logging(recording, "BucketConfig") == logging(recording, "Exclusion") == expected
    [sink] = [sink for sink in recording.all(LOGGING["Sink"]) if sink.name == "log-bucket-logs"]
    name = recording.one("gcp:cloudrunv2/service:Service", "function-score").inputs["name"]
    assert f'NOT resource.labels.service_name=("{name}")' in sink.inputs["filter"], "or logs are stored twice"


def test_a_function_with_another_bucket_that_exists_has_no_log_in_the_shared_one(tmp_path: Path) -> None:
    recording = built(tmp_path, topics(log_bucket=BUCKET))
    assert logging(recording, "BucketConfig") == {"log-bucket-logs"}
    assert "-score" in recording.one(LOGGING["Sink"], "log-bucket-logs").inputs["filter"]
    score = recording.one("aiplatform:index:Function", "function-score")
    assert score.published["logs"] == BUCKET


def many(count: int, **more: Any) -> dict[str, Any]:
    score = test_functions.topic("gcp-prod", **more)["functions/score"]
    return {f"functions/f{number}": score for number in range(count)}


def test_more_log_buckets_than_a_sink_has_exclusions_are_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, many(51), "gcp-prod")
    assert (
        "functions: got 51 functions and workflows that have a log bucket each; expected at most 50"
        in problem
    )
    assert "log_bucket" in problem, "the way out"
    shared = {"log_bucket/retention_days": 30}
    [problem] = problems(tmp_path, {**many(51, log_days=30), **shared}, "gcp-prod")
    assert "got 51" in problem, "each with another retention has a log bucket"


@pytest.mark.parametrize(
    "change",
    [many(50), {**many(120), "log_bucket/retention_days": 30}, many(51, log_bucket=BUCKET)],
    ids=["at-the-limit", "shared", "existing"],
)
def test_functions_within_the_exclusions_of_a_sink_are_accepted(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    load_file(changed(tmp_path, change, "gcp-prod"))


@pytest.mark.parametrize(
    ("stack", "change", "expected"),
    [
        ("aws-prod", {"log_bucket/retention_days": 30}, r"log_bucket: AWS does not support this component"),
        ("gcp-prod", {"log_bucket/retention_days": 4000}, r"log_bucket\.retention_days: .* 1 to 3650"),
        ("gcp-prod", {"log_bucket/retention": 30}, r"log_bucket\.retention: .* 'retention_days'"),
        ("gcp-prod", {"log_bucket/kms_key": "k"}, r"log_bucket\.kms_key: .*cryptoKeys"),
        (
            "gcp-prod",
            test_functions.topic("gcp-prod", log_days=30, log_bucket=BUCKET),
            r"functions\.score\.log_days: got .*30 with `log_bucket`; expected one of the two",
        ),
        (
            "aws-prod",
            test_functions.topic("aws-prod", log_bucket=BUCKET),
            r"functions\.score\.log_bucket: .* AWS does not support",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, stack: str, change: dict[str, Any], expected: str) -> None:
    reported = problems(tmp_path, change, stack)
    assert [problem for problem in reported if re.search(expected, problem)], reported
    assert len(reported) == 1, reported
