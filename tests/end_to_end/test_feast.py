"""Feast itself on what a feature store made: applies, materializes, serves, joins points in time.

With the outputs of the stack alone, and as those whom the platform lets: a role that applies, one that
materializes, one that reads and one that serves, each with no more rights than the component gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError as BotoError

from tests.components.aiplatform.feature_store import example
from tests.components.recording import value
from tests.end_to_end.clients import ClientError, run
from tests.end_to_end.feast_world import DRIVERS, FIRST, LATER, Features, asked, program, refused
from tests.end_to_end.harness import eventually
from tests.end_to_end.plain import Base, Plain

# Feast alone takes seconds to start, seven times.
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def features(plain: Plain, base: Base) -> Iterator[Features]:
    """One that is up."""
    config = plain.world.kubeconfig.read_text()
    stack = plain.stack("feast", lambda: program(base, config))
    before = set(plain.inventory())
    outputs = {name: output.value for name, output in stack.up().outputs.items()}
    yield Features(plain, base, outputs)
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before


def test_feast_applies_materializes_and_reads_what_was_known_when(features: Features) -> None:
    features.client("applier", "apply")
    tables = features.plain.aws("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if name.startswith("acme-feast.")] == features.outputs["online_tables"], (
        "Feast takes the platform's table and makes none"
    )
    [name] = features.outputs["online_tables"]
    table = features.plain.aws("dynamodb").describe_table(TableName=name)["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == features.outputs["kms_key"]

    features.scheduled()
    count = sum(
        page["Count"]
        for page in features.plain.aws("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=name, Select="COUNT")
    )
    assert count == DRIVERS, "of two values of a driver, the newer one is online"

    with features.serving() as url:
        eventually("the server is well", lambda: asked(f"{url}/health") is not None)
        question = {
            "features": ["driver_stats:trips_today", "driver_stats:conversion_rate"],
            "entities": {"driver_id": [7, 4999, 123456]},
        }
        answer = asked(f"{url}/get-online-features", question)
    assert answer is not None
    told = dict(zip(answer["metadata"]["feature_names"], answer["results"], strict=True))
    assert told["trips_today"]["values"] == [8, 5000, None]
    rates = told["conversion_rate"]["values"]
    assert rates == [pytest.approx(7 / DRIVERS + 1), pytest.approx(4999 / DRIVERS + 1), None]

    known = features.client("reader", "training", drivers=[7, 7, 7, 8], moments=_moments())["rows"]
    by_moment = sorted(known, key=lambda row: (row["driver_id"], row["event_timestamp"]))
    assert [row["trips_today"] for row in by_moment] == [None, 7, 8, None], (
        "the newest value that was known then: none from the future, none older than the view's ttl"
    )


def _moments() -> list[str]:
    """Before the first value, between the two, after both, and when both are too old."""
    moments = [
        FIRST - timedelta(minutes=1),
        FIRST + timedelta(minutes=1),
        LATER + timedelta(minutes=1),
        LATER + timedelta(days=2, minutes=1),
    ]
    return [moment.isoformat() for moment in moments]


def test_clients_of_the_server_write_no_feature_and_no_registry(features: Features) -> None:
    before = _written(features)
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
    with features.serving() as url:
        eventually("the server is well", lambda: asked(f"{url}/health") is not None)
        answers = {path: refused(f"{url}/{path}", body) for path, body in attempts.items()}
    # What it does later it answers at once, and then fails at it.
    assert {path for path, status in answers.items() if status != 500 and "async" not in path} == set()
    assert _written(features) == before


def _written(features: Features) -> tuple[str, dict[str, str]]:
    """The registry's version, and all rows of the online store."""
    registry = {"Bucket": features.outputs["registry_bucket"], "Key": "registry/registry.db"}
    [table] = features.outputs["online_tables"]
    pages = features.plain.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
    rows = {row["entity_id"]["S"]: repr(row) for page in pages for row in page["Items"]}
    assert len(rows) == DRIVERS
    return features.plain.aws("s3").head_object(**registry)["VersionId"], rows


