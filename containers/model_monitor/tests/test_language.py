"""Monitors of models that nothing trains: services of language models, whose measured requests are compared
with the first ones of the version."""

from __future__ import annotations

import itertools
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pytest
from conftest import MODEL, NOW, TEAM, TIME, logged, put
from test_compare import Gateway, results
from test_compare import gateway as gateway

from model_monitor import __main__, declaration
from model_monitor.errors import RefusedError

NUMBERS = ("prompt_characters", "answer_characters", "completion_tokens", "latency_ms")
CATEGORIES = ("status", "finish_reason", "refusal")
TEXTS = ("prompt", "answer")
MEASURED = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("time", TIME),
        *((name, pa.string()) for name in ("version", "inference_service", "object", "problem")),
        *((name, pa.float64()) for name in NUMBERS),
        *((name, pa.string()) for name in (*CATEGORIES, *TEXTS)),
    ]
)
END = NOW.replace(minute=0, second=0) - timedelta(hours=1)
START = END - timedelta(hours=24)
_numbers = itertools.count()


def language(**more: Any) -> dict[str, Any]:
    """The declaration of a monitor of a language model."""
    return {
        "inference_services": ["fares-blue", "fares-green"],
        "requests_table": "curated.measured",
        "results_table": "curated.results",
        "baseline_table": None,
        "columns": [
            *({"name": name, "type": "number"} for name in NUMBERS),
            *({"name": name, "type": "category"} for name in CATEGORIES),
            *({"name": name, "type": "category", "classification": "pii"} for name in TEXTS),
        ],
        "min_rows": 200,
        "sample_rows": 1000,
        "retrain": False,
        **more,
    }


