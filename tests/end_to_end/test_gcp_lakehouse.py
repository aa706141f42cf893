"""A lakehouse on the twin's Google Cloud: up, seen by Google's own client, a column more, and gone.

With a front of its own: no control plane, a few seconds.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient import discovery

from aiplatform.lakehouse.gcp_jobs import ENDPOINT
from tests.end_to_end import clients
from tests.end_to_end.test_gcp_provider import PROJECT, Place, front
from tests.end_to_end.test_provider_engine import changes
from twin import environment, programs
from twin.gcp.credentials import deployer_email
from twin.gcp.identity import Identity
from twin.gcp.state import State
from twin.toolchain import build
from twin.world import World

__all__ = ["front"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
REGION = "us-central1"
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


def _program(scripts: str = "", **given: Any) -> Callable[[], None]:
    """scripts: the name of a bucket for scripts of batches."""

    def program() -> None:
        from pulumi_gcp import projects, serviceaccount, storage

        from aiplatform.lakehouse import Lakehouse

        apis = [
            projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False)
            for api in ("iam", "storage")
        ]
        options = pulumi.ResourceOptions(depends_on=apis)
        accounts = [
            serviceaccount.Account(name, account_id=name, opts=options)
            for name in ("pipeline", "analysts", "support", "nobody")
        ]
        pipeline, analysts, support, _ = accounts
        arguments: Any = {
            "cloud": "gcp",
            "project": PROJECT,
            "region": REGION,
            "prefix": "acme-lake",
            "force_destroy": True,
            "writers": [pipeline.member],
            "tables": [ORDERS],
            "grants": [
                {"name": "analysts", "principal": analysts.member, "actions": ["read"], "zones": ["curated"]},
                {
                    "name": "support",
                    "principal": support.member,
                    "actions": ["read"],
                    "tables": ["curated.orders"],
                    "classifications": ["public", "internal", "pii"],
                },
            ],
            "account_settings": False,
            "arrival_events": False,
            **given,
        }
        before: list[pulumi.Resource] = list(accounts)
        if scripts:
            before.append(storage.Bucket("scripts", name=scripts, location=REGION, opts=options))
        lake = Lakehouse("lake", arguments, pulumi.ResourceOptions(depends_on=before))
        pulumi.export("lake", lake.outputs)

    return program


@pytest.fixture(autouse=True)
def _endpoint(front: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program runs in this process: here, too, the provider's own variable names the endpoint."""
    monkeypatch.setenv(ENDPOINT, environment.environment(front)[ENDPOINT])


def _client(world: World, api: str, version: str, token: str = "") -> Any:
    """Google's own client library, at the twin. The endpoint is the whole base of the document's paths."""
    base = {"storage": "storage/v1/", "bigquery": "bigquery/v2/"}.get(api, "")
    return discovery.build(
        api,
        version,
        credentials=Credentials(token or _token(world)),
        client_options={"api_endpoint": f"{world.url('cloud')}/{api}.googleapis.com/{base}"},
        static_discovery=True,
        cache_discovery=False,
    )


def _token(world: World) -> str:
    return environment.environment(world)["GOOGLE_OAUTH_ACCESS_TOKEN"]


