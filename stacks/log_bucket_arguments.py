"""The arguments of the component LogBucket, and which functions and workflows use it. Pure: no resource, no
call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pulumi import Input

from aiplatform.log_bucket.args import LogBucketArgs
from stacks.arguments import retains_data
from stacks.key_grants import with_key_grants
from stacks.settings import Settings
from stacks.settings.base import Topic
from stacks.settings.generated import stated


def log_bucket(settings: Settings) -> LogBucketArgs:
    """Arguments of the log bucket of the file."""
    environment, topic = settings.environment, settings.log_bucket
    assert topic is not None, "it is called where the file has the topic"  # noqa: S101
    on_google = environment.cloud == "gcp"
    place = {"project": environment.project_id or "", "region": environment.region} if on_google else {}
    return cast(
        "LogBucketArgs",
        {
            **with_key_grants(settings, stated(topic)),
            "prefix": environment.prefix,
            "cloud": environment.cloud,
            **place,
            "excluded_functions": _others(settings.functions),
            "excluded_workflows": _others(settings.workflows),
            "retain_data": retains_data(settings),
        },
    )


def shared_log_bucket(args: Mapping[str, Any], offered: Input[str] | None) -> dict[str, Any]:
    """Return the argument `log_bucket` of a function or workflow, from what the file states of it. offered:
    the environment's log bucket, None where it has none."""
    return {} if offered is None or _states_logs(args) else {"log_bucket": offered}


def with_own_bucket(settings: Settings) -> list[str]:
    """Return the keys of functions and workflows that create a log bucket: `functions.score`."""
    return [
        f"{topic}.{name}"
        for topic, entries in (("workflows", settings.workflows), ("functions", settings.functions))
        for name, entry in entries.items()
        if "log_bucket" not in stated(entry) and (settings.log_bucket is None or "log_days" in stated(entry))
    ]


def _others(topics: Mapping[str, Topic]) -> list[str]:
    return [name for name, topic in topics.items() if _states_logs(stated(topic))]


def _states_logs(args: Mapping[str, Any]) -> bool:
    """Return whether logs have their own retention, or another bucket that exists."""
    return "log_days" in args or "log_bucket" in args
