# ruff: noqa: S608 - queries are made of constants
"""Access to pii in a lakehouse on Google Cloud: every principal tries every path.

Each account has only the permissions of its grant and uses real clients: PyIceberg with credentials that the
catalog vends, Google's library for BigQuery, Cloud Storage, logs and policies. A path that does not work for
any principal would prove nothing: the deployer tries each one first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from googleapiclient.errors import HttpError
from pulumi import automation

from aiplatform.lakehouse.gcp import bigquery_jobs as gcp_jobs
from aiplatform.lakehouse.gcp.bigquery_jobs import ENDPOINT, Jobs
from tests.end_to_end import gcp_lake
from tests.end_to_end.gcp_lake import REGION, member
from tests.end_to_end.gcp_pii_lake import (
    CLICKS_TABLE,
    EMAILS,
    ORDERS_TABLE,
    ROWS,
    SUMS_TABLE,
    WITHOUT_PII,
    Lake,
    program,
    up,
)
from tests.end_to_end.test_gcp_provider import PROJECT, Place, front
from tests.end_to_end.test_provider_engine import changes
from twin import environment
from twin.instances import Instance
from twin.toolchain import build

__all__ = ["front"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]


@pytest.fixture(scope="module")
def lake(front: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A deployed lakehouse, to which a pipeline has written."""
    with pytest.MonkeyPatch.context() as patch:
        # The program runs in this process, which therefore needs the provider's variable, too.
        patch.setenv(ENDPOINT, environment.environment(front)[ENDPOINT])
        place = Place(tmp_path_factory.mktemp("pii"), instance=front)
        stack = place.stack(program())
        outputs, early = up(front, stack)
        lake = Lake(front, place, stack, outputs["lake"].value, early)
        assert lake.write("pipeline", ROWS) == {"rows": len(ROWS)}
        _put(lake, "acme-pii-models", "champion/model.pkl")
        _put(lake, f"acme-pii-batches-{PROJECT}", "driver/output")
        yield lake
        stack.destroy()
        assert place.inventory() == {}


def _put(lake: Lake, bucket: str, name: str, who: str = "") -> None:
    gcp_lake.put(lake.instance, who, bucket, name)


def _objects(lake: Lake, who: str, bucket: str, prefix: str = "") -> list[str]:
    answer = lake.client(who, "storage").objects().list(bucket=bucket, prefix=prefix).execute()
    return [item["name"] for item in answer.get("items", [])]


