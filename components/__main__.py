"""The plugin: serves the components to every Pulumi language (`pulumi package add <this folder>`)."""

# ruff: noqa: E402
import gc
import sys
import tomllib
from pathlib import Path
from typing import Final

# Importing the SDKs and registering resources create many objects that last to the end. The collector ignores
# those of the imports, and rarely inspects the others.
gc.disable()
from aiplatform._plugin import serve

gc.freeze()
gc.set_threshold(100_000)
gc.enable()

# The plugin is this repository, not an installed wheel: its version is the project's.
_PROJECT: Final = Path(__file__).resolve().parents[1] / "pyproject.toml"

if __name__ == "__main__":
    serve(tomllib.loads(_PROJECT.read_text())["project"]["version"], sys.argv[1:])
