"""Rules of Prometheus: alerts of the platform, objectives, and alerts of the environment itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from aiplatform._shared.args import Problem
from aiplatform.observability import metrics
from aiplatform.observability.metrics import expressions, templates
from aiplatform.observability.rule_types import Alert, Recording
from aiplatform.observability.rule_types import RuleGroup as RuleGroup
from aiplatform.observability.rules import (
    certificates,
    collectors,
    controllers,
    costs,
    data,
    gpu,
    models,
    monitoring,
    nodes,
    queues,
    registry,
    serving,
    training,
)
from aiplatform.observability.settings import CustomRule, Settings
from aiplatform.observability.slos import burn_rates
from aiplatform.observability.slos import problems as slo_problems

_SUBJECTS: Final[Mapping[str, Callable[[Settings], Iterable[Alert | Recording]]]] = {
    "gpu": gpu.rules,
    "queues": queues.rules,
    "training": training.rules,
    "serving": serving.rules,
    "data": data.rules,
    "registry": registry.rules,
    "models": models.rules,
    "certificates": certificates.rules,
    "nodes": nodes.rules,
    "costs": costs.rules,
    "controllers": controllers.rules,
    "collectors": collectors.rules,
    "monitoring": monitoring.rules,
}
_ENVIRONMENT: Final = "environment"
"""The group of the environment's alerts."""


def rule_groups(settings: Settings) -> tuple[RuleGroup, ...]:
    """Return the groups of rules of an environment, those without rules left out."""
    groups = {name: tuple(rules(settings)) for name, rules in _SUBJECTS.items()}
    groups |= {f"slo-{slo.name}": tuple(burn_rates.rules(slo)) for slo in settings.slos}
    groups[_ENVIRONMENT] = tuple(_alert(rule) for rule in settings.custom_rules)
    return tuple(RuleGroup(name, rules, settings.runbooks) for name, rules in groups.items() if rules)


def problems(settings: Settings) -> Iterator[Problem]:
    """Return the problems with the objectives and alerts of an environment. Paths: `slos[0].indicator`,
    `rules[0].expression`."""
    yield from slo_problems(settings)
    yield from _custom_problems(settings)


def series(settings: Settings) -> frozenset[str]:
    """Return the names of all series that exist in an environment, with those that rules record. The
    objectives need not be valid."""
    platform = replace(settings, slos=(), custom_rules=())
    recorded = (
        rule.series for group in rule_groups(platform) for rule in group.rules if isinstance(rule, Recording)
    )
    objectives = burn_rates.SERIES if settings.slos else ()
    return frozenset((*metrics.series_of(settings), *recorded, *objectives, "ALERTS"))


def _custom_problems(settings: Settings) -> Iterator[Problem]:
    platform = {alert.name for alert in _platform_alerts(settings)}
    names = Counter(rule.alert for rule in settings.custom_rules)
    known = series(settings)
    for index, rule in enumerate(settings.custom_rules):
        path = f"rules[{index}]"
        if rule.alert in platform:
            yield Problem(
                f"{path}.alert", f"{rule.alert!r} is an alert of the platform; expected another name"
            )
        elif names[rule.alert] > 1:
            yield Problem(f"{path}.alert", f"{rule.alert!r} is used twice; expected distinct names")
        problem = expressions.problem(rule.expression, known)
        if problem is not None:
            yield Problem(f"{path}.expression", problem)
        for key, text in (("summary", rule.summary), ("runbook_url", rule.runbook_url)):
            problem = templates.problem(text or "")
            if problem is not None:
                yield Problem(f"{path}.{key}", problem)


def _platform_alerts(settings: Settings) -> Iterator[Alert]:
    """Return all alerts that the platform may have, also those whose metrics do not exist here: an add-on
    that comes later must not bring a duplicate."""
    everything = Settings(
        cloud="aws",
        cluster=settings.cluster,
        addons=frozenset(exporter.monitor for exporter in metrics.exporters().values() if exporter.monitor),
        pools=settings.pools,
        gpu_metrics=True,
        long_term_storage=True,
        logs=True,
        traces=True,
        model_registry=True,
        feature_store=True,
        opencost=True,
    )
    for group in rule_groups(everything):
        yield from group.alerts
    yield from burn_rates.ALERTS


def _alert(rule: CustomRule) -> Alert:
    return Alert(
        name=rule.alert,
        severity=rule.severity,
        expression=rule.expression,
        summary=rule.summary,
        description="",
        pending=f"{rule.for_minutes}m" if rule.for_minutes else "0s",
        runbook_url=rule.runbook_url or "",
    )
