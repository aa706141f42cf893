"""Queries of BigQuery, as who asks sees a table."""

# ruff: noqa: S608 - queries are made of constants

from __future__ import annotations

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp.api_servers import PROJECT, REGION, client
from twin.tests.gcp.services.biglake.test_permissions import SOME, STRANGER, WHOLE, lake

__all__ = ["lake"]
TABLE = f"`{PROJECT}.lake.shop.orders`"


@pytest.fixture(scope="module")
def asking(lake: ApiServer) -> ApiServer:
    """Those that may ask at all: WHOLE and SOME."""
    members = [WHOLE, SOME, STRANGER]
    bindings = [{"role": "roles/bigquery.jobUser", "members": members}]
    with lake.state.transaction():
        lake.state.put_policy(f"cloudresourcemanager/projects/{PROJECT}", {"bindings": bindings})
    return lake


def _jobs(server: ApiServer, who: str) -> Any:
    return client(server, "bigquery", "v2", token=server.identity.token(who)).jobs()


def _query(server: ApiServer, who: str, text: str) -> Any:
    query_body = {"query": text, "useLegacySql": False, "location": REGION}
    return _jobs(server, who).query(projectId=PROJECT, body=query_body).execute()


def test_a_query_shows_what_the_caller_may_see(asking: ApiServer) -> None:
    answered = _query(asking, WHOLE, f"SELECT * FROM {TABLE}")
    assert [field["name"] for field in answered["schema"]["fields"]] == ["id", "email"]
    assert _query(asking, SOME, f"SELECT COUNT(*) AS n, MAX(o.id) AS top FROM {TABLE} AS o")["rows"] == [
        {"f": [{"v": "0"}, {"v": None}]}
    ]


@pytest.mark.parametrize(
    ("who", "text", "words"),
    [
        (SOME, "SELECT email FROM {}", "neither fine-grained reader nor masked get permission"),
        (SOME, "SELECT * FROM {}", "column .*email"),
        (STRANGER, "SELECT id FROM {}", "does not have permission biglake.tables.getData"),
        (STRANGER, "DROP ALL ROW ACCESS POLICIES ON {}", "bigquery.rowAccessPolicies.delete"),
        (SOME, "ALTER TABLE {} ALTER COLUMN email SET OPTIONS (data_policies = [])", "biglake.tables.update"),
        (WHOLE, "ALTER TABLE {} ADD COLUMN more STRING", "biglake.tables.update"),
        (
            SOME,
            "CREATE ROW ACCESS POLICY mine ON {} GRANT TO ('allUsers') FILTER USING (TRUE)",
            "bigquery.rowAccessPolicies.create",
        ),
        (WHOLE, "SELECT nothing FROM {}", "nothing"),
        (WHOLE, "SELEC id FROM {}", "not in the twin"),
    ],
)
def test_what_the_caller_may_not_is_refused(asking: ApiServer, who: str, text: str, words: str) -> None:
    with pytest.raises(HttpError, match=words):
        _query(asking, who, text.format(TABLE))


def test_results_are_read_by_whoever_asked(asking: ApiServer) -> None:
    body = {
        "jobReference": {"projectId": PROJECT, "jobId": "mine", "location": REGION},
        "configuration": {"query": {"query": f"SELECT id, email FROM {TABLE}", "useLegacySql": False}},
    }
    _jobs(asking, WHOLE).insert(projectId=PROJECT, body=body).execute()
    arguments = {"projectId": PROJECT, "jobId": "mine", "location": REGION}
    answered = _jobs(asking, WHOLE).getQueryResults(**arguments).execute()
    assert (answered["jobComplete"], answered["totalRows"]) == (True, "0")
    for method in ("get", "getQueryResults", "cancel"):
        with pytest.raises(HttpError, match="Access Denied"):
            getattr(_jobs(asking, SOME), method)(**arguments).execute()
    assert not _jobs(asking, SOME).list(projectId=PROJECT, allUsers=True).execute().get("jobs")
    assert [
        job["jobReference"]["jobId"] for job in _jobs(asking, WHOLE).list(projectId=PROJECT).execute()["jobs"]
    ] == ["mine"]


def test_a_load_needs_the_right_to_update_the_table(asking: ApiServer) -> None:
    owner = client(asking, "bigquery", "v2")
    at = {"projectId": PROJECT, "datasetId": "events"}
    owner.datasets().insert(projectId=PROJECT, body={"datasetReference": at, "location": REGION}).execute()
    table = {**at, "tableId": "clicks"}
    columns = {"fields": [{"name": "at", "type": "TIMESTAMP"}]}
    owner.tables().insert(**at, body={"tableReference": table, "schema": columns}).execute()
    load = {"destinationTable": table, "schemaUpdateOptions": ["ALLOW_FIELD_ADDITION"]}
    reference = {"projectId": PROJECT, "location": REGION}
    body = {"jobReference": reference, "configuration": {"load": load}}
    resource = f"projects/{PROJECT}/datasets/events/tables/clicks"
    for role, words in (
        ("roles/bigquery.dataViewer", r"permission bigquery\.tables\.update,"),
        ("roles/bigquery.dataEditor", "load jobs"),
    ):
        policy = {"policy": {"bindings": [{"role": role, "members": [SOME]}]}}
        owner.tables().setIamPolicy(resource=resource, body=policy).execute()
        with pytest.raises(HttpError, match=words):
            _jobs(asking, SOME).insert(projectId=PROJECT, body=body).execute()
