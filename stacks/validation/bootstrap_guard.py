"""What a `bootstrap: true` may not take away: a protected cluster, told before anything is done.

The engine would refuse it too, resource by resource; this says what to do instead.
"""

from __future__ import annotations

import pulumi

from aiplatform.cluster.args import CLUSTER
from stacks.settings import Settings


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[tuple[str, str]]:
    """(dotted key, reason) where bootstrap would remove a cluster that the cloud protects."""
    if not settings.environment.bootstrap or settings.environment.cloud != "aws":
        return []
    # Imported late, as in stacks/providers.py.
    from pulumi_aws import eks

    options = pulumi.InvokeOptions(provider=provider)
    name = CLUSTER.of(settings.environment.prefix)
    if name not in eks.get_clusters(opts=options).names:
        return []
    if not eks.get_cluster(name=name, opts=options).deletion_protection:
        return []
    return [
        (
            "environment.bootstrap",
            f"got true, which would remove {name}, and that is protected; take bootstrap out to keep it, or "
            "set teardown: true, `up`, and only then bootstrap: true",
        )
    ]
