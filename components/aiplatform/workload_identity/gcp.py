"""A workload identity on GKE: a Google service account that one Kubernetes service account impersonates."""

from typing import Any, Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import serviceaccount

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import declare
from aiplatform.workload_identity.args import WorkloadIdentitySettings

ANNOTATION: Final = "iam.gke.io/gcp-service-account"
"""The annotation by which GKE links a Kubernetes service account to a Google one ("Authenticate to Google
Cloud APIs from GKE workloads: link Kubernetes ServiceAccounts to IAM")."""
_ROLE: Final = "roles/iam.workloadIdentityUser"


def build(
    component: pulumi.ComponentResource, name: str, settings: WorkloadIdentitySettings
) -> dict[str, Any]:
    """Create the service account, without roles, and the binding as children of `component`.

    A Google service account is used instead of the `principal://` of the Kubernetes one, because Cloud SQL's
    users and the credentials of Feast and other clients need an account with an email address.
    """
    project = settings.cluster.project
    apis = enable_apis(component, name, project or "", ["iam"])
    account = serviceaccount.Account(
        f"{name}-account",
        project=project,
        account_id=settings.physical_name,
        display_name=mapped(settings.pods, lambda pods: f"Pods of {pods}"),
        opts=ResourceOptions(parent=component, depends_on=[apis["iam"]], delete_before_replace=True),
    )
    link = serviceaccount.IAMMember(
        f"{name}-link",
        service_account_id=account.name,
        role=_ROLE,
        member=Output.all(settings.cluster.workload_pool, settings.pods).apply(
            lambda known: f"serviceAccount:{known[0]}[{known[1]}]"
        ),
        opts=ResourceOptions(parent=component),
    )
    return {
        "principal": declare(
            account.member, f"serviceAccount:{email(settings.physical_name, project or '')}"
        ),
        "role_arn": None,
        "role_name": None,
        "service_account_email": account.email,
        "annotations": account.email.apply(lambda email: {ANNOTATION: email}),
        # Not its etag, which changes with every other binding of the account and would re-create Pods.
        "ready": link.id,
    }


def email(account_id: str, project: str) -> str:
    """Return a service account's email address. The domain of an organization comes last: for the project
    `example.com:web` it is `web.example.com`."""
    domain, _, name = project.rpartition(":")
    return f"{account_id}@{f'{name}.{domain}' if domain else name}.iam.gserviceaccount.com"
