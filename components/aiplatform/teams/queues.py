"""The LocalQueue by which a team's workloads reach their ClusterQueue."""

from collections.abc import Sequence

import pulumi
from pulumi import Input
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform.teams.args import QUEUE
from aiplatform.teams.context import TeamsContext


def local_queue(
    context: TeamsContext, team: str, queue: Input[str], exists: Sequence[pulumi.Resource]
) -> None:
    """Create the LocalQueue `default` of a team."""
    CustomResource(
        f"{context.name}-{team}-queue",
        api_version="kueue.x-k8s.io/v1beta2",
        kind="LocalQueue",
        metadata=meta.ObjectMetaArgs(name=QUEUE, namespace=context.settings.namespace(team)),
        spec={"clusterQueue": queue},
        # Kueue lets no LocalQueue change it.
        opts=context.custom_resource_options(*exists, replaced_on="spec.clusterQueue"),
    )
