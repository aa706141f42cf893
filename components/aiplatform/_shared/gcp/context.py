"""The context of a component on Google Cloud that stores data."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_gcp import kms, projects, storage

from aiplatform._shared.context import DataContext, S
from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.outputs import Tags


@dataclass(frozen=True)
class DataKey:
    """The key of all data of a component. grants: the roles on it of the services that encrypt by it; what is
    encrypted depends on them."""

    key: kms.CryptoKey
    grants: list[pulumi.Resource]


@dataclass(frozen=True)
class GcpDataContext(DataContext[S]):
    """The component, its settings, the project and region that it is created in, and the APIs that are
    enabled there."""

    project: str
    region: str
    apis: Apis

    @property
    def labels(self) -> Tags | None:
        """Labels of the resources that have labels."""
        return self.settings.tags or None

    def service_identity(self, service: str, purpose: str | None = None) -> projects.ServiceIdentity:
        """Create the service agent of an API in the project: Google's own service account.

        purpose: the last part of the logical name; default the API.
        """
        return projects.ServiceIdentity(
            f"{self.name}-{purpose or service}",
            project=self.project,
            service=f"{service}.googleapis.com",
            opts=self.options(self.apis[service]),
        )

    def storage_agent(self, *depends_on: pulumi.Resource) -> Output[str]:
        """Return the email of Cloud Storage's service agent of the project. depends_on: default the API."""
        options = pulumi.InvokeOutputOptions(
            parent=self.parent, depends_on=list(depends_on) or [self.apis["storage"]]
        )
        agent = storage.get_project_service_account_output(project=self.project, opts=options)
        return agent.email_address


@dataclass(frozen=True)
class GcpBucketContext(GcpDataContext[S]):
    """A component with buckets that are called by their purpose."""

    def bucket(self, purpose: str) -> str:
        """Return a bucket's name; the project's id makes it unique in all of Google Cloud."""
        return f"{self.settings.prefix}-{purpose}-{self.project}"
