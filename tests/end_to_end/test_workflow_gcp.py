"""The chain of examples/workflow on the twin's Google Cloud: what is registered, and its rights. Nothing
executes a workflow of Google here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import google.oauth2.credentials
import pulumi
from googleapiclient import discovery

from tests.end_to_end.harness import ROOT
from tests.end_to_end.test_gcp_provider import PROJECT, Place, front
from twin.gcp.credentials import deployer
from twin.instances import Instance

__all__ = ["front"]

EXAMPLE = ROOT / "examples" / "workflow" / "gcp"
REGION = "us-central1"
IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"


def _program() -> None:
    from pulumi_gcp import cloudrunv2, projects

    from aiplatform.workflow import Workflow

    run = projects.Service("run", service="run.googleapis.com", disable_on_destroy=False)
    options = pulumi.ResourceOptions(depends_on=[run])
    services = {
        name: cloudrunv2.Service(
            name,
            name=name,
            location=REGION,
            deletion_protection=False,
            template=cloudrunv2.ServiceTemplateArgs(
                containers=[cloudrunv2.ServiceTemplateContainerArgs(image=IMAGE)]
            ),
            opts=options,
        )
        for name in ("validate", "publish")
    }
    job = cloudrunv2.Job(
        "score",
        name="score",
        location=REGION,
        deletion_protection=False,
        template=cloudrunv2.JobTemplateArgs(
            template=cloudrunv2.JobTemplateTemplateArgs(
                containers=[cloudrunv2.JobTemplateTemplateContainerArgs(image=IMAGE)]
            )
        ),
        opts=options,
    )
    args: Any = {
        "prefix": "acme-dev",
        "name": "scoring",
        "owner": "search",
        "cloud": "gcp",
        "project": PROJECT,
        "region": REGION,
        "definition": json.loads((EXAMPLE / "definition.json").read_text()),
        "functions": {
            name: {"url": service.uri, "service": service.id} for name, service in services.items()
        },
        "jobs": {"score": {"cloud_run_job": job.id}},
        "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlin", "input": {"table": "trips"}},
    }
    pulumi.export("workflow", Workflow("scoring", args).outputs)


def client(instance: Instance, api: str, version: str) -> Any:
    """Return Google's client of an API, for the twin."""
    credentials = google.oauth2.credentials.Credentials(deployer(instance).access_token)
    return discovery.build(
        api,
        version,
        credentials=credentials,
        client_options={"api_endpoint": f"{instance.url('cloud')}/{api}.googleapis.com/"},
        static_discovery=True,
        cache_discovery=False,
    )


def test_google_s_clients_show_the_workflow_with_what_it_calls(front: Instance, tmp_path: Path) -> None:
    place = Place(tmp_path, instance=front)
    before = place.inventory()
    stack = place.stack(_program)
    workflow = stack.up().outputs["workflow"].value
    stored = (
        client(front, "workflows", "v1")
        .projects()
        .locations()
        .workflows()
        .get(name=workflow["target"])
        .execute()
    )
    assert stored["state"] == "ACTIVE"
    assert json.loads(stored["sourceContents"])["main"]["params"] == ["batch"]
    assert stored["userEnvVars"]["validate"].startswith("https://validate-")
    assert stored["serviceAccount"].endswith(workflow["principal"].removeprefix("serviceAccount:"))

    services = client(front, "run", "v2").projects().locations().services()
    policy = services.getIamPolicy(
        resource=f"projects/{PROJECT}/locations/{REGION}/services/validate"
    ).execute()
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": [workflow["principal"]]}]

    subscriptions = client(front, "pubsub", "v1").projects().subscriptions()
    letters = subscriptions.get(subscription=workflow["dead_letters"]).execute()
    topic = client(front, "pubsub", "v1").projects().topics()
    granted = topic.getIamPolicy(resource=letters["topic"]).execute()["bindings"]
    assert granted == [{"role": "roles/pubsub.publisher", "members": [workflow["principal"]]}]
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert place.inventory() == before
