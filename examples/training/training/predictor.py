"""The model that is registered: MLflow stores this file and the weights, and no pickled object.

It is loaded by `mlflow.pyfunc.load_model`; its input is a data frame with the columns of the training.
"""

from __future__ import annotations

from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel


class Classifier(PythonModel):
    """The probability of label 1 for each row."""

    def load_context(self, context: Any) -> None:
        """Read the weights."""
        with np.load(context.artifacts["weights"], allow_pickle=False) as stored:
            self.columns = [str(name) for name in stored["columns"]]
            self.mean, self.scale, self.weights = stored["mean"], stored["scale"], stored["weights"]

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> np.ndarray:
        """Return the probabilities."""
        del context, params
        features = (model_input[self.columns].to_numpy(dtype=np.float64) - self.mean) / self.scale
        return 1 / (1 + np.exp(-(features @ self.weights[:-1] + self.weights[-1])))


mlflow.models.set_model(Classifier())
