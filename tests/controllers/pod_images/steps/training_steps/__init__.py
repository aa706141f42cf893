"""The program of the steps, without what needs a lakehouse, TrainJobs and MLflow: see __main__.py."""

from pathlib import Path

REAL = Path(__file__).parents[5] / "containers" / "training_steps" / "training_steps"
__path__.append(str(REAL))
