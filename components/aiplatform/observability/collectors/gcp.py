"""The identity of a collector on Google Cloud: its Kubernetes service account itself (Workload Identity
Federation for GKE)."""

from collections.abc import Sequence

import pulumi
from pulumi import Output
from pulumi_gcp import organizations, projects

from aiplatform._shared.context import Context
from aiplatform.observability.collectors import Collector, Settings


def grant(
    context: Context[Settings], collector: Collector, role: str, apis: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """Grant a collector a role in the cluster's project. apis: the enabled APIs that it needs. Returns what
    its Pods wait for."""
    cluster = context.settings.cluster
    project = cluster.project or ""
    options = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=list(apis))
    number = organizations.get_project_output(project_id=project, opts=options).number
    pool = cluster.workload_pool or f"{project}.svc.id.goog"
    return [
        projects.IAMMember(
            f"{context.name}-{collector.name}-writes",
            project=project,
            role=role,
            member=Output.all(number, pool).apply(
                lambda known: (
                    f"principal://iam.googleapis.com/projects/{known[0]}/locations/global/"
                    f"workloadIdentityPools/{known[1]}/subject/ns/{collector.namespace}/sa/{collector.name}"
                )
            ),
            opts=context.options(),
        )
    ]
