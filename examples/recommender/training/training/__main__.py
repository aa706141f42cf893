"""Train the model, or evaluate it: the two jobs of continuous training (docs/continuous-training.md).

    python -m training train --table T --snapshot S --run-name R --model M
    python -m training evaluate --table T --snapshot S --run R --candidate URI --champion URI

Variables: those of the team's ConfigMap `platform` and Secret `mlflow`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib
import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from training import evaluation, towers
from training.data import Split, read

CARD = Path(__file__).parents[1] / "model_card.json"
INPUTS = {
    "recent_items": "string",
    "clicks": "long",
    "mean_price": "double",
    "top_category": "string",
    "top_share": "double",
}
"""Columns of a request: the features of the view. The model reads the first one, the monitor compares the others."""
log = logging.getLogger("training")


def train(options: argparse.Namespace) -> None:
    """Train the model on the examples before the last moment, and log the run."""
    split = read(options.table, options.snapshot)
    settings = towers.Settings(options.factors, options.ridge, options.half_life_hours)
    known = split.known
    model = towers.fit(known.histories, known.answers, known.ages, settings, options.device)
    metrics = evaluation.measure(evaluation.scores(model, split.held_back), split.held_back)
    popular = evaluation.measure(evaluation.popular(known, split.held_back), split.held_back)
    log.info("%s, popularity %s", metrics, popular)
    mlflow.set_experiment(f"{os.environ['PLATFORM_TEAM']}.{options.model}")
    with mlflow.start_run(run_name=options.run_name):
        facts = {
            "examples": len(known.ages),
            "held_back": len(split.held_back.ages),
            "last_moment": split.last.isoformat(),
        }
        mlflow.log_params({**asdict(settings), **facts, "table": options.table, "snapshot": options.snapshot})
        mlflow.log_metrics({**metrics, **{f"popularity_{name}": value for name, value in popular.items()}})
        mlflow.log_artifact(str(CARD))
        mlflow.sklearn.log_model(
            model,
            name="model",
            # The file that containers/model_server loads.
            serialization_format="pickle",
            signature=_signature(model),
            # With its requirements: MLflow takes half a minute to infer them.
            pip_requirements=[f"mlflow=={mlflow.__version__}", "pandas", "scikit-learn"],
        )


def _signature(model: Any) -> ModelSignature:
    outputs = model.predict(pd.DataFrame({towers.HISTORY: [""]}))
    return ModelSignature(
        inputs=Schema([ColSpec(kind, name) for name, kind in INPUTS.items()]),
        outputs=Schema([TensorSpec(outputs.dtype, (-1, outputs.shape[-1]))]),
    )


def evaluate(options: argparse.Namespace) -> None:
    """Evaluate candidate and champion on the same examples, and add the report to the run."""
    split = read(options.table, options.snapshot)
    uris = {"candidate": options.candidate, "champion": options.champion}
    report = {name: report_of(_load(uri), split) for name, uri in uris.items() if uri}
    log.info("%s", json.dumps(report))
    mlflow.log_dict(report, "evaluation.json", run_id=options.run)


def report_of(model: Any, split: Split) -> dict[str, float]:
    """Return the metrics of a model on the examples that are held back, and by how much its recall exceeds that of
    popularity (`recall_gain`, in times)."""
    metrics = evaluation.measure(evaluation.scores(model, split.held_back), split.held_back)
    popular = evaluation.measure(evaluation.popular(split.known, split.held_back), split.held_back)
    name = f"recall_at_{evaluation.K}"
    return {**metrics, "recall_gain": metrics[name] / max(popular[name], 1e-9)}


def _load(uri: str) -> Any:
    [file] = Path(mlflow.artifacts.download_artifacts(uri)).rglob("*.pkl")
    return joblib.load(file)


def main(words: Sequence[str] | None = None) -> None:
    """Run a command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _options(words)
    options.command(options)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training", description="Train and evaluate the recommender.")
    commands = parser.add_subparsers(required=True)
    for command, names in ((train, ("run-name", "model")), (evaluate, ("run", "candidate", "champion"))):
        options = commands.add_parser(command.__name__)
        options.set_defaults(command=command)
        for name in ("table", "snapshot", *names):
            options.add_argument(f"--{name}", required=True)
        if command is train:
            default = towers.Settings()
            options.add_argument("--factors", type=int, default=default.factors)
            options.add_argument("--ridge", type=float, default=default.ridge)
            options.add_argument("--half-life-hours", type=float, default=default.half_life_hours)
            options.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
