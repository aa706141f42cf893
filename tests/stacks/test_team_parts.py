"""What the block of a team states for other topics: repositories, budgets, alerts and dashboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform._shared.args import read
from aiplatform.observability.alertmanager import configuration
from aiplatform.observability.args import ObservabilitySettings
from stacks import arguments, cost_arguments, repositories
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders, teams
from tests.components.recording import ACCOUNT
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_archived_teams import settings_of
from tests.stacks.test_google_files import changed, problems

OWNERS = {"aws": f"arn:aws:iam::{ACCOUNT}:role/NAME", "gcp": "group:NAME@acme.example"}
CI = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/search-ci",
    "gcp": "serviceAccount:search-ci@acme-ml-dev.iam.gserviceaccount.com",
}
ALERTS = {"slack": {"channel": "#search", "secret": "acme-dev/teams/search/slack"}}
GOOGLE_ALERTS = {"slack": {"channel": "#search", "secret": "acme-dev-teams-search_slack"}}
STACKS = ("aws-dev", "gcp-dev")
NO_IMAGES: Final = ("kubernetes", "data", "teams")
"""Layers without container repositories."""
ABOVE_KUBERNETES: Final = ("data", "ml", "teams")
"""Layers without budgets and dashboards."""


def change_of(stack: str, search: dict[str, Any], **change: Any) -> dict[str, Any]:
    """Return a change of a file: two teams, of which search has these keys."""
    cloud = stack.partition("-")[0]
    blocks = {name: {"owners": [OWNERS[cloud].replace("NAME", name)]} for name in ("ads", "search")}
    groups = {"cluster/gke/google_groups": "gke-security-groups@acme.example"} if cloud == "gcp" else {}
    return {"teams": {**blocks, "search": {**blocks["search"], **search}}, **groups, **change}


def statements(recording: Any, name: str) -> dict[str, Any]:
    policy = recording.one("aws:ecr/repositoryPolicy:RepositoryPolicy", name).inputs["policy"]
    return {entry["Sid"]: entry["Principal"]["AWS"] for entry in json.loads(policy)["Statement"]}


def test_ci_of_a_team_alone_pushes_to_its_repositories(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "aws-dev", repositories=["train"], pushers=[CI["aws"]])
    recording = build(settings, NO_IMAGES).recording
    assert recording.one("aws:ecr/repository:Repository", "container-registry-search-train").inputs[
        "name"
    ] == ("acme-dev/search/train")
    assert statements(recording, "container-registry-search-train")["Push"] == [CI["aws"]], (
        "writers of the platform's repositories do not push to the team's"
    )
    assert CI["aws"] not in statements(recording, "container-registry-training")["Push"]
    login = recording.one("aws:iam/rolePolicy:RolePolicy", "container-registry-writer-role-search-ci").inputs
    assert "ecr:GetAuthorizationToken" in login["policy"]
    assert repositories.urls(settings)["search/train"].endswith("/acme-dev/search/train"), (
        "production admits its images"
    )


def test_ci_of_a_team_alone_pushes_to_its_repositories_on_google_cloud(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "gcp-dev", repositories=["train"], pushers=[CI["gcp"]])
    members = {
        (entry.inputs["role"], entry.inputs["member"])
        for entry in build(settings, NO_IMAGES).recording.all(
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
        )
        if entry.name.startswith("container-registry-search-train")
    }
    assert members == {("roles/artifactregistry.writer", CI["gcp"])}


def test_a_workload_identity_of_the_file_may_push(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "aws-dev", repositories=["train"], pushers=["search"])
    push = statements(build(settings, NO_IMAGES).recording, "container-registry-search-train")["Push"]
    assert [arn.rpartition("/")[2] for arn in push] == ["acme-dev-wi-search"]


def test_pushers_of_a_team_leave_those_of_other_repositories(tmp_path: Path) -> None:
    stated = {"container_registry/repository_writers": {"training": ["pipelines"]}}
    change = change_of("aws-dev", {"repositories": ["train"], "pushers": [CI["aws"]]}, **stated)
    recording = build(load_file(changed(tmp_path, change, "aws-dev")), NO_IMAGES).recording
    push = statements(recording, "container-registry-training")["Push"]
    assert [arn.rpartition("/")[2] for arn in push] == ["acme-dev-wi-pipelines"]
    assert statements(recording, "container-registry-search-train")["Push"] == [CI["aws"]]


@pytest.mark.parametrize("stack", STACKS)
def test_repositories_of_an_archived_team_stay_and_nothing_pushes_to_them(tmp_path: Path, stack: str) -> None:
    ci = CI[stack.partition("-")[0]]
    settings = settings_of(tmp_path, stack, archive=True, repositories=["train"], pushers=[ci])
    environment = build(settings)
    names = [resource.name for resource in environment.recording.resources if "search-train" in resource.name]
    assert "container-registry-search-train" in names
    assert ci not in json.dumps(
        [resource.inputs for resource in environment.recording.resources], default=str
    )
    [left] = environment.above["teams"]["archived_teams"]["search"]["repositories"]
    assert left == repositories.urls(settings)["search/train" if stack == "aws-dev" else "search-train"]


def test_the_budget_of_a_block_is_that_of_the_team(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "aws-dev", budget={"amount": 2000})
    assert settings.controls_costs, "the file has no topic cost"
    recording = build(settings, ABOVE_KUBERNETES).recording
    budget = recording.one("aws:budgets/budget:Budget", "cost-team-search").inputs
    assert budget["limitAmount"] == "2000"
    assert "search" in json.dumps(budget["costFilters"]), "by the tag of the team"
    addresses = {
        address for entry in budget["notifications"] for address in entry["subscriberEmailAddresses"]
    }
    assert addresses == {settings.environment.owner}


def notifications(settings: Settings) -> dict[str, Any]:
    """Return the configuration of Alertmanager of an environment."""
    references = placeholders.of(settings)
    addons = placeholders.installed_addons(settings, references)
    args = arguments.observability(settings, references.cluster, addons, ((), ()), [])
    return configuration(read(ObservabilitySettings, args, "ObservabilityArgs").notifications)


@pytest.mark.parametrize("stack", STACKS)
def test_alerts_of_a_namespace_go_to_the_team_first(tmp_path: Path, stack: str) -> None:
    alerts = ALERTS if stack == "aws-dev" else GOOGLE_ALERTS
    pager = {"name": "pager", "webhook": {"secret": "acme-pager"}}
    of_file = {
        "receivers": [pager],
        "default": "pager",
        "routes": [{"receiver": "pager", "severities": ["critical"]}],
    }
    change = change_of(
        stack,
        {"alerts": alerts, "namespace": "search-ml"},
        **{"observability/notifications": of_file},
    )
    sent = notifications(load_file(changed(tmp_path, change, stack)))
    routes = [
        (route["receiver"], [entry for entry in route.get("matchers", []) if "namespace" in entry])
        for route in sent["route"]["routes"]
        if route["receiver"] in ("search", "pager")
    ]
    assert routes[0] == ("search", ['namespace="search-ml"'])
    assert routes[1][0] == "pager", "the file's route of critical alerts is after that of the team"
    [receiver] = [entry for entry in sent["receivers"] if entry["name"] == "search"]
    assert receiver["slack_configs"][0]["channel"] == "#search"


def test_a_file_without_receivers_sends_alerts_of_teams_alone(tmp_path: Path) -> None:
    sent = notifications(settings_of(tmp_path, "aws-dev", alerts=ALERTS))
    assert sent["route"]["receiver"] == "none"
    assert [entry["name"] for entry in sent["receivers"]] == ["none", "search"]


def test_alerts_of_a_teams_objectives_go_to_the_team(tmp_path: Path) -> None:
    slo = {
        "name": "wait",
        "indicator": "queue_wait",
        "objective_percent": 95.0,
        "owner": "search",
        "latency_seconds": 320.0,
        "window_days": 7,
    }
    change = change_of("aws-dev", {"alerts": ALERTS}, **{"observability/slos": [slo]})
    sent = notifications(load_file(changed(tmp_path, change, "aws-dev")))
    routes = [route for route in sent["route"]["routes"] if route["receiver"] == "search"]
    assert any("owner" in str(route["matchers"]) for route in routes), "wherever the objective is measured"
    assert any("namespace" in str(route["matchers"]) for route in routes)


@pytest.mark.parametrize("stack", STACKS)
def test_each_team_has_a_dashboard_of_its_namespace(tmp_path: Path, stack: str) -> None:
    settings = settings_of(tmp_path, stack, namespace="search-ml", queue="shared")
    boards = {
        file: text
        for entry in build(settings, ABOVE_KUBERNETES).recording.all("kubernetes:core/v1:ConfigMap")
        for file, text in (entry.inputs.get("data") or {}).items()
        if "ai-platform-team-" in text
    }
    assert len(boards) == 2
    [board] = [text for text in boards.values() if '"ai-platform-team-search"' in text]
    assert 'namespace=\\"search-ml\\"' in board
    assert 'cluster_queue=\\"shared\\"' in board
    [other] = [text for text in boards.values() if '"ai-platform-team-ads"' in text]
    assert "search" not in other, "no series of another team"
    assert "cluster_queue" not in other, "ads has no queue"


def test_no_policy_refuses_what_a_team_has(tmp_path: Path) -> None:
    search = {"repositories": ["train"], "pushers": [CI["aws"]], "budget": {"amount": 10}, "alerts": ALERTS}
    settings = load_file(changed(tmp_path, change_of("aws-dev", search), "aws-dev"))
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}"
        for entry in violations(build(settings).recording, "aws-dev")
    ] == []


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a repository's name": (
        change_of("aws-dev", {"repositories": ["ok", "Train"]}),
        "teams.search.repositories[1]: got 'Train'; expected lower-case letters and digits",
    ),
    "a repository of the platform": (
        {
            "container_registry/repositories": ["search-train"],
            **change_of("aws-dev", {"repositories": ["train"]}),
        },
        "teams.search.repositories[0]: got 'train', whose name search/train is that of "
        "container_registry.repositories[0], too",
    ),
    "an unknown pusher": (
        change_of("aws-dev", {"repositories": ["train"], "pushers": ["serch"]}),
        "teams.search.pushers[0]: got 'serch'; expected the name of one of this file's workload_identities",
    ),
    "a pusher that is no principal": (
        change_of("aws-dev", {"repositories": ["train"], "pushers": ["group:ci@acme.example"]}),
        "teams.search.pushers[0]: got 'group:ci@acme.example'; expected an IAM role's arn",
    ),
    "pushers without repositories": (
        change_of("aws-dev", {"pushers": [CI["aws"]]}),
        "teams.search.pushers: got some without `repositories`",
    ),
    "two budgets": (
        change_of("aws-dev", {"budget": {"amount": 1}}, **{"cost/team_budgets": {"search": {"amount": 2}}}),
        "teams.search.budget: cost.team_budgets.search states one, too",
    ),
    "a budget's addresses": (
        change_of("aws-dev", {"budget": {"amount": 1, "emails": ["me"]}}),
        "teams.search.budget.emails[0]: got 'me'; expected an email address",
    ),
    "alerts without a receiver": (
        change_of("aws-dev", {"alerts": {}}),
        "teams.search.alerts: it has no integration; expected one of slack, pagerduty, email, webhook",
    ),
    "a channel": (
        change_of("aws-dev", {"alerts": {"slack": {"channel": "a b", "secret": "s"}}}),
        "teams.search.alerts.slack.channel: got 'a b'",
    ),
    "a second route of the namespace": (
        change_of(
            "aws-dev",
            {"alerts": ALERTS},
            **{
                "observability/notifications": {
                    "receivers": [{"name": "ml", "webhook": {"secret": "s"}}],
                    "default": "ml",
                    "routes": [{"receiver": "ml", "labels": {"namespace": "search"}}],
                }
            },
        ),
        "teams.search.alerts: observability.notifications.routes[0] routes the alerts of its namespace, too",
    ),
    "a wrong route of the file keeps its place": (
        change_of(
            "aws-dev",
            {"alerts": ALERTS},
            **{
                "observability/notifications": {
                    "receivers": [{"name": "ml", "webhook": {"secret": "s"}}],
                    "default": "ml",
                    "routes": [{"receiver": "mll"}],
                }
            },
        ),
        "observability.notifications.routes[0].receiver: got 'mll', which is no receiver",
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES)
def test_a_wrong_part_is_refused_with_the_key_of_the_team(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    assert expected in "\n".join(problems(tmp_path, change, "aws-dev"))


@pytest.mark.parametrize(
    ("topic", "search", "expected"),
    [
        ("container_registry", {"repositories": ["train"]}, "teams.search.repositories"),
        ("observability", {"alerts": ALERTS}, "teams.search.alerts"),
    ],
)
def test_a_part_needs_the_topic_that_has_it(
    tmp_path: Path, topic: str, search: dict[str, Any], expected: str
) -> None:
    settings = settings_of(tmp_path, "aws-dev", **search).model_copy(update={topic: None})
    assert [problem.path for problem in teams.problems(settings)] == [expected]


def test_teams_without_parts_change_no_argument_of_another_topic(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "aws-dev")
    assert not settings.controls_costs
    assert set(repositories.urls(settings)) == {"training", "serving", "cost-control"}
    with pytest.raises(AssertionError):
        build(settings, ABOVE_KUBERNETES).recording.one("aws:budgets/budget:Budget", "cost-team-search")
    assert cost_arguments.cost(settings, None, None).get("team_budgets") is None
