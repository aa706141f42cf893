"""Secrets of Secrets Manager in policies, and roles that External Secrets assumes for the SecretStores of one
namespace."""

from typing import Final

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import document

READ: Final = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
)
"""What External Secrets calls for a secret ("AWS Secrets Manager" in its documentation)."""
_TAG: Final = "esoNamespace"
"""The session tag with the namespace of the SecretStore, which `sessionTagsPolicy: Simple` sets."""


def trust_controller(controller: str, namespace: str) -> str:
    """Trust External Secrets, for SecretStores of one namespace: without the tag a SecretStore of another one
    could name the role.

    controller: the arn of External Secrets' role.
    """
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": controller},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {f"aws:RequestTag/{_TAG}": namespace}},
        }
    )


def secret_arn(account: Account, secret: str) -> str:
    """Return the arn of a secret, which is stated by name or arn, for policies. A secret's arn is its name
    and six characters; a name ends there, `trips` is not `trips-2`."""
    return secret if secret.startswith("arn:") else account.arn("secretsmanager", f"secret:{secret}-??????")
