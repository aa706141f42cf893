"""Operations and jobs run for a while, as on Google Cloud: who does not wait sees them unfinished."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client
from twin.tests.gcp.resources import life

SECONDS = 60
NET = {"name": "net", "autoCreateSubnetworks": False}
SQL = {
    "settings": {"edition": "ENTERPRISE", "tier": "db-custom-1-3840"},
    "databaseVersion": "POSTGRES_16",
    "region": REGION,
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The clock of this process, which a test moves on instead of waiting."""
    with time_machine.travel(time.time()) as traveller:
        yield traveller


@pytest.fixture
def slow(google: ApiServer) -> ApiServer:
    """A Google whose operations take time."""
    api_servers.enable(google, "bigquery", "biglake", "sqladmin", "artifactregistry")
    google.operation_seconds = SECONDS
    return google


def test_a_compute_operation_runs_before_it_is_done(slow: ApiServer, clock: time_machine.Traveller) -> None:
    compute = client(slow, "compute")
    begun = compute.networks().insert(project=PROJECT, body=NET).execute()
    assert (begun["status"], begun["progress"]) == ("RUNNING", 0)
    assert "endTime" not in begun
    clock.shift(SECONDS)
    done = compute.globalOperations().get(project=PROJECT, operation=begun["name"]).execute()
    assert (done["status"], done["progress"]) == ("DONE", 100)


def test_an_operation_of_an_api_of_grpc_has_a_response_only_at_its_end(
    slow: ApiServer, clock: time_machine.Traveller
) -> None:
    locations = client(slow, "artifactregistry").projects().locations()
    begun = (
        locations.repositories()
        .create(
            parent=f"projects/{PROJECT}/locations/{REGION}", repositoryId="models", body={"format": "DOCKER"}
        )
        .execute()
    )
    assert not begun["done"]
    assert "response" not in begun
    clock.shift(SECONDS)
    assert locations.operations().get(name=begun["name"]).execute()["response"]["format"] == "DOCKER"


def test_an_operation_of_cloud_sql_runs(slow: ApiServer, clock: time_machine.Traveller) -> None:
    sql = client(slow, "sqladmin")
    begun = sql.instances().insert(project=PROJECT, body={"name": "main", **SQL}).execute()
    assert begun["status"] == "RUNNING"
    clock.shift(SECONDS)
    assert sql.operations().get(project=PROJECT, operation=begun["name"]).execute()["status"] == "DONE"


def test_an_operation_whose_name_has_parts_is_asked_for_again(slow: ApiServer) -> None:
    api_servers.enable(slow, "bigtableadmin")
    admin = client(slow, "bigtableadmin", "v2")
    cluster = {"location": f"projects/{PROJECT}/locations/{REGION}-a", "serveNodes": 1}
    body = {
        "instanceId": "features",
        "instance": {"displayName": "features"},
        "clusters": {"features-c1": cluster},
    }
    begun = admin.projects().instances().create(parent=f"projects/{PROJECT}", body=body).execute()
    assert begun["name"].count("/") > 1
    assert not admin.operations().get(name=begun["name"]).execute()["done"]


def test_the_provider_waits_for_an_operation(slow: ApiServer) -> None:
    slow.operation_seconds = 0.15
    gcp = life.context(slow)
    began = time.monotonic()
    life.make(gcp, "gcp:compute/network:Network", name="net", autoCreateSubnetworks=False)
    assert time.monotonic() - began > slow.operation_seconds, "a resource is there when its operation is done"


def test_a_fault_lets_an_operation_run_longer(google: ApiServer) -> None:
    google.faults.add({"kind": "long", "service": "compute", "operation": "networks.*", "seconds": 60})
    compute = client(google, "compute")
    assert compute.networks().insert(project=PROJECT, body=NET).execute()["status"] == "RUNNING"
    other = compute.firewalls().list(project=PROJECT).execute()
    assert "items" not in other, "what is no operation answers at once"


def _lake(server: ApiServer) -> Any:
    """BigQuery's client, with the table `d.t`."""
    bigquery = client(server, "bigquery", "v2")
    reference = {"datasetId": "d", "projectId": PROJECT}
    bigquery.datasets().insert(
        projectId=PROJECT, body={"datasetReference": reference, "location": REGION}
    ).execute()
    fields = [{"name": "email", "type": "STRING"}, {"name": "id", "type": "STRING"}]
    table = {"tableReference": {**reference, "tableId": "t"}, "schema": {"fields": fields}}
    bigquery.tables().insert(projectId=PROJECT, datasetId="d", body=table).execute()
    return bigquery


def _insert(bigquery: Any, job: str, query: str) -> dict[str, Any]:
    body = {
        "jobReference": {"projectId": PROJECT, "jobId": job, "location": REGION},
        "configuration": {"query": {"query": query, "useLegacySql": False}},
    }
    return bigquery.jobs().insert(projectId=PROJECT, body=body).execute()


def _job(bigquery: Any, job: str) -> dict[str, Any]:
    return bigquery.jobs().get(projectId=PROJECT, jobId=job, location=REGION).execute()


def _columns(bigquery: Any) -> list[str]:
    table = bigquery.tables().get(projectId=PROJECT, datasetId="d", tableId="t").execute()
    return [field["name"] for field in table["schema"]["fields"]]


ADD = f"ALTER TABLE `{PROJECT}.d.t` ADD COLUMN IF NOT EXISTS `name` STRING"


def test_a_job_has_no_effect_while_it_runs(slow: ApiServer, clock: time_machine.Traveller) -> None:
    bigquery = _lake(slow)
    assert _insert(bigquery, "shape", ADD)["status"] == {"state": "RUNNING"}
    assert _columns(bigquery) == ["email", "id"], "a job that runs has changed nothing yet"
    assert _job(bigquery, "shape")["status"] == {"state": "RUNNING"}
    clock.shift(SECONDS)
    assert _columns(bigquery) == ["email", "id", "name"], "its effect is there with its end"
    assert _job(bigquery, "shape")["status"] == {"state": "DONE"}


def test_what_is_wrong_with_a_job_is_known_at_its_end(slow: ApiServer, clock: time_machine.Traveller) -> None:
    bigquery = _lake(slow)
    begun = _insert(bigquery, "shape", ADD.replace(".d.t", ".d.none"))
    assert "errorResult" not in begun["status"], "a client that does not wait takes it for a success"
    clock.shift(SECONDS)
    status = _job(bigquery, "shape")["status"]
    assert (status["state"], status["errorResult"]["reason"]) == ("DONE", "notFound")


def test_a_job_that_is_cancelled_has_no_effect(slow: ApiServer, clock: time_machine.Traveller) -> None:
    bigquery = _lake(slow)
    _insert(bigquery, "shape", ADD)
    bigquery.jobs().cancel(projectId=PROJECT, jobId="shape", location=REGION).execute()
    clock.shift(SECONDS)
    assert _columns(bigquery) == ["email", "id"]
    assert _job(bigquery, "shape")["status"]["errorResult"]["reason"] == "stopped"


def test_a_job_outlives_a_restart(slow: ApiServer, clock: time_machine.Traveller) -> None:
    _insert(_lake(slow), "shape", ADD)
    slow.close()
    again = api_servers.make()
    clock.shift(SECONDS)
    assert "name" in _columns(client(again, "bigquery", "v2"))
    again.close()
