"""Arguments of cost control that are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.cost.args import CostSettings
from tests.components.aiplatform.cost.example import HELD, IMAGE, NIGHTS, REAPED, SCHEDULED, arguments


def refused(cloud: str, more: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ArgumentError) as caught:
        read(CostSettings, arguments(cloud, **more), "Args")
    return {problem.path.partition(".")[2]: problem.reason for problem in caught.value.problems}


def budget(**more: Any) -> dict[str, Any]:
    return {"budget": {"amount": 500, **more}}


@pytest.mark.parametrize(
    ("cloud", "more", "path", "reason"),
    [
        ("aws", budget(amount=0), "budget.amount", "expected"),
        ("aws", budget(emails=["no-address"]), "budget.emails[0]", "an email address"),
        ("aws", budget(emails=[f"a{n}@acme.example" for n in range(11)]), "budget.emails", "10"),
        ("gcp", budget(emails=[f"a{n}@acme.example" for n in range(6)]), "budget.emails", "at most 5"),
        ("aws", budget(actual_percent=[0]), "budget.actual_percent[0]", "percent"),
        ("aws", budget(actual_percent=[80, 80]), "budget.actual_percent", "80"),
        ("aws", budget(actual_percent=[1, 2, 3, 4, 5]), "budget.forecast_percent", "at most 5"),
        ("aws", budget(tag={"a": "1", "b": "2"}), "budget.tag", "1"),
        ("aws", budget(tag={"aws:x": "1"}), "budget.tag", "reserved"),
        ("gcp", budget(tag={"Team": "Search"}), "budget.tag", "lower-case"),
        ("aws", {"currency": "EUR"}, "currency", "budgets of AWS have no other"),
        ("aws", {"currency": "euro"}, "currency", "ISO 4217"),
        ("aws", {"billing_account": "01AB23-45CD67-89EF01"}, "billing_account", "AWS does not support"),
        ("gcp", {"billing_account": None}, "billing_account", "missing"),
        ("gcp", {"billing_account": "acme"}, "billing_account", "a billing account"),
        ("gcp", {"anomalies": {"min_impact": 5}}, "anomalies", "in the console"),
        ("aws", {"anomalies": {"min_impact": 0}}, "anomalies.min_impact", "expected"),
        (
            "aws",
            {"anomalies": {"monitor_arn": "arn:aws:ce::1:x"}},
            "anomalies.monitor_arn",
            "a monitor's arn",
        ),
        ("aws", {"team_budgets": {"a" * 31: {"amount": 1}}}, "team_budgets", "at most 30"),
        ("aws", {"hold": {}}, "image", "missing"),
        ("aws", {"hold": {}, "image": IMAGE}, "hold", "got it without a queue"),
        ("aws", {**HELD, "budget": None}, "hold", "got it without `budget`"),
        ("aws", {**HELD, "hold": {"percent": 0}}, "hold.percent", "percent"),
        ("aws", {**HELD, "hold": {"schedule": "often"}}, "hold.schedule", "cron"),
        (
            "aws",
            {**HELD, **budget(actual_percent=[1, 2, 3, 4])},
            "hold.percent",
            "one threshold more than the 5",
        ),
        ("aws", {**HELD, "image": "cost-control:1"}, "image", "an image with a digest"),
        ("aws", {**HELD, "cluster_queues": ["Shared"]}, "cluster_queues[0]", "expected"),
        ("aws", {**SCHEDULED, "image": None}, "image", "missing"),
        ("aws", {**SCHEDULED, "cluster_queues": []}, "schedule", "got it without a queue"),
        ("gcp", {**SCHEDULED, "profile": "prod"}, "schedule", "stops prod every night"),
        (
            "aws",
            {**SCHEDULED, "schedule": {**NIGHTS, "timezone": "Europe/Berlln"}},
            "schedule.timezone",
            "did you",
        ),
        (
            "aws",
            {**SCHEDULED, "schedule": {**NIGHTS, "overnight": False}},
            "schedule.start",
            "ends before it begins",
        ),
        ("aws", {**SCHEDULED, "schedule": {**NIGHTS, "stop": "07:00"}}, "schedule.start", "another time"),
        (
            "aws",
            {**SCHEDULED, "schedule": {**NIGHTS, "stop": "01:00"}},
            "schedule.overnight",
            "longer than a day",
        ),
        ("aws", {**SCHEDULED, "schedule": {**NIGHTS, "stop": "24:00"}}, "schedule.stop", "a time of the day"),
        ("aws", {**REAPED, "profile": "staging"}, "reaper", "ends work of staging"),
        ("gcp", {**REAPED, "profile": "prod"}, "reaper", "ends work of prod"),
        ("aws", {**REAPED, "image": None}, "image", "the program that reaper runs"),
        ("aws", {**REAPED, "prometheus_url": None}, "prometheus_url", "missing"),
        ("aws", {**REAPED, "prometheus_url": "prometheus:9090"}, "prometheus_url", "an address"),
        ("aws", {**REAPED, "cluster_queues": []}, "reaper", "got it without a queue"),
        ("aws", {**REAPED, "reaper": {"idle_hours": 0}}, "reaper.idle_hours", "hours"),
        ("aws", {**REAPED, "reaper": {"idle_hours": 73}}, "reaper.idle_hours", "hours"),
        ("aws", {**REAPED, "reaper": {"schedule": "often"}}, "reaper.schedule", "cron"),
        ("aws", {**HELD, "hold": {"exempt_queues": ["serch"]}}, "hold.exempt_queues[0]", "did you mean"),
        (
            "aws",
            {**HELD, "hold": {"exempt_queues": ["shared", "search"]}},
            "hold.exempt_queues",
            "at least one that is held",
        ),
        ("aws", {"kms_key": "alias/x"}, "kms_key", "a key's arn"),
        ("gcp", {"prefix": f"acme-{'a' * 21}"}, "prefix", "at most 21 characters"),
    ],
)
def test_wrong_arguments_are_refused(cloud: str, more: dict[str, Any], path: str, reason: str) -> None:
    problems = refused(cloud, more)
    assert path in problems, problems
    assert reason in problems[path]
