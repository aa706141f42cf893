"""Credentials, APIs, zones, reservations, versions and names of a project of Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from cli.clients.errors import UncheckedError
from cli.clients.gcp import ApiError, Client
from cli.preflight.gcp import names, offerings, project, reservations, versions
from tests.cli.estimate.samples import resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import PROJECT, Google, named, problems
from tests.cli.preflight.gcp.test_quotas import ZONES, pool

PROJECT_PATH = f"cloudresourcemanager projects/{PROJECT}"
SERVICES = f"serviceusage projects/{PROJECT}/services:batchGet"
BUCKET = named("gcp:storage/bucket:Bucket", "acme-raw")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"lifecycleState": "ACTIVE", "projectNumber": "1"}, "ok"),
        ({"lifecycleState": "DELETE_REQUESTED"}, "problem"),
        (ApiError(401, "no credentials"), "problem"),
        (ApiError(403, "off", is_off=True), "ok"),
    ],
)
def test_credentials_have_to_reach_the_project(answer: Any, state: str) -> None:
    (result,) = project.check_credentials(fakes.scope(Google({PROJECT_PATH: answer}), cloud="gcp"))
    assert result.state == state


def apis(**switched: str) -> Google:
    services = [
        {"name": f"projects/1/services/{name}.googleapis.com", "state": state}
        for name, state in switched.items()
    ]
    return Google({SERVICES: {"services": services}})


def test_first_apis_have_to_be_on_and_the_program_switches_on_the_others() -> None:
    wanted = resource("gcp:projects/service:Service", service="container.googleapis.com")
    client = apis(serviceusage="ENABLED", cloudresourcemanager="ENABLED", container="DISABLED")
    results = list(project.check_apis(fakes.scope(client, wanted, cloud="gcp")))
    assert [result.state for result in results] == ["ok", "ok"]
    assert results[1].reason == "0 of 1 needed are on; the program switches on container.googleapis.com"


@pytest.mark.parametrize(
    "client",
    [
        apis(serviceusage="ENABLED", cloudresourcemanager="DISABLED"),
        Google({SERVICES: ApiError(403, "off", is_off=True)}),
    ],
)
def test_first_api_that_is_off_blocks(client: Google) -> None:
    (result,) = problems(project.check_apis(fakes.scope(client, cloud="gcp")))
    assert "cloudresourcemanager.googleapis.com --project acme-ml-dev" in result.repair


def test_zone_without_the_machine_type_or_the_accelerator_is_reported() -> None:
    place = f"compute projects/{PROJECT}/zones"
    client = Google(
        {
            f"{place}/{ZONES[0]}/machineTypes/n1-standard-4": {},
            f"{place}/{ZONES[1]}/machineTypes/n1-standard-4": {},
            f"{place}/{ZONES[0]}/acceleratorTypes/nvidia-tesla-t4": {},
        }
    )
    card = [{"type": "nvidia-tesla-t4", "count": 1}]
    t4 = pool("t4", "n1-standard-4", guestAccelerators=card)
    results = list(offerings.check(fakes.scope(client, pool("general", "n1-standard-4"), t4, cloud="gcp")))
    assert [result.state for result in results] == ["ok", "problem"]
    assert results[1].reason == "n1-standard-4 with nvidia-tesla-t4: not offered in us-central1-b"
    assert results[1].blocks


def test_zones_are_not_checked_while_compute_is_off() -> None:
    client = Google(
        {
            f"compute projects/{PROJECT}/zones/{ZONES[0]}/machineTypes/e2-standard-4": ApiError(
                403, "", is_off=True
            )
        }
    )
    (result,) = offerings.check(fakes.scope(client, pool("general", "e2-standard-4"), cloud="gcp"))
    assert result.state == "not checked"


def test_reservation_exists_and_fits() -> None:
    affinity = {"consumeReservationType": "SPECIFIC_RESERVATION", "values": ["h100"]}
    one = pool("h100", "a3-highgpu-8g", 2, 2, reservationAffinity=affinity)
    inputs = {**one.inputs, "nodeLocations": [ZONES[0]]}
    one = resource(one.type, one.name, **inputs)
    path = f"compute projects/{PROJECT}/zones/{ZONES[0]}/reservations/h100"

    def entry(machine: str, count: int, used: int) -> Any:
        properties = {"machineType": machine}
        return {
            "status": "READY",
            "specificReservation": {"instanceProperties": properties, "count": count, "inUseCount": used},
        }

    expected = [
        (entry("a3-highgpu-8g", 4, 2), "ok", "2 of a3-highgpu-8g free"),
        (entry("a3-highgpu-8g", 4, 3), "problem", "expected 2"),
        (entry("a2-highgpu-8g", 4, 0), "problem", "expected a3-highgpu-8g"),
        (ApiError(404, "no"), "problem", "has none in us-central1-a"),
        (ApiError(403, "no"), "not checked", "may not read"),
    ]
    for answer, state, words in expected:
        (result,) = reservations.check(fakes.scope(Google({path: answer}), one, cloud="gcp"))
        assert result.state == state, words
        assert words in result.reason


@pytest.mark.parametrize(
    ("version", "channel", "state"),
    [
        ("1.35", "REGULAR", "ok"),
        ("1.35.6-gke.1", "REGULAR", "ok"),
        ("1.3", "REGULAR", "problem"),
        ("1.36", "STABLE", "problem"),
    ],
)
def test_version_is_offered_by_the_channel(version: str, channel: str, state: str) -> None:
    channels = [
        {"channel": "REGULAR", "validVersions": ["1.36.2-gke.2", "1.35.6-gke.1"]},
        {"channel": "STABLE", "validVersions": ["1.35.6-gke.1"]},
    ]
    path = f"container projects/{PROJECT}/locations/us-central1-a/serverConfig"
    cluster = resource(
        "gcp:container/cluster:Cluster",
        minMasterVersion=version,
        releaseChannel={"channel": channel},
        location="us-central1-a",
    )
    (result,) = versions.check(fakes.scope(Google({path: {"channels": channels}}), cluster, cloud="gcp"))
    assert result.state == state


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "gcloud storage rm --recursive gs://acme-raw"),
        (ApiError(403, "no"), "state another environment.org or environment.name"),
        (ApiError(404, "no"), ""),
        (ApiError(403, "off", is_off=True), ""),
    ],
)
def test_bucket_that_exists_is_a_problem(answer: Any, words: str) -> None:
    results = problems(names.check(fakes.scope(Google({"storage b/acme-raw": answer}), BUCKET, cloud="gcp")))
    assert bool(results) == bool(words)
    assert all(words in result.repair for result in results)


def test_names_with_a_location_are_asked_for_there() -> None:
    repository = resource(
        "gcp:artifactregistry/repository:Repository", repositoryId="training", location="us-east1"
    )
    path = f"artifactregistry projects/{PROJECT}/locations/us-east1/repositories/training"
    (result,) = problems(names.check(fakes.scope(Google({path: {}}), repository, cloud="gcp")))
    assert "gcloud artifacts repositories delete training --location us-east1" in result.repair


def test_client_of_a_twin_leaves_the_machine_for_no_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", raising=False)
    with pytest.raises(UncheckedError, match=r"the twin has no API compute\.googleapis\.com"):
        Client(PROJECT, local=True).get("compute", "projects/p")
