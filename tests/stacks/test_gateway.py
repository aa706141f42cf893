"""The topic `gateway`: what an environment supplies, and what is refused by file, line and key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.args import read
from aiplatform.gateway.args import GatewaySettings
from stacks import arguments, gateway_arguments, image_list, images, team_arguments
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.stacks.test_google_files import changed, problems

HOSTS = ["models.acme.example"]
TOKENS = {
    "issuer": "https://login.acme.example",
    "audiences": ["models"],
    "jwks_uri": "https://login.acme.example/keys",
}
TEAM = {"owners": ["group:vision@acme.example"]}


def gateway(**keys: Any) -> dict[str, Any]:
    """A gateway, and a team whose services are behind it."""
    return {
        "gateway": {"hosts": HOSTS, "authentication": TOKENS, **keys},
        "teams/vision": TEAM,
        "cluster/gke/google_groups": "gke-security-groups@acme.example",
    }


def settings_with(tmp_path: Path, change: dict[str, Any], stack: str = "gcp-dev") -> Settings:
    return load_file(changed(tmp_path, change, stack))


def addons(settings: Settings) -> Any:
    return arguments.addons(settings, placeholders.of(settings).cluster)


def cluster(settings: Settings) -> Any:
    return arguments.cluster(settings, placeholders.of(settings).network)


def test_envoy_gateway_has_the_kinds_of_the_catalog_and_gke_brings_none(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, gateway())
    assert addons(settings)["options"]["gateway-api"] == {"enabled": True}
    assert cluster(settings)["gke"]["gateway_api"] is False
    assert "gateway-api" in images.addons_of(settings)


def test_a_gateway_of_gke_has_the_kinds_of_gke(tmp_path: Path) -> None:
    change = gateway(gateway_class="gke")
    del change["gateway"]["authentication"]
    settings = settings_with(tmp_path, change)
    assert "gateway-api" not in addons(settings).get("options", {})
    assert "gateway_api" not in cluster(settings).get("gke", {}), "the component's default is true"
    assert images.gateway_addons(settings) == []
    args = gateway_arguments.gateway(settings, placeholders.of(settings).cluster)
    assert args.get("proxy_ranges") == ["10.16.176.0/23"], "the proxy-only subnet of the network"


def test_envoy_gateway_with_gkes_own_gateways_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, {**gateway(), "cluster/gke/gateway_api": True})
    assert re.search(
        r"Pulumi\.gcp-dev\.yaml:\d+: cluster\.gke\.gateway_api: got true, and Envoy Gateway", problem
    )


def test_a_gateway_of_gke_without_gkes_gateways_is_refused(tmp_path: Path) -> None:
    change = {**gateway(gateway_class="gke"), "cluster/gke/gateway_api": False}
    del change["gateway"]["authentication"]
    [problem] = problems(tmp_path, change)
    assert "cluster.gke.gateway_api: got false" in problem


@pytest.mark.parametrize(
    ("name", "stack"),
    [("cert-manager", "gcp-dev"), ("gateway-api", "gcp-dev"), ("aws-load-balancer-controller", "aws-dev")],
)
def test_a_gateway_without_an_addon_that_it_needs_is_refused(tmp_path: Path, name: str, stack: str) -> None:
    change = {**gateway(), f"addons/options/{name}": {"enabled": False}}
    if stack == "aws-dev":
        del change["cluster/gke/google_groups"]
        change["teams/vision"] = {"owners": ["arn:aws:iam::111122223333:role/vision"]}
    expected = f"addons.options.{name}.enabled: got false, and the topic gateway needs it"
    assert any(expected in problem for problem in problems(tmp_path, change, stack))


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({"public": True, "issuer": "letsencrypt", "authentication": None}, "authentication", "is public"),
        ({"public": True}, "issuer", "no client outside trusts"),
        ({"claims": {"visoin": ["a"]}}, r"claims\.visoin", "no team of the file"),
        (
            {"routes": {"a": {"team": "vision", "backends": [{"service": "a", "weight": 90}]}}},
            r"routes\.a\.backends",
            "add up to 90",
        ),
        ({"gateway_class": "nginx"}, "gateway_class", "nginx"),
    ],
)
def test_a_wrong_gateway_is_reported_with_its_line(
    tmp_path: Path, keys: dict[str, Any], key: str, reason: str
) -> None:
    change = gateway(**keys)
    change["gateway"] = {name: value for name, value in change["gateway"].items() if value is not None}
    [problem] = problems(tmp_path, change)
    assert re.search(rf"Pulumi\.gcp-dev\.yaml:\d+: gateway\.{key}: ", problem), problem
    assert reason in problem


def test_tokens_without_teams_are_reported_at_the_topic_of_teams(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, {"gateway": {"hosts": HOSTS, "authentication": TOKENS}})
    assert "teams: missing, and a token allows what its teams own" in problem


def test_teams_of_the_file_are_behind_the_gateway_and_reached_by_envoy(tmp_path: Path) -> None:
    change = gateway(claims={"vision": ["vision-users"]})
    change["teams/vision"] = {**TEAM, "namespace": "pictures"}
    settings = settings_with(tmp_path, change)
    references = placeholders.of(settings)
    args: Any = gateway_arguments.gateway(settings, references.cluster)
    assert args["teams"] == {"vision": {"namespace": "pictures", "claims": ["vision-users"]}}
    read(GatewaySettings, args, "GatewayArgs")
    teams: Any = team_arguments.teams(settings, placeholders.offered_to_teams(settings, references))
    assert teams["teams"]["vision"]["clients"]["envoy-gateway-system"] == [8000, 8080]


def test_charts_of_the_gateway_are_charts_of_the_environment(tmp_path: Path) -> None:
    users = {chart.user for chart in image_list.charts_of(settings_with(tmp_path, gateway()))}
    assert {"the add-on envoy-gateway", "the add-on envoy-gateway-crds"} <= users, "a mirror would lack them"


def test_images_of_the_gateway_are_images_of_the_environment(tmp_path: Path) -> None:
    workloads = images.of_workloads(settings_with(tmp_path, gateway()))
    assert workloads["the add-on envoy-gateway (envoy)"].startswith("docker.io/envoyproxy/envoy:distroless")
    assert "the add-on envoy-gateway (envoy-gateway)" in workloads
