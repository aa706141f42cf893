"""Serving on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="runtimes of KServe for the pools of EKS",
        gcp="runtimes of KServe for the pools of GKE",
    ),
    "teams": CloudSupport(
        aws="a role for each team, by EKS Pod Identity, that reads its releases",
        gcp="a grant for each team's service account, by Workload Identity Federation, to read its releases",
    ),
    "request_logs": CloudSupport(
        aws="s3:PutObject below the folder of the namespace, for the roles of teams that log requests",
        gcp="roles/storage.objectCreator below the folder of the namespace, for teams that log requests",
    ),
    "llm_logger": CloudSupport(
        aws="a Deployment in the namespaces of teams, with a role that creates objects below the folder of "
        "the namespace",
        gcp="a Deployment in the namespaces of teams, whose service account creates objects below the folder "
        "of the namespace",
    ),
    "rollouts": CloudSupport(
        aws="objects in the namespaces of teams", gcp="objects in the namespaces of teams"
    ),
    "tags": CloudSupport(aws="tags of the roles", gcp="none: grants have no labels"),
}
"""What each argument becomes."""
