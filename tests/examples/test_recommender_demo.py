"""The parts of the recommender's demo that decide: the route with its log, the folder that is emptied, the
report."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from examples.recommender.demo import costs, programs, report, route

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def predictor() -> Iterator[str]:
    """A server that answers any request, and 500 to one with `fail`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500 if b"fail" in body else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def routed(predictor: str) -> Iterator[route.Route]:
    """A route with the predictor as both colors, of version 1 and 2."""
    result = route.Route("recommender", "shop", NOON)
    result.backends = {"blue": route.Backend(predictor, "1"), "green": route.Backend(predictor, "2")}
    result.weights = {"blue": 100}
    yield result
    result.close()


def test_requests_are_divided_by_the_weights(routed: route.Route) -> None:
    routed.weights = {"blue": 80, "green": 20}
    colors = [routed.forward("/", b"{}")[1] for _ in range(300)]
    assert 30 < colors.count("green") < 90
    routed.weights = {"blue": 0, "green": 100}
    assert {routed.forward("/", b"{}")[1] for _ in range(20)} == {"green"}


def test_request_and_answer_are_logged_as_the_agent_of_kserve_does(routed: route.Route) -> None:
    call = urllib.request.Request(f"{routed.address}/v2", b'{"a": 1}')  # noqa: S310
    with urllib.request.urlopen(call) as answer:  # noqa: S310
        assert answer.headers[route.SERVED_BY] == "blue"
    [(key, content)] = routed.taken().items()
    assert key.startswith("shop/recommender-blue/predictor/")
    request, response = json.loads(content)
    assert base64.b64decode(request["bytes"]) == b'{"a": 1}'
    assert (request["id"], request["occurrenceTime"]) == (response["id"], "2026-11-15T12:00:00.000000000Z")
    assert request["annotations"] == {"ai-platform/release": "1"}
    assert routed.taken() == {}, "an object is written once"


def test_an_error_of_a_predictor_is_counted_and_not_logged(routed: route.Route) -> None:
    assert routed.forward("/", b"fail")[0] == 500
    routed.backends["blue"] = route.Backend("http://127.0.0.1:1", "1")
    assert routed.forward("/", b"{}")[0] == 503
    assert routed.errors["blue"] == 2
    assert routed.taken() == {}


def test_only_a_folder_of_the_demo_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(programs.ProgramError, match="not empty and not of the demo"):
        programs.emptied(tmp_path)
    assert (tmp_path / "letters.txt").exists()
    home = programs.emptied(tmp_path / "new")
    (home / "catalog.db").write_text("old")
    assert not (programs.emptied(home) / "catalog.db").exists()


def test_variables_of_this_machines_clouds_reach_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("PYICEBERG_CATALOG__PROD__URI", "https://prod")
    used = programs.Programs(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).environment("features")
    assert "AWS_PROFILE" not in used
    assert "PYICEBERG_CATALOG__PROD__URI" not in used
    assert used["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_every_program_of_the_demo_has_a_lock() -> None:
    for name, folder in programs.SERVICES.items():
        assert (folder / "uv.lock").is_file(), name
        assert (folder / name / "__main__.py").is_file(), name


def test_the_report_shows_what_it_gets_as_text() -> None:
    text = report.render({"Data": report.table(("what",), [("<b>",), (1234,)])}, "facts")
    assert "&lt;b&gt;" in text
    assert "1,234" in text


def test_the_report_shows_the_way_from_a_prediction_to_snapshot_and_commit() -> None:
    features = {"recent_items": "i1 i2", "clicks": 2}
    prediction = {
        "request_id": "r1",
        "user_id": "u1",
        "served_by": "green",
        "features": features,
        "items": [{"item_id": 7}],
    }
    tags = {
        "ai-platform.snapshots": '{"curated.examples": 41}',
        "ai-platform.feature_views": '{"user_activity": "1"}',
        "ai-platform.evaluation_set": "curated.examples@41",
        "ai-platform.code_commit": "c0ffee",
    }
    params = {"factors": "32", "ridge": "50.0", "half_life_hours": "48.0"}
    text = report.lineage(prediction, {"version": "2", "run": "run-1", "params": params, "tags": tags})
    for part in ("r1", "u1: 7", "green, version 2", "run-1", "curated.examples: 41", "c0ffee", "factors: 32"):
        assert part in text, part


def test_the_report_begins_with_what_was_checked() -> None:
    text = report.steps({"a day": ["drift of <b>"]})
    assert "a day" in text
    assert "drift of &lt;b&gt;" in text


def test_the_costs_are_those_of_the_committed_estimates() -> None:
    estimate = json.loads((programs.ROOT / "docs" / "estimates" / "aws-dev.json").read_text())
    assert f"{estimate['usd_per_month']['idle']:,.2f}" in costs.table()
