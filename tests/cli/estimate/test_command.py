"""The command `aiplatform estimate`, with a saved preview: formats, differences, and what is refused."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.estimate import committed, estimate, report, usage
from cli.output import CommandError
from tests.cli.estimate.samples import SUMMARY, eks_group, event, make, resource

KEY = resource("aws:kms/key:Key")
GATEWAY = resource("aws:ec2/natGateway:NatGateway")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "preview.jsonl"
    unknown = resource("aws:redshift/cluster:Cluster")
    file.write_text("".join([*map(event, (*eks_group("general"), KEY, GATEWAY, unknown)), SUMMARY]))
    return file


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["estimate", *map(str, arguments)])


def test_json_has_sums_lines_and_what_is_unpriced(saved: Path) -> None:
    result = run("aws-dev", "--preview", saved, "--json")
    document = json.loads(result.stdout)
    assert document["usd_per_month"]["idle"] == pytest.approx(1.0 + 32.85)
    assert document["unpriced"][0]["resource"] == "aws:redshift/cluster:Cluster one"
    assert sum(line["usd_per_month"]["maximum"] for line in document["lines"]) == pytest.approx(
        document["usd_per_month"]["maximum"], abs=0.05
    )
    for part in ("components", "teams"):
        total = sum(cost["maximum"] for cost in document[part].values())
        assert total == pytest.approx(document["usd_per_month"]["maximum"], abs=0.05), part


def test_text_warns_of_old_prices_and_lists_unpriced_resources(saved: Path) -> None:
    result = run("aws-dev", "--preview", saved)
    assert "unpriced, in no sum: 1 resource(s)" in result.stdout
    assert "are older than the 730 days that the profile dev allows" in result.stderr


def test_terms_change_the_estimate(saved: Path) -> None:
    result = run("aws-dev", "--preview", saved, "--json", "--discount", "network=100")
    assert isinstance(result.exception, CommandError)
    result = run("aws-dev", "--preview", saved, "--json", "--discount", "network=50")
    assert json.loads(result.stdout)["usd_per_month"]["idle"] == pytest.approx(1.0 + 32.85 / 2, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json", "--markdown"), "expected one of them"),
        (("--diff", "HEAD", "--discount", "all=5"), "list prices"),
        (("--committed", "--discount", "all=5"), "list prices"),
        (("--diff", "no-such-ref"), "no docs/estimates/aws-dev.json there"),
    ],
)
def test_contradicting_options_are_refused(saved: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run("aws-dev", "--preview", saved, *arguments)
    assert isinstance(result.exception, CommandError)
    assert message in str(result.exception)


def test_committed_estimate_is_read_without_a_preview() -> None:
    document = json.loads(run("gcp-dev", "--committed", "--json").stdout)
    assert document["environment"] == "gcp-dev"
    assert document["usd_per_month"]["idle"] > 0


def test_unknown_cloud_of_prices_is_refused() -> None:
    result = CliRunner().invoke(app, ["prices", "refresh", "azure"])
    assert "expected one of aws, gcp" in str(result.exception)


def test_estimate_at_a_ref_is_that_of_its_commit(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607

    git("init", "-q")
    file = tmp_path / committed.path("aws-dev")
    file.parent.mkdir(parents=True)
    file.write_text(committed.text(estimate.document(make(KEY))))
    git("add", ".")
    git("commit", "-q", "-m", "one")
    file.write_text("{}")
    assert committed.at_ref("aws-dev", "HEAD", tmp_path) == estimate.document(make(KEY))
    with pytest.raises(CommandError, match="expected a commit"):
        committed.at_ref("aws-dev", "--help", tmp_path)


def test_differences_are_by_component_with_those_that_are_gone() -> None:
    network = resource("aiplatform:index:Network", "network")
    gateway = resource("aws:ec2/natGateway:NatGateway", "nat", network.urn)
    before = estimate.document(make(network, gateway, KEY))
    after = estimate.document(make(network, KEY, resource("aws:kms/key:Key", "second")))
    changes = report.differences(before, after)
    assert [name for name, _ in changes] == ["Network network", "stack", "total"]
    assert dict(changes)["stack"] == [1.0, 1.0, 1.0]
    assert dict(changes)["total"][0] == pytest.approx(1.0 - 32.85)


def test_markdown_begins_with_one_line_that_sums_up_and_shows_differences() -> None:
    before, after = (estimate.document(make(*keys)) for keys in ((KEY,), (KEY, GATEWAY)))
    text = report.markdown(after, report.differences(before, after), "main")
    expected = (
        "aws-dev: $33.85 a month idle, $36.10 expected, $36.10 at maximum (+32.85, +35.10, +35.10 to main)"
    )
    assert text.splitlines()[0] == expected
    assert "| stack | 33.85 (+32.85) | 36.10 (+35.10) | 36.10 (+35.10) |" in text


def test_equal_estimates_have_no_difference() -> None:
    document = estimate.document(make(KEY))
    changes = report.differences(document, document)
    assert changes == [("total", [0.0, 0.0, 0.0])]
    assert report.markdown(document, changes, "main").splitlines()[0].endswith("(as main)")


def test_prices_are_old_by_the_profile() -> None:
    document = estimate.document(make(KEY))
    assert report.age_warning(document, date(2026, 6, 30)) is None
    assert "the oldest of 2024-07-01" in str(report.age_warning(document, date(2026, 7, 2)))
    assert report.age_warning({**document, "profile": "prod"}, date(2025, 1, 1)) is not None


@pytest.mark.parametrize("topic", [[], {"hours": {"general": -1}}, {"usage": {"s3/standard": "much"}}])
def test_wrong_expected_use_is_refused(topic: Any) -> None:
    with pytest.raises(CommandError, match="expected an object of numbers"):
        usage.of_file("dev", topic, "file")


def test_use_that_a_file_states_replaces_the_default() -> None:
    stated = usage.of_file("dev", {"hours": {"t4": 5}, "usage": {"s3/standard": 1000}}, "file")
    assert stated.of_pool("t4", accelerator=True) == 5
    bucket = resource("aws:s3/bucket:Bucket")
    assert make(bucket, use=stated).total.expected == pytest.approx(23)
    unknown = usage.Usage("dev", {}, {"s3/standrad": 1.0})
    assert make(bucket, use=unknown).notes == ["ai-platform:cost.usage: no price is named s3/standrad"]
