"""The program that releases models, without what needs MLflow: see __main__.py."""

from pathlib import Path

REAL = Path(__file__).parents[5] / "containers" / "model_release" / "model_release"
__path__.append(str(REAL))
