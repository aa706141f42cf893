"""aws-prod: it is bootstrapped, it stands, it cannot go by accident, and it is retired step by step."""

from __future__ import annotations

import json
import time
from typing import Any

import botocore.exceptions
import pytest

from tests.end_to_end import pods
from tests.end_to_end.harness import GUARDED, Twin

pytestmark = pytest.mark.end_to_end

CLUSTER = "acme-prod-cluster"
RUNNER = "acme-prod-runner"
JOBS = "acme-prod-jobs"
NOW = ("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def bootstrapped(prod: Twin) -> Twin:
    """aws-prod after its first `up`, which a person does from anywhere."""
    prod.cli("twin", "start", "--name", prod.environment)
    prod.changed(*NOW, *GUARDED, change={"environment/bootstrap": True})
    return prod


@pytest.fixture(scope="module")
def up(bootstrapped: Twin) -> Twin:
    """aws-prod, up: what the runner does then."""
    bootstrapped.up(*GUARDED)
    return bootstrapped


def _cluster(up: Twin) -> dict[str, Any]:
    return up.aws("eks").describe_cluster(name=CLUSTER)["cluster"]


def test_bootstrap_makes_network_and_runner_and_no_cluster(bootstrapped: Twin) -> None:
    (project,) = bootstrapped.aws("codebuild").batch_get_projects(names=[RUNNER])["projects"]
    network = bootstrapped.outputs()["foundation"]["network"]
    assert project["vpcConfig"]["subnets"] == network["private_subnet_ids"], "inside, where the API will be"
    assert bootstrapped.aws("eks").list_clusters()["clusters"] == []
    assert not any(kind.startswith("eks/") for kind in bootstrapped.inventory())
    assert "kubeconfig" not in bootstrapped.outputs(), "there is nothing to reach yet"


def test_a_new_account_is_refused_before_anything_is_made(bootstrapped: Twin) -> None:
    before = bootstrapped.inventory()
    bootstrapped.cli("twin", "fault", "new-account", "--name", bootstrapped.environment)
    refused = bootstrapped.cli("preview", bootstrapped.environment, check=False)
    bootstrapped.cli("twin", "fault", "clear", "--name", bootstrapped.environment)
    assert refused.returncode, "EKS would take the node groups, and they would fail much later"
    report = " ".join((refused.stdout + refused.stderr).split())
    assert "nodes that always run need 28 vCPUs" in report, report[-2000:]
    assert "request-service-quota-increase --service-code ec2 --quota-code L-1216C47A" in report
    assert bootstrapped.inventory() == before


def test_jobs_of_workflows_have_a_project_whose_role_becomes_no_one(bootstrapped: Twin) -> None:
    named = {"runner/github_workflows": ["deploy", "drift"], "runner/github_actors": ["583231"]}
    bootstrapped.changed(*NOW, *GUARDED, change={"environment/bootstrap": True, **named})
    (project,) = bootstrapped.aws("codebuild").batch_get_projects(names=[JOBS])["projects"]
    groups = project["webhook"]["filterGroups"]
    assert [[each["type"] for each in group] for group in groups] == [
        ["EVENT", "WORKFLOW_NAME", "ACTOR_ACCOUNT_ID"]
    ] * 2
    iam = bootstrapped.aws("iam")
    rights = iam.get_role_policy(RoleName=JOBS, PolicyName="run")["PolicyDocument"]
    assert "sts:" not in str(rights), "anyone who can push a branch can start a job"
    assert "sts:AssumeRole" in str(iam.get_role_policy(RoleName=RUNNER, PolicyName="run")["PolicyDocument"])
    bootstrapped.changed(*NOW, change={"environment/bootstrap": True})
    assert not bootstrapped.aws("codebuild").batch_get_projects(names=[JOBS])["projects"]
    # Prod's logs outlive what wrote them. This fails where they did not.
    bootstrapped.aws("logs").delete_log_group(logGroupName=f"/aws/codebuild/{JOBS}")


def test_the_runner_alone_is_let_in_and_its_role_administers(up: Twin) -> None:
    (project,) = up.aws("codebuild").batch_get_projects(names=[RUNNER])["projects"]
    (runner,) = project["vpcConfig"]["securityGroupIds"]
    guard = _cluster(up)["resourcesVpcConfig"]["clusterSecurityGroupId"]
    rules = up.aws("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [guard]}])[
        "SecurityGroupRules"
    ]
    let_in = [each for each in rules if not each["IsEgress"] and each["IpProtocol"] == "tcp"]
    assert [each["ReferencedGroupInfo"]["GroupId"] for each in let_in if each["FromPort"] == 443] == [runner]
    assert (
        "arn:aws:iam::333344445555:role/platform-deployer"
        in (up.aws("eks").list_access_entries(clusterName=CLUSTER)["accessEntries"])
    )
    again = up.pulumi("preview", "--expect-no-changes", "--stack", up.environment)
    assert again.returncode == 0, "bootstrap left nothing to mend"


def test_a_run_writes_its_log_and_becomes_the_deployer_and_nothing_else(up: Twin) -> None:
    """CI submits: a run of the runner, as its role, does what buildspec.yml begins with."""
    iam, account = up.aws("iam"), "333344445555"
    role = iam.get_role(RoleName=RUNNER)["Role"]
    # CodeBuild alone may assume it, which the twin has no runs of. For a moment the account may.
    own = json.dumps(role["AssumeRolePolicyDocument"])
    here = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    lent = json.dumps({"Version": "2012-10-17", "Statement": [here]})
    iam.update_assume_role_policy(RoleName=RUNNER, PolicyDocument=lent)
    run = pods.assumed(up.aws("sts"), role["Arn"])
    iam.update_assume_role_policy(RoleName=RUNNER, PolicyDocument=own)

    logs = pods.client(up, run, "logs")
    log = {"logGroupName": f"/aws/codebuild/{RUNNER}", "logStreamName": "run"}
    logs.create_log_stream(**log)
    logs.put_log_events(**log, logEvents=[{"timestamp": int(time.time() * 1000), "message": "pulumi up"}])
    assert pods.client(up, run, "ec2").describe_subnets()["Subnets"], "where its interfaces are created"
    for service, call in (("eks", "list_clusters"), ("s3", "list_buckets"), ("iam", "list_roles")):
        with pytest.raises(botocore.exceptions.ClientError, match=r"AccessDenied|not authorized"):
            getattr(pods.client(up, run, service), call)()
    deployer = f"arn:aws:iam::{account}:role/platform-deployer"
    became = pods.assumed(pods.client(up, run, "sts"), deployer)
    assert (
        pods.client(up, became, "sts")
        .get_caller_identity()["Arn"]
        .startswith(f"arn:aws:sts::{account}:assumed-role/platform-deployer/")
    )
    assert pods.client(up, became, "eks").list_clusters()["clusters"] == [CLUSTER]


def test_prod_is_private_protected_and_stands_in_three_zones(up: Twin) -> None:
    cluster = _cluster(up)
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"], "the API is in the network alone"
    assert cluster["deletionProtection"], "AWS itself refuses to delete it"
    assert cluster["upgradePolicy"]["supportType"] == "STANDARD", "no surprise on the bill"
    ec2 = up.aws("ec2")
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    assert len({each["SubnetId"] for each in gateways if each["State"] == "available"}) == 3, "one NAT a zone"
    endpoints = {
        each["ServiceName"].rsplit(".", 1)[1] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
    }
    assert {"s3", "dynamodb", "sts", "logs", "eks", "eks-auth"} <= endpoints, "it lives without the internet"
    nodes = up.core().list_node().items
    zones = {node.metadata.labels["topology.kubernetes.io/zone"] for node in nodes}
    assert len(zones) == 3, "a zone may fall"
    serving = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "serving"]
    assert not serving, "accelerators come with the first Pod that asks, and with the quota for them"


