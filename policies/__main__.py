"""The policy pack: `pulumi preview --policy-pack policies`, in any Pulumi project."""

from __future__ import annotations

import argparse
import datetime
import gc
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def _package() -> ModuleType:
    """Import this folder as the package `policies`, whatever its name and location."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "policies", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None, "a folder with an __init__.py is a package"  # noqa: S101
    assert spec.loader is not None, "and Python knows how to load it"  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules["policies"] = module
    spec.loader.exec_module(module)
    return module


def _engine() -> str | None:
    """Return the engine's address, from the arguments of Pulumi's Python host (pulumi,
    policy/__main__.py)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", nargs="?")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--tracing")
    known, _ = parser.parse_known_args()
    return known.engine


def main() -> int:
    """Load the policies and serve them."""
    # The process is short-lived with many small objects: garbage collection costs more than it frees.
    gc.disable()
    _package()
    from policies.framework import discovery, server

    try:
        policies = discovery.find()
    except discovery.PackError as error:
        sys.stderr.write(f"the policy pack is invalid; no policy was evaluated\n{error}\n")
        return 1
    return server.serve(policies, datetime.datetime.now(datetime.UTC).date(), _engine())


if __name__ == "__main__":
    sys.exit(main())
