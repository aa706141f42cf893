"""A lakehouse on the twin's Google Cloud with accounts of every kind of grant, for tests of who reaches what.

No account has other rights than its grant. All ask with real clients.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from google.oauth2.credentials import Credentials
from googleapiclient import discovery
from pulumi import automation

from tests.end_to_end import clients
from tests.end_to_end.test_gcp_provider import PROJECT, Place
from twin import environment
from twin.gcp.identity import Identity
from twin.gcp.state import State
from twin.world import World

REGION: Final = "us-central1"
ORDERS: Final[dict[str, Any]] = {
    "zone": "curated",
    "name": "orders",
    "owner": "shop@acme.example",
    "columns": [
        {"name": "order_id", "type": "long", "required": True, "classification": "public"},
        {"name": "country", "type": "string"},
        {"name": "email", "type": "string", "classification": "pii"},
    ],
    "quality": {"rules": [{"rule": "complete", "column": "order_id"}]},
}
SUMS: Final[dict[str, Any]] = {
    "zone": "serving",
    "name": "sums",
    "columns": [{"name": "total", "type": "double"}],
}
CLICKS: Final[dict[str, Any]] = {
    "zone": "raw",
    "name": "clicks",
    "owner": "shop@acme.example",
    "columns": [
        {"name": "at", "type": "timestamptz", "classification": "public"},
        {"name": "who", "type": "string", "classification": "pii"},
    ],
}
ROWS: Final = [
    {"order_id": 1, "country": "DE", "email": "a@acme.example"},
    {"order_id": 2, "country": "FR", "email": "b@acme.example"},
]
EMAILS: Final = ["a@acme.example", "b@acme.example"]
ALL: Final = ["public", "internal", "pii"]
WITHOUT_PII: Final = ("analysts", "public", "germany", "loader", "another", "nobody")
"""A grant by zones; one of public columns; one of some rows; one that writes; one of another table; none."""
ORDERS_TABLE: Final = f"`{PROJECT}.acme-pii-lakehouse.acme_pii_curated.orders`"
CLICKS_TABLE: Final = f"`{PROJECT}.acme_pii_raw.clicks`"


def _member(who: str) -> str:
    return f"serviceAccount:{who}@{PROJECT}.iam.gserviceaccount.com"


def program(rows: str = "country = 'DE'") -> Callable[[], None]:
    def declared() -> None:
        from pulumi_gcp import projects, serviceaccount, storage

        from aiplatform.lakehouse import Lakehouse

        apis = [
            projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False)
            for api in ("iam", "storage", "iamcredentials")
        ]
        options = pulumi.ResourceOptions(depends_on=apis)
        before: list[pulumi.Resource] = [
            serviceaccount.Account(who, account_id=who, opts=options)
            for who in ("pipeline", "privacy", *WITHOUT_PII)
        ]
        for bucket in ("acme-pii-scripts", "acme-pii-models"):
            before.append(storage.Bucket(bucket, name=bucket, location=REGION, opts=options))
        orders = {"actions": ["read"], "tables": ["curated.orders"]}
        grants = {
            "analysts": {"actions": ["read"], "zones": ["raw", "curated"]},
            "public": {**orders, "classifications": ["public"]},
            "germany": {**orders, "classifications": ["public", "internal"], "rows": rows},
            "loader": {"actions": ["read", "write"], "zones": ["raw", "curated", "serving"]},
            "another": {"actions": ["read", "write"], "tables": ["serving.sums"]},
            "privacy": {
                "actions": ["read"],
                "tables": ["curated.orders", "raw.clicks"],
                "classifications": ALL,
            },
        }
        arguments: Any = {
            "cloud": "gcp",
            "project": PROJECT,
            "region": REGION,
            "prefix": "acme-pii",
            "force_destroy": True,
            "writers": [_member("pipeline")],
            "tables": [ORDERS, SUMS, CLICKS],
            "streams": [{"name": "clicks", "table": "raw.clicks"}],
            "batches": [{"name": "load", "script": "gs://acme-pii-scripts/load.py"}],
            "network": {
                "cloud": "gcp",
                "project": PROJECT,
                "region": REGION,
                "vpc_id": f"projects/{PROJECT}/global/networks/n",
                "cidr": "10.0.0.0/16",
                "private_subnet_ids": [f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes"],
            },
            "grants": [{"name": who, "principal": _member(who), **each} for who, each in grants.items()],
            "account_settings": False,
        }
        lake = Lakehouse("lake", arguments, pulumi.ResourceOptions(depends_on=before))
        pulumi.export("lake", lake.outputs)

    return declared


@dataclass
class Lake:
    """A lakehouse with rows in it."""

    world: World
    place: Place
    stack: automation.Stack
    outputs: dict[str, Any]
    early: list[str] = field(default_factory=list[str])
    """What was readable while its policies were not in force."""

    def token(self, who: str) -> str:
        """An account's access token; the deployer's for ""."""
        if not who:
            return environment.environment(self.world)["GOOGLE_OAUTH_ACCESS_TOKEN"]
        state = State(self.world.folder / "gcp" / "state.db")
        try:
            return Identity(self.world, state).token(_member(who))
        finally:
            state.close()

    def client(self, who: str, api: str, version: str = "v1") -> Any:
        """Google's own client library, as an account."""
        base = {"storage": "storage/v1/", "bigquery": "bigquery/v2/"}.get(api, "")
        return discovery.build(
            api,
            version,
            credentials=Credentials(self.token(who)),
            client_options={"api_endpoint": f"{self.world.url('cloud')}/{api}.googleapis.com/{base}"},
            static_discovery=True,
            cache_discovery=False,
        )

    def query(self, who: str, text: str) -> list[list[Any]]:
        """The rows that BigQuery shows to an account."""
        asked = {"query": text, "useLegacySql": False, "location": REGION}
        told = self.client(who, "bigquery", "v2").jobs().query(projectId=PROJECT, body=asked).execute()
        return [[cell["v"] for cell in row["f"]] for row in told.get("rows", [])]

    def iceberg(self, *who: str, rows: Any = None) -> dict[str, Any]:
        """What accounts read by PyIceberg."""
        asked = {
            "lake": self.outputs,
            "google": self.world.url("cloud"),
            "table": "acme_pii_curated.orders",
            "rows": rows,
            "pipeline": self.token("pipeline"),
            "who": {each: self.token(each) for each in who},
        }
        return clients.run("pyiceberg_google", "read", asked)

    def readers(self) -> list[str]:
        """The accounts with a role on the table of orders."""
        state = State(self.world.folder / "gcp" / "state.db")
        try:
            return sorted(_readers(state))
        finally:
            state.close()


def _readers(state: State) -> set[str]:
    row = f"biglake/projects/{PROJECT}/catalogs/acme-pii-lakehouse/namespaces/acme_pii_curated/tables/orders"
    bindings = (state.policy(row) or {}).get("bindings", [])
    return {member.partition(":")[2].partition("@")[0] for each in bindings for member in each["members"]}


def _watch(world: World, early: list[str], ended: threading.Event) -> None:
    """Note who may read orders while no job has given it its policies."""
    state = State(world.folder / "gcp" / "state.db")
    try:
        while not ended.wait(0.05):
            readers = _readers(state)
            prefix = f"bigquery/projects/{PROJECT}/jobs/acme-pii-curated-orders-"
            states = [body["status"]["state"] for _, body in state.of("bigquery.jobs", prefix)]
            if readers and (not states or "RUNNING" in states):
                early.extend(readers)
    finally:
        state.close()


def up(world: World, stack: automation.Stack) -> tuple[Any, list[str]]:
    """The outputs of an update, and who could read orders before its policies were in force."""
    early: list[str] = []
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(world, early, ended))
    watching.start()
    try:
        return stack.up().outputs, early
    finally:
        ended.set()
        watching.join()
