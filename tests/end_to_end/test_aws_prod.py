"""aws-prod: bootstrap, deployment from the runner, protection against deletion, and retirement in steps."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from tests.end_to_end import pods
from tests.end_to_end.harness import GUARDED, Twin
from tests.end_to_end.policy_report import assert_no_violation

pytestmark = pytest.mark.end_to_end

CLUSTER = "acme-prod-cluster"
RUNNER = "acme-prod-runner"
JOBS = "acme-prod-jobs"
NOW = ("up", "--yes", "--skip-preview")
WORKFLOW_JOBS = {"runner/github_workflows": ["deploy", "drift"], "runner/github_actors": ["583231"]}
"""Of the first `up` only: the file has none."""


@pytest.fixture(scope="module")
def bootstrapped(prod: Twin) -> Twin:
    """The twin of aws-prod after its first `up`, which runs outside the network."""
    prod.cli("twin", "start", "--name", prod.environment)
    prod.changed(*NOW, *GUARDED, change={"environment/bootstrap": True, **WORKFLOW_JOBS})
    return prod


@pytest.fixture(scope="module")
def up(bootstrapped: Twin) -> Twin:
    """The twin of aws-prod, deployed: the `up` of the runner."""
    bootstrapped.up(*GUARDED)
    return bootstrapped


def _cluster(up: Twin) -> dict[str, Any]:
    return up.aws("eks").describe_cluster(name=CLUSTER)["cluster"]


@pytest.mark.nightly
def test_environment_has_no_violation_before_it_exists(prod: Twin, tmp_path: Path) -> None:
    assert_no_violation(prod, tmp_path)


def test_bootstrap_creates_network_and_runner_without_a_cluster(bootstrapped: Twin) -> None:
    (project,) = bootstrapped.aws("codebuild").batch_get_projects(names=[RUNNER])["projects"]
    network = bootstrapped.outputs()["foundation"]["network"]
    assert project["vpcConfig"]["subnets"] == network["private_subnet_ids"], (
        "the runner is in the network of the API"
    )
    assert bootstrapped.aws("eks").list_clusters()["clusters"] == []
    assert not any(kind.startswith("eks/") for kind in bootstrapped.inventory())
    assert "kubeconfig" not in bootstrapped.outputs(), "there is no cluster yet"


def test_an_account_with_initial_quotas_is_refused_before_anything_is_created(bootstrapped: Twin) -> None:
    before = bootstrapped.inventory()
    bootstrapped.cli("twin", "fault", "new-account", "--name", bootstrapped.environment)
    refused = bootstrapped.cli("preview", bootstrapped.environment, check=False)
    bootstrapped.cli("twin", "fault", "clear", "--name", bootstrapped.environment)
    assert refused.returncode, "EKS accepts the node groups, which would fail much later"
    report = " ".join((refused.stdout + refused.stderr).split())
    assert "nodes that always run need 28 vCPUs" in report, report[-2000:]
    assert "request-service-quota-increase --service-code ec2 --quota-code L-1216C47A" in report
    assert bootstrapped.inventory() == before


def test_workflow_jobs_have_a_project_whose_role_assumes_no_other(bootstrapped: Twin) -> None:
    (project,) = bootstrapped.aws("codebuild").batch_get_projects(names=[JOBS])["projects"]
    groups = project["webhook"]["filterGroups"]
    assert [[condition["type"] for condition in group] for group in groups] == [
        ["EVENT", "WORKFLOW_NAME", "ACTOR_ACCOUNT_ID"]
    ] * 2
    iam = bootstrapped.aws("iam")
    rights = iam.get_role_policy(RoleName=JOBS, PolicyName="run")["PolicyDocument"]
    assert "sts:" not in str(rights), "every user who can push a branch can start a job"
    assert "sts:AssumeRole" in str(iam.get_role_policy(RoleName=RUNNER, PolicyName="run")["PolicyDocument"])


def test_the_project_of_workflow_jobs_is_deleted_with_its_setting_and_its_log_is_retained(up: Twin) -> None:
    assert not up.aws("codebuild").batch_get_projects(names=[JOBS])["projects"]
    # Prod retains its logs: this fails where the group was deleted.
    up.aws("logs").delete_log_group(logGroupName=f"/aws/codebuild/{JOBS}")


def test_only_the_runner_reaches_the_api_and_its_role_administers(up: Twin) -> None:
    (project,) = up.aws("codebuild").batch_get_projects(names=[RUNNER])["projects"]
    (runner,) = project["vpcConfig"]["securityGroupIds"]
    guard = _cluster(up)["resourcesVpcConfig"]["clusterSecurityGroupId"]
    rules = up.aws("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [guard]}])[
        "SecurityGroupRules"
    ]
    ingress = [rule for rule in rules if not rule["IsEgress"] and rule["IpProtocol"] == "tcp"]
    assert [rule["ReferencedGroupInfo"]["GroupId"] for rule in ingress if rule["FromPort"] == 443] == [runner]
    assert (
        "arn:aws:iam::333344445555:role/platform-deployer"
        in (up.aws("eks").list_access_entries(clusterName=CLUSTER)["accessEntries"])
    )
    again = up.pulumi("preview", "--expect-no-changes", "--stack", up.environment)
    assert again.returncode == 0, "no difference remains after the bootstrap"


def test_a_run_may_write_its_log_and_assume_the_deployer_only(up: Twin) -> None:
    """The first steps of buildspec.yml, with the role of the runner."""
    iam, account = up.aws("iam"), "333344445555"
    role = iam.get_role(RoleName=RUNNER)["Role"]
    # Only CodeBuild may assume it, and the twin has no runs: the account may, for a moment.
    original = json.dumps(role["AssumeRolePolicyDocument"])
    here = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    lent = json.dumps({"Version": "2012-10-17", "Statement": [here]})
    iam.update_assume_role_policy(RoleName=RUNNER, PolicyDocument=lent)
    run = pods.assumed(up.aws("sts"), role["Arn"])
    iam.update_assume_role_policy(RoleName=RUNNER, PolicyDocument=original)

    logs = pods.client(up, run, "logs")
    log = {"logGroupName": f"/aws/codebuild/{RUNNER}", "logStreamName": "run"}
    logs.create_log_stream(**log)
    logs.put_log_events(**log, logEvents=[{"timestamp": int(time.time() * 1000), "message": "pulumi up"}])
    assert pods.client(up, run, "ec2").describe_subnets()["Subnets"], (
        "CodeBuild creates network interfaces in them"
    )
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


def test_prod_is_private_protected_and_in_three_zones(up: Twin) -> None:
    cluster = _cluster(up)
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"], (
        "the API is only reachable inside the network"
    )
    assert cluster["deletionProtection"], "AWS refuses to delete it"
    assert cluster["upgradePolicy"]["supportType"] == "STANDARD", "no charges for extended support"
    ec2 = up.aws("ec2")
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    assert len({gateway["SubnetId"] for gateway in gateways if gateway["State"] == "available"}) == 3, (
        "one NAT a zone"
    )
    endpoints = {
        endpoint["ServiceName"].rsplit(".", 1)[1] for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]
    }
    assert {"s3", "dynamodb", "sts", "logs", "eks", "eks-auth"} <= endpoints, "it works without the internet"
    nodes = up.core().list_node().items
    zones = {node.metadata.labels["topology.kubernetes.io/zone"] for node in nodes}
    assert len(zones) == 3, "it survives the loss of a zone"
    serving = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "serving"]
    assert not serving, "accelerators are created for the first Pod that requests them, within the quota"


def test_destroy_is_refused_while_it_is_protected(up: Twin) -> None:
    before = up.inventory()
    refused = up.cli("destroy", up.environment, check=False)
    assert refused.returncode != 0, "a protected environment is not destroyed"
    assert "teardown: true" in refused.stdout + refused.stderr, "the message names the setting that allows it"
    engine = up.pulumi("destroy", "--yes", "--stack", up.environment, check=False)
    assert engine.returncode != 0, "the engine refuses, too, in its preview"
    assert _cluster(up)["status"] == "ACTIVE"
    assert up.inventory() == before, "nothing was changed"


def test_bootstrap_is_refused_while_a_cluster_exists(up: Twin) -> None:
    before = up.inventory()
    refused = up.changed("up", "--yes", change={"environment/bootstrap": True}, check=False)
    assert refused.returncode != 0
    report = refused.stdout + refused.stderr
    assert f"environment.bootstrap: got true, which would delete the cluster {CLUSTER}" in report
    assert "set teardown: true" in report, "the message names the setting that allows it"
    assert up.inventory() == before, "nothing was changed"


def test_retirement_deletes_the_cluster_from_the_runner_and_then_the_rest(up: Twin) -> None:
    # Without with_data the logs and their keys are retained, which tests/stacks checks.
    gone = {"environment/teardown": "with_data"}
    # The protection of prod is removed; the policies that require it are exempt during a teardown.
    up.changed(*NOW, *GUARDED, change=gone)
    assert not _cluster(up)["deletionProtection"], "the first step only removes the protection"
    up.changed(*NOW, *GUARDED, change={**gone, "environment/bootstrap": True})
    assert up.aws("eks").list_clusters()["clusters"] == [], "the runner deletes the cluster"
    assert up.aws("codebuild").list_projects()["projects"] == [RUNNER], "and not itself"
    up.cli("destroy", up.environment)
    assert up.inventory() == {}, "the last step, outside the network, deletes the rest"
