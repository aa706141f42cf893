"""The runner of an environment that is reached in its network alone, and an environment without cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks import foundation
from stacks.loading import SettingsError, load_file
from stacks.settings import Settings
from tests.components.recording import Recording, record
from tests.stacks.environments import built, settings_of
from tests.stacks.files import changed

DEPLOYER = "arn:aws:iam::111122223333:role/platform-deployer"
RUNNER = {
    "deployer_role_arn": DEPLOYER,
    "repository": "https://github.com/acme/ai-platform",
    "state": "s3://acme-state",
}
IN_VPC = {"config/ai-platform:cluster/api_access": {"mode": "in_vpc"}}
Answers = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]


def _cloud(**protected: bool) -> Answers:
    """EKS holds these clusters."""
    return {
        "aws:eks/getClusters:getClusters": lambda _: {"id": "x", "names": list(protected), "region": "x"},
        "aws:eks/getCluster:getCluster": lambda arguments: {
            **arguments,
            "id": arguments["name"],
            "deletionProtection": protected[arguments["name"]],
        },
    }


def _built(settings: Settings, **clusters: bool) -> Recording:
    answers = _cloud(**{name.replace("_", "-"): protected for name, protected in clusters.items()})
    return record(lambda: foundation.build(settings), answers=answers, stack="aws-prod")


def _refused(tmp_path: Path, change: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load_file(changed(tmp_path, change))
    return list(error.value.problems)


def test_an_api_in_the_network_alone_brings_a_runner_and_one_with_addresses_none(tmp_path: Path) -> None:
    assert not load_file(changed(tmp_path)).has_runner
    assert load_file(changed(tmp_path, {**IN_VPC, "config/ai-platform:runner": RUNNER})).has_runner
    none = {**IN_VPC, "config/ai-platform:runner": {"enabled": False}}
    assert not load_file(changed(tmp_path, none)).has_runner, "who has a VPN needs none"


@pytest.mark.parametrize(
    ("runner", "where", "right"),
    [
        (
            {**RUNNER, "deployer_role_arn": None},
            "runner.deployer_role_arn",
            "or set enabled: false",
        ),
        (
            {**RUNNER, "deployer_role_arn": "arn:aws:iam::999988887777:role/platform-deployer"},
            "runner.deployer_role_arn",
            "expected a role of this account, 111122223333",
        ),
        (
            {**RUNNER, "deployer_role_arn": "platform-deployer"},
            "runner.deployer_role_arn",
            "expected an IAM role's arn",
        ),
        ({**RUNNER, "repository": None}, "runner.repository", "missing; expected a repository"),
        ({**RUNNER, "repository": "git@github.com:a/b"}, "runner.repository", "expected the HTTPS URL"),
        ({**RUNNER, "connection_arn": "arn:aws:x"}, "runner.connection_arn", "expected a connection's arn"),
        (
            {**RUNNER, "github_workflows": ["Deploy"]},
            "runner.connection_arn",
            "missing; expected the connection by which",
        ),
        ({**RUNNER, "state": None}, "runner.state", "missing; expected where Pulumi keeps the state"),
        ({**RUNNER, "state": "s3:/x"}, "runner.state", "expected s3://<your state bucket>"),
        ({**RUNNER, "state": "s3://Acme_State"}, "runner.state", "expected s3://<your state bucket>"),
        ({**RUNNER, "timeout_minutes": 1}, "runner.timeout_minutes", "expected 5 to 2160 minutes"),
        ({**RUNNER, "log_retention_days": 8}, "runner.log_retention_days", "7 is the nearest"),
        ({**RUNNER, "repositry": "x"}, "runner.repositry", "did you mean 'repository'"),
    ],
)
def test_a_wrong_runner_is_refused_by_the_key_of_the_file(
    tmp_path: Path, runner: dict[str, Any], where: str, right: str
) -> None:
    (problem,) = _refused(tmp_path, {**IN_VPC, "config/ai-platform:runner": runner})
    assert f": {where}: " in problem
    assert right in problem


def test_keys_of_a_runner_that_there_is_none_of_are_refused(tmp_path: Path) -> None:
    (problem,) = _refused(tmp_path, {"config/ai-platform:runner": {"state": RUNNER["state"]}})
    assert ": runner.state: without effect" in problem, "the API is reached from addresses"


@pytest.mark.parametrize("name", ["STACK", "COMMAND", "PULUMI_BACKEND_URL"])
def test_a_variable_of_the_platform_is_refused_in_a_file(tmp_path: Path, name: str) -> None:
    runner = {**RUNNER, "environment_variables": {name: "x", "TEAM": "ml"}}
    (problem,) = _refused(tmp_path, {**IN_VPC, "config/ai-platform:runner": runner})
    assert f"runner.environment_variables.{name}: set by the platform" in problem


def test_a_security_group_for_the_api_is_refused_beside_a_runner(tmp_path: Path) -> None:
    access = {"mode": "in_vpc", "security_group_id": "sg-0123456789abcdef0"}
    change = {"config/ai-platform:cluster/api_access": access}
    (problem,) = _refused(tmp_path, {**change, "config/ai-platform:runner": RUNNER})
    assert "cluster.api_access.security_group_id: " in problem
    settings = load_file(changed(tmp_path, {**change, "config/ai-platform:runner": {"enabled": False}}))
    group = settings.cluster.api_access.security_group_id
    assert group == access["security_group_id"], "the group of the user's runners"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deployer", "deployer_role_arn"),
        ("connection", "connection_arn"),
        ("workflows", "github_workflows"),
        ("actors", "github_actors"),
    ],
)
def test_a_key_of_an_earlier_version_is_refused_with_its_new_name(tmp_path: Path, old: str, new: str) -> None:
    problems = _refused(tmp_path, {**IN_VPC, "config/ai-platform:runner": {**RUNNER, old: "x"}})
    assert any(f"runner.{old}: unknown key; expected {new}" in problem for problem in problems)


def test_all_that_a_runner_lacks_is_reported_at_once(tmp_path: Path) -> None:
    keys = [problem.split(": ")[1] for problem in _refused(tmp_path, IN_VPC)]
    assert keys == ["runner.deployer_role_arn", "runner.state", "runner.repository"]


def test_a_runner_needs_a_way_out_and_an_api_that_only_it_reaches(tmp_path: Path) -> None:
    (problem,) = _refused(tmp_path, {"config/ai-platform:runner": {**RUNNER, "enabled": True}})
    assert "runner.enabled" in problem
    closed = {**IN_VPC, "config/ai-platform:runner": RUNNER, "config/ai-platform:network/nat": "none"}
    assert any("could not reach its repository" in problem for problem in _refused(tmp_path, closed))


def test_the_api_lets_in_the_runner_and_nothing_else_of_the_network() -> None:
    recording = built("aws-prod").recording
    rule = recording.named("cluster-api-from-group")
    assert recording.depends(rule, on=recording.named("runner-security-group"))
    assert "cidrIpv4" not in rule.inputs
    admins = recording.all("aws:eks/accessEntry:AccessEntry")
    standard = [entry.inputs for entry in admins if entry.inputs["type"] == "STANDARD"]
    # Those with groups have the rights of RBAC alone.
    assert [entry["principalArn"] for entry in standard if not entry.get("kubernetesGroups")] == [
        "arn:aws:iam::333344445555:role/platform-deployer"
    ], "who runs the program administers the cluster, and no one by accident"
    project = recording.named("runner-project").inputs
    variables = {
        variable["name"]: variable["value"] for variable in project["environment"]["environmentVariables"]
    }
    assert variables == {
        "DEPLOYER_ROLE_ARN": "arn:aws:iam::333344445555:role/platform-deployer",
        "STACK": "prod",
        "COMMAND": "preview",
        "PULUMI_BACKEND_URL": "s3://acme-prod-pulumi-state",
    }, "a run that says nothing else only looks"


def test_without_a_runner_the_network_reaches_the_api() -> None:
    settings = settings_of("aws-prod")
    off = settings.model_copy(update={"runner": settings.runner.model_copy(update={"enabled": False})})
    recording = _built(off)
    assert recording.named("cluster-api-from-network").inputs["cidrIpv4"] == "10.64.0.0/16"
    assert not recording.all("aiplatform:index:Runner")


def test_bootstrap_makes_network_and_runner_and_nothing_that_needs_the_kubernetes_api() -> None:
    recording = _built(settings_of("aws-prod", bootstrap=True))
    components = {
        resource.type for resource in recording.resources if resource.type.startswith("aiplatform:")
    }
    assert components == {"aiplatform:index:Network", "aiplatform:index:Runner"}
    assert not [name for name in recording.names() if "kubernetes" in name or "aws:eks" in name]
    whole = set(built("aws-prod").recording.names())
    assert set(recording.names()) < whole, "the next `up` goes on from what is there"
    assert recording.result.cluster is None


def test_bootstrap_does_not_delete_a_protected_cluster() -> None:
    with pytest.raises(SettingsError) as error:
        _built(settings_of("aws-prod", bootstrap=True), acme_prod_cluster=True)
    (problem,) = error.value.problems
    assert "environment.bootstrap: got true, which would delete the cluster acme-prod-cluster" in problem
    assert "set teardown: true, run `up`, and only then set bootstrap: true" in problem


def test_bootstrap_deletes_a_cluster_whose_protection_is_lifted() -> None:
    recording = _built(settings_of("aws-prod", bootstrap=True, teardown=True), acme_prod_cluster=False)
    assert not recording.all("aws:eks/cluster:Cluster")
    elsewhere = _built(settings_of("aws-prod", bootstrap=True), other_cluster=True)
    assert not elsewhere.all("aws:eks/cluster:Cluster"), "a cluster of another environment"
