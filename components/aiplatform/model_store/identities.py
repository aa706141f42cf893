"""The workload identities of promotions and imports."""

from typing import Any, Protocol

import pulumi
from pulumi import ResourceOptions

from aiplatform._shared.outputs import Tags
from aiplatform.model_store.args import IMPORTER, NAMESPACE, PROMOTER, ModelStoreSettings
from aiplatform.model_store.platform import Identities
from aiplatform.workload_identity import WorkloadIdentity


class _Context(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> ModelStoreSettings: ...
    def options(self, *depends_on: pulumi.Resource) -> ResourceOptions: ...


def create(context: _Context, tags: Tags | None = None) -> Identities:
    """Create the identities. tags: of roles; Google's service accounts have no labels."""
    settings = context.settings
    common: Any = {"prefix": settings.prefix, "cluster": settings.cluster, "namespace": NAMESPACE}
    if tags is not None:
        common["tags"] = tags

    def identity(account: str) -> WorkloadIdentity:
        args: Any = {**common, "name": account, "service_account": account}
        return WorkloadIdentity(f"{context.name}-{account}", args, context.options())

    return {account: identity(account) for account in (PROMOTER, IMPORTER)}
