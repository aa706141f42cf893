"""A subscription of Pub/Sub on a twin of Google Cloud, which programs read as a Pod does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.end_to_end.plain import Plain
from twin import environment

PROJECT: Final = "acme-ml-dev"
REGION: Final = "us-central1"


@contextmanager
def metadata_server(token: str) -> Iterator[str]:
    """Serve credentials as GKE's metadata server does ("Predefined metadata keys"); yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/computeMetadata/v1/").strip("/")
            answers: dict[str, Any] = {
                "project/project-id": PROJECT,
                "instance/service-accounts/default": {"email": "costs@acme", "scopes": [], "aliases": []},
                "instance/service-accounts/default/token": {
                    "access_token": token,
                    "expires_in": 3600,
                    "token_type": "Bearer",
                },
            }
            answer = answers.get(path, "")
            structured = not isinstance(answer, str)
            body = (json.dumps(answer) if structured else answer).encode()
            self.send_response(200)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/json" if structured else "application/text")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Subscription:
    """A topic with a subscription. variables: with which a program reads it."""

    twin: Plain
    name: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """`projects/.../subscriptions/...`."""
        return f"projects/{PROJECT}/subscriptions/{self.name}"

    @property
    def topic(self) -> str:
        """`projects/.../topics/...`."""
        return f"projects/{PROJECT}/topics/{self.name}"

    def create(self) -> None:
        """Create both."""
        services = self.twin.google("serviceusage", "v1").services()
        names = {"serviceIds": ["pubsub.googleapis.com"]}
        services.batchEnable(parent=f"projects/{PROJECT}", body=names).execute()
        projects = self.twin.google("pubsub", "v1").projects()
        projects.topics().create(name=self.topic, body={}).execute()
        body = {"topic": self.topic, "ackDeadlineSeconds": 600}
        projects.subscriptions().create(name=self.path, body=body).execute()

    def publish(self, message: Any, **attributes: str) -> None:
        """Publish a message of JSON."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        body = {"messages": [{"data": data, "attributes": attributes}]}
        self.twin.google("pubsub", "v1").projects().topics().publish(topic=self.topic, body=body).execute()

    def waiting(self) -> int:
        """Return the number of messages that nothing has acknowledged or is reading."""
        subscriptions = self.twin.google("pubsub", "v1").projects().subscriptions()
        answer = subscriptions.pull(subscription=self.path, body={"maxMessages": 100}).execute()
        return len(answer.get("receivedMessages", ()))


@contextmanager
def subscription(home: Path, name: str) -> Iterator[Subscription]:
    """A subscription on a new twin of Google Cloud."""
    twin = Plain(home, f"{name}-gcp", "--account", PROJECT, "--region", REGION, cloud="gcp")
    try:
        known = environment.environment(twin.instance)
        with metadata_server(known["GOOGLE_OAUTH_ACCESS_TOKEN"]) as place:
            endpoint = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB"
            variables = {
                endpoint: known[endpoint],
                "CLOUDSDK_CONFIG": str(home / "no-gcloud"),
                "GCE_METADATA_HOST": place,
                "GCE_METADATA_IP": place,
                "GCE_METADATA_ROOT": place,
            }
            created = Subscription(twin, name, variables)
            created.create()
            yield created
    finally:
        twin.remove()