def _table(world: World, lake: dict[str, Any]) -> dict[str, Any]:
    """A table's metadata, as an Iceberg client asks the catalog for it."""
    path = lake["catalog_uri"].removeprefix("https://")
    place = f"projects/{PROJECT}/catalogs/{lake['catalog_id']}/namespaces/acme_lake_curated/tables/orders"
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        f"{world.url('cloud')}/{path}/v1/{place}",
        headers={
            "Authorization": f"Bearer {_token(world)}",
            "X-Iceberg-Access-Delegation": "vended-credentials",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http on loopback
        return json.loads(answer.read())["metadata"]


def _columns(metadata: dict[str, Any]) -> list[tuple[str, str, bool]]:
    current = metadata["current-schema-id"]
    schema = next(each for each in metadata["schemas"] if each["schema-id"] == current)
    return [(field["name"], field["type"], field["required"]) for field in schema["fields"]]


def test_a_lakehouse_comes_up_is_seen_stays_and_goes(front: World, tmp_path: Path) -> None:
    assert programs.sdk_version("gcp")
    place = Place(tmp_path, world=front)
    stack = place.stack(_program())
    lake = stack.up().outputs["lake"].value
    _seen(front, lake)

    # An Iceberg client appends and evolves; then the declaration takes a column more.
    _used(front, lake)
    found = changes(stack.preview(refresh=True))
    assert set(found) == {"replace", "update"}, "a column that a client added gets its policies, and no more"
    assert found["update"] == 1, "the object with the table's statements"
    more = {"name": "channel", "type": "string", "classification": "pii"}
    declared = {**ORDERS, "columns": [*ORDERS["columns"], more]}
    wider = place.stack(_program(tables=[declared]))
    found = changes(wider.preview())
    assert set(found) <= {"replace", "update", "create", "delete"}
    assert found["update"] == 1, "the statements' object: a job runs anew, no table changes"
    # As Pulumi.yaml asks for everywhere but here.
    wider.up(refresh=True)
    asks = _shown(front, "analysts", "SELECT order_id, note FROM `{}` ORDER BY order_id", lake)
    assert asks == [["1", None], ["2", None], ["3", None]], "a client's column is hidden as the highest is"
    metadata = _table(front, lake)
    assert [name for name, _, _ in _columns(metadata)][-2:] == ["note", "channel"], (
        "added after a client's own"
    )
    assert metadata["location"] == lake["tables"][0]["location"], "the same table, in its place"
    assert not changes(wider.preview(refresh=True))

    wider.destroy()
    assert place.inventory() == {}


def test_all_that_can_be_asked_for_comes_up_stays_and_goes(front: World, tmp_path: Path) -> None:
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
    pipeline = f"serviceAccount:pipeline@{PROJECT}.iam.gserviceaccount.com"
    place = Place(tmp_path, world=front)

    def program(clicks: dict[str, Any]) -> Callable[[], None]:
        return _program(
            prefix="acme-all",
            tables=[{**ORDERS, "quality": {"rules": rules, "schedule": "0 6 * * *"}}, clicks],
            streams=[{"name": "clicks", "table": "raw.clicks"}],
            batches=[{"name": "load", "script": "gs://acme-scripts/load.py", "schedule": "15 3 * * *"}],
            network={
                "cloud": "gcp",
                "project": PROJECT,
                "region": REGION,
                "vpc_id": f"projects/{PROJECT}/global/networks/n",
                "cidr": "10.0.0.0/16",
                "private_subnet_ids": [f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes"],
            },
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
            scripts="acme-scripts",
        )

    stack = place.stack(program(clicks))
    lake = stack.up().outputs["lake"].value
    raw = next(zone for zone in lake["zones"] if zone["name"] == "raw")
    bucket = _client(front, "storage", "v1").buckets().get(bucket=raw["bucket"]).execute()
    assert bucket["retentionPolicy"]["retentionPeriod"] == str(2 * 24 * 3600)
    assert not bucket.get("versioning", {}).get("enabled"), "Cloud Storage takes no versions beside a hold"
    tables = _client(front, "bigquery", "v2").tables()
    made = tables.get(projectId=PROJECT, datasetId=raw["dataset"], tableId="clicks").execute()
    assert made["biglakeConfiguration"]["tableFormat"] == "ICEBERG"
    fields = {field["name"]: field for field in made["schema"]["fields"]}
    assert "dataPolicies" not in fields["at"]
    policy, _ = fields["who"]["dataPolicies"]
    assert policy["name"].endswith("/dataPolicies/acme_all_raw_clicks_pii")
    subscriptions = _client(front, "pubsub", "v1").projects().subscriptions()
    rows = subscriptions.get(
        subscription=f"projects/{PROJECT}/subscriptions/acme-all-stream-clicks"
    ).execute()
    assert rows["bigqueryConfig"]["table"] == f"{PROJECT}.acme_all_raw.clicks"
    assert rows["state"] == "ACTIVE"

    # Another declaration of the stream's table: one column more, and one is declared no more.
    campaign = {"name": "campaign", "type": "string"}
    stack = place.stack(program({**clicks, "columns": [*clicks["columns"][:2], campaign]}))
    stack.up()
    made = tables.get(projectId=PROJECT, datasetId=raw["dataset"], tableId="clicks").execute()
    names = [field["name"] for field in made["schema"]["fields"]]
    assert names == ["at", "who", "price", "campaign"], "no data is lost by a declaration"
    assert not changes(stack.preview(refresh=True))
    stack.destroy()
    assert place.inventory() == {}


def _seen(world: World, lake: dict[str, Any]) -> None:
    """What Google's own client says of it."""
    buckets = _client(world, "storage", "v1").buckets()
    for zone in lake["zones"]:
        bucket = buckets.get(bucket=zone["bucket"]).execute()
        access = bucket["iamConfiguration"]
        assert access["publicAccessPrevention"] == "enforced"
        assert access["uniformBucketLevelAccess"]["enabled"] is True
        assert bucket["encryption"]["defaultKmsKeyName"] == lake["kms_key"]
        assert bucket["versioning"]["enabled"] is True
        bindings = buckets.getIamPolicy(bucket=zone["bucket"]).execute().get("bindings", [])
        members = {member for binding in bindings for member in binding["members"]}
        assert not [each for each in members if "pipeline@" in each or "analysts@" in each]
        dataset = (
            _client(world, "bigquery", "v2").datasets().get(projectId=PROJECT, datasetId=zone["dataset"])
        )
        held = dataset.execute()
        assert held["defaultEncryptionConfiguration"]["kmsKeyName"] == lake["kms_key"]
        assert "READER" not in {entry["role"] for entry in held["access"]}, "the project's basic readers"
    policies = _client(world, "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    parent = f"projects/{PROJECT}/locations/{REGION}"
    known = {each["dataPolicyId"]: each for each in policies.list(parent=parent).execute()["dataPolicies"]}
    account = "principal://iam.googleapis.com/projects/-/serviceAccounts"
    pipeline, analysts = (
        f"{account}/{who}@{PROJECT}.iam.gserviceaccount.com" for who in ("pipeline", "analysts")
    )
    seen = {name: each["grantees"] for name, each in known.items()}
    assert {analysts, pipeline} < set(seen["acme_lake_curated_orders_internal"])
    assert pipeline in seen["acme_lake_curated_orders_pii"]
    assert analysts not in seen["acme_lake_curated_orders_pii"]
    assert known["acme_lake_curated_orders_pii_masked"]["grantees"] == [analysts]
    metadata = _table(world, lake)
    assert _columns(metadata) == [
        ("order_id", "long", True), ("placed_at", "timestamptz", False), ("email", "string", False),
    ]  # fmt: skip
    assert metadata["location"] == lake["tables"][0]["location"]
    assert metadata["partition-specs"][0]["fields"][0]["transform"] == "day"
    assert metadata["properties"]["owner"] == "shop@acme.example"
    namespaces = _client(world, "biglake", "v1").projects().catalogs().namespaces()
    namespace = f"projects/{PROJECT}/catalogs/{lake['catalog_id']}/namespaces/acme_lake_curated"
    assert not namespaces.getIamPolicy(resource=namespace).execute().get("bindings"), "no role by zone"
    bound = namespaces.tables().getIamPolicy(resource=f"{namespace}/tables/orders").execute()
    readers = [f"serviceAccount:{who}@{PROJECT}.iam.gserviceaccount.com" for who in ("analysts", "support")]
    assert [(each["role"], sorted(each["members"])) for each in bound["bindings"]] == [
        ("roles/biglake.viewer", readers)
    ]


def _shown(world: World, who: str, query: str, lake: dict[str, Any]) -> list[list[Any]]:
    """The rows that BigQuery shows to an account. query: with `{}` for the table."""
    state = State(world.folder / "gcp" / "state.db")
    try:
        member = f"serviceAccount:{who}@{PROJECT}.iam.gserviceaccount.com"
        token = Identity(world, state).token(member)
    finally:
        state.close()
    jobs = _client(world, "bigquery", "v2", token).jobs()
    table = f"{PROJECT}.{lake['catalog_id']}.acme_lake_curated.orders"
    asked = {"query": query.format(table), "useLegacySql": False, "location": REGION}
    told = jobs.query(projectId=PROJECT, body=asked).execute()
    return [[cell["v"] for cell in row["f"]] for row in told.get("rows", [])]


def _used(world: World, lake: dict[str, Any]) -> None:
    """What PyIceberg does with it, as a pipeline and as teams, from the outputs alone."""
    state = State(world.folder / "gcp" / "state.db")
    try:
        identity = Identity(world, state)
        who = {
            name: {
                "token": identity.token(f"serviceAccount:{name}@{PROJECT}.iam.gserviceaccount.com"),
                "do": "write" if name == "pipeline" else "read",
            }
            for name in ("pipeline", "support", "analysts", "nobody")
        }
    finally:
        state.close()
    asked = {"lake": lake, "google": world.url("cloud"), "table": "acme_lake_curated.orders", "who": who}
    told = clients.run("pyiceberg_google", "lake", asked)
    pipeline = told["pipeline"]
    assert [each["order_id"] for each in pipeline["all"]] == [1, 2, 3]
    assert (pipeline["then"], pipeline["one"][0]["note"], pipeline["partitions"]) == (2, "late", 2)
    assert pipeline["columns"] == ["order_id", "placed_at", "email", "note"]
    assert told["support"]["rows"] == 3, "it sees every column and row"
    assert told["support"]["write"] != "done", "and may not write"
    assert "no unrestricted access to column email" in told["analysts"]["refused"], "it reads by BigQuery"
    assert "Permission 'biglake.catalogs.get' denied" in told["nobody"]["refused"]
