"""Services of Cloud Run, against an API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT
from twin.tests.gcp.resources.life import Made, make

SERVICE = "gcp:cloudrunv2/service:Service"
MEMBER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
IMAGE = f"europe-west4-docker.pkg.dev/{PROJECT}/functions/score@sha256:{'1' * 64}"


@pytest.fixture
def enabled(gcp: GcpContext) -> GcpContext:
    for api in ("run", "iam"):
        make(gcp, "gcp:projects/service:Service", service=f"{api}.googleapis.com")
    return gcp


def inputs(**more: Any) -> dict[str, Any]:
    return {
        "name": "score",
        "location": "europe-west4",
        "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "deletionProtection": False,
        "template": template(),
        "traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        **more,
    }


def template(**more: Any) -> dict[str, Any]:
    limits = {"cpu": "1", "memory": "512Mi"}
    return {
        "timeout": "60s",
        "maxInstanceRequestConcurrency": 1,
        "scaling": {"minInstanceCount": 0, "maxInstanceCount": 10},
        "containers": [
            {"image": IMAGE, "envs": [{"name": "MODEL", "value": "3"}], "resources": {"limits": limits}}
        ],
        **more,
    }


def service(context: GcpContext, **more: Any) -> Made:
    return make(context, SERVICE, **inputs(**more))


def test_a_service_is_created_changed_and_deleted(enabled: GcpContext) -> None:
    created = service(enabled)
    name = f"projects/{PROJECT}/locations/europe-west4/services/score"
    assert created.id == name
    first = created.outputs["latestCreatedRevision"]
    assert first.startswith(f"{name}/revisions/score-00001-")
    assert created.outputs["uri"].endswith(".europe-west4.run.app")
    split = [
        {
            "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
            "revision": first.rpartition("/")[2],
            "percent": 90,
        },
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10},
    ]
    changed = created.update(template=template(timeout="90s"), traffics=split)
    assert changed["latestCreatedRevision"].startswith(f"{name}/revisions/score-00002-")
    assert changed["traffics"] == split
    created.delete()
    assert created.read() is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 90}]}, "sum to 100"),
        (
            {
                "traffics": [
                    {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "x", "percent": 100}
                ]
            },
            "Revision 'x' not found",
        ),
        ({"template": template(timeout="3601s")}, "at most 3600s"),
        (
            {"template": template(containers=[{"image": IMAGE, "resources": {"limits": {"memory": "5Gi"}}}])},
            "Mi",
        ),
        (
            {"template": template(containers=[{"image": IMAGE, "envs": [{"name": "PORT", "value": "1"}]}])},
            "PORT",
        ),
        ({"template": template(serviceAccount=f"none@{PROJECT}.iam.gserviceaccount.com")}, "does not exist"),
    ],
)
def test_what_cloud_run_refuses(enabled: GcpContext, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(CloudError, match=reason):
        service(enabled, **more)


def test_a_caller_is_a_member_of_the_policy(enabled: GcpContext) -> None:
    created = service(enabled)
    account = make(enabled, "gcp:serviceaccount/account:Account", accountId="search-caller")
    member = f"serviceAccount:{account.outputs['email']}"
    make(enabled, MEMBER, location="europe-west4", name="score", role="roles/run.invoker", member=member)
    policy = enabled.call("run.projects.locations.services.getIamPolicy", {"resource": created.id})
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": [member]}]
