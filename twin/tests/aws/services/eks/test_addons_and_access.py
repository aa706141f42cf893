"""Add-ons, access entries, pod identities and tokens."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
import time_machine

from twin.aws.resources.function import table
from twin.checks.sdk import sdk
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.conftest import refusal
from twin.tests.aws.services.eks.scene import Names, token, view


def test_add_ons_have_versions_configuration_and_state(clients: Clients, names: Names) -> None:
    eks = clients("eks")
    offered = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.34")["addons"][0]
    newest = offered["addonVersions"][0]["addonVersion"]
    addon = {"clusterName": "demo", "addonName": "vpc-cni"}
    _, message = refusal(clients, "create_addon", **addon, addonVersion="v0.1.0")
    assert "Addon version specified is not supported" in message
    _, message = refusal(
        clients, "create_addon", **addon, configurationValues='{"enableNetworkPolcy": "true"}'
    )
    assert "enableNetworkPolcy" in message
    _, message = refusal(clients, "create_addon", clusterName="demo", addonName="vpc-cmi")
    assert message == "Addon vpc-cmi specified is not supported"
    eks.create_addon(**addon, addonVersion=newest, configurationValues='{"enableNetworkPolicy": "true"}')
    assert refusal(clients, "create_addon", **addon) == ("ResourceInUseException", "Addon already exists.")
    assert view(clients, "addons")["addons"][0]["configuration"] == {"enableNetworkPolicy": "true"}
    view(clients, "addon_status", name="vpc-cni", status="ACTIVE", issues=[])
    assert eks.describe_addon(**addon)["addon"]["status"] == "ACTIVE"
    eks.delete_addon(**addon)
    view(clients, "addon_status", name="vpc-cni", status="GONE", issues=[])
    assert eks.list_addons(clusterName="demo")["addons"] == []


def test_access_entries_and_pod_identities_need_what_exists(clients: Clients, names: Names) -> None:
    eks = clients("eks")
    _, message = refusal(
        clients, "create_access_entry", clusterName="demo", principalArn="arn:aws:iam::123456789012:role/none"
    )
    assert "invalid principal" in message
    entry = {"clusterName": "demo", "principalArn": names["pod_role"]}
    eks.create_access_entry(**entry, kubernetesGroups=["viewers"])
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}
    eks.associate_access_policy(**entry, **policy, accessScope={"type": "namespace", "namespaces": ["a"]})
    assert len(eks.list_associated_access_policies(**entry)["associatedAccessPolicies"]) == 1
    eks.delete_access_entry(**entry)
    assert names["pod_role"] not in eks.list_access_entries(clusterName="demo")["accessEntries"]
    binding = {"clusterName": "demo", "namespace": "kube-system", "serviceAccount": "autoscaler"}
    _, message = refusal(clients, "create_pod_identity_association", **binding, roleArn=names["node_role"])
    assert "pods.eks.amazonaws.com" in message
    association = eks.create_pod_identity_association(**binding, roleArn=names["pod_role"])["association"]
    arguments = {"namespace": "kube-system", "service_account": "autoscaler"}
    assert view(clients, "workload_role", **arguments)["role"] == names["pod_role"]
    eks.delete_pod_identity_association(clusterName="demo", associationId=association["associationId"])
    assert view(clients, "workload_role", **arguments)["role"] is None


def test_a_token_is_checked_to_its_signature(clients: Clients, names: Names) -> None:
    signed = token(clients, "demo")
    principal = view(clients, "authenticate", token=signed)["principal"]
    assert principal["username"] == "arn:aws:sts::123456789012:assumed-role/platform-deployer/twin"
    assert principal["policies"] == [["AmazonEKSClusterAdminPolicy", []]]
    other = token(clients, "other")
    assert view(clients, "authenticate", token=other)["principal"] is None, "another cluster's token"
    assert view(clients, "authenticate", token=signed[:-6])["principal"] is None, "a broken signature"
    assert view(clients, "authenticate", token="k8s-aws-v1.bm9uc2Vuc2U")["principal"] is None


@pytest.mark.parametrize(
    ("minutes", "known"), [(0, True), (14.9, True), (15.1, False), (60 * 24, False), (-10, False)]
)
def test_a_token_lives_for_fifteen_minutes(
    clients: Clients, names: Names, minutes: float, known: bool
) -> None:
    signed = token(clients, "demo")
    with time_machine.travel(time.time() + minutes * 60, tick=False):
        principal = view(clients, "authenticate", token=signed)["principal"]
    assert (principal is not None) == known, "aws-iam-authenticator: 15 minutes from the signature's own time"


def test_the_nodes_of_a_group_get_in(clients: Clients, names: Names, pool: str) -> None:
    assert names["node_role"] in clients("eks").list_access_entries(clusterName="demo")["accessEntries"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({}, ""),
        ({"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "other"}}}, ""),
        ({"Principal": {"Service": "eks.amazonaws.com"}}, "sts:AssumeRole and sts:TagSession"),
        ({"Action": "sts:AssumeRole"}, "does not allow sts:TagSession"),
    ],
)
def test_an_association_needs_a_role_that_trusts_its_pods(
    clients: Clients, names: Names, statement: dict[str, Any], words: str
) -> None:
    trusting = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    name = f"pods-{uuid.uuid4().hex[:6]}"
    document = {"Version": "2012-10-17", "Statement": [{**trusting, **statement}]}
    arn = clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"][
        "Arn"
    ]
    place = {"clusterName": "demo", "namespace": "ml", "serviceAccount": name, "roleArn": arn}
    if words:
        assert words in refusal(clients, "create_pod_identity_association", **place)[1]
    else:
        clients("eks").create_pod_identity_association(**place)


def test_an_association_to_a_role_that_denies_eks_is_refused(clients: Clients, names: Names) -> None:
    trusting = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    denying = {**trusting, "Effect": "Deny", "Action": "sts:TagSession"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusting, denying]})
    role = clients("iam").create_role(RoleName="pods-denied", AssumeRolePolicyDocument=document)["Role"][
        "Arn"
    ]
    place = {"clusterName": "demo", "namespace": "ml", "serviceAccount": "denied", "roleArn": role}
    assert "sts:TagSession" in refusal(clients, "create_pod_identity_association", **place)[1]


def test_an_installed_addon_is_found_by_the_providers_function(clients: Clients, names: Names) -> None:
    token = "aws:eks/getAddon:getAddon"
    place = {"clusterName": "demo", "addonName": "kube-proxy"}
    with pytest.raises(CloudError, match="couldn't find resource"):
        table()[token].invoke(clients.context(), place)
    clients("eks").create_addon(**place, addonVersion="v1.34.1-eksbuild.2", tags={"a": "b"})
    response = table()[token].invoke(clients.context(), place)
    assert (response["addonVersion"], response["tags"]) == ("v1.34.1-eksbuild.2", {"a": "b"})
    schema = sdk("pulumi_aws").function(token)
    assert schema is not None
    assert set(response) <= set(schema.result)
    clients("eks").delete_addon(**place)
    view(clients, "addon_status", name="kube-proxy", status="GONE", issues=[])
