"""Upstream's Helm charts without a registry: taken from the Go modules that carry them.

    folder = ensure_charts()      # <cache>/tools/charts-1-<key>/kueue-0.19.2/Chart.yaml, ...

Each is fetched by `go mod download`, compared with its sum in charts.toml and copied once into the cache. A
chart is as it stands at the tag, with the versions that upstream's packaging writes into Chart.yaml. Image
names in its values may still be those of a staging registry, which packaging replaces, too: who installs the
chart states the images.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.found import find_go
from twin.toolchain.golang import download_module, install_go
from twin.toolchain.progress import Progress, Silent
from twin.toolchain.versions import read_versions

CHARTS_FILE: Final = Path(__file__).with_name("charts.toml")
_NAME: Final = "charts"


@dataclass(frozen=True)
class ChartSource:
    """An entry of charts.toml."""

    name: str
    module: str
    version: str
    sum: str
    chart_version: str
    app_version: str
    chart: str = ""
    definitions: str = ""
    manifest: str = ""

    @property
    def file_name(self) -> str:
        """The name in the folder of charts."""
        return f"{self.name}-{self.chart_version}" + (".yaml" if self.manifest else "")


@cache
def sources() -> Mapping[str, ChartSource]:
    """Return the entries of charts.toml by name."""
    document = tomllib.loads(CHARTS_FILE.read_text(encoding="utf-8"))
    return {name: ChartSource(name=name, **entry) for name, entry in document.items()}


def folder(tools: Cache | None = None) -> Path:
    """Return where the charts are, or will be."""
    key = hashlib.sha256(CHARTS_FILE.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    return (tools or Cache()).tools / f"{_NAME}-1-{key}"


def ensure_charts(tools: Cache | None = None, progress: Progress | None = None) -> Path:
    """Return the folder of charts; fetch them if they are not there. Raises ToolchainError."""
    tools = tools or Cache()
    progress = progress or Silent()
    place = folder(tools)
    with ExitStack() as stack:
        if not place.is_dir():
            step = stack.enter_context(progress.step("Helm charts"))
            if stack.enter_context(tools.locked(_NAME, step, place.is_dir)) and not place.is_dir():
                step.update("fetching the Go modules that carry them")
                made = stack.enter_context(tools.temporary(_NAME))
                _fill(made, tools, progress)
                tools.install(made, _NAME, place.name)
    return place


def _fill(into: Path, tools: Cache, progress: Progress) -> None:
    versions = read_versions()
    go = find_go(versions) or install_go(tools, versions, progress)
    log = tools.logs / f"{_NAME}.log"
    log.unlink(missing_ok=True)
    with tools.temporary("modules") as scratch, ThreadPoolExecutor() as pool:
        modules = pool.map(lambda source: _module(go, source, scratch, log), sources().values())
        for source, module in zip(sources().values(), modules, strict=True):
            _copy(source, module, into)


def _module(go: Path, source: ChartSource, scratch: Path, log: Path) -> Path:
    """Fetch the Go module of a chart; return its folder."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    name = f"{source.module}@{source.version}"
    module = download_module(go, name, cwd=scratch, log=log, env=environment)
    if module.sum != source.sum:
        raise ToolchainError(
            f"The Go module {name} has the sum {module.sum}, expected {source.sum}.",
            advice="its module proxy serves another content than upstream's: use another one (GOPROXY).",
        )
    return module.folder


def _copy(source: ChartSource, module: Path, into: Path) -> None:
    target = into / source.file_name
    if source.manifest:
        target.write_text("".join(_documents(module / source.manifest)), encoding="utf-8")
        return
    if source.definitions:
        (target / "templates").mkdir(parents=True)
        (target / "Chart.yaml").write_text(f"apiVersion: v2\nname: {source.name}\n", encoding="utf-8")
        for file in _manifests(module / source.definitions):
            # A definition's descriptions may have braces, which a template would read.
            text = json.dumps(file.read_text(encoding="utf-8"), ensure_ascii=False)
            (target / "templates" / file.name).write_text(f"{{{{ {text} }}}}\n", encoding="utf-8")
    else:
        # Not copytree's own copy: the module cache is read-only, and its modes would come along.
        shutil.copytree(module / source.chart, target, copy_function=shutil.copyfile)
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    _write_versions(target / "Chart.yaml", source)


def _write_versions(file: Path, source: ChartSource) -> None:
    keys = {"version": source.chart_version, "appVersion": source.app_version}
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.split(":")[0] not in keys]
    lines += [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _documents(folder: Path) -> Iterator[str]:
    for file in _manifests(folder):
        yield f"---\n{file.read_text(encoding='utf-8').strip()}\n"


def _manifests(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml")
