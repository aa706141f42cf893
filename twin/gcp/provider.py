"""The Google provider of the twin: `python -m twin.gcp.provider` is pulumi-resource-gcp."""

from __future__ import annotations

import os
from collections.abc import Sequence

from twin.gcp import configuration
from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.function import GcpFunction
from twin.gcp.resources.function import table as functions
from twin.gcp.resources.table import table as resources
from twin.provider_interface import Cloud, Context, Failure, Props

_SERVICES = {
    "bigtable": "bigtableadmin",
    "billing": "billingbudgets",
    "cloudrunv2": "run",
    "kms": "cloudkms",
    "organizations": "cloudresourcemanager",
    "projects": "serviceusage",
    "serviceaccount": "iam",
    "sql": "sqladmin",
}
"""Folders of APIs that the SDK has as another module."""


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
        if rest.startswith("iAM") and not rest.startswith("iAMCustomRole"):
            return "twin/gcp/services/iam/resources/members.py"
        kind = "functions" if rest.startswith("get") else "resources"
        return f"twin/gcp/services/{_SERVICES.get(module, module)}/{kind}"

    def prepare(self, context: Context, token: str, inputs: Props) -> Props:
        """The inputs with project, place and labels of the provider, for a type that has them."""
        kind = self.resource(token)
        if kind is None or not isinstance(context, GcpContext):
            return inputs
        return kind.prepared(context, inputs)


def main() -> None:
    """Serve the provider to the engine that started this process."""
    from twin import instances
    from twin.provider import serve

    name = os.environ.get("AIPLATFORM_TWIN")
    serve(GcpCloud(), instances.load(name) if name else None)


if __name__ == "__main__":
    main()
