"""A user of the model registry, by MLflow's own client: {"uri", "account", "password", "do"} on stdin."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression

MODEL = "prices"


def train() -> dict[str, Any]:
    """Log a model, register it, call it a candidate, and try to promote it."""
    mlflow.set_experiment("prices")
    model = LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    with mlflow.start_run() as run:
        mlflow.log_param("rows", 3)
        mlflow.log_metric("score", model.score([[4.0], [5.0]], [8.0, 10.0]))
        # Named: what MLflow would find out by itself takes it half a minute.
        logged = mlflow.sklearn.log_model(
            model, name="model", registered_model_name=MODEL, pip_requirements=["scikit-learn"]
        )
    version = str(logged.registered_model_version)
    client = MlflowClient()
    client.set_registered_model_alias(MODEL, "candidate", version)
    return {
        "run": run.info.run_id,
        "version": version,
        "source": client.get_model_version(MODEL, version).source,
        "promoted": _promoted(version),
    }


def promote(version: str) -> dict[str, Any]:
    """Move the champion alias."""
    return {"promoted": _promoted(version)}


def _promoted(version: str) -> str:
    try:
        MlflowClient().set_registered_model_alias(MODEL, "champion", version)
    except MlflowException as error:
        return str(error)
    return "yes"


def demote() -> dict[str, Any]:
    """Take the champion alias away."""
    try:
        MlflowClient().delete_registered_model_alias(MODEL, "champion")
    except MlflowException as error:
        return {"demoted": str(error)}
    return {"demoted": "yes"}


def use() -> dict[str, Any]:
    """Load the champion and predict by it."""
    client = MlflowClient()
    version = client.get_model_version_by_alias(MODEL, "champion")
    model = mlflow.sklearn.load_model(f"models:/{MODEL}@champion")
    return {
        "version": version.version,
        "aliases": dict(client.get_registered_model(MODEL).aliases),
        "rows": client.get_run(version.run_id).data.params["rows"],
        "predicted": round(float(model.predict([[10.0]])[0]), 6),
    }


def main() -> None:
    """Do what is asked, as whom."""
    asked = json.load(sys.stdin)
    os.environ["MLFLOW_TRACKING_USERNAME"] = asked.pop("account")
    os.environ["MLFLOW_TRACKING_PASSWORD"] = asked.pop("password")
    mlflow.set_tracking_uri(asked.pop("uri"))
    does = {"train": train, "promote": promote, "demote": demote, "use": use}[asked.pop("do")]
    answer = does(**asked)
    sys.stdout.write("\n")
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
