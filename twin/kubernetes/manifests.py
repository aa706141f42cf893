"""Kubernetes objects in YAML files next to the code, and how they get into a cluster and out of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from twin.kubernetes.api import ApiError, Kube, Object, path

FOLDER: Final = Path(__file__).with_name("manifests")
ESTABLISHED: Final = 30
"""Tenths of a second that a new kind is given to be served."""
MANAGER: Final = {"aws": "eks", "gcp": "gke"}
"""The field manager of what the cloud itself applies."""


def load(cloud: str, name: str, values: Mapping[str, str] | None = None) -> list[Object]:
    """The objects of manifests/<cloud>/<name>.yaml, with `$NAME` replaced by its value."""
    text = (FOLDER / cloud / f"{name}.yaml").read_text()
    for key, value in (values or {}).items():
        text = text.replace(f"${key}", value)
    return [document for document in yaml.safe_load_all(text) if document]


def exists(cloud: str, name: str) -> bool:
    """Whether there is such a file."""
    return (FOLDER / cloud / f"{name}.yaml").is_file()


def where(item: Object) -> str:
    """The URL path of an object, which states its namespace where its kind has one."""
    kind, metadata = item["kind"], item["metadata"]
    singular = kind.lower()
    plural = re.sub("y$", "ie", singular) + ("es" if singular.endswith("s") else "s")
    return path(item["apiVersion"], plural, metadata.get("namespace", ""), metadata["name"])


def apply(kube: Kube, items: Iterable[Object], manager: str) -> None:
    """Apply in order, server-side. An object of a kind that was defined just before waits for it."""
    defined: set[str] = set()
    for item in items:
        if item["kind"] == "CustomResourceDefinition":
            defined.add(item["spec"]["names"]["kind"])
        for attempt in range(ESTABLISHED if item["kind"] in defined else 0, -1, -1):
            try:
                kube.apply(where(item), item, manager)
                break
            except ApiError as error:
                if error.status not in {404, 429} or not attempt:
                    raise
                time.sleep(0.1)


def remove(kube: Kube, items: Iterable[Object]) -> None:
    """Delete, the last first; what is not there is no matter."""
    for item in reversed(list(items)):
        kube.delete(where(item))
