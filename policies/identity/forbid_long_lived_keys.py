"""Credentials expire."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="No users and no long-lived keys",
    severity="critical",
    description="People sign in through the organization's identity provider, and workloads use their "
    "workload identity: both get credentials that expire. The access key of a user, the key of an account "
    "or a token in a Secret is valid until it is deleted, and gives its permissions to every holder.",
    remediation="Use IAM Identity Center, roles, EKS Pod Identity, Workload Identity Federation, or bound "
    "tokens (TokenRequest) in Kubernetes, and delete the key.",
    frameworks=("CIS GCP 1.4", "NIST 800-53 IA-5", "NIST 800-53 AC-2", "SOC 2 CC6.1"),
)

_LONG_LIVED = {
    "aws:iam/user:User": "is an IAM user, whose credentials do not expire",
    "aws:iam/accessKey:AccessKey": "is the access key of a user, valid until it is deleted",
    "aws:iam/userLoginProfile:UserLoginProfile": "is the password of a user",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "is a user's password for one service",
    "gcp:serviceaccount/key:Key": "is the key of a service account, valid until it is deleted",
    "gcp:storage/hmacKey:HmacKey": "is the HMAC key of a service account, valid until it is deleted",
}


@POLICY.on(*_LONG_LIVED)
def on_clouds(resource: Resource) -> Iterator[Outcome]:
    """Keys, and the users that need them."""
    if resource.raw("status") == "Inactive" or resource.raw("state") == "INACTIVE":
        return
    yield Violation("", _LONG_LIVED[resource.type])


@POLICY.on("kubernetes:core/v1:Secret")
def on_kubernetes(resource: Resource) -> Iterator[Outcome]:
    """Tokens of service accounts that do not expire."""
    if resource.known("type") == "kubernetes.io/service-account-token":
        yield Violation("type", "requests a token of a service account that does not expire")
