"""Workflows, and jobs of Cloud Run, against an API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT, REGION
from twin.tests.gcp.resources.life import Made, make

SERVICE = "gcp:projects/service:Service"
ACCOUNT = "gcp:serviceaccount/account:Account"
WORKFLOW = "gcp:workflows/workflow:Workflow"
JOB = "gcp:cloudrunv2/job:Job"
MEMBER = "gcp:cloudrunv2/jobIamMember:JobIamMember"
SOURCE = json.dumps({"main": {"steps": [{"done": {"return": 1}}]}})


@pytest.fixture
def enabled(gcp: GcpContext) -> GcpContext:
    for api in ("iam", "run", "workflows"):
        make(gcp, SERVICE, service=f"{api}.googleapis.com")
    return gcp


def workflow(context: GcpContext, account: str, **more: Any) -> Made:
    return make(
        context,
        WORKFLOW,
        **{
            "name": "chain",
            "region": REGION,
            "serviceAccount": account,
            "sourceContents": SOURCE,
            "deletionProtection": False,
            **more,
        },
    )


def account(context: GcpContext) -> Made:
    return make(context, ACCOUNT, accountId="chain-account")


def test_workflow_is_stored_changed_and_shown_by_the_api(enabled: GcpContext) -> None:
    identity = account(enabled)
    created = workflow(enabled, identity.id, userEnvVars={"a": "1"})
    name = f"projects/{PROJECT}/locations/{REGION}/workflows/chain"
    reported = enabled.call("workflows.projects.locations.workflows.get", {"name": name})
    assert (reported["state"], reported["userEnvVars"]) == ("ACTIVE", {"a": "1"})
    assert created.update(userEnvVars={"a": "2"})["userEnvVars"] == {"a": "2"}
    created.delete()
    assert created.read() is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"sourceContents": json.dumps({"main": {}})}, "expected steps"),
        ({"sourceContents": SOURCE + " " * 128 * 1024}, "at most 131072 bytes"),
        ({"userEnvVars": {f"v{n}": "x" for n in range(21)}}, "At most 20"),
        ({"userEnvVars": {"GOOGLE_X": "x"}}, "GOOGLE_X"),
        ({"serviceAccount": f"stranger@{PROJECT}.iam.gserviceaccount.com"}, "does not exist"),
    ],
)
def test_workflow_that_the_service_refuses(enabled: GcpContext, more: dict[str, Any], reason: str) -> None:
    identity = account(enabled)
    with pytest.raises(CloudError, match=reason):
        workflow(enabled, identity.id, **more)


def test_job_has_a_policy(enabled: GcpContext) -> None:
    identity = account(enabled)
    containers = [{"image": "us-docker.pkg.dev/cloudrun/container/job"}]
    job = make(
        enabled,
        JOB,
        name="score",
        location=REGION,
        deletionProtection=False,
        template={"template": {"containers": containers}},
    )
    member = identity.outputs["member"]
    grant = make(enabled, MEMBER, name="score", location=REGION, role="roles/run.jobsExecutor", member=member)
    policy = enabled.call("run.projects.locations.jobs.getIamPolicy", {"resource": job.id})
    assert policy["bindings"] == [{"role": "roles/run.jobsExecutor", "members": [member]}]
    grant.delete()
    job.delete()
