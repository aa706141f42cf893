"""CodeBuild: projects and webhooks through the API server, as strict as AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make, refused

PROJECT = "aws:codebuild/project:Project"
WEBHOOK = "aws:codebuild/webhook:Webhook"
CONNECTION = "arn:aws:codeconnections:us-west-2:{account}:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
IN_VPC = ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]
FETCH = ["codeconnections:GetConnection", "codeconnections:GetConnectionToken"]
ENVIRONMENT = {
    "type": "LINUX_CONTAINER",
    "computeType": "BUILD_GENERAL1_MEDIUM",
    "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
}


def trust(service: str = "codebuild.amazonaws.com", **conditions: Any) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = conditions
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def place(clients: Clients) -> dict[str, str]:
    """Two networks, a service role with its rights, and one without."""
    ec2, iam = clients("ec2"), clients("iam")
    place = {"account": clients.server.instance.account}
    for key, cidr in (("", "10.0"), ("other_", "10.9")):
        vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr}.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="runs", Description="runs", VpcId=vpc)["GroupId"]
        place |= {f"{key}vpc": vpc, f"{key}subnet": subnet, f"{key}group": group}
    rights = {"Effect": "Allow", "Action": IN_VPC + FETCH, "Resource": "*"}
    for name, document in (("runs", trust()), ("bare", trust()), ("ec2", trust("ec2.amazonaws.com"))):
        place[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    iam.put_role_policy(RoleName="runs", PolicyName="runs", PolicyDocument=document)
    return place


def inputs(place: dict[str, str], **more: Any) -> Props:
    """A project in the network, of a private repository."""
    arguments: Props = {
        "name": "runner",
        "serviceRole": place["runs"],
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": ENVIRONMENT,
        "source": {
            "type": "GITHUB",
            "location": "https://github.com/acme/platform",
            "buildspec": "buildspec.yml",
            "auth": {"type": "CODECONNECTIONS", "resource": CONNECTION.format(**place)},
        },
        "vpcConfig": {
            "vpcId": place["vpc"],
            "subnets": [place["subnet"]],
            "securityGroupIds": [place["group"]],
        },
        **more,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def project(clients: Clients, place: dict[str, str], **more: Any) -> Made:
    return make(clients.context(), PROJECT, **inputs(place, **more))


def test_a_project_keeps_all_that_it_is_given_changes_in_place_and_goes(
    clients: Clients, place: dict[str, str]
) -> None:
    runner = project(
        clients,
        place,
        concurrentBuildLimit=1,
        buildTimeout=120,
        encryptionKey="alias/mine",
        logsConfig={"cloudwatchLogs": {"status": "ENABLED", "groupName": "/runs"}},
        tags={"team": "ml"},
    )
    state = runner.outputs
    assert state["arn"] == runner.id == f"arn:aws:codebuild:us-west-2:{place['account']}:project/runner"
    assert (state["concurrentBuildLimit"], state["buildTimeout"], state["queuedTimeout"]) == (1, 120, 480)
    assert state["encryptionKey"] == "alias/mine", "moto forgets it"
    assert state["logsConfig"]["cloudwatchLogs"] == {"status": "ENABLED", "groupName": "/runs"}
    assert state["vpcConfig"]["subnets"] == [place["subnet"]]
    assert clients.server._inventory.of(clients.server)["codebuild/codebuild_projects"] == ["runner"]
    changed = runner.update(concurrentBuildLimit=5, description="more", tags={"team": "platform"})
    assert (changed["concurrentBuildLimit"], changed["description"]) == (5, "more")
    assert changed["tags"] == {"team": "platform"}
    assert changed["source"] == state["source"], "what is not named stays"
    without = runner.update(concurrentBuildLimit=None, vpcConfig=None)
    assert "concurrentBuildLimit" not in without
    assert "vpcConfig" not in without
    assert runner.read() == runner.outputs
    runner.delete()
    assert runner.read() is None
    assert "codebuild/codebuild_projects" not in clients.server._inventory.of(clients.server)
    runner.delete()  # DeleteProject of one that is gone is no error


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            {"serviceRole": "{ec2}"},
            "serviceRole",
            "CodeBuild is not authorized to perform: sts:AssumeRole on",
        ),
        (
            {"serviceRole": "arn:aws:iam::{account}:role/none"},
            "serviceRole",
            "CodeBuild is not authorized to perform: sts:AssumeRole on",
        ),
        (
            {"serviceRole": "arn:aws:iam::999988887777:role/runs"},
            "serviceRole",
            "Service role account ID does not match caller's account",
        ),
        ({"serviceRole": "{bare}"}, "source.auth.resource", "Access denied to connection"),
        (
            {"serviceRole": "{bare}", "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"}},
            "serviceRole",
            "Not authorized to perform DescribeVpcs",
        ),
        (
            {"vpcConfig": {"vpcId": "{vpc}", "subnets": ["{other_subnet}"], "securityGroupIds": ["{group}"]}},
            "vpcConfig",
            "not in {vpc}",
        ),
        (
            {"vpcConfig": {"vpcId": "{vpc}", "subnets": ["{subnet}"], "securityGroupIds": ["{other_group}"]}},
            "vpcConfig",
            "not in {vpc}",
        ),
        (
            {"vpcConfig": {"vpcId": "{vpc}", "subnets": ["subnet-0"], "securityGroupIds": ["{group}"]}},
            "vpcConfig",
            "'subnet-0' does not exist",
        ),
        ({"concurrentBuildLimit": 61}, "concurrentBuildLimit", "account-level concurrent build limit of 60"),
        (
            {"source": {"type": "GITHUB", "buildspec": "b.yml"}},
            "source",
            "Project source location is required",
        ),
        (
            {"environment": {**ENVIRONMENT, "imagePullCredentialsType": "SERVICE_ROLE"}},
            "",
            "credentials of type CODEBUILD",
        ),
        ({"environment": {**ENVIRONMENT, "type": "LINUX_LAMBDA_CONTAINER"}}, "", "Invalid compute type"),
    ],
)
def test_what_codebuild_refuses_is_refused_with_its_property(
    clients: Clients, place: dict[str, str], change: Any, path: str, words: str
) -> None:
    arguments = inputs(place, **_filled(change, place))
    with pytest.raises(CloudError) as error:
        make(clients.context(), PROJECT, **arguments)
    assert words.format(**place) in str(error.value)
    assert error.value.path == path
    assert "codebuild/codebuild_projects" not in clients.server._inventory.of(clients.server), (
        "nothing is left"
    )


def _filled(value: Any, place: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(member, place) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, place) for member in value]
    return value.format(**place) if isinstance(value, str) and "{" in value else value


def test_what_the_provider_and_the_model_refuse_is_reported_by_check(
    clients: Clients, place: dict[str, str]
) -> None:
    def reasons(**change: Any) -> dict[str, str]:
        return refused(clients.context(), PROJECT, **inputs(place, **change))

    assert "must be set" in reasons(source={"type": "NO_SOURCE"})["source.buildspec"]
    both = {"type": "NO_SOURCE", "buildspec": "b", "location": "x"}
    assert "must be empty" in reasons(source=both)["source.location"]
    assert "at least (1)" in reasons(concurrentBuildLimit=0)["concurrentBuildLimit"]
    assert "buildTimeout" in reasons(buildTimeout=4)
    assert "name" in reasons(name="a b")
    huge = {**ENVIRONMENT, "computeType": "BUILD_GENERAL1_HUGE"}
    assert "environment.computeType" in reasons(environment=huge)


def test_a_role_for_one_project_serves_that_one_alone(clients: Clients, place: dict[str, str]) -> None:
    arn = f"arn:aws:codebuild:us-west-2:{place['account']}:project/mine"
    document = trust(ArnEquals={"aws:SourceArn": arn}, StringEquals={"aws:SourceAccount": place["account"]})
    role = clients("iam").create_role(RoleName="one", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    alone = {"vpcConfig": None, "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"}}
    with pytest.raises(CloudError, match="not authorized to perform: sts:AssumeRole"):
        project(clients, place, name="others", serviceRole=role, **alone)
    project(clients, place, name="mine", serviceRole=role, **alone).delete()


def test_a_name_is_there_once(clients: Clients, place: dict[str, str]) -> None:
    first = project(clients, place)
    with pytest.raises(CloudError, match="Project already exists: arn:aws:codebuild") as error:
        project(clients, place)
    assert error.value.path == "name"
    first.delete()


def test_subnets_and_groups_may_go_before_the_project(clients: Clients, place: dict[str, str]) -> None:
    ec2 = clients("ec2")
    subnet = ec2.create_subnet(VpcId=place["vpc"], CidrBlock="10.0.9.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="gone", Description="d", VpcId=place["vpc"])["GroupId"]
    vpc = {"vpcId": place["vpc"], "subnets": [subnet], "securityGroupIds": [group]}
    runner = project(clients, place, vpcConfig=vpc)
    ec2.delete_subnet(SubnetId=subnet)  # only a run has interfaces in it
    ec2.delete_security_group(GroupId=group)
    with pytest.raises(CloudError, match="does not exist"):
        runner.update(description="checked again")
    runner.delete()


def test_a_webhook_makes_the_project_a_runner_of_jobs(clients: Clients, place: dict[str, str]) -> None:
    runner = project(clients, place)
    jobs = [{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}, {"type": "WORKFLOW_NAME", "pattern": "^A$"}]
    hook = make(clients.context(), WEBHOOK, projectName="runner", filterGroups=[{"filters": jobs}])
    assert hook.outputs["payloadUrl"].startswith("https://codebuild.us-west-2.amazonaws.com/webhooks")
    assert hook.outputs["url"].startswith("https://api.github.com/repos/acme/platform/hooks/")
    assert hook.outputs["secret"], "returned once, by the create"
    with pytest.raises(CloudError, match="ResourceAlreadyExistsException"):
        make(clients.context(), WEBHOOK, projectName="runner", filterGroups=[{"filters": jobs}])
    jobs = [{**jobs[0]}, {**jobs[1], "pattern": "^B$"}]
    assert hook.update(filterGroups=[{"filters": jobs}])["filterGroups"][0]["filters"][1]["pattern"] == "^B$"
    hook.delete()
    assert hook.read() is None
    runner.delete()


def test_a_webhook_needs_a_source_that_tells_and_a_way_to_it(clients: Clients, place: dict[str, str]) -> None:
    public = {"type": "GITHUB", "location": "https://github.com/acme/platform", "buildspec": "b.yml"}
    runner = project(clients, place, source=public)
    jobs = [{"filters": [{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]}]
    with pytest.raises(CloudError, match="Could not find access token for server type github"):
        make(clients.context(), WEBHOOK, projectName="runner", filterGroups=jobs)
    gitlab = {
        **inputs(place)["source"],
        "type": "GITLAB",
        "location": "https://gitlab.com/acme/platform",
    }
    runner.update(source=gitlab)
    with pytest.raises(CloudError, match="WORKFLOW_JOB_QUEUED is not supported for source type GITLAB"):
        make(clients.context(), WEBHOOK, projectName="runner", filterGroups=jobs)
    runner.update(source={"type": "NO_SOURCE", "buildspec": "version: 0.2"})
    with pytest.raises(CloudError, match="not supported for source type NO_SOURCE"):
        make(clients.context(), WEBHOOK, projectName="runner", filterGroups=jobs)
    runner.delete()


def test_a_project_at_its_limit_throttles_the_next_build(clients: Clients, place: dict[str, str]) -> None:
    runner = project(clients, place, concurrentBuildLimit=1)
    codebuild = clients("codebuild")
    first = codebuild.start_build(projectName="runner")["build"]["id"]
    with pytest.raises(codebuild.exceptions.AccountLimitExceededException):
        codebuild.start_build(projectName="runner")
    codebuild.batch_get_builds(ids=[first])  # moto ends a build when it is looked at
    codebuild.start_build(projectName="runner")
    runner.delete()


def test_a_killed_front_remembers_projects_and_webhooks(clients: Clients, place: dict[str, str]) -> None:
    from twin.aws.api_server.server import ApiServer

    runner = project(clients, place, tags={"team": "ml"})
    jobs = [{"filters": [{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]}]
    make(clients.context(), WEBHOOK, projectName="runner", filterGroups=jobs)
    before = clients("codebuild").batch_get_projects(names=["runner"])["projects"]
    instance = clients.server.instance
    clients.server.close()
    clients.server.moto.forget()
    clients.server = ApiServer(instance)
    assert clients("codebuild").batch_get_projects(names=["runner"])["projects"] == before
    runner.delete()


def test_the_clusters_are_listed(clients: Clients) -> None:
    from twin.aws.resources.function import table

    answer = table()["aws:eks/getClusters:getClusters"].invoke(clients.context(), {})
    assert answer == {"id": "us-west-2", "names": [], "region": "us-west-2"}
