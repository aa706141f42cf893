"""The server as a process, with models as MLflow stores them."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import pytest
from sklearn.linear_model import LogisticRegression

from model_server.models import FRAMEWORKS, ModelError, find, load

ROWS = [[0.0, 1.0], [1.0, 0.0], [0.1, 0.9], [0.9, 0.2]]
LABELS = [0, 1, 0, 1]


def trained() -> LogisticRegression:
    return LogisticRegression().fit(numpy.array(ROWS), LABELS)


@contextmanager
def server(folder: Path, framework: str) -> Iterator[str]:
    """Start the server; yield its address once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--http_port={port}", "--enable_grpc=false", "--model_name=churn", f"--model_dir={folder}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "model_server", f"--framework={framework}", *options],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/v2/health/ready", timeout=1).read()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def ask(address: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        f"{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


def test_pickle_of_mlflow_answers_by_both_protocols_and_counts_requests(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(trained()))
    (tmp_path / "MLmodel").write_text("flavors: {}")
    (tmp_path / "input_example.json").write_text("{}")
    with server(tmp_path, "sklearn") as address:
        assert ask(address, "/v1/models/churn:predict", {"instances": ROWS}) == {"predictions": LABELS}
        tensor = {
            "name": "rows",
            "shape": [4, 2],
            "datatype": "FP64",
            "data": [value for row in ROWS for value in row],
        }
        answer = ask(address, "/v2/models/churn/infer", {"inputs": [tensor]})
        assert answer["outputs"][0]["data"] == LABELS
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, "/v1/models/churn:predict", {"instances": [[1.0]]})
        assert refused.value.code == 500, "an error is counted, and a canary with errors is rolled back"
        metrics = urllib.request.urlopen(f"{address}/metrics", timeout=10).read().decode()
        assert "request_predict_seconds_count" in metrics


def test_model_of_xgboost_answers(tmp_path: Path) -> None:
    import xgboost

    matrix = xgboost.DMatrix(numpy.array(ROWS), label=LABELS)
    booster = xgboost.train({"objective": "binary:logistic", "min_child_weight": 0}, matrix, 5)
    booster.save_model(tmp_path / "model.ubj")
    (tmp_path / "input_example.json").write_text("{}")
    with server(tmp_path, "xgboost") as address:
        predictions = ask(address, "/v1/models/churn:predict", {"instances": ROWS})["predictions"]
    assert [round(value) for value in predictions] == LABELS


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_folder_without_a_model_is_an_error(framework: str, tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text("{}")
    with pytest.raises(ModelError, match="no file "):
        load(framework, tmp_path)


def test_two_models_are_an_error_that_names_both(tmp_path: Path) -> None:
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelError, match=r"got a\.pkl, b\.pkl; expected one file"):
        find(tmp_path, FRAMEWORKS["sklearn"].patterns)
