"""Compares what a served model is asked and answers with what it was trained on (docs/drift-detection.md)."""
