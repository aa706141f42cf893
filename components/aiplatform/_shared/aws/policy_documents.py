"""IAM policy documents: statements, trust policies, and policies of KMS keys."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.aws.account import Account

Statement = Mapping[str, Any]
"""A statement of a policy, as its JSON has it."""


def allow(
    actions: Sequence[str],
    resources: str | Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    sid: str | None = None,
) -> Statement:
    """Return a statement of an identity policy that allows actions."""
    return {
        **({"Sid": sid} if sid else {}),
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
        **({"Condition": conditions} if conditions else {}),
    }


def trust(
    service: str,
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    actions: Sequence[str] = ("sts:AssumeRole",),
) -> str:
    """Return the trust policy of a role that an AWS service assumes."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": list(actions),
            **({"Condition": conditions} if conditions else {}),
        }
    )


def document(*statements: Statement) -> str:
    """Return a policy document. Keys keep their order, so the text is stable."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def pod_identity_trust(account: Account, cluster: str, namespace: str, service_account: str) -> str:
    """Return the trust policy of a role for one service account of one cluster, by EKS Pod Identity.

    EKS tags the session with the Pod's cluster, namespace and service account. The conditions on these tags
    prevent other associations from using the role, and aws:SourceAccount those of other accounts (EKS user
    guide, "Create IAM role with trust policy required by EKS Pod Identity").
    """
    return trust(
        "pods.eks.amazonaws.com",
        {
            "StringEquals": {
                "aws:SourceAccount": account.account_id,
                "aws:RequestTag/eks-cluster-name": cluster,
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
            }
        },
        actions=("sts:AssumeRole", "sts:TagSession"),
    )


def key_policy(account: Account, *statements: Statement) -> str:
    """Return a key policy: the account's IAM policies apply, as in AWS's default key policy, and
    `statements`."""
    return document(
        {
            "Sid": "AccountDecides",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        *statements,
    )


USE_OF_KEY: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
)
"""Permissions of a service that encrypts with a key (the wildcards of AWS's examples, expanded)."""


def instances_may_use_key(account: Account) -> list[Statement]:
    """Return statements of a key policy: instances can have volumes that the key encrypts, whether EC2 Auto
    Scaling launches them or they are spot instances, by the service-linked role of each (EC2 Auto Scaling
    user guide, "Required AWS KMS key policy for use with encrypted volumes"; EC2 user guide, "Service-linked
    role for Spot Instance requests").

    The roles are named in a condition and not as principals: KMS refuses a principal that does not exist, and
    in a new account a role is created with the first group or spot instance, which needs the key.
    """
    return [
        *_role_may_use_key(account, "AutoScaling", "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
        *_role_may_use_key(account, "Spot", "spot.amazonaws.com/AWSServiceRoleForEC2Spot"),
    ]


def _role_may_use_key(account: Account, name: str, role: str) -> list[Statement]:
    service_linked_role = {
        "kms:CallerAccount": account.account_id,
        "aws:PrincipalArn": account.arn("iam", f"role/aws-service-role/{role}", regional=False),
    }
    common = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    return [
        {
            "Sid": f"{name}Encrypts",
            **common,
            "Action": list(USE_OF_KEY),
            "Condition": {"StringEquals": service_linked_role},
        },
        {
            "Sid": f"{name}Attaches",
            **common,
            "Action": ["kms:CreateGrant"],
            "Condition": {"StringEquals": service_linked_role, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]


def logs_may_use_key(account: Account, *log_groups: str) -> Statement:
    """Return a statement of a key policy: CloudWatch Logs can use the key for these log groups only."""
    arns = [account.arn("logs", f"log-group:{group}") for group in log_groups]
    return {
        "Sid": "LogsEncrypt",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{account.region}.{account.dns_suffix}"},
        "Action": list(USE_OF_KEY),
        "Resource": "*",
        "Condition": {
            "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arns[0] if len(arns) == 1 else arns}
        },
    }


def rules_may_send(queue: str, rules: Sequence[str]) -> Statement:
    """Return a statement of the policy of a queue of SQS: these rules of EventBridge send to it. queue,
    rules: arns."""
    return {
        "Sid": "RulesSend",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": list(rules)}},
    }


def queue_by_tls(queue: str) -> Statement:
    """Return a statement of the policy of a queue of SQS: no access without TLS. queue: its arn."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
