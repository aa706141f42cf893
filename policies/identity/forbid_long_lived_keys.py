"""No key that outlives its use."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No users and no long-lived keys",
    severity="critical",
    description="People sign in through the organization's identity provider, and workloads by their "
    "workload identity: both get credentials that end by themselves. A user's access key, an account's "
    "key or a token in a Secret is good until it is deleted, and whoever finds it has its rights.",
    remediation="Use IAM Identity Center, roles, EKS Pod Identity, Workload Identity Federation, or bound "
    "tokens (TokenRequest) in Kubernetes, and delete the key.",
    frameworks=("CIS GCP 1.4", "NIST 800-53 IA-5", "NIST 800-53 AC-2", "SOC 2 CC6.1"),
)

_MADE = {
    "aws:iam/user:User": "is an IAM user, whose credentials do not end",
    "aws:iam/accessKey:AccessKey": "is an access key of a user, good until somebody deletes it",
    "aws:iam/userLoginProfile:UserLoginProfile": "is a password of a user",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "is a user's password for one service",
    "gcp:serviceaccount/key:Key": "is a key of a service account, good until somebody deletes it",
    "gcp:storage/hmacKey:HmacKey": "is an HMAC key of a service account, good until somebody deletes it",
}


@POLICY.on(*_MADE)
def on_clouds(resource: Resource) -> Iterator[Judgement]:
    """Keys, and the users that need them."""
    if resource.get("status") == "Inactive" or resource.get("state") == "INACTIVE":
        return
    yield Finding("", _MADE[resource.type])


@POLICY.on("kubernetes:core/v1:Secret")
def on_kubernetes(resource: Resource) -> Iterator[Judgement]:
    """Tokens of service accounts that do not end."""
    kind = resource.get("type")
    if kind is UNKNOWN:
        yield Undecided("type")
    elif kind == "kubernetes.io/service-account-token":
        yield Finding("type", "asks for a service account's token that does not end")
