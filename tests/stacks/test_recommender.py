"""The team of examples/recommender in an environment of each cloud, by its program."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from aiplatform.addons.catalog import catalog
from aiplatform.gateway.args import ENVOY_GATEWAY, NAME
from aiplatform.gateway.objects import CONTAINER_PORT
from examples.recommender import deploy
from stacks import shared_files
from stacks.loading import load_file
from tests.components.recording import ACCOUNT
from tests.policies.test_environments import violations
from tests.stacks.environments import ROOT, build

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROD_ACCOUNT = "333344445555"
GROUPS = "gke: {google_groups: gke-security-groups@acme.example}"
AWS = deploy.Names(
    f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/acme-prod",
    "arn:aws:iam::333344445555:role/shop-owners",
    COMMIT,
    f"arn:aws:iam::{ACCOUNT}:role/acme-prod-ingestion",
)
GOOGLE = deploy.Names(
    "us-central1-docker.pkg.dev/acme-ml-prod/acme-prod-training", "group:shop@acme.example", COMMIT
)
NAMES = {"aws-prod": AWS, "gcp-prod": GOOGLE}
ALL = {**NAMES, "aws-dev": AWS, "gcp-dev": GOOGLE}


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    """A copy of the committed environments."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    """Copy the committed environments into a folder. That of prod on AWS is in the account of the
    recordings, and that of dev on Google Cloud has a group of members of teams."""
    copy = Path(shutil.copytree(ROOT / "environments", folder / "environments"))
    changes = {"aws-prod": (PROD_ACCOUNT, ACCOUNT), "gcp-dev": ("{mode: dns}", "{mode: dns}\n    " + GROUPS)}
    for stack, (text, replacement) in changes.items():
        file = copy / f"Pulumi.{stack}.yaml"
        assert text in file.read_text()
        file.write_text(file.read_text().replace(text, replacement))
    return copy


def merged(environments: Path, stack: str, folder: Path) -> Path:
    """Return an environment's file with the contents of its shared files."""
    document: Any = YAML(typ="rt").load(environments / f"Pulumi.{stack}.yaml")
    located = shared_files.located(document["config"], None, "")
    config, problems = shared_files.with_shared(located, environments / "shared")
    assert not problems, problems
    del config["ai-platform:shared"]
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(json.dumps({"config": config}, indent=1))
    return file


@pytest.mark.parametrize("stack", NAMES)
def test_one_block_deploys_the_recommender_in_production_of_both_clouds(
    environments: Path, tmp_path: Path, stack: str
) -> None:
    deploy.compose(stack, NAMES[stack], environments)
    settings = load_file(merged(environments, stack, tmp_path))
    recording = build(settings).recording
    names = {entry.inputs["metadata"]["name"] for entry in recording.all("kubernetes:batch/v1:CronJob")}
    assert "model-monitor-compare-recommender" in names
    templates = [
        entry.inputs["metadata"]["name"]
        for entry in recording.all("kubernetes:argoproj.io/v1alpha1:WorkflowTemplate")
    ]
    assert {"train-recommender", "rollout"} <= set(templates)
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


@pytest.mark.parametrize("stack", ALL)
def test_the_block_fits_every_kind_of_environment(environments: Path, tmp_path: Path, stack: str) -> None:
    deploy.compose(stack, ALL[stack], environments)
    settings = load_file(merged(environments, stack, tmp_path))
    queue = settings.teams["shop"].queue
    assert queue == ("shared" if stack.endswith("dev") else "training"), "one with quota of the team's pool"


