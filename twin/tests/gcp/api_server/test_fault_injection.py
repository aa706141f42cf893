"""Faults on demand."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, client, refused


def test_a_throttled_method_answers_429_as_often_as_asked(google: ApiServer) -> None:
    google.faults.add({"kind": "throttle", "service": "compute", "operation": "networks.*", "times": 1})
    error = refused(client(google, "compute").networks().list(project=PROJECT))
    assert (error.code, error.reason) == (429, "rateLimitExceeded")
    assert (
        client(google, "compute").networks().list(project=PROJECT).execute()["kind"] == "compute#networkList"
    )


def test_a_failing_delete_leaves_the_resource(google: ApiServer) -> None:
    api_servers.network(google)
    google.faults.add({"kind": "fail", "operation": "networks.delete", "code": "INTERNAL"})
    compute = client(google, "compute")
    assert refused(compute.networks().delete(project=PROJECT, network="net")).code == 500
    compute.networks().delete(project=PROJECT, network="net").execute()


def test_capacity_is_missing_by_machine_type_and_zone(google: ApiServer) -> None:
    google.faults.add({"kind": "capacity", "machine_type": "a3-highgpu-8g"})
    assert not google.faults.available("a3-highgpu-8g", "us-central1-a")
    assert google.faults.available("g2-standard-8", "us-central1-a")


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"zone": "us-west-2a"}, "zone: got 'us-west-2a'; did you mean 'us-west"),
        ({"zone": "us-central1"}, "zone: got 'us-central1'"),
        ({"machine_type": "a3-highgpu-9g"}, "machine type: got 'a3-highgpu-9g'; did you mean 'a3-highgpu-"),
        ({"machine_type": "p5.48xlarge"}, "machine type: got 'p5.48xlarge'; expected a name such as"),
        ({"instance_type": "p5.48xlarge"}, "unknown .'instance_type'"),
    ],
)
def test_capacity_of_what_does_not_exist_is_refused(
    google: ApiServer, conditions: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        google.faults.add({"kind": "capacity", **conditions})
    assert not google.faults.every()
