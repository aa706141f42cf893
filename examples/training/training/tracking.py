"""The run in MLflow, and the version of the model. Only rank 0 uses it.

Server and account are those of the platform's ConfigMap and Secret: MLFLOW_TRACKING_URI and its like.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

PREDICTOR = Path(__file__).with_name("predictor.py")


class Tracking:
    """A run, a new one or one that is continued. model: its name in the registry, `<team>.<model>`, and that
    of the experiment. run_id: of a run that a checkpoint names."""

    def __init__(self, model: str, name: str, run_id: str | None) -> None:
        self.model = model
        mlflow.set_experiment(model)
        self._run = mlflow.start_run(run_id=run_id, run_name=None if run_id else name)
        self.run_id: str = self._run.info.run_id

    def begin(self, step: int, parameters: Mapping[str, Any]) -> None:
        """Log the parameters, and the step after which the training begins or continues."""
        if step == 0:
            mlflow.log_params(dict(parameters))
        mlflow.log_metric("resumed_from", step, step=step)

    def log(self, step: int, **metrics: float) -> None:
        """Log metrics of a step."""
        mlflow.log_metrics(metrics, step=step)

    def register(self, arrays: Mapping[str, Any], tags: Mapping[str, str], card: Path) -> str:
        """Log the model and its card, and register it as a version, unless an earlier start of the job did.
        Returns the version."""
        mlflow.log_artifact(str(card))
        mlflow.set_tags(dict(tags))
        known = MlflowClient().search_model_versions(f"run_id = '{self.run_id}'")
        return str(known[0].version) if known else self._log_model(arrays)

    def _log_model(self, arrays: Mapping[str, Any]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder) / "weights.npz"
            np.savez(weights, **arrays)
            columns = [str(name) for name in arrays["columns"]]
            # Stated: to infer it, MLflow needs more packages than its client has.
            signature = ModelSignature(
                inputs=Schema([ColSpec("double", name) for name in columns]),
                outputs=Schema([TensorSpec(np.dtype(np.float64), (-1,))]),
            )
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(PREDICTOR),
                artifacts={"weights": str(weights)},
                signature=signature,
                # With its requirements: MLflow takes half a minute to infer them.
                pip_requirements=[f"mlflow=={mlflow.__version__}", "numpy", "pandas"],
                registered_model_name=self.model,
            )
        return str(logged.registered_model_version)

    def end(self) -> None:
        """Mark the run as finished."""
        mlflow.end_run()
