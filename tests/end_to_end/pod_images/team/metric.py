"""Log a metric, as a training does on a machine that is configured; its last line is the run's id."""

import sys

import mlflow

mlflow.set_experiment("pods")
with mlflow.start_run() as run:
    mlflow.log_metric("score", 0.5)
sys.stdout.write(f"\n{run.info.run_id}\n")