def test_destroy_is_refused_while_it_is_protected(up: Twin) -> None:
    before = up.inventory()
    refused = up.cli("destroy", up.environment, check=False)
    assert refused.returncode != 0, "a protected environment does not go"
    assert "teardown: true" in refused.stdout + refused.stderr, "the message says how it would"
    engine = up.pulumi("destroy", "--yes", "--stack", up.environment, check=False)
    assert engine.returncode != 0, "the engine refuses too, in the preview that it makes first"
    assert _cluster(up)["status"] == "ACTIVE"
    assert up.inventory() == before, "nothing was touched"


def test_bootstrap_does_not_take_the_living_cluster_away(up: Twin) -> None:
    before = up.inventory()
    refused = up.changed("up", "--yes", change={"environment/bootstrap": True}, check=False)
    assert refused.returncode != 0
    report = refused.stdout + refused.stderr
    assert f"environment.bootstrap: got true, which would delete the cluster {CLUSTER}" in report
    assert "set teardown: true" in report, "the message says how it would"
    assert up.inventory() == before, "nothing was touched"


def test_it_is_retired_from_inside_to_outside_and_leaves_nothing(up: Twin) -> None:
    # Without with_data the logs and their keys would stay, which tests/stacks holds.
    gone = {"environment/teardown": "with_data"}
    # What guards prod is lifted, and the policies that demand it stop nothing then.
    up.changed(*NOW, *GUARDED, change=gone)
    assert not _cluster(up)["deletionProtection"], "the first step lifts protection, and no more"
    up.changed(*NOW, *GUARDED, change={**gone, "environment/bootstrap": True})
    assert up.aws("eks").list_clusters()["clusters"] == [], "the runner takes the cluster away"
    assert up.aws("codebuild").list_projects()["projects"] == [RUNNER], "and not what it stands in itself"
    up.cli("destroy", up.environment)
    assert up.inventory() == {}, "the last, from outside, leaves nothing"
