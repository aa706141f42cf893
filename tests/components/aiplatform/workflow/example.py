"""Arguments that the tests of workflows share: two functions and a job in a row."""

from __future__ import annotations

import json
from typing import Any

from aiplatform.workflow import Workflow
from tests.components.cloud_answers import PROJECT
from tests.components.recording import ACCOUNT, REGION, Recording, record

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
SERVICES = "projects/acme-dev-0123/locations/europe-west4/services/"
JOB = "projects/acme-dev-0123/locations/europe-west4/jobs/score"
_RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2}]
_CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "DeadLetter"}]
_HANDLED: dict[str, Any] = {"TimeoutSeconds": 60, "Retry": _RETRY, "Catch": _CATCH}


def _task(service: str, parameters: dict[str, Any], following: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{service}",
        "Parameters": parameters,
        "ResultPath": None,
        "Next": following,
        **_HANDLED,
    }


STATES: dict[str, Any] = {
    "StartAt": "Validate",
    "TimeoutSeconds": 3600,
    "States": {
        "Validate": _task("lambda:invoke", {"FunctionName": "${validate}", "Payload.$": "$"}, "Score"),
        "Score": _task("glue:startJobRun.sync", {"JobName": "${score}"}, "Publish"),
        "Publish": _task("lambda:invoke", {"FunctionName": "${publish}", "Payload.$": "$"}, "Done"),
        "Done": {"Type": "Succeed"},
        "DeadLetter": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "${dead_letter}", "MessageBody.$": "$"},
            "Retry": _RETRY,
            "Next": "Failed",
        },
        "Failed": {"Type": "Fail", "Error": "DeadLetter", "Cause": "see the dead-letter queue"},
    },
}


def _request(name: str) -> dict[str, Any]:
    return {
        "call": "http.post",
        "args": {
            "url": f'${{sys.get_env("{name}")}}',
            "auth": {"type": "OIDC"},
            "body": "${input}",
            "timeout": 60,
        },
    }


STEPS: dict[str, Any] = {
    "main": {
        "params": ["input"],
        "steps": [
            {
                "chain": {
                    "try": {
                        "steps": [
                            {"validate": {"try": _request("validate"), "retry": "${http.default_retry}"}},
                            {
                                "score": {
                                    "try": {
                                        "call": "googleapis.run.v2.projects.locations.jobs.run",
                                        "args": {
                                            "name": '${sys.get_env("score")}',
                                            "connector_params": {"timeout": 3600},
                                        },
                                    },
                                    "retry": {
                                        "predicate": "${http.default_retry_predicate}",
                                        "max_retries": 2,
                                        "backoff": {"initial_delay": 2, "max_delay": 60, "multiplier": 2},
                                    },
                                }
                            },
                            {"publish": {"try": _request("publish"), "retry": "${http.default_retry}"}},
                        ]
                    },
                    "except": {
                        "as": "error",
                        "steps": [
                            {
                                "dead_letter": {
                                    "call": "googleapis.pubsub.v1.projects.topics.publish",
                                    "args": {
                                        "topic": '${sys.get_env("dead_letter")}',
                                        "body": {
                                            "messages": [{"data": "${base64.encode(json.encode(error))}"}]
                                        },
                                    },
                                }
                            },
                            {"failed": {"raise": "${error}"}},
                        ],
                    },
                }
            },
        ],
    }
}


def definition(cloud: str) -> dict[str, Any]:
    """Return a copy of the definition for a cloud, to be changed."""
    # Not deepcopy, which keeps what several states share.
    return json.loads(json.dumps(STATES if cloud == "aws" else STEPS))


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of a workflow. more: further ones."""
    common = {"prefix": "acme-dev", "name": "scoring", "owner": "search", "definition": definition(cloud)}
    if cloud == "aws":
        return {
            **common,
            "functions": {name: {"arn": f"{FUNCTION}{name}"} for name in ("validate", "publish")},
            "jobs": {"score": {"glue_job": "acme-dev-score"}},
            **more,
        }
    return {
        **common,
        "cloud": "gcp",
        "project": PROJECT,
        "region": "europe-west4",
        "functions": {
            name: {"url": f"https://{name}-abc-ez.a.run.app", "service": f"{SERVICES}{name}"}
            for name in ("validate", "publish")
        },
        "jobs": {"score": {"cloud_run_job": JOB}},
        **more,
    }


def recorded(cloud: str, **more: Any) -> Recording:
    """Return what a workflow registers."""
    args: Any = arguments(cloud, **more)
    return record(lambda: Workflow("workflow", args))
