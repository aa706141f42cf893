"""The table of images whose Pods run as processes: `images.toml` here, and one in the twin's folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.pods import repository
from twin.world import World, WorldError

ROOT: Final = Path(__file__).resolve().parents[3]
TABLE: Final = Path(__file__).with_name("images.toml")
NEVER: Final = "false"
"""The selector of an empty table."""
_REPOSITORY: Final = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")
_LISTS: Final = ("entrypoint", "arguments")
_KEYS: Final = ("folder", "environment", "path", *_LISTS)


@dataclass(frozen=True)
class Image:
    """An image that is a folder of this machine.

    repository: the end of its repository. folder: the working directory. environment: a folder with
    pyproject.toml and uv.lock, or None. path: where the image has the folder, or empty. entrypoint,
    arguments: its ENTRYPOINT and CMD.
    """

    repository: str
    folder: Path
    environment: Path | None = None
    path: str = ""
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


class Images:
    """A table of images."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images = {image.repository: image for image in images}

    def __bool__(self) -> bool:
        return bool(self._images)

    def of(self, reference: str) -> Image | None:
        """Return the image of a container by its reference, or None."""
        parts = repository(reference).split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self._images[end] for end in ends if end in self._images), None)

    def runs(self, pod: Mapping[str, Any]) -> bool:
        """Return whether a container of a Pod has an image of the table; init containers do not decide."""
        return any(self.of(container.get("image") or "") for container in pod["spec"]["containers"])

    @property
    def selector(self) -> str:
        """The same question as a jq expression over a Pod, for kwok's stages."""
        if not self._images:
            return NEVER
        names = "|".join(name.replace(".", "[.]") for name in sorted(self._images))
        return f'any(.spec.containers[]; .image | test("(^|/)({names})(:[^/]*)?(@.*)?$"))'


def load(world: World) -> Images:
    """Return the images of a twin. Raises WorldError for a table that is wrong, with its file and key."""
    return Images([*_read(TABLE), *_read(world.folder / TABLE.name)])


def _read(file: Path) -> list[Image]:
    try:
        tables = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise WorldError(f"{file}: {error}; expected TOML") from None
    return [_image(file, name, table) for name, table in tables.items()]


def _image(file: Path, name: str, table: Any) -> Image:
    if not _REPOSITORY.fullmatch(name):
        raise WorldError(f"{file}: {name!r}; expected the end of an image's repository without tag or digest")
    if not isinstance(table, dict):
        raise WorldError(f"{file}: {name}: {table!r}; expected a table with the key folder")
    values: dict[str, Any] = dict(table)
    unknown = set(values) - set(_KEYS)
    if unknown:
        expected = ", ".join(_KEYS)
        raise WorldError(f"{file}: {name}: unknown key {min(unknown)!r}; expected {expected}")
    for key in _LISTS:
        words = values.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise WorldError(f"{file}: {name}.{key}: {words!r}; expected a list of strings")
    path = values.get("path", "")
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise WorldError(f"{file}: {name}.path: {path!r}; expected an absolute path of the image")
    environment = values.get("environment")
    return Image(
        name,
        _folder(file, f"{name}.folder", values.get("folder")),
        None if environment is None else _folder(file, f"{name}.environment", environment, "uv.lock"),
        path,
        *(tuple(values.get(key, ())) for key in _LISTS),
    )


def _folder(file: Path, key: str, value: Any, member: str = "") -> Path:
    folder = ROOT / value if isinstance(value, str) else None
    if folder is None or not folder.is_dir() or not (folder / member).exists():
        raise WorldError(f"{file}: {key}: {value!r}; expected a folder" + (f" with {member}" * bool(member)))
    return folder
