"""Google Cloud identities of Pods on the twin's GKE: Workload Identity Federation for GKE."""

from __future__ import annotations

from typing import Any

import kubernetes

from tests.end_to_end import gcp_lake
from tests.end_to_end.harness import Twin

ANNOTATION = "iam.gke.io/gcp-service-account"
_CONFLICT = 409


def account(twin: Twin, identity: dict[str, Any]) -> str:
    """Return the name of the Google service account that Pods of a workload identity impersonate.

    As GKE's metadata server finds it: an annotation of the Kubernetes service account names it, and its IAM
    policy allows that Kubernetes service account to impersonate it. identity: the outputs of the platform.
    Namespace and service account are created where they do not exist, as a team would do.
    """
    core, namespace, name = twin.core(), identity["namespace"], identity["service_account"]
    metadata = {"name": name, "annotations": identity["annotations"]}
    for create in (
        lambda: core.create_namespace({"metadata": {"name": namespace}}),
        lambda: core.create_namespaced_service_account(namespace, {"metadata": metadata}),
    ):
        try:
            create()
        except kubernetes.client.ApiException as error:
            if error.status != _CONFLICT:
                raise
    email = core.read_namespaced_service_account(name, namespace).metadata.annotations[ANNOTATION]
    project = twin.instance.account
    [linked] = links(twin, email)
    assert linked == f"serviceAccount:{project}.svc.id.goog[{namespace}/{name}]", (
        "only the annotated service account may impersonate it"
    )
    who, _, domain = email.partition("@")
    assert domain == f"{project}.iam.gserviceaccount.com"
    return who


def links(twin: Twin, email: str) -> list[str]:
    """Return the members that may impersonate a service account."""
    accounts = gcp_lake.client(twin.instance, "iam").projects().serviceAccounts()
    resource = f"projects/{twin.instance.account}/serviceAccounts/{email}"
    bindings = accounts.getIamPolicy(resource=resource).execute().get("bindings", [])
    return [member for binding in bindings for member in binding["members"]]
