"""Feast on a deployed feature store: apply, materialize, serve, point-in-time joins.

Only with the outputs of the stack, and with the roles that the platform grants: one that applies, one that
materializes, one that reads and one that serves, each with only the permissions of the component.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError as BotoError

from aiplatform.observability import metrics
from tests.components.aiplatform.feature_store import example
from tests.components.recording import value
from tests.end_to_end.clients import ClientError, run
from tests.end_to_end.feast_deployment import DRIVERS, FIRST, LATER, Features, program, refused, request_json
from tests.end_to_end.plain import Base, Plain
from twin.tests.waiting import eventually

# Feast takes seconds to start, and starts seven times.
pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def features(plain: Plain, base: Base) -> Iterator[Features]:
    """A deployed feature store."""
    config = plain.instance.kubeconfig.read_text()
    stack = plain.stack("feast", lambda: program(base, config))
    before = set(plain.inventory())
    outputs = {name: output.value for name, output in stack.up().outputs.items()}
    yield Features(plain, base, outputs)
    # With the program of the last test.
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before


@pytest.fixture(scope="module")
def materialized(features: Features) -> Features:
    """The feature store after `feast apply` and two runs of the CronJob, the second without new rows."""
    features.client("applier", "apply")
    features.scheduled()
    features.scheduled()
    return features


@pytest.fixture(scope="module")
def written(materialized: Features) -> tuple[str, dict[str, str]]:
    """What both have written, before the server starts."""
    return _written(materialized)


@pytest.fixture(scope="module")
def url(materialized: Features, written: tuple[str, dict[str, str]]) -> Iterator[str]:
    """The URL of its server, which takes ten seconds to start."""
    del written  # before the server starts
    with materialized.serving() as url:
        eventually("the server is well", lambda: request_json(f"{url}/health") is not None)
        yield url


def test_feast_applies_and_materializes_into_the_platforms_table(materialized: Features) -> None:
    features = materialized
    tables = features.plain.aws("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if name.startswith("acme-feast.")] == features.outputs["online_tables"], (
        "Feast uses the platform's table and creates none"
    )
    [name] = features.outputs["online_tables"]
    table = features.plain.aws("dynamodb").describe_table(TableName=name)["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == features.outputs["kms_key"]

    count = sum(
        page["Count"]
        for page in features.plain.aws("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=name, Select="COUNT")
    )
    assert count == DRIVERS, "the newer of a driver's two values is online"


def test_the_server_answers_with_the_newest_values_and_exports_what_rules_use(
    materialized: Features, url: str
) -> None:
    question = {
        "features": ["driver_stats:trips_today", "driver_stats:conversion_rate"],
        "entities": {"driver_id": [7, 4999, 123456]},
    }
    answer = request_json(f"{url}/get-online-features", question)
    eventually("the age of features is known", lambda: "freshness_seconds{" in materialized.metrics(), 60)
    assert answer is not None
    _exports_what_rules_use(materialized.metrics())
    served = dict(zip(answer["metadata"]["feature_names"], answer["results"], strict=True))
    assert served["trips_today"]["values"] == [8, 5000, None]
    rates = served["conversion_rate"]["values"]
    assert rates == [pytest.approx(7 / DRIVERS + 1), pytest.approx(4999 / DRIVERS + 1), None]


def test_joins_have_the_newest_value_of_their_point_in_time(materialized: Features) -> None:
    known = materialized.client("reader", "training", drivers=[7, 7, 7, 8], moments=_moments())["rows"]
    by_moment = sorted(known, key=lambda row: (row["driver_id"], row["event_timestamp"]))
    assert [row["trips_today"] for row in by_moment] == [None, 7, 8, None], (
        "the newest value at that time: none from the future, none older than the view's ttl"
    )


def _exports_what_rules_use(text: str) -> None:
    exporter = metrics.exporters()["feature-server"]
    for metric in exporter.metrics:
        assert f"# TYPE {metric.name} {metric.type}" in text, metric.name
        sample = next(line for line in text.splitlines() if line.startswith(f"{metric.series[0]}{{"))
        assert set(re.findall(r'(\w+)="', sample)) - {"le"} == set(metric.labels), metric.name
        bounds = [float(bound) for bound in re.findall(rf'^{metric.name}_bucket{{.*le="([^"]+)"', text, re.M)]
        assert list(dict.fromkeys(bounds)) == ([*metric.buckets, float("inf")] if metric.buckets else [])
    answered = r'^feast_feature_server_request_total{endpoint="/get-online-features",status="success"} 1'
    assert re.search(answered, text, re.M)


def _moments() -> list[str]:
    """Return times before the first value, between the two, after both, and when both are too old."""
    moments = [
        FIRST - timedelta(minutes=1),
        FIRST + timedelta(minutes=1),
        LATER + timedelta(minutes=1),
        LATER + timedelta(days=2, minutes=1),
    ]
    return [moment.isoformat() for moment in moments]


def test_clients_of_the_server_write_no_feature_and_no_registry(
    materialized: Features, written: tuple[str, dict[str, str]], url: str
) -> None:
    moment = LATER.isoformat()
    row = {"driver_id": [7], "event_timestamp": [moment], "conversion_rate": [9.0], "trips_today": [999]}
    span = {"start_ts": FIRST.isoformat(), "end_ts": moment, "feature_views": ["driver_stats"]}
    until = {"end_ts": moment, "feature_views": ["driver_stats"]}
    attempts: dict[str, dict[str, object]] = {
        "write-to-online-store": {"feature_view_name": "driver_stats", "df": row},
        "materialize": span,
        "materialize?async=true": span,
        "materialize-incremental": until,
        "materialize-incremental?async=true&force=true": until,
    }
    answers = {path: refused(f"{url}/{path}", body) for path, body in attempts.items()}
    # An asynchronous request is answered at once, and fails later.
    assert {path for path, status in answers.items() if status != 500 and "async" not in path} == set()
    assert _written(materialized) == written


def _written(features: Features) -> tuple[str, dict[str, str]]:
    """Return the registry's version, and all rows of the online store."""
    registry = {"Bucket": features.outputs["registry_bucket"], "Key": "registry/registry.db"}
    [table] = features.outputs["online_tables"]
    pages = features.plain.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
    rows = {row["entity_id"]["S"]: repr(row) for page in pages for row in page["Items"]}
    assert len(rows) == DRIVERS
    return features.plain.aws("s3").head_object(**registry)["VersionId"], rows


