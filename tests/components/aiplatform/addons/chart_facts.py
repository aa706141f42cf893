"""Facts about the published charts, in a folder that AIPLATFORM_CHART_FACTS names.

A folder `<chart>-<version>` has Chart.yaml, values.yaml, values.schema.json, crds.yaml, and objects.tsv: the
objects that the chart makes with its default values.
"""

from __future__ import annotations

import csv
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

VARIABLE = "AIPLATFORM_CHART_FACTS"
STACK = "kube-prometheus-stack-88.5.3"
"""The chart whose facts have the definitions of the Prometheus operator."""
FOLDERS: Mapping[str, str] = {
    "gateway-api": "gateway-api-crds-v1.6.1",
    "prometheus-operator-crds": STACK,
}
"""Add-ons whose facts are in a folder of another name."""


@dataclass(frozen=True)
class Object:
    """An object that a chart makes."""

    kind: str
    name: str
    hook: str
    images: tuple[str, ...]


def folder(name: str, file_name: str) -> Path:
    """Return the facts of an add-on's chart; skip the test where they are not there."""
    root = os.environ.get(VARIABLE)
    if not root:
        pytest.skip(f"{VARIABLE} names no folder with facts about the charts")
    path = Path(root) / FOLDERS.get(name, file_name)
    assert path.is_dir(), f"{root} has no facts of {path.name}"
    return path


def chart(path: Path) -> dict[str, Any]:
    return _yaml(path / "Chart.yaml")


def default_values(path: Path) -> dict[str, Any]:
    """Return the default values of a chart, with those of the charts that it contains."""
    values = _yaml(path / "values.yaml")
    for file in path.glob("charts/*/values.yaml"):
        name, contained = file.parent.name, _yaml(file)
        for key, value in (values.get(name) or {}).items():
            both = isinstance(value, dict) and isinstance(contained.get(key), dict)
            contained[key] = {**contained[key], **value} if both else value
        values[name] = contained
    return values


def is_commented_out(path: Path, key: str) -> bool:
    """Whether the chart's values document a key without a default, as a comment."""
    pattern = rf"^\s*# ?{re.escape(key.rpartition('.')[2])}:"
    return re.search(pattern, (path / "values.yaml").read_text(), re.MULTILINE) is not None


def schema(path: Path) -> dict[str, Any] | None:
    file = path / "values.schema.json"
    return json.loads(file.read_text()) if file.is_file() else None


def crds(path: Path) -> set[str]:
    return {document["metadata"]["name"] for document in definitions(path)}


def definitions(path: Path) -> list[dict[str, Any]]:
    """Return the custom resource definitions of a chart."""
    files = [path / "crds.yaml", *path.glob("charts/**/crds.yaml")]
    return [
        document
        for file in files
        if file.is_file()
        for document in _documents(file)
        if document.get("kind") == "CustomResourceDefinition"
    ]


def objects(path: Path) -> Iterator[Object]:
    """Yield the objects of a chart. The name of its release is `x` in their names."""
    file = path / "objects.tsv"
    if not file.is_file():
        return
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    for _, kind, name, hook, images in csv.reader(lines, delimiter="\t"):
        yield Object(kind, name, hook, tuple(images.split()))


@functools.cache
def _documents(file: Path) -> tuple[dict[str, Any], ...]:
    return tuple(document for document in yaml.load_all(file.read_text(), yaml.CSafeLoader) if document)


def _yaml(file: Path) -> dict[str, Any]:
    return yaml.load(file.read_text(), yaml.CSafeLoader)
