"""A model of two inputs, `amount` and `age`: 0.5 * amount + age, or with another weight."""

from __future__ import annotations

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def release(weight: float = 0.5) -> dict[str, bytes]:
    """Return the files of a release."""
    weights = numpy_helper.from_array(np.array([[weight], [1.0]], dtype=np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weights"], ["score"])],
        "score",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    signature = json.dumps({"inputs": ["amount", "age"]})
    return {"model.onnx": model.SerializeToString(), "signature.json": signature.encode()}
