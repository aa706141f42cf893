"""Permissions of the add-ons' controllers on both clouds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pulumi
import pytest
from pulumi import Input

from aiplatform._shared.context import Context
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import catalog
from aiplatform.addons.permissions import (
    DNS,
    KARPENTER,
    KARPENTER_NODES,
    KEDA,
    LOAD_BALANCERS,
    ROLES,
    SECRET_READERS,
    SECRETS,
    Settings,
    grant,
    problems,
)
from aiplatform.addons.permissions.settings import SERVICE_ACCOUNTS
from aiplatform.naming import prefix_for
from tests.components.aiplatform.pools import GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, Recording, record
from tests.inventories import aws_policies, google_grants

EKS = ClusterReference(name="acme-dev-cluster", security_group_id="sg-1", vpc_id="vpc-1")
GKE = ClusterReference(
    cloud="gcp",
    name="acme-dev-cluster",
    project="acme-dev-1234",
    region="europe-west4",
    node_service_account=GOOGLE_CLUSTER["node_service_account"],
)
OWNER = "elbv2.k8s.aws/cluster"


@dataclass(frozen=True)
class Arguments:
    """The arguments of a component that installs add-ons."""

    cluster: ClusterReference
    prefix: str = "acme-dev"
    dns_zones: Sequence[Input[str]] = ("Z0123", "Z4567")
    interruptions_kms_key: Input[str] | None = None
    tags: Tags = field(default_factory=dict[str, Input[str]])


class Component(pulumi.ComponentResource):
    def __init__(self, addon: str, arguments: Arguments) -> None:
        super().__init__("tests:index:Addons", "addons")
        grant(Context[Settings](self, "addons", arguments), catalog()[addon])


@cache
def granted(addon: str, cloud: str = "aws", **cluster: Any) -> Recording:
    reference = replace(EKS if cloud == "aws" else GKE, **cluster)
    return record(lambda: Component(addon, Arguments(reference)))


def statements(addon: str, **cluster: Any) -> Iterator[Mapping[str, Any]]:
    policy = granted(addon, **cluster).one("aws:iam/rolePolicy:RolePolicy")
    yield from json.loads(policy.inputs["policy"])["Statement"]


def allowed(addon: str, action: str, **cluster: Any) -> list[Mapping[str, Any]]:
    return [statement for statement in statements(addon, **cluster) if action in statement["Action"]]


@pytest.mark.parametrize("addon", sorted(ROLES))
def test_aws_accepts_every_statement(addon: str) -> None:
    documents = list(aws_policies.documents(granted(addon)))
    others = 2 if addon == KARPENTER else 0
    assert len(documents) == 2 + others, "the role, its trust, the queue and its key"
    assert [error for document in documents for error in aws_policies.errors(document)] == []


@pytest.mark.parametrize("addon", sorted(ROLES))
def test_a_role_is_for_the_service_account_of_the_addon_in_this_cluster(addon: str) -> None:
    recording = granted(addon)
    account = SERVICE_ACCOUNTS.get(addon, addon)
    trust = json.loads(recording.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/eks-cluster-name": "acme-dev-cluster",
        "aws:RequestTag/kubernetes-namespace": catalog()[addon].namespace,
        "aws:RequestTag/kubernetes-service-account": account,
    }
    association = recording.one("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert association.inputs["serviceAccount"] == account
    policy = recording.one("aws:iam/rolePolicy:RolePolicy")
    assert recording.depends(association, policy), "Pods start with the permissions"
    role = recording.one("aws:iam/role:Role")
    assert set(association.depends_on) == {role.urn, policy.urn}, (
        "EKS takes seconds to read an association, so it exists as long as possible before the Pods"
    )
    (hook,) = association.after_create
    assert hook.startswith(f"addons-{addon}-identity-applied"), "Pods start after these seconds"


def test_most_addons_have_no_identity_on_a_cloud() -> None:
    for name in sorted(set(catalog()) - set(ROLES)):
        assert granted(name).names() == ["tests:index:Addons addons"]
    for name in sorted(set(catalog()) - {DNS, KEDA}):
        assert granted(name, "gcp").names() == ["tests:index:Addons addons"]


def test_the_load_balancer_controller_changes_only_what_this_cluster_owns() -> None:
    reads = ("Describe", "List", "Get")
    for statement in statements(LOAD_BALANCERS):
        actions = [action.partition(":")[2] for action in statement["Action"]]
        if all(action.startswith(reads) for action in actions):
            continue
        conditions = statement.get("Condition", {}).get("StringEquals", {})
        owner = {
            f"aws:ResourceTag/{OWNER}": "acme-dev-cluster",
            f"aws:RequestTag/{OWNER}": "acme-dev-cluster",
            "aws:ResourceTag/kubernetes.io/cluster/acme-dev-cluster": "owned",
        }
        without_tags = {"CreateServiceLinkedRole", "CreateSecurityGroup", "SetRulePriorities"}
        assert set(actions) <= without_tags or owner.items() & conditions.items(), statement["Sid"]
        assert statement["Resource"] != "*", statement["Sid"]


def test_the_load_balancer_controller_cannot_take_resources_of_another_cluster() -> None:
    for action in ("elasticloadbalancing:AddTags", "ec2:CreateTags"):
        for statement in allowed(LOAD_BALANCERS, action):
            equals = statement["Condition"]["StringEquals"]
            if f"aws:RequestTag/{OWNER}" in equals:
                assert any(key.endswith(":CreateAction") for key in equals), "the tag of what exists stays"
            else:
                assert statement["Condition"]["Null"] == {f"aws:RequestTag/{OWNER}": "true"}


def test_groups_of_other_networks_are_not_created() -> None:
    resources = [statement["Resource"] for statement in allowed(LOAD_BALANCERS, "ec2:CreateSecurityGroup")]
    assert sorted(resource.rpartition(":")[2] for resource in resources) == [
        "security-group/*",
        "vpc/vpc-1",
    ]


def test_external_dns_changes_addresses_in_the_listed_zones() -> None:
    (statement,) = allowed(DNS, "route53:ChangeResourceRecordSets")
    assert statement["Resource"] == [
        "arn:aws:route53:::hostedzone/Z0123",
        "arn:aws:route53:::hostedzone/Z4567",
    ]
    types = statement["Condition"]["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsRecordTypes"]
    assert types == ["A", "AAAA", "CNAME", "TXT"], "no delegation to another name server"


def test_external_secrets_assumes_roles_of_stores_and_reads_nothing_itself() -> None:
    (statement,) = statements(SECRETS)
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/{SECRET_READERS.of('acme-dev')}*"


def test_karpenter_changes_only_what_it_created_in_this_cluster() -> None:
    owned = {"kubernetes.io/cluster/acme-dev-cluster": "owned"}
    for statement in statements(KARPENTER):
        actions = {action.partition(":")[2] for action in statement["Action"]}
        if not actions & {"CreateTags", "TerminateInstances", "DeleteLaunchTemplate", "CreateLaunchTemplate"}:
            continue
        equals, like = (statement["Condition"][operator] for operator in ("StringEquals", "StringLike"))
        (of,) = {key.partition("/")[0] for key in like}
        assert of in {"aws:ResourceTag", "aws:RequestTag"}, statement["Sid"]
        assert {f"{of}/{tag}": value for tag, value in owned.items()}.items() <= equals.items()
        assert f"{of}/karpenter.sh/nodepool" in like


def test_karpenter_launches_with_tags_and_its_own_launch_templates() -> None:
    conditions: dict[str, Any] = {
        kind: statement.get("Condition")
        for statement in allowed(KARPENTER, "ec2:RunInstances")
        for kind in (arn.split(":")[5].partition("/")[0] for arn in statement["Resource"])
        if statement["Sid"] != "LaunchTagged"
    }
    assert {kind for kind, condition in conditions.items() if condition is None} == {
        "image",
        "snapshot",
        "security-group",
        "subnet",
        "capacity-reservation",
        "placement-group",
    }
    assert "aws:ResourceTag/karpenter.sh/nodepool" in conditions["launch-template"]["StringLike"]


def test_karpenter_passes_the_role_of_its_nodes_alone() -> None:
    (statement,) = allowed(KARPENTER, "iam:PassRole")
    assert statement["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/{KARPENTER_NODES.of('acme-dev')}"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    shared = "arn:aws:iam::111122223333:role/nodes/shared"
    (statement,) = allowed(KARPENTER, "iam:PassRole", node_role_arn=shared)
    assert statement["Resource"] == shared, "the cluster's shared role, with its path"


def test_karpenter_changes_no_instance_profile() -> None:
    actions = {action for statement in statements(KARPENTER) for action in statement["Action"]}
    assert {action for action in actions if action.endswith(("InstanceProfile", "InstanceProfiles"))} == {
        "iam:GetInstanceProfile",
        "iam:ListInstanceProfiles",
    }


def test_karpenter_uses_the_key_of_volumes_by_ec2_only() -> None:
    assert not allowed(KARPENTER, "kms:CreateGrant")
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
    for action in ("kms:CreateGrant", "kms:Decrypt"):
        (statement,) = [
            statement
            for statement in allowed(KARPENTER, action, volume_key_arn=key)
            if statement["Sid"] != "DecryptInterruptions"
        ]
        assert statement["Resource"] == key
        assert statement["Condition"]["StringEquals"]["kms:ViaService"].startswith("ec2.")


def test_every_announced_end_of_an_instance_reaches_karpenters_queue() -> None:
    recording = granted(KARPENTER)
    patterns = [
        json.loads(rule.inputs["eventPattern"])
        for rule in recording.all("aws:cloudwatch/eventRule:EventRule")
    ]
    assert sorted((pattern["source"][0], pattern["detail-type"][0]) for pattern in patterns) == [
        ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
        ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
        ("aws.ec2", "EC2 Instance State-change Notification"),
        ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
        ("aws.health", "AWS Health Event"),
    ]
    queue, policy = recording.one("aws:sqs/queue:Queue"), recording.one("aws:sqs/queuePolicy:QueuePolicy")
    assert queue.inputs["messageRetentionSeconds"] == 300
    for target in recording.all("aws:cloudwatch/eventTarget:EventTarget"):
        assert recording.depends(target, policy), "EventBridge drops what the queue refuses"
    send, deny = json.loads(policy.inputs["policy"])["Statement"]
    assert len(send["Condition"]["ArnEquals"]["aws:SourceArn"]) == 5, "no other rule of the account sends"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_google_accepts_every_grant_of_external_dns() -> None:
    recording = granted(DNS, "gcp")
    assert list(google_grants.errors(recording)) == []
    role = recording.one("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert not {name for name in role.inputs["permissions"] if name.startswith("dns.managedZones.")} - {
        "dns.managedZones.get"
    }, "zones themselves are no records"
    zones = recording.all("gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember")
    assert [zone.inputs["managedZone"] for zone in zones] == ["Z0123", "Z4567"]
    project = recording.one("gcp:projects/iAMMember:IAMMember")
    assert project.inputs["role"] == "roles/dns.reader", "in the project it only reads"
    assert project.inputs["member"].endswith(
        "/workloadIdentityPools/acme-dev-1234.svc.id.goog/subject/ns/external-dns/sa/external-dns"
    )


def test_keda_counts_messages_of_continuous_training_and_reads_none() -> None:
    [statement] = statements(KEDA)
    assert statement["Action"] == ["sqs:GetQueueAttributes"]
    assert [arn.rpartition(":")[2] for arn in statement["Resource"]] == [
        "acme-dev-*-training",
        "acme-dev-*-promotions",
    ]
    association = granted(KEDA).one("aws:eks/podIdentityAssociation:PodIdentityAssociation").inputs
    assert (association["namespace"], association["serviceAccount"]) == ("keda", "keda-operator")
    on_google = granted(KEDA, "gcp")
    assert list(google_grants.errors(on_google)) == []
    reads = on_google.one("gcp:projects/iAMMember:IAMMember").inputs
    assert reads["role"] == "roles/monitoring.viewer", "a subscription's messages are a metric"
    assert reads["member"].endswith("/subject/ns/keda/sa/keda-operator")


@pytest.mark.parametrize("name", ROLES.values(), ids=str)
def test_names_of_roles_leave_room_for_a_prefix(name: Any) -> None:
    assert prefix_for(name)("acme-staging-eu") is None


def test_missing_arguments_are_problems_of_the_addons_that_need_them() -> None:
    addons = [catalog()[name] for name in (DNS, LOAD_BALANCERS)]
    arguments = Arguments(replace(EKS, vpc_id=None), dns_zones=())
    assert [problem.path for problem in problems(addons, arguments)] == ["dns_zones", "cluster.vpc_id"]
    assert list(problems([catalog()["kueue"]], arguments)) == []
    assert list(problems(addons, Arguments(EKS))) == []


def test_messages_to_karpenter_have_a_key_that_events_may_use_for_its_queue_alone() -> None:
    recording = granted(KARPENTER)
    key = recording.one("aws:sqs/queue:Queue").inputs["kmsMasterKeyId"]
    policy = recording.one("aws:kms/key:Key").inputs["policy"]
    _, events = json.loads(policy)["Statement"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert set(events["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    queue = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:acme-dev-karpenter"
    assert events["Condition"] == {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": queue}}
    (statement,) = allowed(KARPENTER, "kms:Decrypt")
    assert statement["Resource"] == key
    assert statement["Condition"]["StringEquals"]["kms:ViaService"].startswith("sqs.")
