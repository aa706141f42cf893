"""The command `aiplatform upgrades`: with a saved preview, its table and document, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import clients
from cli.app import app
from cli.maintenance import cluster
from cli.output import CommandError
from cli.upgrades import command
from tests.cli.estimate.samples import SUMMARY, event, resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import ACCOUNT, Aws
from tests.cli.upgrades import test_aws
from tests.cli.upgrades.samples import TODAY, chart, document

BETA = resource(
    "kubernetes:storage.k8s.io/v1beta1:VolumeAttributesClass",
    "fast",
    apiVersion="storage.k8s.io/v1beta1",
    kind="VolumeAttributesClass",
)
BUDGET = resource(
    "kubernetes:policy/v1:PodDisruptionBudget",
    metadata={"name": "server", "namespace": "team"},
    spec={"maxUnavailable": 0},
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "preview.jsonl"
    file.write_text(event(BETA) + SUMMARY)
    return file


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Aws:
    client = test_aws.client()
    stated = document(charts=[chart("keda", "1.33-1.36"), chart("kueue")])
    monkeypatch.setattr(clients, "of", lambda *_, **__: client)  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(command, "list_of", lambda _: stated)  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(command, "today", lambda: TODAY)
    return client


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["upgrades", "aws-dev", "--cloud", *map(str, arguments)])


def test_table_and_numbered_order(saved: Path, account: Aws) -> None:
    result = run("--preview", saved)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["kind", "name", "has", "newest", "support", "ends", "state", "reason"]
    (row,) = [line for line in lines if line.startswith("control plane")]
    assert "2027-03-27 (118 days), extended 2028-03-27" in row
    assert "1. Control plane to 1.36   (docs/operations/upgrades.md, Control plane)" in lines
    assert '     environments/Pulumi.aws-dev.yaml: ai-platform:cluster.version: "1.36"' in lines
    assert any(line.startswith("not checked: storage.k8s.io/v1beta1") for line in lines), "deprecated"
    assert any("does not record: kueue" in line for line in lines)


def test_end_of_support_within_the_days_exits_with_3(saved: Path, account: Aws) -> None:
    result = run("--preview", saved, "--within", "118")
    assert result.exit_code == 3
    assert "standard support ends in 118 days; then the cloud upgrades it by itself" in result.stdout


def test_version_without_support_exits_with_2(saved: Path, account: Aws) -> None:
    account.answers["eks", "describe_cluster"] = {"cluster": {"version": "1.30"}}
    account.answers["eks", "describe_addon_versions"] = {"addons": []}
    assert run("--preview", saved).exit_code == 2


def test_extended_support_has_its_price_of_the_table(saved: Path, account: Aws) -> None:
    extended = {"version": "1.35", "upgradePolicy": {"supportType": "EXTENDED"}}
    account.answers["eks", "describe_cluster"] = {"cluster": extended}
    assert "at 0.60 $/h (438 $ a month)" in run("--preview", saved).stdout


def test_budget_blocks_the_nodes_and_json_has_all(saved: Path, account: Aws) -> None:
    saved.write_text(event(BUDGET) + SUMMARY)
    result = run("--preview", saved, "--json")
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert (content["account"], content["target"], content["exit_code"]) == (ACCOUNT, "cloud", 3)
    (control,) = [item for item in content["items"] if item["kind"] == "control plane"]
    assert (control["has"], control["newest"], control["days_left"]) == ("1.35", "1.36", 118)
    blocked = {step["title"]: step["blocked"] for step in content["steps"] if step["blocked"]}
    assert blocked == {"System nodes and CPU pools": ["PodDisruptionBudget team/server: maxUnavailable is 0"]}
    assert [step["number"] for step in content["steps"]] == [1, 2]
    assert any("--kubeconfig" in note for note in content["not_checked"])


def test_budgets_of_the_cluster_are_read_where_it_is_named(
    saved: Path, account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {"expectedPods": 1, "currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0}
    budget = {"metadata": {"namespace": "team", "name": "one"}, "status": status}

    class Stub:
        def list(self, api_version: str, kind: str) -> list[Any]:
            assert (api_version, kind) == ("policy/v1", "PodDisruptionBudget")
            return [budget]

    monkeypatch.setattr(cluster.Cluster, "of", lambda *_: Stub())  # pyright: ignore[reportUnknownLambdaType]
    result = run("--preview", saved, "--kubeconfig", saved)
    assert result.exit_code == 3
    assert "   blocked: PodDisruptionBudget team/one allows no disruption now" in result.stdout


def test_kubeconfig_of_another_cluster_is_refused(saved: Path, account: Aws) -> None:
    result = run("--preview", saved, "--kubeconfig", saved)
    assert isinstance(result.exception, CommandError)
    assert "no kubeconfig" in str(result.exception)


def test_program_that_ends_with_errors_leaves_versions_and_a_note(saved: Path, account: Aws) -> None:
    error = "environments/Pulumi.aws-dev.yaml:9: gpu_pools.t4.min: nodes that always run need 8 vCPUs"
    failure = json.dumps({"diagnosticEvent": {"severity": "error", "message": error}})
    saved.write_text(f"{failure}\n{SUMMARY}")
    result = run("--preview", saved)
    assert "control plane" in result.stdout
    assert f"not checked: APIs and PodDisruptionBudgets of resources: {error}" in result.stdout


def test_cloud_without_an_answer_is_an_error(saved: Path, account: Aws) -> None:
    account.answers["eks", "describe_cluster_versions"] = fakes.aws.ApiError("ExpiredToken", "x")
    result = run("--preview", saved)
    assert isinstance(result.exception, CommandError)
    assert "acme-dev-cluster cannot be looked up: ExpiredToken" in str(result.exception)


def test_unknown_environment_is_refused() -> None:
    result = CliRunner().invoke(app, ["upgrades", "no-such"])
    assert "there is no environment 'no-such'" in str(result.exception)
