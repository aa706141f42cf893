"""Limits of Cloud Logging: exclusions of a sink, sinks and log buckets of a project, and filters."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp.api_servers import PROJECT, client, enable, refused

PARENT = f"projects/{PROJECT}"


@pytest.fixture
def projects(server: ApiServer) -> Any:
    enable(server, "logging")
    return client(server, "logging", "v2").projects()


def exclude(projects: Any, name: str) -> Any:
    return projects.exclusions().create(parent=PARENT, body={"name": name, "filter": f'"{name}"'})


def test_the_51st_exclusion_of_the_default_sink_is_refused(projects: Any) -> None:
    for number in range(50):
        exclude(projects, f"e{number}").execute()
    assert "at most 50 exclusions" in refused(exclude(projects, "e50")).message
    projects.exclusions().delete(name=f"{PARENT}/exclusions/e0").execute()
    exclude(projects, "e50").execute()


def test_exclusions_that_the_sink_states_count(projects: Any) -> None:
    stated = [{"name": f"s{number}", "filter": '"x"'} for number in range(49)]
    change = {"sinkName": f"{PARENT}/sinks/_Default", "updateMask": "exclusions"}
    projects.sinks().patch(**change, body={"exclusions": stated}).execute()
    exclude(projects, "last").execute()
    assert "at most 50 exclusions" in refused(exclude(projects, "one-more")).message
    too_many = [*stated, *({"name": f"t{number}", "filter": '"x"'} for number in range(2))]
    assert "at most 50" in refused(projects.sinks().patch(**change, body={"exclusions": too_many})).message


def test_a_deleted_log_bucket_counts_until_it_is_gone(projects: Any) -> None:
    buckets = projects.locations().buckets()

    def create(number: int) -> Any:
        # Of the project, whatever the location.
        place = ("global", "us-central1")[number % 2]
        return buckets.create(parent=f"{PARENT}/locations/{place}", bucketId=f"b{number}", body={})

    for number in range(100):
        create(number).execute()
    assert "at most 100 buckets" in refused(create(100)).message
    buckets.delete(name=f"{PARENT}/locations/global/buckets/b0").execute()
    assert "at most 100 buckets" in refused(create(100)).message


def test_the_key_of_a_log_bucket_is_not_taken_away(server: ApiServer, projects: Any) -> None:
    name = f"{PARENT}/locations/us-central1/buckets/encrypted"
    keys = {"kmsKeyName": f"{PARENT}/locations/us-central1/keyRings/ring/cryptoKeys/key"}
    bucket = {"name": name, "retentionDays": 30, "lifecycleState": "ACTIVE", "cmekSettings": keys}
    server.state.put(f"logging/{name}", bucket)
    change = projects.locations().buckets().patch(name=name, updateMask="cmekSettings", body={})
    assert "cannot be disabled" in refused(change).message
    assert projects.locations().buckets().get(name=name).execute()["cmekSettings"] == keys


def test_the_201st_sink_is_refused(projects: Any) -> None:
    destination = f"logging.googleapis.com/{PARENT}"
    for number in range(200):
        projects.sinks().create(
            parent=PARENT, body={"name": f"s{number}", "destination": destination}
        ).execute()
    body = {"name": "s200", "destination": destination}
    assert "at most 200 sinks" in refused(projects.sinks().create(parent=PARENT, body=body)).message


@pytest.mark.parametrize(
    "query",
    [
        'resource.type="cloud_run_revision" AND (resource.labels.service_name=~"^acme-"',
        'resource.type="cloud_run_revision" AND OR severity=ERROR',
        'resource.type=="cloud_run_revision"',
        "x" * 20_001,
    ],
)
def test_an_exclusion_with_an_invalid_filter_is_refused(projects: Any, query: str) -> None:
    body = {"name": "wrong", "filter": query}
    assert refused(projects.exclusions().create(parent=PARENT, body=body)).code == 400
    assert not projects.exclusions().list(parent=PARENT).execute().get("exclusions")
