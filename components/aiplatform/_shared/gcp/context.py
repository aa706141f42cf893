"""The context of a component on Google Cloud that stores data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import projects, storage

from aiplatform._shared.context import DataContext, S
from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.gcp.keys import Key
from aiplatform._shared.outputs import Tags

_AGENT_ROLES: Final[Mapping[str, str]] = {
    "dataplex": "roles/dataplex.serviceAgent",
    "dataproc": "roles/dataproc.serviceAgent",
    "pubsub": "roles/pubsub.serviceAgent",
    "run": "roles/run.serviceAgent",
    "workflows": "roles/workflows.serviceAgent",
}
"""The API -> the role of its service agent (IAM documentation, "Service agents"), of those that do more than
encrypt: they sign tokens of other accounts, pull images, and run jobs."""


@dataclass(frozen=True)
class DataKey:
    """The key of all data of a component. grants: the roles on it of the services that encrypt by it; what is
    encrypted depends on them."""

    key: Key
    grants: list[Dependency]


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

    def service_agent(self, service: str) -> Output[str]:
        """Create the service agent of an API with its role in the project, and return it as a member.

        Google grants the role by itself only where it creates the agent by itself (IAM documentation, "Create
        and grant roles to service agents"). It stays when the component is destroyed: others need it.
        """
        identity = self.service_identity(service)
        grant = projects.IAMMember(
            f"{self.name}-{service}-agent",
            project=self.project,
            role=_AGENT_ROLES[service],
            member=identity.member,
            opts=pulumi.ResourceOptions.merge(
                self.options(self.apis["cloudresourcemanager"]), pulumi.ResourceOptions(retain_on_delete=True)
            ),
        )
        return grant.member

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
