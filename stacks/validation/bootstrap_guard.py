"""Whether `environment.bootstrap: true` would delete a cluster that is protected from deletion.

The engine would report it resource by resource; this states what to do instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from aiplatform._shared.args import Problem
from aiplatform.cluster.args import CLUSTER
from stacks.settings import Settings


def problems(settings: Settings, provider: pulumi.ProviderResource) -> Iterator[Problem]:
    """Yield a problem if bootstrap would delete a cluster with deletion protection on AWS."""
    if not settings.environment.bootstrap or settings.environment.cloud != "aws":
        return
    # Imported late, as in stacks/providers.py.
    from pulumi_aws import eks

    options = pulumi.InvokeOptions(provider=provider)
    name = CLUSTER.of(settings.environment.prefix)
    if name not in eks.get_clusters(opts=options).names:
        return
    if eks.get_cluster(name=name, opts=options).deletion_protection:
        yield Problem(
            "environment.bootstrap",
            f"got true, which would delete the cluster {name}, which has deletion protection; expected "
            "false; to "
            "delete the cluster, set teardown: true, run `up`, and only then set bootstrap: true",
        )
