"""Arguments that the tests of gateways share."""

from __future__ import annotations

from typing import Any

from aiplatform._shared.args import read
from aiplatform.gateway.args import GatewaySettings

CLUSTERS: dict[str, dict[str, Any]] = {
    "aws": {"name": "acme", "security_group_id": "sg-1"},
    "gcp": {
        "name": "acme",
        "cloud": "gcp",
        "project": "acme",
        "region": "us-central1",
        "node_service_account": "nodes@acme.iam.gserviceaccount.com",
    },
}
TOKENS: dict[str, Any] = {
    "issuer": "https://login.acme.example",
    "audiences": ["models"],
    "jwks_uri": "https://login.acme.example/keys",
}
TEAMS: dict[str, Any] = {"vision": {}, "search": {"namespace": "find", "claims": ["search-users"]}}
ROUTE: dict[str, Any] = {
    "team": "vision",
    "backends": [{"service": "blue", "weight": 90}, {"service": "green", "port": 8080, "weight": 10}],
}


def arguments(cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """A gateway with tokens and a route. A key with the value None is left out."""
    args: dict[str, Any] = {
        "cluster": CLUSTERS[cloud],
        "hosts": ["models.acme.example"],
        "authentication": TOKENS,
        "teams": TEAMS,
        "routes": {"classifier": ROUTE},
        **({"proxy_ranges": ["10.0.176.0/23"]} if more.get("gateway_class") == "gke" else {}),
        **more,
    }
    return {key: value for key, value in args.items() if value is not None}


def settings(cloud: str = "aws", **more: Any) -> GatewaySettings:
    return read(GatewaySettings, arguments(cloud, **more), "GatewayArgs")
