"""Train a classifier on the newest customers of a snapshot, or evaluate it.

    python -m churn train --table T --snapshot S --run-name R --model M
    python -m churn evaluate --table T --snapshot S --run R --candidate URI --champion URI

Of two nodes each learns from half of the customers, and the model has the mean of their coefficients. It uses
the columns that all of these customers have. Every second customer is for the evaluation.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import mlflow
import numpy as np
import pandas as pd
from pyiceberg.catalog import load_catalog
from sklearn.linear_model import LogisticRegression
from training.processes import Group, place

NEWEST = 400
"""Customers of each training."""
COLUMNS = ("tenure", "orders", "visits")
LABEL = "churned"
METRIC = "accuracy"
CARD = Path(__file__).parents[1] / "model_card.json"
log = logging.getLogger("churn")


def read(table: str, snapshot: str) -> pd.DataFrame:
    """Return the newest customers of a snapshot."""
    rows = load_catalog().load_table(table).scan(snapshot_id=int(snapshot)).to_arrow()
    return rows.sort_by("customer_id").slice(max(len(rows) - NEWEST, 0)).to_pandas()


def train(options: argparse.Namespace) -> None:
    """Train with all nodes of the job, and log the run."""
    with Group(place(os.environ)) as group:
        customers = read(options.table, options.snapshot)
        known = customers.iloc[::2]
        columns = [name for name in COLUMNS if not known[name].isna().any()]
        share = known.iloc[group.rank :: group.size]
        log.info("node %d of %d learns from %d customers: %s", group.rank, group.size, len(share), columns)
        model = LogisticRegression(max_iter=1000).fit(share[columns], share[LABEL])
        part = np.concatenate([model.coef_[0], model.intercept_])
        mean = np.frombuffer(group.exchange(part.tobytes(), _mean))
        model.coef_, model.intercept_ = mean[:-1].reshape(1, -1), mean[-1:]
        if group.rank == 0:
            _log(options, model, customers, {"nodes": group.size, "columns": ",".join(columns)})


def _mean(parts: Sequence[bytes]) -> bytes:
    return np.mean([np.frombuffer(part) for part in parts], axis=0).tobytes()


def _log(options: argparse.Namespace, model: Any, customers: pd.DataFrame, parameters: Any) -> None:
    mlflow.set_experiment(f"{os.environ['PLATFORM_TEAM']}.{options.model}")
    with mlflow.start_run(run_name=options.run_name):
        mlflow.log_params({**parameters, "snapshot": options.snapshot})
        mlflow.log_metric(METRIC, accuracy(model, customers))
        mlflow.log_artifact(str(CARD))
        requirements = [f"mlflow=={mlflow.__version__}", "scikit-learn"]
        # With its requirements: MLflow takes half a minute to infer them.
        mlflow.sklearn.log_model(
            model, name="model", serialization_format="pickle", pip_requirements=requirements
        )


def accuracy(model: Any, customers: pd.DataFrame) -> float:
    """Return the share of right predictions for the customers of the evaluation."""
    tested = customers.iloc[1::2]
    return float(model.score(tested[list(model.feature_names_in_)], tested[LABEL]))


def evaluate(options: argparse.Namespace) -> None:
    """Evaluate candidate and champion on the same customers, and add the report to the run."""
    customers = read(options.table, options.snapshot)
    uris = {"candidate": options.candidate, "champion": options.champion}
    report = {name: {METRIC: accuracy(_load(uri), customers)} for name, uri in uris.items() if uri}
    log.info("%s", report)
    mlflow.log_dict(report, "evaluation.json", run_id=options.run)


def _load(uri: str) -> Any:
    [file] = Path(mlflow.artifacts.download_artifacts(uri)).rglob("*.pkl")
    return joblib.load(file)


def main(words: Sequence[str] | None = None) -> None:
    """Run a command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _options(words)
    options.command(options)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="churn", description="Train and evaluate a classifier.")
    commands = parser.add_subparsers(required=True)
    for command, names in (
        (train, ("run-name", "model")),
        (evaluate, ("run", "candidate", "champion")),
    ):
        options = commands.add_parser(command.__name__)
        options.set_defaults(command=command)
        for name in ("table", "snapshot", *names):
            options.add_argument(f"--{name}", required=True)
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
