"""Policy of Karpenter's role: upstream's (getting-started-with-karpenter/cloudformation.yaml of
aws/karpenter-provider-aws at v1.14.1) for one cluster.

Left out: what creates and deletes instance profiles, since each EC2NodeClass names one that exists, and zonal
shifts. Added: the keys of volumes and of messages, and the service-linked role of spot instances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import USE_OF_KEY, Statement, allow, document

_LAUNCH: Final = ("ec2:RunInstances", "ec2:CreateFleet")
_TAGGED_ON_LAUNCH: Final = (
    "fleet/*",
    "instance/*",
    "volume/*",
    "network-interface/*",
    "launch-template/*",
    "spot-instances-request/*",
)
_NODEPOOL: Final = "karpenter.sh/nodepool"
"""The tag of all that Karpenter creates: its NodePool."""
_DESCRIBE: Final = (
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
)
_SPOT_ROLE: Final = "role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"


@dataclass(frozen=True)
class Scope:
    """What Karpenter's permissions are limited to. key_arn: of the nodes' volumes; None with AWS's own."""

    cluster: str
    node_role_arn: str
    queue_arn: str
    queue_key_arn: str
    key_arn: str | None = None


def policy(account: Account, scope: Scope) -> str:
    """Return the policy of Karpenter's role."""
    return document(
        *_launches(account, scope.cluster),
        *_changes(account, scope.cluster),
        allow(
            ["iam:PassRole"],
            scope.node_role_arn,
            {"StringEquals": {"iam:PassedToService": f"ec2.{account.dns_suffix}"}},
            sid="PassNodeRole",
        ),
        allow(
            ["iam:CreateServiceLinkedRole"],
            account.arn("iam", _SPOT_ROLE, regional=False),
            {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
            sid="CreateSpotRole",
        ),
        allow(
            ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
            scope.queue_arn,
            sid="ReadInterruptions",
        ),
        allow(
            ["kms:Decrypt"],
            scope.queue_key_arn,
            {"StringEquals": {"kms:ViaService": f"sqs.{account.region}.{account.dns_suffix}"}},
            sid="DecryptInterruptions",
        ),
        *_reads(account, scope.cluster),
        *(_key(account, scope.key_arn) if scope.key_arn else ()),
    )


def _launches(account: Account, cluster: str) -> Sequence[Statement]:
    created = {
        "StringEquals": {
            f"aws:RequestTag/kubernetes.io/cluster/{cluster}": "owned",
            "aws:RequestTag/eks:eks-cluster-name": cluster,
        },
        "StringLike": {f"aws:RequestTag/{_NODEPOOL}": "*"},
    }
    used = [
        # Images and their snapshots belong to AWS.
        *(f"arn:{account.partition}:ec2:{account.region}::{kind}/*" for kind in ("image", "snapshot")),
        *_any_account(account, "security-group/*", "subnet/*", "capacity-reservation/*", "placement-group/*"),
    ]
    tagged = _any_account(account, *_TAGGED_ON_LAUNCH)
    on_creation = {"ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]}
    return [
        allow(_LAUNCH, used, sid="LaunchWith"),
        allow(
            _LAUNCH, _any_account(account, "launch-template/*"), _owned(cluster), sid="LaunchByOwnTemplates"
        ),
        allow([*_LAUNCH, "ec2:CreateLaunchTemplate"], tagged, created, sid="LaunchTagged"),
        allow(
            ["ec2:CreateTags"],
            tagged,
            {**created, "StringEquals": {**created["StringEquals"], **on_creation}},
            sid="TagNew",
        ),
    ]


def _changes(account: Account, cluster: str) -> Sequence[Statement]:
    return [
        allow(
            ["ec2:CreateTags"],
            _any_account(account, "instance/*"),
            {
                **_owned(cluster),
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": cluster},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
                },
            },
            sid="TagInstances",
        ),
        allow(
            ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            _any_account(account, "instance/*", "launch-template/*"),
            _owned(cluster),
            sid="DeleteOwn",
        ),
    ]


def _reads(account: Account, cluster: str) -> Sequence[Statement]:
    return [
        allow(
            _DESCRIBE, "*", {"StringEquals": {"aws:RequestedRegion": account.region}}, sid="DescribeInRegion"
        ),
        allow(
            ["ssm:GetParameter"],
            f"arn:{account.partition}:ssm:{account.region}::parameter/aws/service/*",
            sid="ReadImages",
        ),
        allow(["pricing:GetProducts"], "*", sid="ReadPrices"),
        # Its garbage collector lists those that it created: none here, and it logs an error without this.
        allow(["iam:ListInstanceProfiles"], "*", sid="ListInstanceProfiles"),
        allow(
            ["iam:GetInstanceProfile"],
            account.arn("iam", "instance-profile/*", regional=False),
            sid="ReadInstanceProfiles",
        ),
        allow(["eks:DescribeCluster"], account.arn("eks", f"cluster/{cluster}"), sid="ReadCluster"),
    ]


def _key(account: Account, key_arn: str) -> Sequence[Statement]:
    """Return what EC2 needs of the caller whose instances have encrypted volumes: a grant for the volume, and
    the key itself (EBS user guide, "Permissions for IAM users")."""
    by_ec2 = {"kms:ViaService": f"ec2.{account.region}.{account.dns_suffix}"}
    return [
        allow(USE_OF_KEY, key_arn, {"StringEquals": by_ec2}, sid="EncryptVolumes"),
        allow(
            ["kms:CreateGrant"],
            key_arn,
            {"StringEquals": by_ec2, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            sid="AttachVolumes",
        ),
    ]


def _owned(cluster: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        "StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"},
        "StringLike": {f"aws:ResourceTag/{_NODEPOOL}": "*"},
    }


def _any_account(account: Account, *resources: str) -> list[str]:
    """Return arns of EC2 in every account: subnets and reservations may be shared by another one."""
    return [f"arn:{account.partition}:ec2:{account.region}:*:{resource}" for resource in resources]
