"""What environments see of their costs: the export of the bill, and OpenCost with the prices of estimates."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.estimate import table
from policies.framework.enforcement import EXEMPTIONS
from stacks import price_list
from stacks.loading import load_file
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems
from tests.stacks.test_teams import OWNER

BILL: dict[str, dict[str, Any]] = {
    "aws": {},
    "gcp": {"billing_account": "01AB23-45CD67-89EF01", "linked": True},
}
EXPORT = "lakehouse-billing-export"
STACKS = ["aws-dev", "aws-prod", "gcp-dev", "gcp-prod"]


@pytest.mark.parametrize("stack", STACKS)
def test_both_are_created_and_no_policy_refuses_them(tmp_path: Path, stack: str) -> None:
    cloud = stack.partition("-")[0]
    change = {"lakehouse/billing_export": BILL[cloud], "observability/opencost": {}}
    recording = build(load_file(changed(tmp_path, change, stack)), without=("ml", "teams")).recording
    names = recording.names()
    assert any("billing" in name for name in names)
    chart = recording.one("kubernetes:helm.sh/v4:Chart", "observability-opencost").inputs
    assert chart["namespace"] == "opencost"
    assert not [(entry.policy.id, entry.name) for entry in violations(recording, stack)]
    # On Google Cloud the export is exempt, and the file states why.
    exempt = [(entry["policy"], entry["resource"]) for entry in yaml.safe_load(EXEMPTIONS.read_text())]
    assert ("encryption.encrypt_results", EXPORT) in exempt


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_opencost_has_the_prices_of_estimates(cloud: Any) -> None:
    known = price_list.opencost(cloud)
    prices = table.load(cloud).prices
    first = {"aws": "ec2", "gcp": "compute"}[cloud]
    for machine_type, price in known["prices"].items():
        assert prices[f"{first}/{machine_type}"].usd == price
        assert prices[f"{first}/{machine_type}"].unit == "hour"
    assert known["spot_ratio"] == prices[f"{first}/spot"].usd
    assert {"aws": "p5.48xlarge", "gcp": "a3-highgpu-8g"}[cloud] in known["prices"]
    assert not [name for name in known["prices"] if "spot" in name]


def test_namespaces_of_teams_are_those_of_the_environment(tmp_path: Path) -> None:
    teams = {"search": {"owners": [OWNER]}}
    change = {"teams": teams, "lakehouse/billing_export": {}}
    settings = load_file(changed(tmp_path, change, "aws-dev"))
    recording = build(settings, without=("kubernetes", "ml", "teams")).recording
    view = recording.one("aws:glue/catalogTable:CatalogTable", "lakehouse-billing-cost-by-team").inputs
    text = view["viewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    query = json.loads(base64.b64decode(text))["originalSql"]
    assert "WHEN 'search' THEN 'search' ELSE 'platform'" in query


def test_prices_of_the_file_are_refused(tmp_path: Path) -> None:
    change = {"observability/opencost": {"prices": {"m7g.large": 1}}}
    assert any("prices" in problem for problem in problems(tmp_path, change, "aws-dev"))
