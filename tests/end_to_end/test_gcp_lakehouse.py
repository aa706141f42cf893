"""A lakehouse on the twin's Google Cloud: created, read by Google's clients, changed, and destroyed.

On a separate cloud without a control plane: it takes a few seconds.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiplatform.lakehouse.gcp.bigquery_jobs import ENDPOINT
from tests.end_to_end import gcp_lake
from tests.end_to_end.gcp_lake import NETWORK, REGION, client, member
from tests.end_to_end.test_gcp_provider import PROJECT, Place, front
from tests.end_to_end.test_provider_engine import changes
from twin import environment, path_shims
from twin.gcp.credentials import deployer_email
from twin.instances import Instance
from twin.toolchain import build

__all__ = ["front"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
ORDERS: dict[str, Any] = {
    "zone": "curated",
    "name": "orders",
    "owner": "shop@acme.example",
    "columns": [
        {"name": "order_id", "type": "long", "required": True, "classification": "public"},
        {"name": "placed_at", "type": "timestamptz"},
        {"name": "email", "type": "string", "classification": "pii"},
    ],
    "partitions": [{"column": "placed_at", "transform": "day"}],
}


def _program(*buckets: str, **overrides: Any) -> Callable[[], None]:
    """buckets: names of buckets that are created before the lakehouse."""
    arguments: dict[str, Any] = {
        "prefix": "acme-lake",
        "writers": [member("pipeline")],
        "tables": [ORDERS],
        "grants": [
            {"name": "analysts", "principal": member("analysts"), "actions": ["read"], "zones": ["curated"]},
            {
                "name": "support",
                "principal": member("support"),
                "actions": ["read"],
                "tables": ["curated.orders"],
                "classifications": ["public", "internal", "pii"],
            },
        ],
        "arrival_events": False,
        **overrides,
    }
    return gcp_lake.program(("pipeline", "analysts", "support", "stranger"), arguments, buckets)


@pytest.fixture(autouse=True)
def _endpoint(front: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the provider's variable for the endpoint in this process, too: the program runs in it."""
    monkeypatch.setenv(ENDPOINT, environment.environment(front)[ENDPOINT])


