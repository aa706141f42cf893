"""The command line: `python -m model_server --framework sklearn --model_name churn --model_dir /mnt/models`.

Other options are those of KServe's server, such as `--http_port`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kserve import InferRequest, InferResponse, Model, ModelServer, model_server
from kserve.errors import InferenceError
from kserve.utils.utils import get_predict_input, get_predict_response

from model_server.models import FRAMEWORKS, Predict, load


class ServedModel(Model):
    """A model behind KServe's protocols. It is loaded before the server is ready."""

    def __init__(self, name: str, predict: Predict) -> None:
        super().__init__(name)
        self._predict = predict
        self.ready = True

    def load(self) -> bool:
        """It is loaded already."""
        return self.ready

    def predict(
        self, payload: dict[str, Any] | InferRequest, headers: Any = None, response_headers: Any = None
    ) -> dict[str, Any] | InferResponse:
        """Return the predictions for the rows of a request."""
        try:
            return get_predict_response(payload, self._predict(get_predict_input(payload)), self.name)
        except Exception as error:
            raise InferenceError(str(error)) from error


def main() -> None:
    """Load the model and serve it."""
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("--framework", required=True, choices=sorted(FRAMEWORKS))
    parser.add_argument("--model_dir", required=True, type=Path, help="a folder with the files of a release")
    arguments = parser.parse_args()
    model = ServedModel(arguments.model_name, load(arguments.framework, arguments.model_dir))
    ModelServer().start([model])


if __name__ == "__main__":
    main()
