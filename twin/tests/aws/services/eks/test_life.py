"""What a cluster goes through to its end, each test with a separate account."""

from __future__ import annotations

import json
import time

import pytest
import time_machine
from botocore.exceptions import ClientError

from twin.aws.api_server import inventory
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.conftest import active, refusal
from twin.tests.aws.services.eks.scene import group_params, make_cluster_of, network_and_roles, token, view


def test_versions_go_up_one_at_a_time(separate_clients: Clients) -> None:
    active(separate_clients)
    _, message = refusal(separate_clients, "update_cluster_version", name="demo", version="1.36")
    assert message == "Unsupported Kubernetes minor version update from 1.34 to 1.36"
    update = separate_clients("eks").update_cluster_version(name="demo", version="1.35")["update"]
    done = separate_clients("eks").describe_update(name="demo", updateId=update["id"])["update"]
    assert done["status"] == "Successful"
    assert separate_clients("eks").describe_cluster(name="demo")["cluster"]["version"] == "1.35"


def test_a_control_plane_stays_in_the_zones_that_it_began_in(separate_clients: Clients) -> None:
    names = active(separate_clients)
    fewer = {"subnetIds": names["subnets"][:2]}
    code, message = refusal(separate_clients, "update_cluster_config", name="demo", resourcesVpcConfig=fewer)
    assert code == "InvalidParameterException"
    assert "exact set of AZs 'us-west-2a,us-west-2b,us-west-2d'" in message
    same = {"subnetIds": names["subnets"][::-1]}
    separate_clients("eks").update_cluster_config(name="demo", resourcesVpcConfig=same)


def test_a_cluster_goes_last_and_leaves_nothing(separate_clients: Clients) -> None:
    eks, ec2, names = separate_clients("eks"), separate_clients("ec2"), active(separate_clients)
    sizes = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    eks.create_nodegroup(**group_params(names, scalingConfig=sizes))
    assert len(view(separate_clients, "machines")["machines"]) == 1
    assert refusal(separate_clients, "delete_cluster", name="demo") == (
        "ResourceInUseException",
        "Cluster has nodegroups attached",
    )
    eks.delete_nodegroup(clusterName="demo", nodegroupName="gpu")
    assert view(separate_clients, "machines")["machines"] == []
    view(separate_clients, "machines")
    assert eks.list_nodegroups(clusterName="demo")["nodegroups"] == []
    eks.update_cluster_config(name="demo", deletionProtection=True)
    assert "deletion protection" in refusal(separate_clients, "delete_cluster", name="demo")[1]
    eks.update_cluster_config(name="demo", deletionProtection=False)
    eks.delete_cluster(name="demo")
    view(separate_clients, "cluster_gone")
    for subnet in names["subnets"]:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=names["vpc"])
    for name in ("cluster", "node", "pod"):
        separate_clients("iam").delete_role(RoleName=name)
    assert inventory.of(separate_clients.server) == {}


def test_a_new_access_entry_is_known_to_the_cluster_some_seconds_later(separate_clients: Clients) -> None:
    active(separate_clients)
    eks, arn = separate_clients("eks"), "arn:aws:iam::123456789012:role/platform-deployer"
    place = {"clusterName": "demo", "principalArn": arn}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    eks.delete_access_entry(**place)
    eks.create_access_entry(**place)
    assert (
        view(separate_clients, "authenticate", token=token(separate_clients, "demo"))["principal"] is None
    ), "an answer of CreateAccessEntry is no promise of the API server"
    with time_machine.travel(time.time() + 4, tick=False):
        principal = view(separate_clients, "authenticate", token=token(separate_clients, "demo"))["principal"]
        assert principal["policies"] == []
        eks.associate_access_policy(**place, policyArn=policy, accessScope={"type": "cluster"})
        principal = view(separate_clients, "authenticate", token=token(separate_clients, "demo"))["principal"]
        assert principal["policies"] == [], "nor is an association effective at once"
    with time_machine.travel(time.time() + 8, tick=False):
        principal = view(separate_clients, "authenticate", token=token(separate_clients, "demo"))["principal"]
    assert principal["policies"] == [["AmazonEKSClusterAdminPolicy", []]]


@pytest.mark.parametrize(
    ("late", "types", "left"), [(True, ["audit"], True), (True, [], False), (False, ["audit"], False)]
)
def test_late_events_of_a_deleted_cluster_create_its_log_group_again(
    separate_clients: Clients, late: bool, types: list[str], left: bool
) -> None:
    logs, group = separate_clients("logs"), "/aws/eks/demo/cluster"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    active(separate_clients)
    if types:
        enabled = {"clusterLogging": [{"types": types, "enabled": True}]}
        separate_clients("eks").update_cluster_config(name="demo", logging=enabled)
    if late:
        separate_clients.server.faults.add({"kind": "late_logs"})
    separate_clients("eks").delete_cluster(name="demo")
    view(separate_clients, "cluster_gone")
    logs.delete_log_group(logGroupName=group)
    log_groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert bool(log_groups) == left
    if left:
        assert "retentionInDays" not in log_groups[0], "kept for ever, without a key"
        logs.delete_log_group(logGroupName=group)
        assert not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"], "once"


def test_a_cluster_needs_a_role_that_trusts_eks_for_this_cluster(separate_clients: Clients) -> None:
    names = network_and_roles(separate_clients)

    def trusting(cluster: str) -> str:
        arn = f"arn:aws:eks:us-west-2:123456789012:cluster/{cluster}"
        allow = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "eks.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": arn},
            },
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        role = separate_clients("iam").create_role(
            RoleName=f"for-{cluster}", AssumeRolePolicyDocument=document
        )
        return role["Role"]["Arn"]

    with pytest.raises(ClientError, match="the trusted entity is not correct"):
        make_cluster_of(separate_clients, {**names, "cluster_role": trusting("other")})
    make_cluster_of(separate_clients, {**names, "cluster_role": trusting("demo")})
