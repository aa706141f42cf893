"""One request to the API server, understood: method, parameters, body, who asks, and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twin.gcp.api_server.discovery import Method
from twin.gcp.api_server.errors import GoogleError, denied, not_found
from twin.gcp.api_server.state import Body, State

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer


@dataclass
class Call:
    """A request whose body is what the schema says.

    server: the instance's Google. state: inside the request's transaction. method: of the discovery document.
    parameters: of path and query, by the document's names; repeated ones are lists. body: without what only
    Google writes. principal: who asks, as an IAM member (`serviceAccount:...`). project: the id of the
    project that the request names; the consumer's where it names none. at: Unix time of the request.
    media: the bytes of an upload. headers: by their names in lower case. lasts: seconds
    that an operation or a job runs which this call begins.
    """

    server: ApiServer
    state: State
    method: Method
    parameters: dict[str, Any]
    body: Body
    principal: str
    project: str
    at: float
    media: bytes = b""
    media_type: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    lasts: float = 0

    @property
    def project_number(self) -> str:
        """The project's number, 12 digits."""
        return self.server.project_number

    @property
    def timestamp(self) -> str:
        """Now in RFC 3339, UTC, as the gRPC services write it."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def need(self, name: str, message: str = "") -> Body:
        """A resource that must exist. Raises 404 with that message."""
        resource = self.state.get(name)
        if resource is None:
            raise not_found(message or f"The resource '{name.partition('/')[2]}' was not found")
        return resource

    def enabled(self, service: str) -> bool:
        """Whether the project has that service (`compute.googleapis.com`) enabled."""
        service_state = self.state.get(f"serviceusage/projects/{self.project}/services/{service}")
        return bool(service_state) and service_state.get("state") == "ENABLED"

    def need_enabled(self, service: str) -> None:
        """Raise 403 SERVICE_DISABLED where the service is not enabled."""
        if not self.enabled(service):
            raise disabled(service, self.project, self.project_number)


def disabled(service: str, project: str, number: str) -> GoogleError:
    """What any method of a service answers that the project has not enabled."""
    from twin.gcp.services.serviceusage.data import title

    where = f"https://console.developers.google.com/apis/api/{service}/overview?project={project}"
    return denied(
        f"{title(service)} has not been used in project {number} before or it is disabled. Enable it by "
        f"visiting {where} then retry. If you enabled this API recently, wait a few minutes for the action "
        f"to propagate to our systems and retry.",
        reason="accessNotConfigured",
        info="SERVICE_DISABLED",
        service=service,
        serviceTitle=title(service),
        consumer=f"projects/{number}",
        containerInfo=number,
        activationUrl=where,
    )
