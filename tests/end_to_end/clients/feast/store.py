"""Use a feature store: apply the example's features, read online features, read training data.

Reads {"folder": the example's, "yaml": feature_store.yaml, "do": action, ...}. Actions: apply, online
(`drivers`), training (`drivers`, `moments`).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any


def repository(payload: dict[str, Any], folder: Path) -> Path:
    """Return a folder with the example's files and the rendered one, as a user has them."""
    for name in ("features.py", "training.py"):
        shutil.copy(Path(payload["folder"]) / name, folder / name)
    (folder / "feature_store.yaml").write_text(payload["yaml"])
    return folder


def feast(folder: Path, *arguments: str) -> str:
    """Run Feast's command; return what it printed."""
    command = [str(Path(sys.executable).parent / "feast"), "--chdir", str(folder), *arguments]
    execute = subprocess.run(command, capture_output=True, text=True, check=False)
    if execute.returncode:
        raise SystemExit(f"feast {' '.join(arguments)}: {execute.stdout[-3000:]}\n{execute.stderr[-6000:]}")
    return execute.stdout


def execute(payload: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the action of a payload; return its result."""
    if payload["do"] == "apply":
        return {"said": feast(folder, "apply")}
    sys.path.insert(0, str(folder))
    from feast import FeatureStore

    from training import online_features, training_data

    store = FeatureStore(repo_path=str(folder))
    if payload["do"] == "online":
        return {"features": online_features(store, payload["drivers"])}
    moments = [datetime.fromisoformat(moment) for moment in payload["moments"]]
    rows = training_data(store, payload["drivers"], moments)
    return {"rows": json.loads(rows.to_json(orient="records", date_format="iso"))}


if __name__ == "__main__":
    payload = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as place:
        answer = execute(payload, repository(payload, Path(place)))
    sys.stdout.write("\n" + json.dumps(answer))
