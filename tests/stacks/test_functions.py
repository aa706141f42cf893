"""The topic `functions`: what an environment supplies, and what it refuses by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from stacks.loading import load_file
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems

CALLER = "features"
"""The workload identity of each file that has a feature store."""
CATALOG = "PYICEBERG_CATALOG__DEFAULT__"
FUNCTIONS = {"aws": "aws:lambda/function:Function", "gcp": "gcp:cloudrunv2/service:Service"}
IRRELEVANT: Final = ("kubernetes", "ml")
"""Layers that functions do not use."""


def image(stack: str) -> str:
    cloud, _, profile = stack.partition("-")
    registry = {
        "aws": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme",
        "gcp": f"europe-west4-docker.pkg.dev/acme-ml-{profile}/acme",
    }[cloud]
    return f"{registry}/functions@sha256:{'5' * 64}"


def topic(stack: str, **more: Any) -> dict[str, Any]:
    score = {
        "owner": "search",
        "image": image(stack),
        "http": {"callers": [CALLER]},
        "in_network": True,
    }
    ingest = {
        "owner": "data",
        "image": image(stack),
        "event": {"zone": "raw", "prefix": "files/incoming/"},
        "reads": [{"zone": "raw", "prefix": "files/incoming/"}],
        "writes": [{"zone": "raw", "prefix": "files/quarantine/"}],
    }
    return {"functions/score": {**score, **more}, "functions/ingest": ingest}


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod", "gcp-dev", "gcp-prod"])
def test_functions_are_created_and_no_policy_refuses_them(tmp_path: Path, stack: str) -> None:
    cloud, _, profile = stack.partition("-")
    settings = load_file(changed(tmp_path, topic(stack), stack))
    recording = build(settings, IRRELEVANT).recording
    prefix = settings.environment.prefix
    names = {function.inputs["name"] for function in recording.all(FUNCTIONS[cloud])}
    assert {f"{prefix}-score", f"{prefix}-ingest"} <= names
    score = recording.one(FUNCTIONS[cloud], "function-score").inputs
    assert json.dumps(score).count("subnet"), "it is in the network"
    key = "aws:kms/key:Key" if cloud == "aws" else "gcp:kms/cryptoKey:CryptoKey"
    assert any(entry.name == "function-score-key" for entry in recording.all(key)) == (profile != "dev")
    # In dev what encrypts logs and messages is a recommendation, and a key of each function costs.
    advisory = {"encryption.encrypt_logs", "encryption.encrypt_messages"} if profile == "dev" else set[str]()
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}"
        for entry in violations(recording, stack)
        if entry.policy.id not in advisory
    ] == []


@pytest.mark.parametrize("stack", ["aws-dev", "gcp-dev"])
def test_a_function_of_zones_has_the_catalog_of_the_lakehouse_as_variables(
    tmp_path: Path, stack: str
) -> None:
    change = topic(stack)
    change["functions/ingest"]["environment"] = {f"{CATALOG}REST__SIGNING_NAME": "stated"}
    settings = load_file(changed(tmp_path, change, stack))
    recording, environment = build(settings, IRRELEVANT).recording, settings.environment
    ingest = _variables(recording.one(FUNCTIONS[environment.cloud], "function-ingest").inputs)
    assert ingest[f"{CATALOG}TYPE"] == "rest"
    assert ingest[f"{CATALOG}REST__SIGNING_NAME"] == "stated", "what the file states is taken"
    if environment.cloud == "aws":
        assert re.fullmatch(r"https://glue\.[a-z0-9-]+\.amazonaws\.com/iceberg", ingest[f"{CATALOG}URI"])
        assert ingest[f"{CATALOG}REST__SIGV4_ENABLED"] == "true"
        assert ingest[f"{CATALOG}REST__SIGNING_REGION"] == environment.region
        assert ingest[f"{CATALOG}WAREHOUSE"] == environment.account_id
    else:
        assert ingest[f"{CATALOG}URI"].startswith("https://biglake.googleapis.com/")
        assert ingest[f"{CATALOG}HEADER__X_GOOG_USER_PROJECT"] == environment.project_id
        assert f"{CATALOG}AUTH" not in ingest, "PyIceberg would take a text for a mapping"
    score = _variables(recording.one(FUNCTIONS[environment.cloud], "function-score").inputs)
    assert not [name for name in score if name.startswith(CATALOG)], "it uses no zone"


def _variables(inputs: Any) -> dict[str, str]:
    if "template" in inputs:
        [container] = inputs["template"]["containers"]
        return {entry["name"]: entry.get("value", "") for entry in container.get("envs") or ()}
    return inputs.get("environment", {}).get("variables", {})


def test_callers_are_workload_identities_by_their_names(tmp_path: Path) -> None:
    recording = build(load_file(changed(tmp_path, topic("aws-dev"), "aws-dev")), IRRELEVANT).recording
    roles = {role.state["arn"] for role in recording.all("aws:iam/role:Role")}
    grants = [
        permission.inputs["principal"]
        for permission in recording.all("aws:lambda/permission:Permission")
        if permission.name.startswith("function-score-")
    ]
    assert len(grants) == 2
    assert set(grants) <= roles


@pytest.mark.parametrize(
    ("stack", "change", "expected"),
    [
        (
            "aws-dev",
            {"http": {"callers": ["anyone"]}},
            r"http\.callers\[0\]: got 'anyone'; expected the name",
        ),
        ("aws-dev", {"http": {"callers": ["*"]}}, r"http\.callers\[0\]: got '\*'"),
        ("aws-dev", {"owner": None}, r"functions\.score\.owner"),
        (
            "aws-dev",
            {"memory_mib": 20_000},
            r"functions\.score\.memory_mib: got 20000; expected 128 to 10240",
        ),
        ("gcp-dev", {"package": {"runtime": "python3.13", "handler": "a.b"}}, r"functions\.score\.package"),
        ("aws-dev", {"role": CALLER}, r"functions\.score\.role: got 'features'; expected the arn of a role"),
        (
            "aws-dev",
            {"http": None, "event": {"zone": "serving", "prefix": "files/"}},
            r"functions\.score\.event\.zone: got 'serving'; expected raw",
        ),
        ("aws-dev", {"traffic": {"1": 50, "latest": 40}}, r"functions\.score\.traffic: got 90 percent"),
    ],
)
def test_what_is_refused(tmp_path: Path, stack: str, change: dict[str, Any], expected: str) -> None:
    base = topic(stack)
    score = {**base["functions/score"], **change}
    base["functions/score"] = {key: value for key, value in score.items() if value is not None}
    reported = problems(tmp_path, base, stack)
    assert any(re.search(expected, str(problem)) for problem in reported), reported
