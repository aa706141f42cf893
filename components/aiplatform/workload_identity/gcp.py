"""A workload identity on GKE: the Google service account that one Kubernetes service account stands for."""

from typing import Any, Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import serviceaccount

from aiplatform._shared.gcp.apis import switched_on
from aiplatform._shared.principals import declare
from aiplatform.workload_identity.args import WorkloadIdentitySettings

ANNOTATION: Final = "iam.gke.io/gcp-service-account"
"""By it GKE knows which service account a Kubernetes one is ("Authenticate to Google Cloud APIs from GKE
workloads: link Kubernetes ServiceAccounts to IAM")."""
_ROLE: Final = "roles/iam.workloadIdentityUser"


def build(parent: pulumi.ComponentResource, name: str, settings: WorkloadIdentitySettings) -> dict[str, Any]:
    """Service account and binding. The account has no roles yet: who knows what the workload does gives them.

    A service account of its own, and not the Kubernetes one's `principal://`: Cloud SQL's users, Feast's and
    other clients' credentials know accounts with an address alone.
    """
    project = settings.cluster.project
    apis = switched_on(parent, name, project or "", ["iam"])
    account = serviceaccount.Account(
        f"{name}-account",
        project=project,
        account_id=settings.physical_name,
        display_name=f"Pods of {settings.namespace}/{settings.service_account}",
        opts=ResourceOptions(parent=parent, depends_on=[apis["iam"]], delete_before_replace=True),
    )
    pool = Output.from_input(settings.cluster.workload_pool)
    link = serviceaccount.IAMMember(
        f"{name}-link",
        service_account_id=account.name,
        role=_ROLE,
        member=pool.apply(
            lambda known: f"serviceAccount:{known}[{settings.namespace}/{settings.service_account}]"
        ),
        opts=ResourceOptions(parent=parent),
    )
    return {
        "principal": declare(
            account.member, f"serviceAccount:{email(settings.physical_name, project or '')}"
        ),
        "role_arn": None,
        "role_name": None,
        "service_account_email": account.email,
        "annotations": account.email.apply(lambda email: {ANNOTATION: email}),
        # Not its etag, which changes with every other binding of the account: Pods would be made anew.
        "ready": link.id,
    }


def email(account_id: str, project: str) -> str:
    """A service account's address. An organization's domain comes last: of the project `example.com:web` it
    is `web.example.com`."""
    domain, _, name = project.rpartition(":")
    return f"{account_id}@{f'{name}.{domain}' if domain else name}.iam.gserviceaccount.com"