def _table(instance: Instance, lake: dict[str, Any]) -> dict[str, Any]:
    """Return a table's metadata by the request of an Iceberg client to the catalog."""
    path = lake["catalog_uri"].removeprefix("https://")
    place = f"projects/{PROJECT}/catalogs/{lake['catalog_id']}/namespaces/acme_lake_curated/tables/orders"
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        f"{instance.url('cloud')}/{path}/v1/{place}",
        headers={
            "Authorization": f"Bearer {gcp_lake.token(instance)}",
            "X-Iceberg-Access-Delegation": "vended-credentials",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http on loopback
        return json.loads(answer.read())["metadata"]


def _columns(metadata: dict[str, Any]) -> list[tuple[str, str, bool]]:
    current = metadata["current-schema-id"]
    schema = next(schema for schema in metadata["schemas"] if schema["schema-id"] == current)
    return [(field["name"], field["type"], field["required"]) for field in schema["fields"]]


def test_a_lakehouse_is_created_read_changed_and_destroyed(front: Instance, tmp_path: Path) -> None:
    assert path_shims.sdk_version("gcp")
    place = Place(tmp_path, instance=front)
    stack = place.stack(_program())
    lake = stack.up().outputs["lake"].value
    _seen(front, lake)

    # An Iceberg client appends and adds a column; then the declaration gets a further column.
    _used(front, lake)
    summary = changes(stack.preview(refresh=True))
    assert set(summary) == {"replace", "update"}, (
        "the column that a client added gets its policies, and nothing else changes"
    )
    assert summary["update"] == 1, "the object with the table's statements"
    more = {"name": "channel", "type": "string", "classification": "pii"}
    declared = {**ORDERS, "columns": [*ORDERS["columns"], more]}
    wider = place.stack(_program(tables=[declared]))
    summary = changes(wider.preview())
    assert set(summary) <= {"replace", "update", "create", "delete"}
    assert summary["update"] == 1, "the object with the statements: the job runs again, no table changes"
    # Pulumi.yaml sets this option for environments.
    wider.up(refresh=True)
    orders = f"`{PROJECT}.{lake['catalog_id']}.acme_lake_curated.orders`"
    asks = f"SELECT order_id, note FROM {orders} ORDER BY order_id"  # noqa: S608 - of constants
    rows = gcp_lake.query(front, "analysts", asks)
    assert rows == [["1", None], ["2", None], ["3", None]], (
        "a column of a client has the table's highest classification"
    )
    metadata = _table(front, lake)
    assert [name for name, _, _ in _columns(metadata)][-2:] == ["note", "channel"], (
        "added after the client's column"
    )
    assert metadata["location"] == lake["tables"][0]["location"], "the same table, at the same location"
    assert not changes(wider.preview(refresh=True))

    wider.destroy()
    assert place.inventory() == {}


def test_a_lakehouse_with_all_options_is_created_and_destroyed(front: Instance, tmp_path: Path) -> None:
    clicks: dict[str, Any] = {
        "zone": "raw",
        "name": "clicks",
        "owner": "shop@acme.example",
        "columns": [
            {"name": "at", "type": "timestamptz", "required": True, "classification": "public"},
            {"name": "who", "type": "string", "classification": "pii"},
            {"name": "price", "type": "decimal(12,2)"},
        ],
    }
    rules = [
        {"rule": "complete", "column": "order_id"},
        {"rule": "fresh", "column": "placed_at", "hours": 24},
        {"rule": "rows", "low": 1},
    ]
    pipeline = member("pipeline")
    place = Place(tmp_path, instance=front)

    def program(clicks: dict[str, Any]) -> Callable[[], None]:
        return _program(
            "acme-scripts",
            prefix="acme-all",
            tables=[{**ORDERS, "quality": {"rules": rules, "schedule": "0 6 * * *"}}, clicks],
            streams=[{"name": "clicks", "table": "raw.clicks"}],
            batches=[{"name": "load", "script": "gs://acme-scripts/load.py", "schedule": "15 3 * * *"}],
            network=NETWORK,
            legal_hold={"days": 2},
            arrival_events=True,
            arrival_targets={"loader": pipeline},
            quality_targets={"stewards": pipeline},
            account_settings=True,
            query_cutoff_bytes=1024**4,
            perimeter={
                "access_policy": "123456789",
                "deployers": [f"serviceAccount:{deployer_email(PROJECT)}"],
            },
        )

    stack = place.stack(program(clicks))
    lake = stack.up().outputs["lake"].value
    raw = next(zone for zone in lake["zones"] if zone["name"] == "raw")
    bucket = client(front, "storage", "v1").buckets().get(bucket=raw["bucket"]).execute()
    assert bucket["retentionPolicy"]["retentionPeriod"] == str(2 * 24 * 3600)
    assert not bucket.get("versioning", {}).get("enabled"), (
        "Cloud Storage refuses versioning together with a retention policy"
    )
    streams = client(front, "storage", "v1").buckets().get(bucket=f"acme-all-streams-{PROJECT}").execute()
    assert not streams.get("versioning", {}).get("enabled"), (
        "BigQuery does not support versioning under its tables"
    )
    assert "retentionPolicy" not in streams, "nor a retention policy"
    tables = client(front, "bigquery", "v2").tables()
    table = tables.get(projectId=PROJECT, datasetId="acme_all_streams", tableId="clicks").execute()
    assert table["biglakeConfiguration"]["tableFormat"] == "ICEBERG"
    fields = {field["name"]: field for field in table["schema"]["fields"]}
    assert "dataPolicies" not in fields["at"]
    policy, _ = fields["who"]["dataPolicies"]
    assert policy["name"].endswith("/dataPolicies/acme_all_raw_clicks_pii")
    subscriptions = client(front, "pubsub", "v1").projects().subscriptions()
    rows = subscriptions.get(
        subscription=f"projects/{PROJECT}/subscriptions/acme-all-stream-clicks"
    ).execute()
    assert rows["bigqueryConfig"]["table"] == f"{PROJECT}.acme_all_streams.clicks"
    assert rows["state"] == "ACTIVE"

    # Another declaration of the stream's table: one column is new, and one is missing.
    campaign = {"name": "campaign", "type": "string"}
    stack = place.stack(program({**clicks, "columns": [*clicks["columns"][:2], campaign]}))
    stack.up()
    table = tables.get(projectId=PROJECT, datasetId="acme_all_streams", tableId="clicks").execute()
    names = [field["name"] for field in table["schema"]["fields"]]
    assert names == ["at", "who", "price", "campaign"], "a column that is no longer declared keeps its data"
    assert not changes(stack.preview(refresh=True))
    stack.destroy()
    assert place.inventory() == {}


def _seen(instance: Instance, lake: dict[str, Any]) -> None:
    """Assert what Google's clients read of the lakehouse."""
    buckets = client(instance, "storage", "v1").buckets()
    for zone in lake["zones"]:
        bucket = buckets.get(bucket=zone["bucket"]).execute()
        access = bucket["iamConfiguration"]
        assert access["publicAccessPrevention"] == "enforced"
        assert access["uniformBucketLevelAccess"]["enabled"] is True
        assert bucket["encryption"]["defaultKmsKeyName"] == lake["kms_key"]
        assert bucket["versioning"]["enabled"] is True
        bindings = buckets.getIamPolicy(bucket=zone["bucket"]).execute().get("bindings", [])
        members = {member for binding in bindings for member in binding["members"]}
        assert not [member for member in members if "pipeline@" in member or "analysts@" in member]
        dataset = (
            client(instance, "bigquery", "v2").datasets().get(projectId=PROJECT, datasetId=zone["dataset"])
        )
        body = dataset.execute()
        assert body["defaultEncryptionConfiguration"]["kmsKeyName"] == lake["kms_key"]
        assert "READER" not in {entry["role"] for entry in body["access"]}, "the project's basic readers"
    policies = client(instance, "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    parent = f"projects/{PROJECT}/locations/{REGION}"
    known = {
        policy["dataPolicyId"]: policy for policy in policies.list(parent=parent).execute()["dataPolicies"]
    }
    account = "principal://iam.googleapis.com/projects/-/serviceAccounts"
    pipeline, analysts = (
        f"{account}/{who}@{PROJECT}.iam.gserviceaccount.com" for who in ("pipeline", "analysts")
    )
    seen = {name: policy["grantees"] for name, policy in known.items()}
    assert {analysts, pipeline} < set(seen["acme_lake_curated_orders_internal"])
    assert pipeline in seen["acme_lake_curated_orders_pii"]
    assert analysts not in seen["acme_lake_curated_orders_pii"]
    assert known["acme_lake_curated_orders_pii_masked"]["grantees"] == [analysts]
    metadata = _table(instance, lake)
    assert _columns(metadata) == [
        ("order_id", "long", True), ("placed_at", "timestamptz", False), ("email", "string", False),
    ]  # fmt: skip
    assert metadata["location"] == lake["tables"][0]["location"]
    assert metadata["partition-specs"][0]["fields"][0]["transform"] == "day"
    assert metadata["properties"]["owner"] == "shop@acme.example"
    namespaces = client(instance, "biglake", "v1").projects().catalogs().namespaces()
    namespace = f"projects/{PROJECT}/catalogs/{lake['catalog_id']}/namespaces/acme_lake_curated"
    assert not namespaces.getIamPolicy(resource=namespace).execute().get("bindings"), "no role by zone"
    bound = namespaces.tables().getIamPolicy(resource=f"{namespace}/tables/orders").execute()
    readers = [member(who) for who in ("analysts", "support")]
    assert [(binding["role"], sorted(binding["members"])) for binding in bound["bindings"]] == [
        ("roles/biglake.viewer", readers)
    ]


def _used(instance: Instance, lake: dict[str, Any]) -> None:
    """Use the lakehouse by PyIceberg, as a pipeline and as teams, only with its outputs."""
    more = {"order_id": 9, "placed_at": "2026-11-26T09:00:00+00:00", "email": "x@acme.example"}
    asks = [
        {"who": "pipeline", "do": "evolve"},
        *({"who": who, "do": "read", "column": "order_id"} for who in ("support", "analysts", "stranger")),
        {"who": "support", "do": "append", "rows": [more]},
    ]
    pipeline, support, analysts, stranger, written = gcp_lake.iceberg(
        instance, lake, "acme_lake_curated.orders", *asks
    )
    assert [row["order_id"] for row in pipeline["all"]] == [1, 2, 3]
    assert (pipeline["then"], pipeline["one"][0]["note"], pipeline["partitions"]) == (2, "late", 2)
    assert pipeline["columns"] == ["order_id", "placed_at", "email", "note"]
    assert support == {"values": [1, 2, 3]}, "it reads every column and row"
    assert "refused" in written, "it may not write"
    assert "no unrestricted access to column email" in analysts["refused"], "it may only read by BigQuery"
    assert "Permission 'biglake.catalogs.get' denied" in stranger["refused"]
