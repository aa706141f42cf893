"""Arguments of a workflow that are refused before anything is registered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pulumi import Output

from aiplatform._shared.args import ArgumentError, read
from aiplatform.workflow.args import WorkflowSettings
from tests.components.aiplatform.workflow.example import arguments, definition


def problems(cloud: str, more: dict[str, Any]) -> dict[str, str]:
    args = {key: value for key, value in arguments(cloud, **more).items() if value is not None}
    try:
        read(WorkflowSettings, args, "Args")
    except ArgumentError as error:
        reported: dict[str, str] = {}
        for problem in error.problems:
            path = problem.path.partition(".")[2]
            reported[path] = f"{reported.get(path, '')} {problem.reason}"
        return reported
    return {}


def changed(cloud: str, path: str, value: Any) -> dict[str, Any]:
    """Return a definition with another value at a path; without it where the value is None."""
    whole = definition(cloud)
    *parts, last = path.split("/")
    place: Any = whole
    for part in parts:
        place = place[int(part) if part.isdecimal() else part]
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdecimal() else last] = value
    return {"definition": whole}


def states(path: str, value: Any = None) -> dict[str, Any]:
    return changed("aws", path, value)


ONE = arguments("gcp")["functions"]["validate"]
CHAIN = "main/steps/0/chain/try/steps"
FIRST = f"{CHAIN}/0/validate"


def steps(path: str, value: Any = None) -> dict[str, Any]:
    return changed("gcp", path, value)


def test_the_examples_of_both_clouds_are_accepted() -> None:
    assert problems("aws", {}) == {}
    assert problems("gcp", {}) == {}


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        (states("States/Validate/Next", "Scroe"), "definition", 'No state found named "Scroe"'),
        (
            states("States/Other", {"Type": "Succeed"}),
            "definition",
            "No transition found to state Other",
        ),
        (
            states("States/A", {"Type": "Pass", "Next": "B"})
            | {
                "definition": {
                    **definition("aws"),
                    "States": {
                        **definition("aws")["States"],
                        "A": {"Type": "Pass", "Next": "B"},
                        "B": {"Type": "Pass", "Next": "A"},
                    },
                }
            },
            "definition",
            "No transition found to state A",
        ),
        (states("StartAt", "Start"), "definition", "StartAt value Start not found"),
        (states("States/Done/Type", "Success"), "definition", "not one of the allowed values"),
        (
            states("States/Validate/Parameters/FunctionName", "${validat}"),
            "definition.States.Validate.Parameters.FunctionName",
            "did you mean 'validate'",
        ),
        (
            states(
                "States/Validate/Parameters/FunctionName", "arn:aws:lambda:us-west-2:111122223333:function:x"
            ),
            "definition.States.Validate.Parameters.FunctionName",
            "the role has no other right",
        ),
        (
            states("States/Score/Resource", "arn:aws:states:::ecs:runTask.sync"),
            "definition.States.Score.Resource",
            "for which the role has no right",
        ),
        (
            states("States/Validate/Resource", "arn:aws:states:::lambda:invoke.waitForTaskToken"),
            "definition.States.Validate.Resource",
            "for which the role has no right",
        ),
        (
            states("States/Validate/Parameters/Qualifier", "live"),
            "definition.States.Validate.Parameters.Qualifier",
            "expected the arn of the alias",
        ),
        (
            states("States/DeadLetter/Parameters/QueueUrl", "https://sqs.us-west-2.amazonaws.com/1/other"),
            "definition.States.DeadLetter.Parameters.QueueUrl",
            "expected ${dead_letter}",
        ),
        (states("States/Validate/Retry"), "definition.States.Validate.Retry", "expected a retrier"),
        (states("States/Validate/Catch"), "definition.States.Validate.Catch", "missing"),
        (
            states("States/Validate/Catch/0/Next", "Done"),
            "definition.States.Validate.Catch",
            "got none that does so",
        ),
        (
            states("States/Validate/Catch/0/ErrorEquals", ["States.Timeout"]),
            "definition.States.Validate.Catch",
            "got none that does so",
        ),
        (states("States/Score/TimeoutSeconds"), "definition.States.Score.TimeoutSeconds", "missing"),
        (states("States/Validate/TimeoutSeconds", 901), "definition.States.Validate.TimeoutSeconds", "900"),
        (
            states("States/Score/TimeoutSeconds", 100_000_000),
            "definition",
            "99999999",
        ),
        (states("TimeoutSeconds", 31_536_001), "definition.TimeoutSeconds", "31536000"),
        (states("TimeoutSeconds"), "definition.TimeoutSeconds", "missing"),
        (states("Comment", "x" * 1024 * 1024), "definition", "at most 1048576"),
        (states("States/Done/Comment", "${other}"), "definition.States.Done.Comment", "expected one of"),
        (
            states("States/Validate/Credentials", {"RoleArn": "arn:aws:iam::111122223333:role/other"}),
            "definition.States.Validate.Credentials",
            "no right to assume",
        ),
        (
            states("States/Done/Comment", Output.from_input("x")),
            "definition.States.Done.Comment",
            "a plain value",
        ),
        (
            {"functions": {"extra": {"arn": "arn:aws:lambda:us-west-2:111122223333:function:x"}}},
            "functions",
            "",
        ),
        ({"owner": None}, "owner", "missing"),
        ({"name": "Scoring"}, "name", "expected a DNS label"),
        ({"name": "a" * 60}, "name", "an IAM role's name"),
        (
            {"jobs": {"validate": {"glue_job": "x"}, "score": {"glue_job": "y"}}},
            "jobs",
            "which functions have",
        ),
        ({"jobs": {"dead_letter": {"glue_job": "x"}}}, "jobs", "other than dead_letter"),
        ({"jobs": {"score": {}}}, "jobs.score.glue_job", "missing"),
        (
            {"jobs": {"score": {"cloud_run_job": "x"}}},
            "jobs.score.cloud_run_job",
            "expected a job of Cloud Run",
        ),
        ({"schedule": {"cron": "every day"}}, "schedule.cron", "five fields"),
        ({"schedule": {"cron": "0 3 1 * 1"}}, "schedule.cron", "AWS does not accept both"),
        (
            {"schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlln"}},
            "schedule.timezone",
            "did you mean",
        ),
        ({"alarm_targets": ["alerts"]}, "alarm_targets[0]", "a topic of SNS"),
        ({"log_days": 31}, "log_days", "30 is the nearest"),
        ({"log_bucket": "projects/p/locations/eu/buckets/b"}, "log_bucket", "AWS does not support"),
        ({"kms_key": "alias/x"}, "kms_key", "a key's arn"),
        ({"region": "us-central1"}, "region", "AWS does not support"),
    ],
)
def test_wrong_state_machine_is_refused(more: dict[str, Any], path: str, reason: str) -> None:
    reported = problems("aws", more)
    matching = {key: text for key, text in reported.items() if key.startswith(path)}
    assert any(reason in text for text in matching.values()), reported


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        (steps(f"{FIRST}/next", "scroe"), "next", "did you mean 'score'"),
        (steps(f"{FIRST}/next", "break"), "next", "outside of a loop"),
        (steps(f"{FIRST}/next", "publish"), "score", "which no step leads to"),
        (steps("main"), "definition", "expected"),
        (steps("main/steps", []), "definition.main.steps", "a list of steps"),
        (steps(f"{FIRST}/retries", 3), "retries", "did you mean 'retry'"),
        (steps(f"{FIRST}/retry"), "call", "outside of a try with retry"),
        (steps("main/steps/0/chain/except"), "call", "publishes to the dead-letter topic"),
        (steps("main/steps/0/chain/except/as"), "except", "with as and steps"),
        (steps(f"{FIRST}/try/args/timeout"), "timeout", "missing"),
        (steps(f"{FIRST}/try/args/timeout", 1801), "timeout", "1800"),
        (
            steps(f"{CHAIN}/1/score/try/args/connector_params/timeout", 31_536_001),
            "connector_params.timeout",
            "31536000",
        ),
        (
            steps(f"{CHAIN}/1/score/try/args/body", {"overrides": {"taskCount": 2}}),
            "body.overrides",
            "no right",
        ),
        (steps(f"{FIRST}/try/args/auth"), "auth.type", "expected OIDC"),
        (steps(f"{FIRST}/try/args/url", "https://example.com"), "url", "no right to call anything else"),
        (steps(f"{FIRST}/try/args/url", '${sys.get_env("validat")}'), "url", "did you mean 'validate'"),
        (steps(f"{FIRST}/try/args/body", '${sys.get_env("other")}'), "body", "environment variable 'other'"),
        (steps(f"{FIRST}/try/call", "googleapis.run.v1.namespaces.jobs.run"), "call", "has a right to"),
        (
            steps("main/steps/0/chain/except/steps/0/dead_letter/args/topic", "projects/p/topics/t"),
            "topic",
            "no right to publish to another topic",
        ),
        (steps(f"{CHAIN}/1/score/retry/backoff"), "retry.backoff", "missing"),
        (steps("main/params", ["x" * 128 * 1024]), "definition", "at most 131072"),
        ({"project": None}, "project", "missing"),
        ({"owner": "search@acme.example"}, "owner", "as labels have"),
        ({"name": "a" * 20}, "name", "a service account's id"),
        (
            {"functions": dict.fromkeys((f"f{n}" for n in range(19)), ONE)},
            "functions",
            "at most 19",
        ),
        ({"alarm_targets": ["alerts"]}, "alarm_targets[0]", "a notification channel"),
        ({"schedule": {"cron": "61 3 * * *"}}, "schedule.cron", "minute"),
    ],
)  # fmt: skip
def test_wrong_workflow_of_google_is_refused(more: dict[str, Any], path: str, reason: str) -> None:
    reported = problems("gcp", more)
    assert any(path in key and reason in text for key, text in reported.items()), reported


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_function_that_nothing_calls_is_refused(cloud: str) -> None:
    args = arguments(cloud)
    functions = {**args["functions"], "unused": args["functions"]["validate"]}
    assert "does not call" in problems(cloud, {"functions": functions})["functions.unused"]


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole["States"]["Validate"].pop("Retry"),
        lambda whole: whole["States"]["Validate"].pop("TimeoutSeconds"),
        lambda whole: whole.pop("TimeoutSeconds"),
    ],
)
def test_errors_need_no_handling_where_the_arguments_state_so(change: Callable[[Any], None]) -> None:
    whole = copy.deepcopy(definition("aws"))
    change(whole)
    assert problems("aws", {"definition": whole}), "it is required by default"
    assert problems("aws", {"definition": whole, "require_error_handling": False}) == {}


def test_catch_of_a_state_around_others_handles_their_errors() -> None:
    whole = definition("aws")
    inner = whole["States"].pop("Score")
    outer = {key: inner.pop(key) for key in ("Retry", "Catch", "Next", "ResultPath")}
    branch = {"StartAt": "Run", "States": {"Run": {**inner, "End": True}}}
    whole["States"]["Score"] = {"Type": "Parallel", "Branches": [branch], **outer}
    assert problems("aws", {"definition": whole}) == {}
    del whole["States"]["Score"]["Catch"]
    assert "definition.States.Score.Branches[0].States.Run.Catch" in problems("aws", {"definition": whole})


def test_definition_in_jsonata_is_accepted() -> None:
    whole = {
        "QueryLanguage": "JSONata",
        "StartAt": "Call",
        "TimeoutSeconds": 60,
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "${validate}", "Payload": "{% $states.input %}"},
                "TimeoutSeconds": 30,
                "Retry": [{"ErrorEquals": ["States.ALL"]}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Send"}],
                "End": True,
            },
            "Send": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Arguments": {"QueueUrl": "${dead_letter}", "MessageBody": "{% $states.input %}"},
                "End": True,
            },
        },
    }
    functions = {"validate": arguments("aws")["functions"]["validate"]}
    assert problems("aws", {"definition": whole, "functions": functions, "jobs": {}}) == {}
