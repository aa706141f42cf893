"""`aiplatform budget`: which queues are held, and what a release applies."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app as application
from cli.budget import command, holds
from cli.budget.holds import Holds, hold_of, released
from cli.output import CommandError

PROGRAM = Path(__file__).parents[3] / "containers" / "cost_control" / "cost_control" / "queues.py"


def queue(name: str, policy: str = "None", **annotations: str) -> dict[str, Any]:
    keys = {"budget": holds.BUDGET_HOLD, "released": holds.BUDGET_RELEASED, "schedule": holds.SCHEDULE_HOLD}
    known = {keys[key]: value for key, value in annotations.items()}
    return {"metadata": {"name": name, "annotations": known}, "spec": {"stopPolicy": policy}}


class Cluster:
    """A cluster with queues, that records what is applied."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = items
        self.applied: list[tuple[dict[str, Any], str]] = []

    def list(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        assert (api_version, kind) == ("kueue.x-k8s.io/v1beta2", "ClusterQueue")
        return [*self.items]

    def apply(self, item: dict[str, Any], manager: str) -> None:
        self.applied.append((item, manager))


def release(cluster: Any, *names: str, month: str = "2026-11") -> list[str]:
    lines: list[str] = []
    Holds(cluster).release(names, month, lines.append)
    return lines


def test_all_queues_that_a_budget_holds_are_released() -> None:
    cluster = Cluster(
        queue("shared", "Hold", budget="2026-11: spent"),
        queue("search"),
        queue("drained", "Hold"),
    )
    assert release(cluster) == ["queue shared: released for 2026-11 (was held: 2026-11: spent)"]
    [(item, manager)] = cluster.applied
    assert (item["metadata"]["name"], manager) == ("shared", "ai-platform-cost")
    assert item["metadata"]["annotations"] == {holds.BUDGET_RELEASED: "2026-11"}
    assert item["spec"] == {}, "the field is given up, and what something else holds stays held"


def test_what_a_schedule_holds_stays_held() -> None:
    hold = hold_of(queue("shared", "HoldAndDrain", budget="2026-11: spent", schedule="nights"))
    item = released(hold, "2026-11")
    assert item["spec"] == {"stopPolicy": "HoldAndDrain"}
    assert item["metadata"]["annotations"] == {
        holds.BUDGET_RELEASED: "2026-11",
        holds.SCHEDULE_HOLD: "nights",
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("serch", "no ClusterQueue 'serch'; expected one of search, shared"),
        ("search", "is not held by a budget"),
    ],
)
def test_queue_that_no_budget_holds_is_refused(name: str, words: str) -> None:
    cluster = Cluster(queue("shared", "Hold", budget="2026-11: spent"), queue("search"))
    with pytest.raises(CommandError, match=words):
        release(cluster, name)
    assert cluster.applied == []


def test_manager_and_annotations_are_those_of_the_program() -> None:
    stated = {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(PROGRAM.read_text()).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for name in ("MANAGER", "BUDGET_HOLD", "BUDGET_RELEASED", "SCHEDULE_HOLD"):
        assert stated[name] == getattr(holds, name)


def test_commands_print_and_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster: Any = Cluster(queue("shared", "Hold", budget="2026-11: spent"))
    monkeypatch.setattr(command.Holds, "of", lambda *_: Holds(cluster))
    runner = CliRunner()
    printed = runner.invoke(application.app, ["budget", "status", "aws-dev"])
    assert "shared" in printed.output
    assert "2026-11: spent" in printed.output
    done = runner.invoke(application.app, ["budget", "release", "aws-dev", "--month", "2026-12"])
    assert "released for 2026-12" in done.output
    wrong = runner.invoke(application.app, ["budget", "release", "aws-dev", "--month", "12"])
    assert isinstance(wrong.exception, CommandError)
    assert "expected YYYY-MM" in str(wrong.exception)
