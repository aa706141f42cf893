"""Train a classifier with all processes of the job.

    python -m training --table curated.customers --snapshot training-2026-11 --columns tenure,orders \
        --label churned --key customer_id --model churn --run-name churn-7

Variables: those of the team's ConfigMap `platform` and Secret `mlflow`, and those of Kubeflow Trainer.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.checkpoints import Checkpoints
from training.data import Numbers, Rows, read
from training.lineage import tags
from training.processes import Group, place
from training.tracking import Tracking

MOMENTUM = 0.9
HELD_OUT = 5
"""Every fifth row is for the evaluation."""
log = logging.getLogger("training")


@dataclass
class State:
    """What a checkpoint has: the step, and after it the weights (the last one is the bias) and their
    momentum."""

    step: int
    weights: Numbers
    momentum: Numbers

    def to_bytes(self) -> bytes:
        """Return it as a file of NumPy, without pickled objects."""
        file = io.BytesIO()
        np.savez(file, step=self.step, weights=self.weights, momentum=self.momentum)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Read that file."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return cls(int(stored["step"]), stored["weights"], stored["momentum"])


def main(words: Sequence[str] | None = None) -> None:
    """Train, or continue a training of the same name, and register the model."""
    options = _options(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with Group(place(os.environ)) as group:
        columns = options.columns.split(",")
        rows = read(options.table, options.snapshot, columns, options.label, options.key)
        checkpoints = Checkpoints(os.environ["CHECKPOINTS_URI"], options.run)
        tracking = None
        begin = State(0, np.zeros(len(columns) + 1), np.zeros(len(columns) + 1))
        if group.rank == 0:
            last = checkpoints.latest()
            begin = State.from_bytes(last.files["state.npz"]) if last else begin
            tracking = Tracking(
                f"{os.environ['PLATFORM_TEAM']}.{options.model}",
                options.run,
                last.facts["mlflow_run"] if last else None,
            )
            tracking.begin(begin.step, {**vars(options), "snapshot_id": rows.snapshot, "nodes": group.size})
            if last is None:
                # From now on each start of the job continues this run.
                checkpoints.save(0, {"state.npz": begin.to_bytes()}, {"mlflow_run": tracking.run_id})
        state = State.from_bytes(group.from_first(begin.to_bytes()))
        log.info("rank %d of %d continues after step %d", group.rank, group.size, state.step)
        scaling, metrics = _train(options, group, rows, state, checkpoints, tracking)
        if tracking is not None:
            tracking.log(state.step, **metrics)
            arrays = {**scaling, "weights": state.weights, "columns": np.array(columns)}
            lineage = tags(os.environ, options.table, rows.snapshot)
            version = tracking.register(arrays, lineage, Path(options.card))
            log.info("registered version %s of %s", version, tracking.model)
            tracking.end()


def _train(
    options: Any,
    group: Group,
    rows: Rows,
    state: State,
    checkpoints: Checkpoints,
    tracking: Tracking | None,
) -> tuple[Mapping[str, Numbers], Mapping[str, float]]:
    """Train from a state, which is changed; return the scaling of the features and the metrics."""
    numbers = np.arange(len(rows.labels))
    held_out = numbers % HELD_OUT == 0
    own = numbers % group.size == group.rank
    train, test = own & ~held_out, own & held_out
    sums = _summed(group, _moments(rows.features[train]))
    count, width = sums[0], rows.features.shape[1]
    mean = sums[1 : width + 1] / count
    scale = np.sqrt(np.maximum(sums[width + 1 :] / count - mean**2, 1e-12))
    features, labels = (rows.features[train] - mean) / scale, rows.labels[train]
    while state.step < options.steps:
        state.step += 1
        # The same rows whatever was before: a training that was cut off ends as one that was not.
        chosen = np.random.default_rng([options.seed, state.step, group.rank]).integers(
            len(labels), size=options.batch
        )
        summed = _summed(group, _gradient(state.weights, features[chosen], labels[chosen]))
        gradient, loss = summed[:-1] / group.size, float(summed[-1]) / group.size
        state.momentum = MOMENTUM * state.momentum - options.rate * gradient
        state.weights = state.weights + state.momentum
        if tracking is None:
            continue
        if state.step % options.log_every == 0:
            tracking.log(state.step, loss=loss)
        if state.step % options.checkpoint_every == 0 or state.step == options.steps:
            facts = {"mlflow_run": tracking.run_id, "snapshot": rows.snapshot}
            checkpoints.save(state.step, {"state.npz": state.to_bytes()}, facts)
    tested = (rows.features[test] - mean) / scale
    right = (_probability(state.weights, tested) > 0.5) == (rows.labels[test] > 0.5)
    total = _summed(group, np.array([right.sum(), right.size], dtype=np.float64))
    return {"mean": mean, "scale": scale}, {"accuracy": float(total[0] / total[1])}


def _moments(features: Numbers) -> Numbers:
    return np.concatenate([[len(features)], features.sum(axis=0), (features**2).sum(axis=0)])


def _probability(weights: Numbers, features: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-(features @ weights[:-1] + weights[-1])))


def _gradient(weights: Numbers, features: Numbers, labels: Numbers) -> Numbers:
    """Return the gradient of the mean log loss, and the loss as its last number."""
    probability = _probability(weights, features)
    error = probability - labels
    chance = np.clip(np.where(labels > 0.5, probability, 1 - probability), 1e-12, 1)
    return np.concatenate([features.T @ error / len(labels), [error.mean(), -np.log(chance).mean()]])


def _summed(group: Group, numbers: Numbers) -> Numbers:
    """Return the sum of all processes' numbers."""
    total = group.exchange(
        numbers.tobytes(), lambda parts: sum(np.frombuffer(part) for part in parts).tobytes()
    )
    return np.frombuffer(total)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training", description="Train a classifier on a table.")
    parser.add_argument("--table", required=True, help="database.table of the platform's catalog")
    parser.add_argument("--snapshot", required=True, help="id or tag of the snapshot to read")
    parser.add_argument("--columns", required=True, help="numbers to learn from, separated by commas")
    parser.add_argument("--label", required=True, help="the column to predict: 0 or 1")
    parser.add_argument("--key", required=True, help="a unique column")
    parser.add_argument("--model", required=True, help="name of the model, after the team and a dot")
    parser.add_argument(
        "--run-name", dest="run", required=True, help="name of the run; one that exists is continued"
    )
    parser.add_argument("--card", default="model_card.json", help="the model card, a file of the image")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=64, help="rows of a step in each process")
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=100, help="steps between metrics")
    parser.add_argument("--checkpoint-every", type=int, default=200, help="steps between checkpoints")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
