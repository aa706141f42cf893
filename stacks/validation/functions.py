"""Functions: what they need of other topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiplatform._shared.args import Problem, got
from stacks import log_bucket_arguments
from stacks.settings import Settings
from stacks.settings.generated import stated

_MOST_EXCLUSIONS: Final = 50
"""Of the sink `_Default` ("Quotas and limits" of Cloud Logging). The platform's other logs need some, too."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield roles that Lambda cannot assume, and events that are not sent."""
    yield from _exclusions(settings)
    lakehouse: dict[str, Any] = stated(settings.lakehouse) if settings.lakehouse is not None else {}
    for name, function in settings.functions.items():
        args: dict[str, Any] = stated(function)
        role = args.get("role")
        if settings.environment.cloud == "aws" and role in settings.identities:
            yield Problem(
                f"functions.{name}.role",
                f"got {role!r}; expected the arn of a role that Lambda may assume: Pods alone assume those "
                "of workload identities",
            )
        yield from _role_of_another_account(settings, name, role)
        event: dict[str, Any] = args.get("event") or {}
        if event.get("zone") == "raw" and lakehouse.get("arrival_events") is False:
            if settings.environment.cloud == "aws":
                yield Problem(
                    f"functions.{name}.event",
                    f"{got(event)} without events of raw; expected lakehouse.arrival_events to be true",
                )
        elif event.get("zone") in ("curated", "serving") and settings.environment.cloud == "aws":
            yield Problem(
                f"functions.{name}.event.zone",
                f"{got(event['zone'])}; expected raw, whose bucket sends its events to EventBridge",
            )


def _exclusions(settings: Settings) -> Iterator[Problem]:
    """Yield more log buckets of functions and workflows than the sink `_Default` can have exclusions."""
    if settings.environment.cloud != "gcp":
        return
    alone = log_bucket_arguments.with_own_bucket(settings)
    if len(alone) > _MOST_EXCLUSIONS:
        yield Problem(
            alone[-1].partition(".")[0],
            f"got {len(alone)} functions and workflows that have a log bucket each; expected at most "
            f"{_MOST_EXCLUSIONS}, the exclusions of a sink of Cloud Logging: state the topic log_bucket, "
            "which they share",
        )


def _role_of_another_account(settings: Settings, name: str, role: str | None) -> Iterator[Problem]:
    """Yield a role that Lambda refuses: "Cross-account pass role is not allowed"."""
    account = settings.environment.account_id
    if role is not None and account is not None and ":role/" in role and f":iam::{account}:" not in role:
        yield Problem(f"functions.{name}.role", f"{got(role)}; expected a role of this account, {account}")
