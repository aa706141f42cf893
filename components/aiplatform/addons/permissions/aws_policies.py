"""Policies of the add-ons' roles on AWS."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import allow, document

_OWNER: Final = "elbv2.k8s.aws/cluster"
"""The tag that the load balancer controller sets on what it creates: the cluster's name."""
_RECORDS: Final = ("A", "AAAA", "CNAME", "TXT")


def secrets(account: Account, role_name: str) -> str:
    """Return the policy of external-secrets, which reads no secret itself: it assumes the role of the store
    of a secret, with tags that name the store. role_name: the first part of the names of these roles."""
    roles = account.arn("iam", f"role/{role_name}*", regional=False)
    return document(allow(["sts:AssumeRole", "sts:TagSession"], roles, sid="AssumeStores"))


def queues(account: Account, prefix: str, purposes: Sequence[str]) -> str:
    """Return the policy of KEDA's operator, which counts messages and reads none (KEDA documentation, scaler
    "AWS SQS Queue"). purposes: the last parts of the names of queues."""
    arns = [account.arn("sqs", f"{prefix}-*-{purpose}") for purpose in purposes]
    return document(allow(["sqs:GetQueueAttributes"], arns, sid="CountMessages"))


def dns(account: Account, zones: Sequence[str]) -> str:
    """Return the policy of external-dns: records of addresses in these hosted zones, and the TXT records by
    which it remembers its own. Listing zones has no resource-level permissions (its tutorial "AWS")."""
    hosted = [f"arn:{account.partition}:route53:::hostedzone/{zone}" for zone in zones]
    return document(
        allow(["route53:ListHostedZones"], "*", sid="ListZones"),
        allow(["route53:ListResourceRecordSets", "route53:ListTagsForResources"], hosted, sid="ReadRecords"),
        allow(
            ["route53:ChangeResourceRecordSets"],
            hosted,
            {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": list(_RECORDS)}},
            sid="ChangeRecords",
        ),
    )


def load_balancers(account: Account, cluster: str, vpc_id: str) -> str:
    """Return the policy of the load balancer controller: upstream's (docs/install/iam_policy.json of
    kubernetes-sigs/aws-load-balancer-controller at v3.5.0) for one cluster.

    What upstream allows for any cluster is allowed for resources with this cluster's tag, security groups of
    nodes by the tag of EKS. Left out: WAF, Shield, certificates of IAM and user pools of Cognito. The read
    permissions of EC2 that the controller does not call itself are those that Elastic Load Balancing needs of
    its callers.
    """
    owned = {"StringEquals": {f"aws:ResourceTag/{_OWNER}": cluster}}
    created = {"StringEquals": {f"aws:RequestTag/{_OWNER}": cluster}}
    groups = account.arn("ec2", "security-group/*")
    balancers = _arns(account, "loadbalancer/app/*/*", "loadbalancer/net/*/*")
    listeners = _arns(account, "listener/app/*/*/*", "listener/net/*/*/*")
    rules = _arns(account, "listener-rule/app/*/*/*/*", "listener-rule/net/*/*/*/*")
    targets = _arns(account, "targetgroup/*/*")
    return document(
        allow(list(_DESCRIBE), "*", sid="Describe"),
        allow(
            ["iam:CreateServiceLinkedRole"],
            account.arn("iam", _SERVICE_LINKED_ROLE, regional=False),
            {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
            sid="CreateServiceLinkedRole",
        ),
        allow(["ec2:CreateSecurityGroup"], account.arn("ec2", f"vpc/{vpc_id}"), sid="CreateGroupsInNetwork"),
        allow(["ec2:CreateSecurityGroup"], groups, created, sid="CreateGroups"),
        allow(
            ["ec2:CreateTags"],
            groups,
            _both(created, {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}),
            sid="TagNewGroups",
        ),
        allow(["ec2:CreateTags", "ec2:DeleteTags"], groups, _both(owned, _KEEPS_OWNER), sid="TagGroups"),
        allow(
            [
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupIngress",
                "ec2:DeleteSecurityGroup",
            ],
            groups,
            owned,
            sid="ChangeGroups",
        ),
        allow(
            ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"],
            groups,
            {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"}},
            sid="ChangeNodesGroup",
        ),
        allow(
            ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
            [*balancers, *targets],
            created,
            sid="Create",
        ),
        allow(
            ["elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateRule"],
            [*balancers, *listeners],
            _both(owned, created),
            sid="CreateListeners",
        ),
        allow(
            ["elasticloadbalancing:AddTags"],
            [*balancers, *targets, *listeners, *rules],
            _both(created, {"StringEquals": {"elasticloadbalancing:CreateAction": list(_CREATE)}}),
            sid="TagNew",
        ),
        allow(
            ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
            [*balancers, *targets, *listeners, *rules],
            _both(owned, _KEEPS_OWNER),
            sid="Tag",
        ),
        allow(
            [f"elasticloadbalancing:{action}" for action in _CHANGE],
            [*balancers, *targets, *listeners, *rules],
            owned,
            sid="Change",
        ),
        # Requests of this action have no tags to compare.
        allow(["elasticloadbalancing:SetRulePriorities"], rules, sid="OrderRules"),
    )


def _arns(account: Account, *resources: str) -> list[str]:
    return [account.arn("elasticloadbalancing", resource) for resource in resources]


def _both(*conditions: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    combined: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            combined.setdefault(operator, {}).update(keys)
    return combined


_SERVICE_LINKED_ROLE: Final = (
    "role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"
)
_KEEPS_OWNER: Final = {"Null": {f"aws:RequestTag/{_OWNER}": "true"}}
"""Requests that leave the tag of the owner as it is."""
_DESCRIBE: Final = (
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    *(
        f"ec2:{action}"
        for action in (
            "DescribeAccountAttributes",
            "DescribeAddresses",
            "DescribeAvailabilityZones",
            "DescribeCoipPools",
            "DescribeInstances",
            "DescribeInternetGateways",
            "DescribeIpamPools",
            "DescribeNetworkInterfaces",
            "DescribeRouteTables",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeTags",
            "DescribeVpcPeeringConnections",
            "DescribeVpcs",
            "GetCoipPoolUsage",
            "GetSecurityGroupsForVpc",
        )
    ),
    *(
        f"elasticloadbalancing:Describe{what}"
        for what in (
            "CapacityReservation",
            "ListenerAttributes",
            "ListenerCertificates",
            "Listeners",
            "LoadBalancerAttributes",
            "LoadBalancers",
            "Rules",
            "SSLPolicies",
            "Tags",
            "TargetGroupAttributes",
            "TargetGroups",
            "TargetHealth",
            "TrustStores",
        )
    ),
)
_CREATE: Final = ("CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup")
_CHANGE: Final = (
    "AddListenerCertificates",
    "DeleteListener",
    "DeleteLoadBalancer",
    "DeleteRule",
    "DeleteTargetGroup",
    "DeregisterTargets",
    "ModifyCapacityReservation",
    "ModifyIpPools",
    "ModifyListener",
    "ModifyListenerAttributes",
    "ModifyLoadBalancerAttributes",
    "ModifyRule",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "RegisterTargets",
    "RemoveListenerCertificates",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
)
