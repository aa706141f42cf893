"""The images whose Pods run as processes: those of the tables, `images.toml` here and one in the twin's
folder, and those of the programs that are selected (`programs`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twin.instances import Instance, InstanceError
from twin.kubernetes.pods import repository
from twin.kubernetes.processes.programs import EXECUTOR, EXECUTOR_PATH, FOLDER, PROGRAMS, PodProgram, Selected

if TYPE_CHECKING:
    from twin.kubernetes.api import Object  # loads the client, which takes longer than most commands

ROOT: Final = Path(__file__).resolve().parents[3]
TABLE: Final = Path(__file__).with_name("images.toml")
NEVER: Final = "false"
"""The selector of an empty table."""
_REPOSITORY: Final = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*(@sha256:[0-9a-f]{64})?")
_LISTS: Final = ("entrypoint", "arguments")
_KEYS: Final = ("folder", "environment", "path", *_LISTS)


@dataclass(frozen=True)
class Image:
    """An image that is a folder of this machine.

    repository: the end of its repository, with a digest where the repository has images of several programs.
    folder: the working directory. environment: a folder with
    pyproject.toml and uv.lock, or None. path: where the image has the folder, or empty. entrypoint,
    arguments: its ENTRYPOINT and CMD. options: words after the arguments of a container. search: folders in
    which commands are looked for, too.
    """

    repository: str
    folder: Path
    environment: Path | None = None
    path: str = ""
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


class Images:
    """A table of images. selected: the programs that the twin runs; without it none has an image here.
    factor: of the twin's clock."""

    def __init__(self, images: Iterable[Image], selected: Selected | None = None, factor: float = 1) -> None:
        self._images = {image.repository: image for image in images}
        self._selected = selected
        self._factor = factor
        self._programs: dict[str, PodProgram] = (
            {program.repository: program for program in PROGRAMS} if selected else {}
        )

    def __bool__(self) -> bool:
        return bool(self._images) or any(map(self._built, self._programs.values()))

    def of(self, reference: str) -> Image | None:
        """Return the image of a container by its reference, or None: it is in no table, or its program is not
        selected."""
        for end in _ends(reference):
            if end in self._images:
                return self._images[end]
            if end in self._programs:
                return self._built(self._programs[end])
        return None

    def _built(self, program: PodProgram) -> Image | None:
        binary = self._selected.binary(program) if self._selected else None
        if binary is None:
            return None
        options = program.words(self._factor)
        search = (str(binary.parent),)
        return Image(
            program.repository, binary.parent, None, FOLDER, (program.path,), options=options, search=search
        )

    def step(self, container: Object) -> tuple[Object, Image] | None:
        """Return what runs in place of a container of a workflow's step whose image is in no table: the
        executor that its controller put in front of the step's command, with a command that ends at once. It
        reports the end, for which the next container waits. None for other containers."""
        command: list[str] = container.get("command") or []
        executor = self.of(EXECUTOR)
        if executor is None or command[:1] != [EXECUTOR_PATH] or "--" not in command:
            return None
        words = [*command[: command.index("--") + 1], "true"]
        return {**container, "command": words, "args": []}, executor

    def runs(self, pod: Mapping[str, Any]) -> bool:
        """Return whether a container of a Pod has an image of the table or of a program, be it selected or
        not; init containers do not decide."""
        return any(
            end in self._images or end in self._programs
            for container in pod["spec"]["containers"]
            for end in _ends(container.get("image") or "")
        )

    @property
    def selector(self) -> str:
        """The same question as a jq expression over a Pod, for kwok's stages."""
        repositories = sorted({*self._images, *self._programs})
        if not repositories:
            return NEVER
        names = "|".join(map(_pattern, repositories))
        return f'any(.spec.containers[]; .image | test("(^|/)({names})$"))'


def load(instance: Instance, factor: float = 1) -> Images:
    """Return the images of a twin. factor: of its clock. Raises InstanceError for a table that is wrong, with
    its file and key."""
    return Images([*_read(TABLE), *_read(instance.folder / TABLE.name)], Selected(instance), factor)


def _ends(reference: str) -> Iterator[str]:
    """Yield the ends of an image's repository, the longest first: with the digest, and then without."""
    parts = repository(reference).split("/")
    _, at, digest = reference.partition("@")
    for suffix in (at + digest, "") if at else ("",):
        yield from ("/".join(parts[start:]) + suffix for start in range(len(parts)))


def _pattern(name: str) -> str:
    """Return the pattern of the ends of references that a name of a table is of."""
    end, at, digest = name.replace(".", "[.]").partition("@")
    # A tag may be between repository and digest, and no `/` or `@` is in one.
    return f"{end}(:[^/@]*)?" + (at + digest if at else "(@.*)?")


def _read(file: Path) -> list[Image]:
    try:
        tables = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise InstanceError(f"{file}: {error}; expected TOML") from None
    return [_image(file, name, table) for name, table in tables.items()]


def _image(file: Path, name: str, table: Any) -> Image:
    if not _REPOSITORY.fullmatch(name):
        raise InstanceError(
            f"{file}: {name!r}; expected the end of an image's repository without tag, or with `@sha256:` "
            "and 64 hexadecimal digits where the repository has several programs"
        )
    if not isinstance(table, dict):
        raise InstanceError(f"{file}: {name}: {table!r}; expected a table with the key folder")
    values: dict[str, Any] = dict(table)
    unknown = set(values) - set(_KEYS)
    if unknown:
        expected = ", ".join(_KEYS)
        raise InstanceError(f"{file}: {name}: unknown key {min(unknown)!r}; expected {expected}")
    for key in _LISTS:
        words = values.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise InstanceError(f"{file}: {name}.{key}: {words!r}; expected a list of strings")
    path = values.get("path", "")
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise InstanceError(f"{file}: {name}.path: {path!r}; expected an absolute path of the image")
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
        raise InstanceError(
            f"{file}: {key}: {value!r}; expected a folder" + (f" with {member}" * bool(member))
        )
    return folder
