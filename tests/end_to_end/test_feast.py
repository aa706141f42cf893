"""Feast itself on what a feature store made: applies, materializes, serves, joins points in time.

With the outputs of the stack alone, and as those whom the platform lets: a role that applies, one that
materializes, one that reads and one that serves, each with no more rights than the component gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.components.aiplatform.feature_store import example
from tests.components.recording import value
from tests.end_to_end.clients import ClientError, run
from tests.end_to_end.feast_world import DRIVERS, FIRST, LATER, Features, asked, program
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


def test_nobody_does_more_than_the_platform_lets_them(features: Features) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("stranger", "online", drivers=[7])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("reader", "apply")


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
