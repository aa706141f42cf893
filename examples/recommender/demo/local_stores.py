"""Create tables, and read and promote versions: runs in the environment of a program.

python local_stores.py tables FILE                  the declarations of environment.yaml
python local_stores.py promote MODEL VERSION FOLDER  copies the files, and sets the alias; `copy` sets none
python local_stores.py describe MODEL VERSION        prints run, tags, metrics and parameters; `champion
MODEL` alike
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def tables(declared: list[dict[str, Any]]) -> None:
    """Create each table by its declaration."""
    import pyarrow as pa
    from pyiceberg.catalog import load_catalog

    kinds = {
        "string": pa.string(),
        "long": pa.int64(),
        "int": pa.int32(),
        "double": pa.float64(),
        "timestamptz": pa.timestamp("us", "UTC"),
    }
    catalog = load_catalog()
    for table in declared:
        catalog.create_namespace_if_not_exists(table["zone"])
        fields = [pa.field(column["name"], kinds[column["type"]]) for column in table["columns"]]
        created = catalog.create_table(f"{table['zone']}.{table['name']}", pa.schema(fields))
        with created.update_spec() as spec:
            for part in table.get("partitions", ()):
                spec.add_field(part["column"], part["transform"], f"{part['column']}_{part['transform']}")


def copy(model: str, version: str, folder: Path) -> dict[str, Any]:
    """Copy the files of a version."""
    import mlflow

    folder.mkdir(parents=True)
    mlflow.artifacts.download_artifacts(f"models:/{model}/{version}", dst_path=str(folder))
    return described(model, version)


def promote(model: str, version: str, folder: Path) -> dict[str, Any]:
    """Copy the files, and set the alias: what a Job of `release` does with an approval and a manifest."""
    from mlflow import MlflowClient

    result, client = copy(model, version, folder), MlflowClient()
    client.set_registered_model_alias(model, "champion", version)
    return result


def champion(model: str) -> dict[str, Any]:
    """Return the version of the champion, as `described` does."""
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    return described(model, str(client.get_model_version_by_alias(model, "champion").version))


def described(model: str, version: str) -> dict[str, Any]:
    """Return tags, run, metrics and parameters of a version."""
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    entry = client.get_model_version(model, version)
    run = client.get_run(entry.run_id).data
    return {
        "version": version,
        "run": entry.run_id,
        "tags": {**entry.tags},
        "metrics": run.metrics,
        "params": run.params,
    }


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "tables":
        tables(json.loads(Path(words[0]).read_text()))
    elif command in ("copy", "promote"):
        run = {"copy": copy, "promote": promote}[command]
        sys.stdout.write(json.dumps(run(words[0], words[1], Path(words[2]))) + "\n")
    else:
        result = champion(*words) if command == "champion" else described(*words)
        sys.stdout.write(json.dumps(result) + "\n")