@pytest.fixture
def monitor(catalog: Any, bucket: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the file of monitors. There is no registry, and no queue."""
    file = tmp_path / "monitors.json"
    variables = {
        "MONITORS_FILE": str(file),
        "LOGS_URI": f"s3://{bucket}/logs",
        "REPORTS_URI": f"s3://{bucket}/reports",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    catalog.create_table("curated.measured", MEASURED)

    def write(**more: Any) -> None:
        file.write_text(json.dumps({MODEL: language(**more)}))

    write()
    return write


def answered(count: int, seed: int, *, longer: float = 1.0, refused: float = 0.02) -> list[dict[str, Any]]:
    """Return what the logger measured of requests. longer: factor of answers. refused: share of refusals."""
    random = np.random.default_rng(seed)
    characters = random.gamma(4, 100, count)
    answers = random.gamma(4, 200, count) * longer
    return [
        {
            "prompt_characters": int(characters[at]),
            "answer_characters": int(answers[at]),
            # As vLLM states them where the client asks for `usage`.
            "completion_tokens": int(answers[at] / 4) if at % 2 else None,
            "latency_ms": int(200 + answers[at] * 5),
            "first_byte_ms": 100,
            "status": "200",
            "finish_reason": "stop" if random.random() < 0.95 else "length",
            "refusal": "phrase" if random.random() < refused else "no",
        }
        for at in range(count)
    ]


def stored(catalog: Any, entries: list[dict[str, Any]], start: datetime, version: str = "7") -> None:
    """Append measured requests within the hour from `start`."""
    rows = [
        {
            "request_id": f"r-{next(_numbers)}",
            "row": 0,
            "time": start + timedelta(seconds=at % 3600),
            "version": version,
            "inference_service": "fares-blue",
            "object": "o",
            **{name: entry.get(name) for name in (*NUMBERS, *CATEGORIES, *TEXTS)},
        }
        for at, entry in enumerate(entries)
    ]
    catalog.load_table("curated.measured").append(pa.Table.from_pylist(rows, schema=MEASURED))


def compare() -> None:
    __main__.compare(MODEL, END.isoformat(), None)


def test_measured_requests_become_rows_of_their_version(catalog: Any, monitor: Any, bucket: str) -> None:
    """Records as containers/llm_logger stores them."""
    [plain, texts] = answered(2, 1)
    texts |= {"prompt": "Hello", "answer": "I cannot help", "completion_tokens": None}
    at = NOW - timedelta(minutes=30)
    put(
        bucket,
        "a",
        [
            logged("request-1", {"instances": [plain]}, version="7", at=at),
            logged("request-2", {"instances": [texts]}, version="7", at=at),
            logged("request-3", {"instances": [plain]}, version=None, at=at),
        ],
    )
    monitor(join_minutes=1)
    client = boto3.client("s3")
    now = NOW + timedelta(hours=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(__main__, "_now", lambda: now)
        __main__.compact(MODEL)
    rows = catalog.load_table("curated.measured").scan().to_arrow().sort_by("request_id").to_pylist()
    assert [row["problem"] for row in rows] == [None, None, "no_version"]
    assert rows[0]["version"] == "7"
    assert {name: rows[0][name] for name in (*NUMBERS, *CATEGORIES)} == {
        name: plain[name] for name in (*NUMBERS, *CATEGORIES)
    }
    assert (rows[0]["prompt"], rows[1]["prompt"], rows[1]["answer"]) == (None, "Hello", "I cannot help")
    assert rows[1]["completion_tokens"] is None
    assert client.list_objects_v2(Bucket=bucket, Prefix="logs/").get("KeyCount") == 0


def test_object_of_the_logger_is_read(
    catalog: Any, monitor: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of containers/llm_logger itself, whose packages these parts do not need."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "llm_logger"))
    from llm_logger import completions, configuration, exchange, records

    service = {"chat": {"payloads": True}}
    configured = configuration.Logged.model_validate({"services": service, "refusals": ["I cannot help"]})
    openings = completions.Openings(configured.refusals)
    copy = exchange.Exchange(configured, openings, exchange.Budget(), time.monotonic)
    request = {":method": "POST", ":path": "/search/chat/v1/completions", "x-request-id": "4b1c9a52-1111"}
    copy.request_headers(request, is_end=False)
    copy.request_body(b'{"prompt": "Hello"}', is_end=True)
    answer = {":status": "200", "content-type": "application/json", "x-served-by": "chat-blue"}
    copy.response_headers(answer, exchange.OF_SERVER, is_end=False)
    body = {
        "choices": [{"text": "I cannot help", "finish_reason": "stop"}],
        "usage": {"completion_tokens": 3},
    }
    copy.response_body(json.dumps(body).encode(), is_end=True)
    record = copy.finish()
    assert record is not None
    key = records.key(TEAM, record.inference_service)
    boto3.client("s3").put_object(Bucket=bucket, Key=f"logs/{key}", Body=records.encode([record], "7"))
    monitor(inference_services=["chat-blue"], join_minutes=1)
    monkeypatch.setattr(__main__, "_now", lambda: NOW + timedelta(hours=1))
    __main__.compact(MODEL)
    [row] = catalog.load_table("curated.measured").scan().to_arrow().to_pylist()
    assert (row["request_id"], row["version"], row["problem"]) == ("4b1c9a52-1111", "7", None)
    assert row["inference_service"] == "chat-blue"
    assert (row["status"], row["finish_reason"], row["refusal"]) == ("200", "stop", "phrase")
    assert (row["prompt_characters"], row["answer_characters"], row["completion_tokens"]) == (5, 13, 3)
    assert (row["prompt"], row["answer"]) == ("Hello", "I cannot help")
    assert row["latency_ms"] is not None


def test_quiet_day_is_quiet_and_one_with_other_answers_has_drifted(
    catalog: Any, monitor: Any, gateway: Gateway, bucket: str
) -> None:
    stored(catalog, answered(1500, 2), START - timedelta(hours=40))
    stored(catalog, answered(800, 3), START + timedelta(hours=2))
    compare()
    [quiet] = results(catalog)
    assert (quiet["status"], quiet["event"], quiet["version"]) == ("ok", "off", "7")
    assert (quiet["baseline_table"], quiet["baseline_snapshot"], quiet["baseline_rows"]) == (None, None, 1000)
    assert quiet["columns"] == len(NUMBERS) + len(CATEGORIES), "texts are not compared"
    stored(catalog, answered(1600, 4, longer=2.5, refused=0.4), START + timedelta(hours=5))
    compare()
    drifted = results(catalog)[1]
    assert (drifted["status"], drifted["event"]) == ("drifted", "off")
    columns = {score["column"] for score in json.loads(drifted["scores"]) if score["drifted"]}
    assert {"answer_characters", "completion_tokens", "latency_ms", "refusal"} <= columns
    assert not columns & {"prompt_characters", "status"}
    assert gateway.value('drifted{column="refusal"}') == 1
    assert gateway.value('info{snapshot="",status="drifted",version="7"}') == 1
    key = drifted["report"].removeprefix(f"s3://{bucket}/")
    html = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert "the first rows of version 7, 1000 rows compared" in html


def test_value_that_the_first_rows_lack_is_unseen(catalog: Any, monitor: Any) -> None:
    stored(catalog, answered(1000, 5), START - timedelta(hours=40))
    entries = answered(600, 6)
    for entry in entries[:60]:
        entry["finish_reason"] = "aborted"
    stored(catalog, entries, START + timedelta(hours=2))
    compare()
    [row] = results(catalog)
    unseen = {score["column"]: score for score in json.loads(row["scores"]) if score["score"] == "unseen"}
    assert unseen["finish_reason"]["value"] == pytest.approx(0.1)
    assert unseen["finish_reason"]["drifted"]


def test_new_version_is_not_compared_with_the_answers_of_another(
    catalog: Any, monitor: Any, gateway: Gateway
) -> None:
    stored(catalog, answered(1000, 7), START - timedelta(hours=40), version="7")
    stored(catalog, answered(600, 8, longer=3), START + timedelta(hours=2), version="8")
    compare()
    [row] = results(catalog)
    assert (row["version"], row["status"], row["report"]) == ("8", "too_few", None)
    assert gateway.value("window_drifted") is None


def test_day_without_requests_is_too_few(catalog: Any, monitor: Any) -> None:
    compare()
    [row] = results(catalog)
    assert (row["version"], row["status"], row["rows"]) == ("", "too_few", 0)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"retrain": True}, "nothing trains it"),
        (
            {
                "keys": ["trip"],
                "predictions": [{"name": "fare", "type": "number"}],
                "labels": {
                    "table": "a.b",
                    "key": "trip",
                    "label": "paid",
                    "prediction": "fare",
                    "metric": "mae",
                    "max_loss": 1,
                },
            },
            "no evaluation is registered",
        ),
        (
            {"predictions": [{"name": "fare", "type": "number", "baseline_column": "paid"}]},
            "baseline_column of fare",
        ),
    ],
)
def test_monitor_without_a_baseline_that_states_one_is_refused(monitor: Any, more: Any, reason: str) -> None:
    monitor(**more)
    with pytest.raises(RefusedError, match=reason):
        declaration.monitor(MODEL)
