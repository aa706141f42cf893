"""Newest published versions, and those that are installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from threading import Thread
from typing import Any

import pytest
import requests

from cli.upgrades import software

CHART = {"name": "kueue", "chart": "https://charts.example/stable/kueue"}
INDEX = """
entries:
  kueue: [{version: 0.9.0}, {version: 0.10.1}, {version: 0.11.0-rc.1}]
  other: [{version: 9.0.0}]
"""


def answer(content: str, status: int = 200) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = status, "x"
    response._content = content.encode()  # pyright: ignore[reportPrivateUsage]
    return response


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, requests.Response]:
    """Address -> what it answers; any other cannot be reached."""
    answers: dict[str, requests.Response] = {}

    def get(address: str, **_: Any) -> requests.Response:
        if address not in answers:
            raise requests.ConnectionError("no network")
        return answers[address]

    monkeypatch.setattr(requests, "get", get)
    return answers


def test_newest_sdk_is_neither_a_prerelease_nor_yanked(published: dict[str, requests.Response]) -> None:
    files, yanked = [{"yanked": False}], [{"yanked": True}]
    releases = {"7.9.0": files, "7.10.0": files, "8.0.0a1": files, "7.11.0": yanked, "7.12.0": []}
    published["https://pypi.org/pypi/pulumi-aws/json"] = answer(json.dumps({"releases": releases}))
    assert software.newest_sdks(["pulumi-aws"]) == {"pulumi-aws": software.Published("7.10.0")}


def test_newest_chart_is_that_of_its_name_in_the_index(published: dict[str, requests.Response]) -> None:
    published["https://charts.example/stable/index.yaml"] = answer(INDEX)
    assert software.newest_charts([CHART]) == {"kueue": software.Published("0.10.1")}


def test_source_without_an_answer_is_a_problem_and_no_version(
    published: dict[str, requests.Response],
) -> None:
    published["https://pypi.org/pypi/pulumi/json"] = answer("", 503)
    answers = software.newest_sdks(["pulumi", "pulumi-gcp"])
    assert answers["pulumi"].problem.endswith("503 x")
    assert "no network" in answers["pulumi-gcp"].problem
    manifest = {"name": "gateway-api", "chart": "https://example.com/install.yaml"}
    assert software.newest_charts([manifest])["gateway-api"].version == ""


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry whose list of tags has two pages."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            last = "last=" in self.path
            self.send_response(200)
            if not last:
                self.send_header("Link", '</v2/charts/keda/tags/list?last=v2.9.0>; rel="next"')
            self.end_headers()
            self.wfile.write(json.dumps({"tags": ["v2.21.0", "latest"] if last else ["v2.9.0"]}).encode())

        def log_message(self, *_: Any, **__: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_newest_chart_of_a_registry_is_on_any_page_of_its_tags(registry: str) -> None:
    chart = {"name": "keda", "chart": f"oci://{registry}/charts/keda"}
    assert software.newest_charts([chart]) == {"keda": software.Published("v2.21.0")}


@pytest.mark.parametrize(("cloud", "other"), [("aws", "pulumi-gcp"), ("gcp", "pulumi-aws")])
def test_sdks_are_those_of_the_cloud_as_installed_and_allowed(cloud: str, other: str) -> None:
    sdks = {sdk.name: sdk for sdk in software.sdks(cloud)}
    assert set(sdks) == {"pulumi", "pulumi-kubernetes", f"pulumi-{cloud}"}
    assert other not in sdks
    for name, sdk in sdks.items():
        assert sdk.version == version(name)
        assert sdk.allowed.specifier.contains(sdk.version)
