"""The plugin: serves the components to every Pulumi language (`pulumi package add <this folder>`)."""

import sys
import tomllib
from pathlib import Path
from typing import Final

from aiplatform._plugin import serve

# The plugin is this repository, not an installed wheel: its version is the project's.
_PROJECT: Final = Path(__file__).resolve().parents[1] / "pyproject.toml"

if __name__ == "__main__":
    serve(tomllib.loads(_PROJECT.read_text())["project"]["version"], sys.argv[1:])