def test_no_principal_reads_the_staged_results_of_another(features: Features) -> None:
    client_outputs, athena = features.client_outputs["reader"], features.aws("reader", "athena")
    query_settings = {
        "WorkGroup": client_outputs["workgroup"],
        "QueryExecutionContext": {"Database": features.database},
    }
    query = athena.start_query_execution(QueryString="SELECT * FROM driver_stats LIMIT 1", **query_settings)
    id = {"QueryExecutionId": query["QueryExecutionId"]}

    def state() -> str:
        return athena.get_query_execution(**id)["QueryExecution"]["Status"]["State"]

    eventually("the query ends", lambda: state() == "SUCCEEDED")
    assert len(athena.get_query_results(**id)["ResultSet"]["Rows"]) == 2, "a header and a row"
    file = {"Bucket": client_outputs["staging_bucket"], "Key": f"results/{query['QueryExecutionId']}.csv"}
    assert features.aws("reader", "s3").get_object(**file)["Body"].read()

    for other in ("rival", "applier"):
        athena, s3 = features.aws(other, "athena"), features.aws(other, "s3")
        for call, arguments in (
            (athena.get_query_results, id),
            (athena.get_query_execution, id),
            (athena.list_query_executions, {"WorkGroup": client_outputs["workgroup"]}),
            (athena.start_query_execution, {"QueryString": "SELECT 1", **query_settings}),
            (s3.get_object, file),
            (s3.list_objects_v2, {"Bucket": client_outputs["staging_bucket"]}),
        ):
            with pytest.raises(BotoError, match="AccessDenied"):
                call(**arguments)
    with pytest.raises(BotoError, match="AccessDenied"):
        features.plain.aws("s3").get_object(**file)


