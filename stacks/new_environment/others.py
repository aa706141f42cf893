"""What the other environment files state: names and ranges that are taken, and values to begin with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML, YAMLError

from aiplatform._shared.addresses import private_range
from aiplatform.cluster.aws.versions import VERSIONS
from stacks.loading import ENVIRONMENTS
from stacks.settings import FILE, key
from stacks.shared_files import FOLDER

_PRIVATE: Final = private_range(8, 32)


@dataclass(frozen=True)
class Other:
    """Another environment file. One that cannot be read counts with its name alone."""

    stack: str
    config: Mapping[str, Any]

    def topic(self, name: str) -> Mapping[str, Any]:
        """Return a topic of the file; empty where it has none."""
        return _object(self.config.get(key(name)))

    def stated(self, topic: str, name: str) -> Any:
        """Return the value of a key; None where the file does not state it."""
        return self.topic(topic).get(name)

    @property
    def prefix(self) -> str:
        """The first two parts of its physical names."""
        return f"{self.stated('environment', 'org')}-{self.stated('environment', 'name')}"


def read(folder: Path = ENVIRONMENTS) -> list[Other]:
    """Return the files of a folder, by name."""
    others: list[Other] = []
    for file in sorted(folder.glob("Pulumi.*.yaml")):
        match = FILE.match(file.name)
        if match is None:
            continue
        try:
            document: Any = cast("Any", YAML(typ="safe")).load(file)
        except (YAMLError, UnicodeDecodeError):
            document = None
        config = _object(_object(document).get("config"))
        others.append(Other(match["stack"], config))
    return others


def ranges(others: Sequence[Other]) -> list[IPv4Network]:
    """Return every private range that a file states, of networks, Pods and peers."""
    texts = [text for other in others for text in _texts(other.config)]
    return [IPv4Network(text) for text in texts if "/" in text and _PRIVATE(text) is None]


def of_cloud(others: Sequence[Other], cloud: str) -> list[Other]:
    """Return the environments of a cloud."""
    return [other for other in others if other.stated("environment", "cloud") == cloud]


def usual(others: Sequence[Other], topic: str, name: str) -> Any:
    """Return the value that most files state for a key, the first of equals; None where none states it."""
    values = [value for other in others if (value := other.stated(topic, name)) is not None]
    return Counter(values).most_common(1)[0][0] if values else None


def version(others: Sequence[Other], cloud: str) -> str:
    """Return the version of Kubernetes that most files of the cloud state, or most of all. Without any it is
    the last but one that EKS has: tools support the newest later."""
    stated = usual(of_cloud(others, cloud), "cluster", "version") or usual(others, "cluster", "version")
    return str(stated or list(VERSIONS)[-2])


def shared_files(others: Sequence[Other]) -> list[str]:
    """Return the shared files that all environments name, in the order of the first; without any environment
    all that there are."""
    named = [files for other in others if (files := other.stated("shared", "files"))]
    if not named:
        return [] if others else sorted(file.stem for file in FOLDER.glob("*.yaml"))
    return [name for name in named[0] if all(name in files for files in named)]


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for below in cast("Mapping[str, Any]", node).values():
            yield from _texts(below)
    elif isinstance(node, list):
        for below in cast("list[Any]", node):
            yield from _texts(below)
    elif isinstance(node, str):
        yield node
