"""The Google provider of the twin: `python -m twin.gcp.provider` is pulumi-resource-gcp."""

from __future__ import annotations

import os
from collections.abc import Sequence

from twin.gcp import configuration
from twin.gcp.context import GcpContext
from twin.gcp.functions.base import GcpFunction
from twin.gcp.functions.base import table as functions
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.table import table as resources
from twin.resource import Cloud, Context, Failure, Props

_SPLIT = {
    "networkFirewallPolicy": "compute_firewalls",
    "firewall": "compute_firewalls",
    "router": "compute_routers",
    "route": "compute_routes",
    "resourcePolicy": "compute_policies",
    "reservation": "compute_policies",
}
"""Compute is one service with hundreds of types: its modules, by the beginning of a type's name."""


class GcpCloud(Cloud):
    """Google Cloud as the provider core sees it."""

    name = "gcp"
    sdk = "pulumi_gcp"
    # The provider's project and region are defaults: what depends on them is replaced by its own inputs.
    identity = frozenset[str]()

    def check_config(self, config: Props) -> Sequence[Failure]:
        return configuration.check(config)

    def configure(self, config: Props) -> GcpContext:
        return configuration.configure(config)

    def resource(self, token: str) -> GcpResource | None:
        return resources().get(token)

    def function(self, token: str) -> GcpFunction | None:
        return functions().get(token)

    def where_to_add(self, token: str) -> str:
        module, _, rest = token.removeprefix("gcp:").partition("/")
        name = rest.partition(":")[0]
        if name.startswith("get"):
            return f"twin/gcp/functions/{module}.py"
        if name.startswith("iAM") and name != "iAMCustomRole":
            return "twin/gcp/resources/iam_members.py"
        if module == "compute":
            module = next(
                (file for start, file in _SPLIT.items() if name.startswith(start)), "compute_networks"
            )
        return f"twin/gcp/resources/{module}.py"

    def prepare(self, context: Context, token: str, inputs: Props) -> Props:
        """The inputs with project, place and labels of the provider, for a type that has them."""
        kind = self.resource(token)
        if kind is None or not isinstance(context, GcpContext):
            return inputs
        return kind.prepared(context, inputs)


def main() -> None:
    """Serve the provider to the engine that started this process."""
    from twin import world
    from twin.provider import serve

    name = os.environ.get("AIPLATFORM_TWIN")
    serve(GcpCloud(), world.load(name) if name else None)


if __name__ == "__main__":
    main()
