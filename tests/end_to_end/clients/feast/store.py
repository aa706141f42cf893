"""A feature store in use: what the example's features are, what is carried online, what is read of it.

Reads {"folder": the example's, "yaml": feature_store.yaml, "do": what, ...}, where what is apply, online
(`drivers`) or training (`drivers`, `moments`).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any


def repository(asked: dict[str, Any], folder: Path) -> Path:
    """The example's files with the rendered one beside them, as its user has them."""
    for name in ("features.py", "training.py"):
        shutil.copy(Path(asked["folder"]) / name, folder / name)
    (folder / "feature_store.yaml").write_text(asked["yaml"])
    return folder


def feast(folder: Path, *arguments: str) -> str:
    """Feast's own command."""
    command = [str(Path(sys.executable).parent / "feast"), "--chdir", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"feast {' '.join(arguments)}: {done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    return done.stdout


def done(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Do what is asked, and tell what came of it."""
    if asked["do"] == "apply":
        return {"said": feast(folder, "apply")}
    sys.path.insert(0, str(folder))
    from feast import FeatureStore
    from training import online_features, training_data

    store = FeatureStore(repo_path=str(folder))
    if asked["do"] == "online":
        return {"features": online_features(store, asked["drivers"])}
    moments = [datetime.fromisoformat(moment) for moment in asked["moments"]]
    rows = training_data(store, asked["drivers"], moments)
    return {"rows": json.loads(rows.to_json(orient="records", date_format="iso"))}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as place:
        answer = done(given, repository(given, Path(place)))
    sys.stdout.write("\n" + json.dumps(answer))