def _policy(lake: Lake, who: str) -> Any:
    """Update the policy of pii, as to add a grantee."""
    policies = lake.client(who, "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    name = f"projects/{PROJECT}/locations/{REGION}/dataPolicies/acme_pii_curated_orders_pii"
    by_deployer = lake.client("", "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    body = by_deployer.get(name=name).execute()
    return policies.patch(name=name, body=body, updateMask="grantees").execute()


def _bind(lake: Lake, who: str) -> Any:
    """Set the IAM policy of the table, as to add a role."""
    tables = lake.client(who, "biglake").projects().catalogs().namespaces().tables()
    at = f"projects/{PROJECT}/catalogs/acme-pii-lakehouse/namespaces/acme_pii_curated/tables/orders"
    by_deployer = lake.client("", "biglake").projects().catalogs().namespaces().tables()
    policy = by_deployer.getIamPolicy(resource=at).execute()
    return tables.setIamPolicy(resource=at, body={"policy": policy}).execute()


def _open(lake: Lake, who: str) -> Any:
    """Set the IAM policy of the bucket with the tables' files, as to add a role."""
    bucket = f"acme-pii-curated-{PROJECT}"
    policy = lake.client("", "storage").buckets().getIamPolicy(bucket=bucket).execute()
    return lake.client(who, "storage").buckets().setIamPolicy(bucket=bucket, body=policy).execute()


def _results(lake: Lake, who: str) -> Any:
    """Read the results of another account's query."""
    jobs = lake.client("privacy", "bigquery", "v2").jobs()
    job = f"theirs-{time.time_ns()}"
    body = {
        "jobReference": {"projectId": PROJECT, "jobId": job, "location": REGION},
        "configuration": {"query": {"query": f"SELECT email FROM {ORDERS_TABLE}", "useLegacySql": False}},
    }
    jobs.insert(projectId=PROJECT, body=body).execute()
    request = {"projectId": PROJECT, "jobId": job, "location": REGION}
    return lake.client(who, "bigquery", "v2").jobs().getQueryResults(**request).execute()


def _rows_of(lake: Lake, who: str) -> Any:
    data = lake.client(who, "bigquery", "v2").tabledata()
    return data.list(projectId=PROJECT, datasetId="acme_pii_streams", tableId="clicks").execute()


def _tables_of(lake: Lake, who: str) -> Any:
    tables = lake.client(who, "bigquery", "v2").tables()
    return tables.list(projectId=PROJECT, datasetId="acme_pii_raw").execute()


def _copied(lake: Lake, who: str) -> Any:
    """Create a table in a dataset of the lakehouse."""
    body = {
        "tableReference": {"projectId": PROJECT, "datasetId": "acme_pii_curated", "tableId": f"own_{who}"}
    }
    tables = lake.client(who, "bigquery", "v2").tables()
    return tables.insert(projectId=PROJECT, datasetId="acme_pii_curated", body=body).execute()


def _patched(lake: Lake, who: str) -> Any:
    """Add a column to the table of a stream, by the API."""
    tables = lake.client(who, "bigquery", "v2").tables()
    at = {"projectId": PROJECT, "datasetId": "acme_pii_streams", "tableId": "clicks"}
    body = lake.client("", "bigquery", "v2").tables().get(**at).execute()
    more = [*body["schema"]["fields"], {"name": "leak", "type": "STRING"}]
    return tables.patch(**at, body={"schema": {"fields": more}}).execute()


def _loaded(lake: Lake, who: str) -> Any:
    """Add a column to the table of a stream, by a load job."""
    load = {
        "sourceUris": [f"gs://acme-pii-raw-{PROJECT}/files/in/a.csv"],
        "destinationTable": {"projectId": PROJECT, "datasetId": "acme_pii_streams", "tableId": "clicks"},
        "writeDisposition": "WRITE_APPEND",
        "schemaUpdateOptions": ["ALLOW_FIELD_ADDITION"],
    }
    body = {"jobReference": {"projectId": PROJECT, "location": REGION}, "configuration": {"load": load}}
    return lake.client(who, "bigquery", "v2").jobs().insert(projectId=PROJECT, body=body).execute()


def _dropped(lake: Lake, who: str) -> Any:
    tables = lake.client(who, "bigquery", "v2").tables()
    return tables.delete(projectId=PROJECT, datasetId="acme_pii_streams", tableId="clicks").execute()


def _logs(lake: Lake, who: str) -> Any:
    body = {"resourceNames": [f"projects/{PROJECT}"]}
    return lake.client(who, "logging", "v2").entries().list(body=body).execute()


def _scans(lake: Lake, who: str) -> Any:
    scans = lake.client(who, "dataplex").projects().locations().dataScans()
    return scans.list(parent=f"projects/{PROJECT}/locations/{REGION}").execute()


def _events(lake: Lake, who: str) -> Any:
    """Read the topic of clicks: a subscription to it would read them."""
    topics = lake.client(who, "pubsub").projects().topics()
    return topics.get(topic=f"projects/{PROJECT}/topics/acme-pii-stream-clicks").execute()


def _starts(lake: Lake, who: str) -> Any:
    jobs = lake.client(who, "cloudscheduler").projects().locations().jobs()
    return jobs.get(name=f"projects/{PROJECT}/locations/{REGION}/jobs/acme-pii-batch-load").execute()


SUMS: Final = "serving/tables/sums"
PATHS: Final[dict[str, Callable[[Lake, str], Any]]] = {
    "files of tables": lambda lake, who: _objects(lake, who, f"acme-pii-curated-{PROJECT}", "tables/"),
    "files outside of tables": lambda lake, who: _objects(lake, who, f"acme-pii-raw-{PROJECT}", "files/"),
    "errors of streams": lambda lake, who: _objects(lake, who, f"acme-pii-raw-{PROJECT}", "files/errors/"),
    "output of batches": lambda lake, who: _objects(lake, who, f"acme-pii-batches-{PROJECT}"),
    "scripts of batches": lambda lake, who: _put(lake, "acme-pii-scripts", "load.py", who),
    "artifacts of models": lambda lake, who: _objects(lake, who, "acme-pii-models"),
    "a role on the bucket": _open,
    "a role on the table": _bind,
    "a grantee of the policy": _policy,
    "no policies on the column": lambda lake, who: lake.query(
        who, f"ALTER TABLE {CLICKS_TABLE} ALTER COLUMN at SET OPTIONS (data_policies = [])"
    ),
    "no policies on rows": lambda lake, who: lake.query(
        who, f"DROP ROW ACCESS POLICY IF EXISTS rows_16 ON {ORDERS_TABLE}"
    ),
    "results of another's query": _results,
    "rows of a stream": _rows_of,
    "tables of a dataset": _tables_of,
    "a new table in a dataset": _copied,
    "logs": _logs,
    "scans": _scans,
    "events of a stream": _events,
    "batches": _starts,
}


COLUMNS: Final[dict[str, Callable[[Lake, str], Any]]] = {
    "a statement": lambda lake, who: lake.query(who, f"ALTER TABLE {CLICKS_TABLE} ADD COLUMN leak STRING"),
    "the API": _patched,
    "a load job": _loaded,
    "another table of the name": _dropped,
}
"""Ways to add a column without policies to the table of a stream."""


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_closed_to_all_without_pii(lake: Lake, path: str) -> None:
    PATHS[path](lake, "")
    for who in WITHOUT_PII:
        with pytest.raises(HttpError) as refused:
            PATHS[path](lake, who)
        assert refused.value.status_code == 403, (who, str(refused.value))


def test_no_grant_takes_effect_before_the_policies_are_in_force(lake: Lake) -> None:
    assert lake.early == []
    teams = [who for who in lake.readers() if not who.startswith("service-")]
    assert teams == ["analysts", "germany", "loader", "privacy", "public"]


def test_files_are_readable_only_with_access_to_the_whole_table(lake: Lake) -> None:
    answers = lake.emails("privacy", "pipeline", "acme-pii-lake-batch", *WITHOUT_PII)
    for who in ("privacy", "pipeline", "acme-pii-lake-batch"):
        assert answers[who] == {"values": EMAILS}, who
    for who in WITHOUT_PII:
        assert "values" not in answers[who]
        assert "Forbidden" in answers[who]["refused"], answers[who]


def test_queries_return_the_classifications_of_the_grant(lake: Lake) -> None:
    asks = f"SELECT order_id, email FROM {ORDERS_TABLE} ORDER BY order_id"
    seen = [["1", EMAILS[0]], ["2", EMAILS[1]]]
    for who in ("privacy", "pipeline", "acme-pii-lake-batch"):
        assert lake.query(who, asks) == seen, who
    for who in ("analysts", "public", "loader"):
        assert lake.query(who, asks) == [["1", None], ["2", None]], who
        guess = f"SELECT COUNT(*) FROM {ORDERS_TABLE} WHERE email = '{EMAILS[0]}'"
        assert lake.query(who, guess) == [["0"]], f"{who} must not be able to guess values"
    assert lake.query("germany", asks) == [["1", None]]
    for who in ("another", "stranger"):
        with pytest.raises(HttpError, match=r"[Dd]enied"):
            lake.query(who, f"SELECT order_id FROM {ORDERS_TABLE}")


def test_a_stream_shows_only_its_public_columns(lake: Lake) -> None:
    assert lake.query("privacy", f"SELECT at, who FROM {CLICKS_TABLE}") == []
    assert lake.query("analysts", f"SELECT at FROM {CLICKS_TABLE}") == []
    for who in ("public", "germany", "another", "stranger"):
        with pytest.raises(HttpError, match=r"[Dd]enied"):
            lake.query(who, f"SELECT at FROM {CLICKS_TABLE}")


@pytest.mark.parametrize("path", COLUMNS)
def test_no_writer_adds_a_column_to_the_table_of_a_stream(lake: Lake, path: str) -> None:
    for who in ("pipeline", "acme-pii-lake-batch", *WITHOUT_PII):
        with pytest.raises(HttpError) as refused:
            COLUMNS[path](lake, who)
        assert refused.value.status_code == 403, (who, str(refused.value))
    assert lake.query("pipeline", f"SELECT at, who FROM {CLICKS_TABLE}") == [], "it reads every column"


def test_a_batch_writes_a_table(lake: Lake) -> None:
    row = {"order_id": 3, "country": "IT", "email": "c@acme.example"}
    assert lake.write("acme-pii-lake-batch", [row]) == {"rows": 3}
    asks = f"SELECT order_id, email FROM {ORDERS_TABLE} WHERE order_id = 3"
    assert lake.query("privacy", asks) == [["3", "c@acme.example"]]
    assert lake.query("analysts", asks) == [["3", None]]
    for who in ("analysts", "public", "germany", "another", "stranger"):
        assert "Forbidden" in lake.write(who, [row])["refused"], who


def test_batches_access_only_their_scripts_and_their_output(lake: Lake) -> None:
    batch = "acme-pii-lake-batch"
    assert _objects(lake, batch, f"acme-pii-batches-{PROJECT}") == ["driver/output"]
    _put(lake, f"acme-pii-batches-{PROJECT}", "driver/more", batch)
    _put(lake, "acme-pii-scripts", "load.py")
    lake.client(batch, "storage").objects().get(bucket="acme-pii-scripts", object="load.py").execute()
    for bucket in ("acme-pii-models", f"acme-pii-curated-{PROJECT}", f"acme-pii-raw-{PROJECT}"):
        with pytest.raises(HttpError) as refused:
            _objects(lake, batch, bucket)
        assert refused.value.status_code == 403, bucket
    for path in ("a role on the bucket", "scripts of batches"):
        with pytest.raises(HttpError) as refused:
            PATHS[path](lake, batch)
        assert refused.value.status_code == 403, path


def test_a_pipeline_may_write_files_and_cannot_read_them(lake: Lake) -> None:
    _put(lake, f"acme-pii-raw-{PROJECT}", "files/in/a.csv", "pipeline")
    for path in ("files of tables", "a role on the bucket", "a role on the table", "a grantee of the policy"):
        with pytest.raises(HttpError) as refused:
            PATHS[path](lake, "pipeline")
        assert refused.value.status_code == 403, path


def test_the_last_principal_of_a_masking_policy_is_removed_from_it(lake: Lake) -> None:
    asks = f"SELECT email FROM {ORDERS_TABLE} WHERE order_id = 1"
    assert lake.query("analysts", asks) == [[None]]
    masked = ("analysts", "public", "germany", "loader")
    lake.place.stack(program(without=masked)).up()
    policies = lake.client("", "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    name = f"projects/{PROJECT}/locations/{REGION}/dataPolicies/acme_pii_curated_orders_pii_masked"
    [agent] = policies.get(name=name).execute()["grantees"]
    assert agent.endswith("@bigquery-encryption.iam.gserviceaccount.com"), (
        "the only grantee left is a service agent, which reads nothing"
    )
    # The policy itself denies access, even with every other permission.
    tables = lake.client("", "biglake").projects().catalogs().namespaces().tables()
    at = f"projects/{PROJECT}/catalogs/acme-pii-lakehouse/namespaces/acme_pii_curated/tables/orders"
    policy = tables.getIamPolicy(resource=at).execute()
    viewers = {"role": "roles/biglake.viewer", "members": [member(who) for who in ("privacy", "analysts")]}
    jobs = {"role": "roles/bigquery.jobUser", "members": [member("analysts")]}
    projects = lake.client("", "cloudresourcemanager").projects()
    of_project = projects.getIamPolicy(resource=PROJECT).execute()
    tables.setIamPolicy(resource=at, body={"policy": {**policy, "bindings": [viewers]}}).execute()
    with_jobs = {**of_project, "bindings": [*of_project["bindings"], jobs]}
    projects.setIamPolicy(resource=PROJECT, body={"policy": with_jobs}).execute()
    with pytest.raises(HttpError, match="neither fine-grained reader nor masked get permission"):
        lake.query("analysts", asks)
    lake.place.stack(program()).up(refresh=True)
    assert lake.query("analysts", asks) == [[None]]


def test_access_is_revoked_while_policies_fail_and_restored_with_them(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, others = lake.readers(), lake.readers(SUMS)
    finish = gcp_jobs.finish

    def slow_but_for_orders(jobs: Jobs, where: str, *more: Any) -> None:
        time.sleep(0 if "orders" in where else 5)
        finish(jobs, where, *more)

    monkeypatch.setattr(gcp_jobs, "_REPETITIONS", 0)
    monkeypatch.setattr(gcp_jobs, "finish", slow_but_for_orders)
    more = {"actions": ["read"], "tables": ["serving.sums"]}
    wrong = lake.place.stack(program(rows="country = nowhere", stranger=more))
    with pytest.raises(automation.errors.CommandError, match="no granted principal can read it"):
        wrong.up()
    monkeypatch.undo()
    assert lake.readers(SUMS) == sorted([*others, "stranger"]), "the other table's policies are in force"
    for who in ("another", "stranger"):
        assert lake.query(who, f"SELECT total FROM {SUMS_TABLE}") == [], who
    assert not lake.readers(), "the roles were deleted before the statements ran, and not created again"
    with pytest.raises(HttpError, match=r"[Dd]enied"):
        lake.query("analysts", f"SELECT order_id FROM {ORDERS_TABLE}")
    assert lake.query("pipeline", f"SELECT order_id FROM {ORDERS_TABLE} WHERE order_id = 1") == [["1"]]
    right = lake.place.stack(program(rows="country = 'FR'"))
    _, early = up(lake.instance, right)
    assert (lake.readers(), early) == (before, [])
    asks = f"SELECT order_id FROM {ORDERS_TABLE}"
    assert lake.query("germany", asks) == [["2"]], "the former condition does not apply"
    assert not changes(right.preview(refresh=True))
    _, early = up(lake.instance, lake.place.stack(program()))
    assert (lake.readers(), early) == (before, []), "the same statements run again, as a new job"
    assert lake.query("germany", asks) == [["1"]], "the first condition applies again"