@pytest.mark.parametrize("stack", NAMES)
def test_the_objects_of_the_team_name_what_the_environment_has(
    environments: Path, tmp_path: Path, stack: str
) -> None:
    _, file, _ = deploy.compose(stack, NAMES[stack], environments)
    objects = yaml.safe_load(file.read_text())["items"]
    assert not re.findall(r"<\w+>", file.read_text()), "a name that is not replaced"
    recording = build(load_file(merged(environments, stack, tmp_path))).recording
    names = {
        (entry.type.rpartition(":")[2], entry.inputs["metadata"]["name"])
        for entry in recording.resources
        if entry.type.startswith("kubernetes:")
        and entry.inputs.get("metadata", {}).get("namespace") == "shop"
    }
    written = {(item["kind"], item["metadata"]["name"]) for item in objects}
    for kind, name in _references(objects):
        assert (kind, name) in names | written | {("ConfigMap", "gateway-ca")}, "README.md creates it"
    values = next(item["data"] for item in objects if item["kind"] == "ConfigMap")
    [platform] = [
        entry.inputs["data"]
        for entry in recording.all("kubernetes:core/v1:ConfigMap")
        if entry.inputs["metadata"] == {**entry.inputs["metadata"], "name": "platform", "namespace": "shop"}
    ]
    assert platform["FEATURE_SERVER_URL"].startswith("http")
    if stack == "gcp-prod":
        catalog = platform["LAKEHOUSE_WAREHOUSE"].rpartition("/")[2]
        assert values["ACTIVITY_SOURCE"] == f"acme-ml-prod.{catalog}.acme_prod_serving.user_activity"
    else:
        databases = {
            entry.inputs["name"] for entry in recording.all("aws:glue/catalogDatabase:CatalogDatabase")
        }
        assert values["ACTIVITY_SOURCE"].partition(".")[0] in databases


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and name of what Pods refer to."""
    if isinstance(value, list):
        for entry in value:
            yield from _references(entry)
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        if key in ("configMapRef", "configMapKeyRef", "configMap"):
            yield "ConfigMap", below["name"]
        elif key == "serviceAccountName":
            yield "ServiceAccount", below
        else:
            yield from _references(below)


@pytest.mark.parametrize("stack", NAMES)
def test_features_have_ten_minutes_before_the_write_to_the_online_store(
    environments: Path, tmp_path: Path, stack: str
) -> None:
    """A write continues at the end of the one before: what is appended for an earlier moment is not in it."""
    _, file, _ = deploy.compose(stack, NAMES[stack], environments)
    items = yaml.safe_load(file.read_text())["items"]
    [features] = [item["spec"]["schedule"] for item in items if item["metadata"]["name"] == "features"]
    recording = build(load_file(merged(environments, stack, tmp_path))).recording
    [written] = [
        entry.inputs["spec"]["schedule"]
        for entry in recording.all("kubernetes:batch/v1:CronJob")
        if entry.inputs["metadata"]["name"] == "feature-materializer"
    ]
    assert written.split()[1] == "*", "each hour"
    assert int(written.split()[0]) - int(features.split()[0]) >= 10


@pytest.mark.parametrize("stack", NAMES)
def test_recommendations_reach_the_gateway_and_its_clients_reach_them(
    environments: Path, tmp_path: Path, stack: str
) -> None:
    _, file, _ = deploy.compose(stack, NAMES[stack], environments)
    recording = build(load_file(merged(environments, stack, tmp_path))).recording
    objects, envoy = yaml.safe_load(file.read_text())["items"], catalog()[ENVOY_GATEWAY].namespace
    [deployment] = [item for item in objects if item["kind"] == "Deployment"]
    [service] = [item for item in objects if item["kind"] == "Service"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    assert variables["PREDICTOR_URL"] == f"https://{NAME}.{envoy}.svc.cluster.local/shop/recommender"
    certificates = recording.all("kubernetes:cert-manager.io/v1:Certificate")
    hosts = {host for entry in certificates for host in entry.inputs["spec"].get("dnsNames", [])}
    assert variables["PREDICTOR_HOST"] in hosts, "the certificate of the gateway"
    ports = {"to": set[int](), "from": set[int]()}
    for entry in recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy"):
        if entry.inputs["metadata"]["namespace"] != "shop" or entry.inputs["spec"]["podSelector"]:
            continue
        for direction, key in (("egress", "to"), ("ingress", "from")):
            for rule in entry.inputs["spec"].get(direction, []):
                if envoy in str(rule.get(key)):
                    ports[key] |= {int(port["port"]) for port in rule["ports"]}
    assert CONTAINER_PORT in ports["to"], "policies are evaluated by the port of the Pod"
    [port] = container["ports"]
    assert port["containerPort"] in ports["from"]
    [route] = [
        entry.inputs
        for entry in recording.all("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute")
        if entry.inputs["metadata"]["namespace"] == "shop"
    ]
    assert route["spec"]["rules"][0]["backendRefs"][0]["name"] == service["metadata"]["name"]


@pytest.mark.parametrize("stack", NAMES)
def test_a_second_run_changes_nothing(environments: Path, stack: str) -> None:
    first = [file.read_text() for file in deploy.compose(stack, NAMES[stack], environments)]
    assert [file.read_text() for file in deploy.compose(stack, NAMES[stack], environments)] == first


@pytest.mark.parametrize(
    ("stack", "names", "reason"),
    [
        ("aws-prd", NAMES["aws-prod"], "expected one of .*aws-prod"),
        ("aws-prod", NAMES["gcp-prod"], "--role: got None; expected the arn"),
        ("gcp-prod", NAMES["aws-prod"], "--role: .* expected none"),
        ("gcp-prod", deploy.Names("r", "o", "main"), "--commit: got 'main'; expected 40"),
    ],
)
def test_names_that_do_not_fit_are_refused_before_a_file_is_written(
    environments: Path, stack: str, names: deploy.Names, reason: str
) -> None:
    before = {file: file.read_bytes() for file in environments.rglob("*") if file.is_file()}
    with pytest.raises(deploy.WrongError, match=reason):
        deploy.compose(stack, names, environments)
    assert {file: file.read_bytes() for file in environments.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("commit", ["0" * 40, "1" * 40, f"12e{'3' * 37}"])
def test_a_commit_that_yaml_would_read_as_a_number_stays_text(environments: Path, commit: str) -> None:
    shared, _, _ = deploy.compose("aws-prod", dataclasses.replace(AWS, commit=commit), environments)
    topic = YAML(typ="safe").load(shared)["shared"]["ai-platform:continuous_training"]
    assert topic["teams"]["shop"]["models"]["recommender"]["training"]["code_commit"] == commit


def test_the_program_is_short() -> None:
    program = ROOT / "examples" / "recommender" / "deploy.py"
    assert len(program.read_text().splitlines()) <= 150