def test_no_principal_reads_what_another_staged(features: Features) -> None:
    own, athena = features.own["reader"], features.aws("reader", "athena")
    asked_in = {"WorkGroup": own["workgroup"], "QueryExecutionContext": {"Database": features.database}}
    query = athena.start_query_execution(QueryString="SELECT * FROM driver_stats LIMIT 1", **asked_in)
    id = {"QueryExecutionId": query["QueryExecutionId"]}

    def state() -> str:
        return athena.get_query_execution(**id)["QueryExecution"]["Status"]["State"]

    eventually("the query ends", lambda: state() == "SUCCEEDED")
    assert len(athena.get_query_results(**id)["ResultSet"]["Rows"]) == 2, "a header and a row"
    file = {"Bucket": own["staging_bucket"], "Key": f"results/{query['QueryExecutionId']}.csv"}
    assert features.aws("reader", "s3").get_object(**file)["Body"].read()

    for other in ("rival", "applier"):
        athena, s3 = features.aws(other, "athena"), features.aws(other, "s3")
        for call, arguments in (
            (athena.get_query_results, id),
            (athena.get_query_execution, id),
            (athena.list_query_executions, {"WorkGroup": own["workgroup"]}),
            (athena.start_query_execution, {"QueryString": "SELECT 1", **asked_in}),
            (s3.get_object, file),
            (s3.list_objects_v2, {"Bucket": own["staging_bucket"]}),
        ):
            with pytest.raises(BotoError, match="AccessDenied"):
                call(**arguments)
    with pytest.raises(BotoError, match="AccessDenied"):
        features.plain.aws("s3").get_object(**file)


def test_another_order_of_readers_changes_nothing_and_one_that_goes_takes_nothing_along(
    features: Features,
) -> None:
    def stack(*readers: str) -> Any:
        config = features.plain.world.kubeconfig.read_text()
        return features.plain.stack("feast", lambda: program(features.base, config, readers))

    def tables() -> set[str]:
        """Who may make tables in Feast's database."""
        resource = {"Database": {"Name": features.outputs["offline_database"]}}
        listed = features.plain.aws("lakeformation").list_permissions(Resource=resource)
        return {
            each["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2]
            for each in listed["PrincipalResourcePermissions"]
            if "CREATE_TABLE" in each["Permissions"]
        }

    everybody = tables()
    stack("rival", "reader").preview(expect_no_changes=True)
    without = stack("rival").up()
    assert tables() == everybody - {"acme-feast-reader"}, "and the others keep what they were granted"
    changes = without.summary.resource_changes or {}
    assert set(changes) == {"same", "delete"}, changes
    assert stack("reader", "rival").up().summary.resource_changes is not None
    assert tables() == everybody


def test_nobody_does_more_than_the_platform_lets_them(features: Features) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("stranger", "online", drivers=[7])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("reader", "apply")


def test_on_valkey_the_materializers_user_writes_and_the_servers_only_reads(tmp_path: Path) -> None:
    made = example.aws(latency="sub_millisecond", network=example.NETWORK)
    users = {
        each.inputs["userName"].removeprefix("acme-dev-feature-"): {
            "name": each.inputs["userName"],
            "access_string": each.inputs["accessString"],
        }
        for each in made.all("aws:elasticache/user:User")
    }
    given = {
        "folder": str(tmp_path),
        "yaml": value(made.result.feature_store_yaml),
        "users": {part: users[part] for part in ("materializer", "server")},
    }
    told = run("feast", "valkey", given)
    assert told["materializer"] == {"wrote": "yes", "read": [1], "served": 200}
    assert told["server"]["read"] == [1], "what the materializer wrote"
    assert "has no permissions to run the" in told["server"]["wrote"]
    assert told["server"]["served"] == 500, "no client writes by way of the server"


def test_a_server_with_a_database_user_that_only_reads_serves_what_was_applied(tmp_path: Path) -> None:
    told = run("feast", "registry", {"folder": str(tmp_path)})
    assert "attempt to write a readonly database" in told["empty"], "it starts after the first `feast apply`"
    assert told["applied"] == "reads driver"
    assert "attempt to write a readonly database" in told["written"]


def test_feast_accepts_the_files_of_every_store_on_both_clouds() -> None:
    made = {
        "dynamodb": example.aws(),
        "valkey": example.aws(latency="sub_millisecond", network=example.NETWORK, expire_days=3),
        "sql": example.aws(registry={"kind": "sql", "secret": "feast-registry"}),
        "datastore": example.google(),
        "bigtable": example.google(latency="milliseconds"),
    }
    given = {
        "files": {name: value(each.result.feature_store_yaml) for name, each in made.items()},
        # What Pods find in Secrets.
        "environment": {
            "FEAST_REGISTRY_URL": "postgresql+psycopg://feast@db/feast",
            "FEAST_ONLINE_USER": "acme-dev-feature-server",
            "FEAST_ONLINE_PASSWORD": "f4k3",
        },
    }
    accepted = run("feast", "accepts", given)
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
