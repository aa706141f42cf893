"""Whether Feast accepts rendered files: by its own RepoConfig, with the blocks of all stores."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from feast.repo_config import load_repo_config


def read(text: str) -> dict[str, Any]:
    """The file as Feast reads it. Each block is checked when it is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "feature_store.yaml"
        file.write_text(text)
        config = load_repo_config(Path(folder), file)
        return {
            "project": config.project,
            "registry": config.registry.model_dump(mode="json"),
            "online_store": config.online_store.model_dump(mode="json"),
            "offline_store": config.offline_store.model_dump(mode="json"),
        }


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    os.environ.update(asked.get("environment", {}))
    json.dump({name: read(text) for name, text in asked["files"].items()}, sys.stdout)
