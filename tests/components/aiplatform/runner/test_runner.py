"""The runner component: what it makes, what it may do, and what it refuses."""

import json
import re
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.network import NetworkReferenceArgs
from aiplatform.runner import Runner
from tests.components.recording import ACCOUNT, REGION, Recording, Registered, record, value

NETWORK: NetworkReferenceArgs = {
    "vpc_id": "vpc-1",
    "cidr": "10.16.0.0/16",
    "private_subnet_ids": ["subnet-p1", "subnet-p2"],
}
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/platform-deployer"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
GITHUB = {"repository": "https://github.com/acme/platform", "connection_arn": CONNECTION}
PROJECT = "aws:codebuild/project:Project"
ROLE = "aws:iam/role:Role"
RIGHTS = "aws:iam/rolePolicy:RolePolicy"


def _runner(**arguments: Any) -> Recording:
    args: Any = {
        "prefix": "acme-dev",
        "network": NETWORK,
        "deployer_role_arn": DEPLOYER,
        **(GITHUB if "buildspec" not in arguments else {}),
        **arguments,
    }
    return record(lambda: Runner("runner", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A runner of a private repository with nothing but what is required."""
    return _runner()


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        _runner(**arguments)
    return [str(problem) for problem in error.value.problems]


def _only(recorded: Recording, type: str, name: str) -> Registered:
    (result,) = [resource for resource in recorded.all(type) if resource.name == name]
    return result


def _statements(recorded: Recording) -> dict[str, Any]:
    policy = json.loads(recorded.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_logical_names_are_a_contract():
    assert _runner(github_workflows=["Deploy"]).names() == [
        "aiplatform:index:Runner runner",
        "aws:cloudwatch/logGroup:LogGroup runner-jobs-logs",
        "aws:cloudwatch/logGroup:LogGroup runner-logs",
        "aws:codebuild/project:Project runner-jobs-project",
        "aws:codebuild/project:Project runner-project",
        "aws:codebuild/webhook:Webhook runner-jobs",
        "aws:ec2/securityGroup:SecurityGroup runner-security-group",
        "aws:iam/role:Role runner-jobs-role",
        "aws:iam/role:Role runner-role",
        "aws:iam/rolePolicy:RolePolicy runner-jobs-role",
        "aws:iam/rolePolicy:RolePolicy runner-role",
        "aws:kms/alias:Alias runner-key",
        "aws:kms/key:Key runner-key",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule runner-https",
    ]


def test_it_is_in_the_private_subnets_without_ingress(default: Recording):
    project = default.one(PROJECT).inputs
    group = default.one("aws:ec2/securityGroup:SecurityGroup")
    assert project["vpcConfig"] == {
        "vpcId": "vpc-1",
        "subnets": ["subnet-p1", "subnet-p2"],
        "securityGroupIds": [group.state.get("id") or value(default.result.security_group_id)],
    }
    assert not group.inputs.get("ingress")
    rule = default.one("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule").inputs
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)
    assert not default.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")


def test_it_can_assume_the_deployers_role_and_no_other(default: Recording):
    statements = _statements(default)
    assert statements["BecomeDeployer"]["Action"] == ["sts:AssumeRole"]
    assert statements["BecomeDeployer"]["Resource"] == DEPLOYER
    everything = [action for statement in statements.values() for action in statement["Action"]]
    assert not [action for action in everything if "*" in action], "no wildcards on actions"
    assert {action for action in everything if action.startswith(("iam:", "eks:", "s3:"))} == set()


def test_it_creates_interfaces_only_in_its_subnets(default: Recording):
    statements = _statements(default)
    assert statements["MakeInterfaces"]["Resource"] == [
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/*",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-p1",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-p2",
    ]
    on_everything = [statement for statement in statements.values() if statement["Resource"] == "*"]
    assert all(action.startswith("ec2:Describe") for item in on_everything for action in item["Action"]), (
        "what changes something names it"
    )


def test_only_codebuild_can_use_its_interfaces_in_its_subnets(default: Recording):
    lent = _statements(default)["LendInterfaces"]
    assert lent["Resource"] == f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*"
    assert lent["Condition"] == {
        "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
        "ArnEquals": {
            "ec2:Subnet": [
                f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-p1",
                f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-p2",
            ]
        },
    }


def test_only_its_project_can_use_its_role(default: Recording):
    role = default.one("aws:iam/role:Role").inputs
    assert role["name"] == "acme-dev-runner", "the deployer's trust policy names it"
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "codebuild.amazonaws.com"}
    source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert source == f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/acme-dev-runner"
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_the_project_depends_on_its_roles_permissions(default: Recording):
    project = default.one(PROJECT)
    assert default.depends(project, on=default.one("aws:iam/rolePolicy:RolePolicy"))
    assert project.delete_before_replace, "its name may be there only once"


def test_logs_are_encrypted_and_have_a_retention(default: Recording):
    group = default.one("aws:cloudwatch/logGroup:LogGroup")
    key = default.one("aws:kms/key:Key")
    assert group.inputs["name"] == "/aws/codebuild/acme-dev-runner"
    assert group.inputs["retentionInDays"] == 90
    assert group.inputs["kmsKeyId"] == key.state["arn"] == default.one(PROJECT).inputs["encryptionKey"]
    assert f"log-group:{group.inputs['name']}" in key.inputs["policy"], "the key serves this group alone"
    logs = default.one(PROJECT).inputs["logsConfig"]["cloudwatchLogs"]
    assert logs == {"status": "ENABLED", "groupName": group.inputs["name"]}
    retained = _runner(retain_data=True)
    assert {resource.name for resource in retained.resources if resource.retain_on_delete} == {
        "runner-key",
        "runner-logs",
    }


def test_a_run_fetches_the_repository_by_the_connection(default: Recording):
    project = default.one(PROJECT).inputs
    assert project["source"] == {
        "type": "GITHUB",
        "location": GITHUB["repository"],
        "buildspec": "buildspec.yml",
        "gitCloneDepth": 1,
        "auth": {"type": "CODECONNECTIONS", "resource": CONNECTION},
    }
    fetch = _statements(default)["FetchSource"]
    assert fetch["Action"] == ["codeconnections:GetConnection", "codeconnections:GetConnectionToken"]
    assert fetch["Resource"] == CONNECTION
    variables = {
        variable["name"]: variable["value"] for variable in project["environment"]["environmentVariables"]
    }
    assert variables == {"DEPLOYER_ROLE_ARN": DEPLOYER}
    assert project["environment"]["privilegedMode"] is False
    assert project["concurrentBuildLimit"] == 1
    assert not default.all("aws:codebuild/webhook:Webhook")


def test_an_older_connection_has_actions_of_its_own_service():
    older = CONNECTION.replace("codeconnections", "codestar-connections")
    fetch = _statements(_runner(connection_arn=older))["FetchSource"]
    assert fetch["Action"][0] == "codestar-connections:GetConnection"


def test_without_a_repository_the_buildspec_is_text():
    recorded = _runner(buildspec="version: 0.2\nphases: {}\n")
    assert recorded.one(PROJECT).inputs["source"] == {
        "type": "NO_SOURCE",
        "buildspec": "version: 0.2\nphases: {}\n",
    }
    assert "FetchSource" not in _statements(recorded)


@pytest.fixture(scope="module")
def jobs() -> Recording:
    """A runner for workflows, too."""
    return _runner(github_workflows=["Deploy prod (2)", "Drift"])


def test_jobs_of_the_named_workflows_run_on_it_and_no_others(jobs: Recording):
    webhook = jobs.one("aws:codebuild/webhook:Webhook").inputs
    assert webhook["projectName"] == "acme-dev-jobs", "the label of a job names it"
    event = {"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}
    first, second = [group["filters"] for group in webhook["filterGroups"]]
    assert first[0] == second[0] == event
    assert [item["type"] for item in first] == ["EVENT", "WORKFLOW_NAME"]
    assert first[1]["pattern"] == "^Deploy prod \\(2\\)$"
    assert re.fullmatch(first[1]["pattern"], "Deploy prod (2)")
    assert "concurrentBuildLimit" not in jobs.named("runner-jobs-project").inputs, (
        "a refused job waits for ever"
    )
    assert jobs.named("runner-project").inputs["concurrentBuildLimit"] == 1


def test_the_role_of_jobs_can_assume_no_other(jobs: Recording):
    policy = _only(jobs, RIGHTS, "runner-jobs-role").inputs
    text = policy["policy"]
    assert policy["role"] == "acme-dev-jobs"
    assert "sts:" not in text
    assert DEPLOYER not in text
    sids = {item["Sid"] for item in json.loads(text)["Statement"]}
    assert sids == {
        "WriteLogs",
        "UseKey",
        "SeeNetwork",
        "MakeInterfaces",
        "RemoveInterfaces",
        "LendInterfaces",
        "FetchSource",
    }
    project = jobs.named("runner-jobs-project").inputs
    assert not project["environment"].get("environmentVariables"), "nothing that leads to the deployer"
    assert project["serviceRole"] == _only(jobs, ROLE, "runner-jobs-role").state["arn"]
    own_policy = json.loads(text)["Statement"][0]["Resource"]
    assert own_policy.endswith("log-group:/aws/codebuild/acme-dev-jobs:*"), (
        "it cannot write into the runs' logs"
    )
    assert jobs.depends(jobs.named("runner-jobs-project"), on=_only(jobs, RIGHTS, "runner-jobs-role"))


def test_jobs_and_runs_can_use_only_their_own_role(jobs: Recording):
    for stem, name in (("", "acme-dev-runner"), ("-jobs", "acme-dev-jobs")):
        role = _only(jobs, ROLE, f"runner{stem}-role").inputs
        (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(f":project/{name}")
    key = jobs.one("aws:kms/key:Key").inputs["policy"]
    for group in ("runner", "jobs"):
        assert f"log-group:/aws/codebuild/acme-dev-{group}" in key


def test_runs_by_start_build_are_as_without_workflows(jobs: Recording, default: Recording):
    for name in ("runner-project", "runner-logs", "runner-security-group"):
        assert jobs.named(name).inputs == default.named(name).inputs
    assert _only(jobs, RIGHTS, "runner-role").inputs == _only(default, RIGHTS, "runner-role").inputs


def test_jobs_of_named_accounts_run_on_it_and_no_others():
    recorded = _runner(github_workflows=["Deploy", "Drift"], github_actors=["583231", "7"])
    webhook = recorded.one("aws:codebuild/webhook:Webhook").inputs
    for group in webhook["filterGroups"]:
        (actor,) = [filter for filter in group["filters"] if filter["type"] == "ACTOR_ACCOUNT_ID"]
        assert actor["pattern"] == "^(583231|7)$"
        assert not re.search(actor["pattern"], "75832310"), "a longer id is another account"


def test_every_part_is_a_child_of_the_component(default: Recording):
    component = default.one("aiplatform:index:Runner")
    for resource in default.resources:
        assert resource is component or resource.parent == component.urn, resource.name
    assert set(component.outputs or {}) == {
        "name",
        "arn",
        "role_arn",
        "security_group_id",
        "log_group_name",
        "kms_key_arn",
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"repository": None, "connection_arn": None},
            "RunnerArgs.repository: missing; expected a repository",
        ),
        (
            {"buildspec": "buildspec.yml", "repository": None},
            "RunnerArgs.repository: missing; expected a repository",
        ),
        (
            {"buildspec": "a: 1\nb: 2\n", "connection_arn": CONNECTION},
            "RunnerArgs.connection_arn: got one without a repository",
        ),
        ({"repository": "git@github.com:acme/platform.git"}, "expected the HTTPS URL of a repository"),
        ({"repository": "https://github.com/acme"}, "expected the HTTPS URL of a repository"),
        ({"repository": "https://git.acme.example/a/b"}, "on one of github.com, gitlab.com, bitbucket.org"),
        ({"repository": "https://me:secret@github.com/acme/platform"}, "expected no user, password"),
        (
            {"connection_arn": "arn:aws:codeconnections:eu-central-1:1:connection/x"},
            "expected a connection's arn",
        ),
        ({"connection_arn": DEPLOYER}, "expected a connection's arn"),
        ({"deployer_role_arn": f"arn:aws:iam::{ACCOUNT}:user/me"}, "expected an IAM role's arn"),
        ({"deployer_role_arn": "platform-deployer"}, "expected an IAM role's arn"),
        (
            {"github_workflows": ["Deploy"], "repository": "https://gitlab.com/acme/platform"},
            "expected a repository on github.com",
        ),
        (
            {"github_workflows": ["Deploy"], "connection_arn": None},
            "RunnerArgs.connection_arn: missing; expected the connection by which GitHub reports jobs",
        ),
        ({"github_workflows": ["Deploy", "Deploy"]}, "expected no duplicates"),
        ({"github_workflows": ["Deploy"], "github_actors": ["octocat"]}, "expected the numeric id"),
        ({"github_actors": ["583231"]}, "RunnerArgs.github_actors: got accounts without a workflow"),
        ({"size": "huge"}, "expected one of small, medium, large"),
        ({"timeout_minutes": 4}, "expected 5 to 2160 minutes"),
        ({"concurrent_runs": 0}, "expected 1 to 60 runs"),
        ({"log_retention_days": 8}, "7 is the nearest"),
        ({"environment_variables": {"DEPLOYER_ROLE_ARN": "x"}}, "the runner sets this variable"),
        ({"environment_variables": {"A-B": "x"}}, "expected a name of letters, digits and _"),
        ({"prefix": "a" * 60}, "expected at most 57 characters"),
        ({"repositry": "x"}, "RunnerArgs.repositry: unknown key; did you mean 'repository'?"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_registered(arguments: dict[str, Any], problem: str):
    message = _problems(**arguments)
    assert any(problem in item for item in message), message
