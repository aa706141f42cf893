"""Answers requests with a model of ONNX on a CPU."""