def test_principals_have_only_the_permissions_of_their_role(features: Features) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("stranger", "online", drivers=[7])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("reader", "apply")


def test_removing_or_reordering_readers_changes_no_grant_of_the_others(
    features: Features,
) -> None:
    """The last on this stack, because it removes a reader."""

    def stack(*readers: str) -> Any:
        config = features.plain.instance.kubeconfig.read_text()
        return features.plain.stack("feast", lambda: program(features.base, config, readers))

    def tables() -> set[str]:
        """Return the principals that may create tables in Feast's database."""
        resource = {"Database": {"Name": features.outputs["offline_database"]}}
        permissions = features.plain.aws("lakeformation").list_permissions(Resource=resource)
        return {
            entry["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2]
            for entry in permissions["PrincipalResourcePermissions"]
            if "CREATE_TABLE" in entry["Permissions"]
        }

    everybody = tables()
    stack("rival", "reader").preview(expect_no_changes=True)
    without = stack("rival").up()
    assert tables() == everybody - {"acme-feast-reader"}, "the grants of the others are unchanged"
    changes = without.summary.resource_changes or {}
    assert set(changes) == {"same", "delete"}, changes


def test_on_valkey_the_materializers_user_writes_and_the_servers_only_reads(tmp_path: Path) -> None:
    recording = example.aws(latency="sub_millisecond", network=example.NETWORK)
    users = {
        user.inputs["userName"].removeprefix("acme-dev-feature-"): {
            "name": user.inputs["userName"],
            "access_string": user.inputs["accessString"],
        }
        for user in recording.all("aws:elasticache/user:User")
    }
    payload = {
        "folder": str(tmp_path),
        "yaml": value(recording.result.feature_store_yaml),
        "users": {part: users[part] for part in ("materializer", "server")},
    }
    answers = run("feast", "valkey", payload)
    assert answers["materializer"] == {"wrote": "yes", "read": [1], "served": 200}
    assert answers["server"]["read"] == [1], "what the materializer wrote"
    assert "has no permissions to run the" in answers["server"]["wrote"]
    assert answers["server"]["served"] == 500, "no client writes through the server"


def test_a_server_with_a_database_user_that_only_reads_serves_what_was_applied(tmp_path: Path) -> None:
    outcomes = run("feast", "registry", {"folder": str(tmp_path)})
    assert "attempt to write a readonly database" in outcomes["empty"], (
        "without a registry it cannot start: `feast apply` must run first"
    )
    assert outcomes["applied"] == "reads driver"
    assert "attempt to write a readonly database" in outcomes["written"]


def test_feast_accepts_the_files_of_every_store_on_both_clouds() -> None:
    recordings = {
        "dynamodb": example.aws(),
        "valkey": example.aws(latency="sub_millisecond", network=example.NETWORK, expire_days=3),
        "sql": example.aws(registry={"kind": "sql", "secret": "feast-registry"}),
        "datastore": example.google(),
        "bigtable": example.google(latency="milliseconds"),
    }
    payload = {
        "files": {name: value(recording.result.feature_store_yaml) for name, recording in recordings.items()},
        # Variables that Pods get from Secrets.
        "environment": {
            "FEAST_REGISTRY_URL": "postgresql+psycopg://feast@db/feast",
            "FEAST_ONLINE_USER": "acme-dev-feature-server",
            "FEAST_ONLINE_PASSWORD": "f4k3",
        },
    }
    accepted = run("feast", "accepts", payload)
    types = {
        name: (read["online_store"]["type"], read["offline_store"]["type"]) for name, read in accepted.items()
    }
    assert types == {
        "dynamodb": ("dynamodb", "athena"),
        "valkey": ("redis", "athena"),
        "sql": ("dynamodb", "athena"),
        "datastore": ("datastore", "bigquery"),
        "bigtable": ("bigtable", "bigquery"),
    }
    assert accepted["valkey"]["online_store"]["connection_string"].endswith(
        "username=acme-dev-feature-server,password=f4k3"
    )
    assert accepted["sql"]["registry"]["path"] == "postgresql+psycopg://feast@db/feast"
    assert accepted["datastore"]["registry"]["path"].startswith("gs://")
