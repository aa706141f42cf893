"""The command `aiplatform` with less work: without topics or checkpoints that a test does not need.

`Twin(..., without=KUBERNETES_LAYER)` and `Twin(..., checkpoints=False)` run this module in place of `cli`. It
takes changed environment files from a folder:

    AIPLATFORM_TESTS_FILES=/tmp/files python -m tests.end_to_end.reduced up aws-dev
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

from ruamel.yaml import YAML

from cli import engine_settings, environment_files

FOLDER: Final = "AIPLATFORM_TESTS_FILES"
"""The variable that has the folder of changed files."""
NO_CHECKPOINTS: Final = "AIPLATFORM_TESTS_NO_CHECKPOINTS"
"""The variable that lets the engine save its state at the end of an update only."""
KUBERNETES_LAYER: Final = ("addons", "guardrails", "queues", "observability", "training", "cost")
"""The topics of what runs inside the cluster, and the budgets that hold its queues. Without them an `up` is
shorter by the start of the add-ons."""
DATA_LAYER: Final = (
    "lakehouse",
    "feature_store",
    "container_registry",
    "model_registry",
    "model_store",
    "workload_identities",
)
"""The topics of data and models, and the identities that use them."""
NAMESPACE: Final = "ai-platform"
SHARED: Final = f"{NAMESPACE}:shared"


def write_without(folder: Path, name: str, topics: Iterable[str]) -> Path:
    """Write the file of an environment without these topics into a folder; return its path."""
    original = environment_files.original_stack_file(name)
    document = YAML(typ="safe").load(original)
    leave_out(document["config"], topics)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / original.name
    with file.open("w") as stream:
        YAML().dump(document, stream)
    return file


def leave_out(config: dict[str, Any], topics: Iterable[str]) -> None:
    """Remove topics from an environment's configuration, those of the shared files that it names included.
    One that neither states is ignored."""
    shared = config.get(SHARED, {})
    stated = {key for name in shared.get("files", []) for key in _shared_topics(name)}
    for topic in topics:
        config.pop(f"{NAMESPACE}:{topic}", None)
        if f"{NAMESPACE}:{topic}" in stated:
            shared.setdefault("remove", []).append(topic)


def overlay(config: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Set keys of a configuration. change: a topic and keys in it (`network/pods`) -> value."""
    for dotted, value in change.items():
        topic, *path = dotted.split("/")
        node: Any = config
        key = f"{NAMESPACE}:{topic}"
        for part in path:
            node = node.setdefault(key, {})
            key = part
        node[key] = value


def _shared_topics(name: str) -> Iterable[str]:
    file = environment_files.original_stack_file(name).parent / "shared" / f"{name}.yaml"
    return YAML(typ="safe").load(file)["shared"].keys()


@contextmanager
def files(folder: Path) -> Iterator[None]:
    """Let the twin and the command read environment files from this folder, where it has them."""
    original = environment_files.original_stack_file

    def stack_file(name: str) -> Path:
        changed = folder / f"Pulumi.{name}.yaml"
        return changed if changed.exists() else original(name)

    with mock.patch.object(environment_files, "original_stack_file", stack_file):
        yield


@contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let the engine save its state at the end of an update only, which no user can: an update that is
    interrupted cannot be repaired. It is a quarter of the CPU time of an `up`."""
    original = engine_settings.variables

    def variables(arguments: Sequence[str], base: Mapping[str, str] | None = None) -> dict[str, str]:
        return original(arguments, base) | {engine_settings.SKIP_CHECKPOINTS: "true"}

    with mock.patch.object(engine_settings, "variables", variables):
        yield


def main() -> int:
    """Run the command."""
    from cli import app

    with ExitStack() as stack:
        if folder := os.environ.get(FOLDER):
            stack.enter_context(files(Path(folder)))
        if os.environ.get(NO_CHECKPOINTS):
            stack.enter_context(without_checkpoints())
        return app.main()


if __name__ == "__main__":
    sys.exit(main())
