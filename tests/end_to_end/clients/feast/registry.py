"""Use a registry in SQL by a URL that may write and by one that is read-only."""

import json
import sqlite3
import sys
import warnings
from pathlib import Path

from feast import Entity
from feast.infra.registry.sql import SqlRegistry, SqlRegistryConfig
from feast.project import Project

PROJECT = "features"


def registry(url: str) -> SqlRegistry:
    """Return the registry as Feast's server opens it."""
    return SqlRegistry(SqlRegistryConfig(registry_type="sql", path=url), PROJECT, None)


def tried(url: str, *, write: bool = False) -> str:
    """Return `reads NAMES`, `writes`, or the first line of the error."""
    try:
        opened = registry(url)
        if write:
            opened.apply_entity(Entity(name="other", join_keys=["other_id"]), PROJECT)
            return "writes"
        opened.refresh()
        return f"reads {' '.join(entity.name for entity in opened.list_entities(PROJECT, allow_cache=True))}"
    except Exception as error:  # noqa: BLE001 - whatever it is
        return str(error).split("\n", maxsplit=1)[0]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    file = Path(json.load(sys.stdin)["folder"]) / "registry.db"
    sqlite3.connect(file).close()
    writing, reading = f"sqlite:///{file}", f"sqlite:///file:{file}?mode=ro&uri=true"
    outcomes = {"empty": tried(reading)}
    applied = registry(writing)
    applied.apply_project(Project(name=PROJECT), commit=True)
    applied.apply_entity(Entity(name="driver", join_keys=["driver_id"]), PROJECT)
    outcomes |= {"applied": tried(reading), "written": tried(reading, write=True)}
    json.dump(outcomes, sys.stdout)
