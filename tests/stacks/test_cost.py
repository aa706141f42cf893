"""The topic `cost`: budgets, what an environment supplies, and what it refuses by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from stacks.loading import load_file
from stacks.validation import cost
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.files import ENVIRONMENTS
from tests.stacks.test_google_files import changed, problems

STACKS = [f"{cloud}-{profile}" for cloud in ("aws", "gcp") for profile in ("dev", "staging", "prod")]
OWNER = "ml-platform@acme.example"
QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"
REGISTRIES = {
    "aws": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme",
    "gcp": "europe-west4-docker.pkg.dev/acme-ml-prod/acme",
}
"""Those that policies of production allow."""
ABOVE: Final = ("data", "ml", "teams")
"""Layers that the topic does not change."""
BUDGETS = {"aws": "aws:budgets/budget:Budget", "gcp": "gcp:billing/budget:Budget"}


def topic(cloud: str, amount: float = 100_000, **more: Any) -> dict[str, Any]:
    account = {"cost/billing_account": "01AB23-45CD67-89EF01"} if cloud == "gcp" else {}
    budget = {"amount": amount, **({"emails": [OWNER]} if cloud == "gcp" else {}), **more}
    return {"cost/budget": budget, **account}


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod", "gcp-dev", "gcp-prod"])
def test_a_budget_is_created_and_no_policy_refuses_it(tmp_path: Path, stack: str) -> None:
    cloud = stack.partition("-")[0]
    recording = build(load_file(changed(tmp_path, topic(cloud), stack)), ABOVE).recording
    budget = recording.one(BUDGETS[cloud], "cost-environment").inputs
    assert "environment" in json.dumps(budget)
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}" for entry in violations(recording, stack)
    ] == []


def test_alerts_go_to_the_owner_of_the_environment(tmp_path: Path) -> None:
    change = topic("aws", amount=100_000)
    recording = build(load_file(changed(tmp_path, change, "aws-dev")), ABOVE).recording
    budget = recording.one(BUDGETS["aws"], "cost-environment").inputs
    assert {
        address for entry in budget["notifications"] for address in entry["subscriberEmailAddresses"]
    } == {OWNER}


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod", "gcp-dev", "gcp-prod"])
def test_all_queues_of_the_environment_are_held(tmp_path: Path, stack: str) -> None:
    cloud, _, profile = stack.partition("-")
    image = f"{REGISTRIES[cloud].replace('ml-prod', f'ml-{profile}')}/cost-control@sha256:{'5' * 64}"
    change = {**topic(cloud), "cost/hold": {}, "cost/image": image}
    settings = load_file(changed(tmp_path, change, stack))
    recording = build(settings, ABOVE).recording
    [rule] = recording.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "cost-queues").inputs[
        "rules"
    ]
    queues = {entry.inputs["metadata"]["name"] for entry in recording.all(QUEUE)}
    assert set(rule["resourceNames"]) == {name for name in queues if not name.startswith("gpu-check-")}, (
        "checks of nodes go on"
    )
    job = recording.one("kubernetes:batch/v1:CronJob", "cost-budget-hold")
    assert recording.depends(job, on=recording.all(QUEUE)[0]), "the program finds its queues"
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}" for entry in violations(recording, stack)
    ] == []


@pytest.mark.parametrize("stack", STACKS)
def test_each_environment_has_a_budget_that_holds_and_no_warning(stack: str) -> None:
    settings = load_file(ENVIRONMENTS / f"Pulumi.{stack}.yaml")
    assert list(cost.warnings(settings)) == []
    recording = build(settings, ABOVE).recording
    profile = stack.partition("-")[2]
    jobs = {"cost-budget-hold", *({"cost-schedule", "cost-reaper"} if profile == "dev" else ())}
    registered = {entry.name for entry in recording.all("kubernetes:batch/v1:CronJob")}
    assert jobs == {name for name in registered if name.startswith("cost-")}


def test_expected_use_alone_creates_nothing(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {"cost/hours": {"t4": 20}}, "aws-dev"))
    assert not settings.cost.controls
    recording = build(settings, ABOVE).recording
    assert recording.all("aiplatform:index:Cost") == []


def test_a_budget_below_what_is_always_on_is_refused_in_prod(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, topic("aws", amount=10), "aws-prod")
    line = (
        r"Pulumi\.aws-prod\.yaml:\d+: cost\.budget\.amount: got 10, and the environment costs [\d.]+ dollars"
    )
    assert re.search(line, problem), problem
    assert "docs/estimates/aws-prod.json" in problem


def test_it_is_a_warning_elsewhere(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic("aws", amount=10), "aws-dev"))
    [warning] = cost.warnings(settings)
    assert warning.path == "cost.budget.amount"
    assert list(cost.warnings(load_file(changed(tmp_path, topic("aws"), "aws-dev")))) == []


@pytest.mark.parametrize(
    "more", [{"tag": {"team": "search"}}, {"currency": "EUR"}], ids=["a tag", "another currency"]
)
def test_what_cannot_be_compared_is_not(tmp_path: Path, more: dict[str, Any]) -> None:
    currency = more.pop("currency", None)
    change = topic("gcp", amount=10, **more) | ({"cost/currency": currency} if currency else {})
    settings = load_file(changed(tmp_path, change, "gcp-dev"))
    assert list(cost.warnings(settings)) == []


NIGHTS = {"timezone": "Europe/Berlin", "stop": "20:00", "start": "07:00", "overnight": True}
IMAGE = f"registry.example/cost-control@sha256:{'5' * 64}"


def scheduled(**more: Any) -> dict[str, Any]:
    return {"cost/schedule": {**NIGHTS, **more}, "cost/image": IMAGE}


def test_pool_with_nodes_that_run_on_is_a_warning(tmp_path: Path) -> None:
    change = {**scheduled(), "gpu_pools/t4/min": 1}
    [warning] = cost.warnings(load_file(changed(tmp_path, change, "aws-dev")))
    assert warning.path == "gpu_pools.t4.min"
    assert list(cost.warnings(load_file(changed(tmp_path, scheduled(), "aws-dev")))) == []


def test_schedule_of_the_environment_holds_its_queues(tmp_path: Path) -> None:
    recording = build(load_file(changed(tmp_path, scheduled(), "gcp-dev")), ABOVE).recording
    job = recording.one("kubernetes:batch/v1:CronJob", "cost-schedule")
    assert job.inputs["metadata"]["namespace"] == "cost-control"


def test_reaper_of_the_environment_asks_its_prometheus(tmp_path: Path) -> None:
    change = {"cost/reaper": {}, "cost/image": IMAGE}
    recording = build(load_file(changed(tmp_path, change, "aws-dev")), ABOVE).recording
    job = recording.one("kubernetes:batch/v1:CronJob", "cost-reaper")
    [container] = job.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert variables["PROMETHEUS_URL"] == "http://kube-prometheus-stack-prometheus.monitoring:9090"
    policy = recording.one(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "observability-prometheus-clients"
    )
    [rule] = policy.inputs["spec"]["ingress"]
    assert "cost-control" in json.dumps(rule["from"])


def test_an_environment_without_an_estimate_is_not_compared(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic("aws", amount=10), "aws-dev"))
    assert list(cost.warnings(settings, tmp_path)) == []


@pytest.mark.parametrize(
    ("stack", "change", "path", "reason"),
    [
        ("aws-dev", {"cost/team_budgets": {"search": {"amount": 5}}}, "cost.team_budgets.search", "no team"),
        ("gcp-dev", {"cost/budget": {"amount": 900}}, "cost.billing_account", "missing"),
        ("aws-dev", {"cost/budget": {"amount": 900}, "cost/hold": {}}, "cost.image", "missing"),
        ("aws-dev", {"cost/hold": {}}, "cost.hold", "got it without `budget`"),
        ("gcp-dev", {"cost/anomalies": {"min_impact": 5}}, "cost.anomalies", "in the console"),
        ("aws-dev", {"cost/budget": {"amount": "much"}}, "cost.budget.amount", "number"),
        ("aws-dev", {"cost/budget": {"amout": 900}}, "cost.budget.amout", "did you mean"),
        (
            "aws-staging",
            {"cost/reaper": {}, "cost/image": IMAGE},
            "cost.reaper",
            "ends work of staging",
        ),
        (
            "aws-dev",
            {"cost/reaper": {}, "cost/image": IMAGE, "addons/options": {"dcgm-exporter": {"enabled": False}}},
            "cost.reaper",
            "without the add-on dcgm-exporter",
        ),
        (
            "aws-dev",
            {
                "cost/reaper": {"idle_hours": 48},
                "cost/image": IMAGE,
                "observability/prometheus": {"retention_days": 1},
            },
            "cost.reaper.idle_hours",
            "at most 24",
        ),
        ("aws-prod", scheduled(), "cost.schedule", "stops prod every night"),
        ("aws-dev", scheduled(overnight=False), "cost.schedule.start", "ends before it begins"),
        ("aws-dev", scheduled(timezone="Berlin"), "cost.schedule.timezone", "time zone of IANA"),
        (
            "gcp-prod",
            {"cost/budget": {"amount": 100_000}, "cost/billing_account": "01AB23-45CD67-89EF01"},
            "cost.budget.emails",
            "at least one in prod",
        ),
    ],
)
def test_bad_input_is_refused_by_file_and_line(
    tmp_path: Path, stack: str, change: dict[str, Any], path: str, reason: str
) -> None:
    reported = problems(tmp_path, change, stack)
    assert any(f": {path}: " in problem and reason in problem for problem in reported), reported
