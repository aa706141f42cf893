"""Steps that no first `up` can take: which an environment has, and what the cloud answers about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.estimate import steps
from cli.estimate.resources import Resource, Resources
from tests.cli.estimate.recorded import estimated
from tests.cli.estimate.samples import SUMMARY, event, resource

TAGGED = resource("aws:kms/key:Key", tags={"team": "search", "cost-center": "ml", "Name": "x"})
FILTERED = resource(
    "aws:budgets/budget:Budget", costFilters=[{"name": "TagKeyValue", "values": ["user:project$search"]}]
)
DATASET = resource("gcp:bigquery/dataset:Dataset", datasetId="acme_dev_billing_export", project="acme-ml-dev")
BUDGET = resource("gcp:billing/budget:Budget", billingAccount="01AB23-45CD67-89EF01")
VIEW = resource("gcp:bigquery/table:Table", datasetId="acme_dev_billing")
COMMAND = (
    "aws ce update-cost-allocation-tags-status --region us-east-1 --cost-allocation-tags-status "
    "TagKey=team,Status=Active TagKey=cost-center,Status=Active"
)


def of(cloud: str, *resources: Resource) -> list[steps.Step]:
    return steps.of(cloud, Resources(resources))


def test_keys_of_tags_and_of_filters_have_to_be_activated() -> None:
    [step] = of("aws", TAGGED)
    assert (step.state, step.command, step.keys) == ("unknown", COMMAND, ("team", "cost-center"))
    [step] = of("aws", TAGGED, FILTERED)
    assert step.keys == ("team", "cost-center", "project")
    assert of("aws", resource("aws:kms/key:Key")) == []


def test_export_on_aws_needs_split_data_by_hand() -> None:
    [step] = of("aws", resource("aws:bcmdata/export:Export"))
    assert "console.aws.amazon.com" in step.command


def test_log_groups_of_glue_get_an_end() -> None:
    optimizer = resource("aws:glue/catalogTableOptimizer:CatalogTableOptimizer", type="compaction")
    [step] = of("aws", optimizer)
    assert "for group in iceberg-compaction; do aws logs put-retention-policy" in step.command


def test_export_on_google_cloud_is_linked_by_hand() -> None:
    [without] = of("gcp")
    assert (without.state, without.reason) == ("open", "no dataset for it")
    [step] = of("gcp", DATASET, BUDGET)
    assert step.state == "open"
    assert "acme-ml-dev:acme_dev_billing_export" in step.command
    assert "https://console.cloud.google.com/billing/01AB23-45CD67-89EF01/export" in step.command
    assert [entry.state for entry in of("gcp", DATASET, BUDGET, VIEW)] == ["done"]


@pytest.mark.parametrize("stack", ["aws-dev", "gcp-prod"])
def test_each_environment_has_steps_that_markdown_can_quote(stack: str) -> None:
    known = estimated(stack).steps
    assert known
    assert not [step.command for step in known if "`" in step.command]


def answer(target: str, statuses: dict[str, str], body: Any) -> tuple[int, bytes, str]:
    """Return the answer of Cost Explorer, by its API's model, or of STS."""
    if not target:
        text = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a</Arn><UserId>A</UserId>"
            "<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        return 200, text.encode(), "text/xml"
    assert target == "AWSInsightsIndexService.ListCostAllocationTags"
    if "denied" in statuses:
        refusal = {"__type": "AccessDeniedException", "message": "Linked account doesn't have access"}
        return 400, json.dumps(refusal).encode(), "application/x-amz-json-1.1"
    # One on each page.
    tags = [
        {"TagKey": key, "Type": "UserDefined", "Status": status}
        for key, status in statuses.items()
        if key in body["TagKeys"]
    ]
    page = int(body.get("NextToken", 0))
    more = {"NextToken": str(page + 1)} if page + 1 < len(tags) else {}
    content = {"CostAllocationTags": tags[page : page + 1], **more}
    return 200, json.dumps(content).encode(), "application/x-amz-json-1.1"


@contextmanager
def cost_explorer(monkeypatch: pytest.MonkeyPatch, statuses: dict[str, str]) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers.get("X-Amz-Target", "")
            status, body, kind = answer(target, statuses, json.loads(text) if target else None)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    try:
        yield
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.mark.parametrize(
    ("statuses", "state", "reason"),
    [
        ({"team": "Active", "cost-center": "Active"}, "done", "active in account 111122223333"),
        ({"team": "Inactive", "cost-center": "Active"}, "open", "account 111122223333: team;"),
        ({}, "open", "team, cost-center"),
        ({"denied": ""}, "unknown", "its management account"),
    ],
)
def test_state_of_tags_is_that_of_cost_explorer(
    monkeypatch: pytest.MonkeyPatch, statuses: dict[str, str], state: str, reason: str
) -> None:
    with cost_explorer(monkeypatch, statuses):
        [step] = steps.checked(of("aws", TAGGED))
    assert step.state == state, step
    assert reason in step.reason
    if statuses.get("team") == "Inactive":
        assert step.command.endswith(" TagKey=team,Status=Active")


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "preview.jsonl"
    file.write_text("".join([event(TAGGED), SUMMARY]))
    return file


def test_steps_are_in_text_json_and_markdown(saved: Path) -> None:
    def run(*options: str) -> str:
        return CliRunner().invoke(app, ["estimate", "aws-dev", "--preview", str(saved), *options]).stdout

    text = run()
    assert "step open or done, not known: cost allocation tags (no credentials of AWS" in text
    assert f"\n  {COMMAND}\n" in text
    [step] = json.loads(run("--json"))["steps"]
    assert (step["state"], step["command"]) == ("unknown", COMMAND)
    assert (
        f"- cost allocation tags: unknown (no credentials of AWS in the environment's variables): `{COMMAND}`"
        in run("--markdown")
    )
