"""Faults on demand."""

from __future__ import annotations

from twin.gcp.api_server.server import Front
from twin.tests.gcp import fronts
from twin.tests.gcp.fronts import PROJECT, client, refused


def test_a_throttled_method_answers_429_as_often_as_asked(google: Front) -> None:
    google.faults.add({"kind": "throttle", "service": "compute", "operation": "networks.*", "times": 1})
    error = refused(client(google, "compute").networks().list(project=PROJECT))
    assert (error.code, error.reason) == (429, "rateLimitExceeded")
    assert (
        client(google, "compute").networks().list(project=PROJECT).execute()["kind"] == "compute#networkList"
    )


def test_a_failing_delete_leaves_the_resource(google: Front) -> None:
    fronts.network(google)
    google.faults.add({"kind": "fail", "operation": "networks.delete", "code": "INTERNAL"})
    compute = client(google, "compute")
    assert refused(compute.networks().delete(project=PROJECT, network="net")).code == 500
    compute.networks().delete(project=PROJECT, network="net").execute()


def test_capacity_is_missing_by_machine_type_and_zone(google: Front) -> None:
    google.faults.add({"kind": "capacity", "machine_type": "a3-highgpu-8g"})
    assert not google.faults.available("a3-highgpu-8g", "us-central1-a")
    assert google.faults.available("g2-standard-8", "us-central1-a")
