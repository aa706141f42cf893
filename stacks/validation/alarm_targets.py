"""Whether the topics of SNS that alarms notify are of the environment's region.

Alarms of CloudWatch notify only topics of the alarm's region: PutMetricAlarm refuses another one ("Invalid
region ... specified"). A component does not know its region on AWS, which is the provider's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiplatform._shared.args import Problem, got
from stacks.settings import Settings
from stacks.settings.generated import stated


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the topics of another region. Their form is a rule of the components."""
    region = settings.environment.region
    if settings.environment.cloud != "aws":
        return
    for path, targets in _targets(settings):
        for index, target in enumerate(targets):
            parts = str(target).split(":")
            if parts[2:3] == ["sns"] and parts[3:4] != [region]:
                yield Problem(
                    f"{path}[{index}]",
                    f"{got(target)}, a topic of another region; expected one in {region}, as the alarm",
                )


def _targets(settings: Settings) -> Iterator[tuple[str, list[Any]]]:
    for topic, entries in (("functions", settings.functions), ("workflows", settings.workflows)):
        for name, entry in entries.items():
            yield f"{topic}.{name}.alarm_targets", stated(entry).get("alarm_targets", [])
    if settings.observability is not None:
        storage: dict[str, Any] = stated(settings.observability).get("long_term_storage") or {}
        alarm: dict[str, Any] = storage.get("alarm") or {}
        yield "observability.long_term_storage.alarm.notify", alarm.get("notify", [])
