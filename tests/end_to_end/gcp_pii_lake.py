"""A lakehouse on the twin's Google Cloud with an account for every kind of grant, for tests of access to pii.

No account has other permissions than its grant. All use real clients.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import automation

from tests.end_to_end import gcp_lake
from tests.end_to_end.gcp_lake import NETWORK, member
from tests.end_to_end.test_gcp_provider import PROJECT, Place
from twin.gcp.api_server.state import State
from twin.instances import Instance

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
WITHOUT_PII: Final = ("analysts", "public", "germany", "loader", "another", "stranger")
"""A grant by zones; one of public columns; one of some rows; one that writes; one of another table; none."""
ORDERS_TABLE: Final = f"`{PROJECT}.acme-pii-lakehouse.acme_pii_curated.orders`"
SUMS_TABLE: Final = f"`{PROJECT}.acme-pii-lakehouse.acme_pii_serving.sums`"
CLICKS_TABLE: Final = f"`{PROJECT}.acme_pii_streams.clicks`"


def program(rows: str = "country = 'DE'", without: Sequence[str] = (), **more: Any) -> Callable[[], None]:
    """rows: the condition of the grant `germany`. without: grants to leave out. more: further grants."""
    orders = {"actions": ["read"], "tables": ["curated.orders"]}
    grants: dict[str, Any] = {
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
        **more,
    }
    arguments: dict[str, Any] = {
        "prefix": "acme-pii",
        "writers": [member("pipeline")],
        "tables": [ORDERS, SUMS, CLICKS],
        "streams": [{"name": "clicks", "table": "raw.clicks"}],
        "batches": [{"name": "load", "script": "gs://acme-pii-scripts/load.py"}],
        "network": NETWORK,
        "grants": [
            {"name": who, "principal": member(who), **grant}
            for who, grant in grants.items()
            if who not in without
        ],
    }
    accounts = ("pipeline", "privacy", *WITHOUT_PII)
    return gcp_lake.program(accounts, arguments, ("acme-pii-scripts", "acme-pii-models"))


@dataclass
class Lake:
    """A lakehouse with rows in it."""

    instance: Instance
    place: Place
    stack: automation.Stack
    outputs: dict[str, Any]
    early: list[str] = field(default_factory=list[str])
    """Accounts that could read the table while its policies were not in force."""

    def token(self, who: str) -> str:
        """Return an account's access token; the deployer's for ""."""
        return gcp_lake.token(self.instance, who)

    def client(self, who: str, api: str, version: str = "v1") -> Any:
        """Return a client of Google's library, as an account."""
        return gcp_lake.client(self.instance, api, version, who)

    def query(self, who: str, text: str) -> list[list[Any]]:
        """Return the rows that BigQuery returns to an account."""
        return gcp_lake.query(self.instance, who, text)

    def write(self, who: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Append orders by PyIceberg."""
        [answer] = self._iceberg({"who": who, "do": "append", "rows": rows})
        return answer

    def emails(self, *who: str) -> dict[str, dict[str, Any]]:
        """Return the e-mail addresses of orders that accounts read by PyIceberg."""
        asks = [{"who": account, "do": "read", "column": "email"} for account in who]
        return dict(zip(who, self._iceberg(*asks), strict=True))

    def _iceberg(self, *asks: dict[str, Any]) -> list[dict[str, Any]]:
        return gcp_lake.iceberg(self.instance, self.outputs, "acme_pii_curated.orders", *asks)

    def readers(self, path: str = "curated/tables/orders") -> list[str]:
        """Return the accounts with a role on a table."""
        state = State(self.instance.folder / "gcp" / "state.db")
        try:
            return sorted(_readers(state, path))
        finally:
            state.close()


def _readers(state: State, path: str = "curated/tables/orders") -> set[str]:
    row = f"biglake/projects/{PROJECT}/catalogs/acme-pii-lakehouse/namespaces/acme_pii_{path}"
    bindings = (state.policy(row) or {}).get("bindings", [])
    return {
        member.partition(":")[2].partition("@")[0] for binding in bindings for member in binding["members"]
    }


def _watch(instance: Instance, early: list[str], ended: threading.Event) -> None:
    """Record the accounts with a role on orders while no job has set its policies."""
    state = State(instance.folder / "gcp" / "state.db")
    try:
        while not ended.wait(0.05):
            readers = _readers(state)
            prefix = f"bigquery/projects/{PROJECT}/jobs/acme-pii-curated-orders-"
            states = [body["status"]["state"] for _, body in state.of("bigquery.jobs", prefix)]
            if readers and (not states or "RUNNING" in states):
                early.extend(readers)
    finally:
        state.close()


def up(instance: Instance, stack: automation.Stack) -> tuple[Any, list[str]]:
    """Return the outputs of an update, and the accounts that could read orders without its policies."""
    early: list[str] = []
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(instance, early, ended))
    watching.start()
    try:
        return stack.up().outputs, early
    finally:
        ended.set()
        watching.join()
