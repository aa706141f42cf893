"""Load rendered files by Feast's RepoConfig, with the blocks of all stores."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from feast.repo_config import load_repo_config


def read(text: str) -> dict[str, Any]:
    """Return a file as Feast reads it. Feast checks a block when it is read."""
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
    payload = json.load(sys.stdin)
    os.environ.update(payload.get("environment", {}))
    json.dump({name: read(text) for name, text in payload["files"].items()}, sys.stdout)
