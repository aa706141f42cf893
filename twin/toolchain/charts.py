"""Upstream's Helm charts without a registry: taken from the Go modules that carry them.

    folder = ensure_charts()      # <cache>/tools/charts-1-<key>/kueue-0.19.2/Chart.yaml, ...

Each is fetched by `go mod download`, compared with its sum in charts.toml and copied once into the cache. A
chart is as in the module, with the versions that upstream's packaging writes into Chart.yaml. Image names in
its values may still be those of a staging registry, which packaging replaces, too: a program that installs
the chart states the images. A chart that no module carries has a stand-in in the folder stand_ins, with its
workloads, ports and webhooks; a kind that a module lacks has one that accepts every object.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from twin.toolchain import archive
from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.golang import download_module, install_go
from twin.toolchain.progress import Progress, Silent
from twin.toolchain.system_tools import find_go
from twin.toolchain.versions import read_versions

VARIABLE: Final = "AIPLATFORM_CHARTS"
"""The variable that states to the program where charts come from."""
CHARTS_FILE: Final = Path(__file__).with_name("charts.toml")
STAND_INS: Final = Path(__file__).with_name("stand_ins")
_NAME: Final = "charts"
Body = dict[str, Any]


@dataclass(frozen=True)
class ChartSource:
    """An entry of charts.toml."""

    name: str
    chart_version: str
    app_version: str
    published: str = ""
    module: str = ""
    version: str = ""
    sum: str = ""
    stand_in: bool = False
    chart: str = ""
    definitions: str = ""
    manifest: str = ""
    kinds: Sequence[str] = ()
    fields: Sequence[str] = ()
    values: str = ""
    words: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def file_name(self) -> str:
        """The name in the folder of charts."""
        name = self.published or self.name
        return f"{name}-{self.chart_version}" + (".yaml" if self.manifest else "")


@cache
def sources() -> Mapping[str, ChartSource]:
    """Return the entries of charts.toml by name."""
    document = tomllib.loads(CHARTS_FILE.read_text(encoding="utf-8"))
    return {name: ChartSource(name=name, **entry) for name, entry in document.items()}


def folder(tools: Cache | None = None) -> Path:
    """Return where the charts are, or will be."""
    files = [CHARTS_FILE, Path(__file__), *sorted(path for path in STAND_INS.rglob("*") if path.is_file())]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    return (tools or Cache()).tools / f"{_NAME}-1-{key}"


def ensure_charts(tools: Cache | None = None, progress: Progress | None = None) -> Path:
    """Return the folder of charts; fetch them if they are not there. Raises ToolchainError."""
    tools = tools or Cache()
    progress = progress or Silent()
    place = folder(tools)
    archive.unpack({place.name: _NAME}, tools, progress)
    with ExitStack() as stack:
        if not place.is_dir():
            step = stack.enter_context(progress.step("Helm charts"))
            if stack.enter_context(tools.locked(_NAME, step, place.is_dir)) and not place.is_dir():
                step.update("fetching the Go modules that carry them")
                charts = stack.enter_context(tools.temporary(_NAME))
                _fill(charts, tools, progress)
                tools.install(charts, _NAME, place.name)
    tools.use(place)
    return place


def _fill(into: Path, tools: Cache, progress: Progress) -> None:
    versions = read_versions()
    go = find_go(versions) or install_go(tools, versions, progress)
    log = tools.logs / f"{_NAME}.log"
    log.unlink(missing_ok=True)
    with tools.temporary("modules") as scratch, ThreadPoolExecutor() as pool:
        modules = pool.map(lambda source: _origin(go, source, scratch, log), sources().values())
        for source, module in zip(sources().values(), modules, strict=True):
            copy_chart(source, module, into)


def _origin(go: Path, source: ChartSource, scratch: Path, log: Path) -> Path:
    """Return the folder that a chart is copied from: its Go module, which is fetched, or its stand-in."""
    if not source.module:
        return STAND_INS / source.name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    name = f"{source.module}@{source.version}"
    module = download_module(go, name, cwd=scratch, log=log, env=environment)
    if module.sum != source.sum:
        raise ToolchainError(
            f"The Go module {name} has the sum {module.sum}, expected {source.sum}.",
            advice="its module proxy serves another content than upstream's: use another one (GOPROXY).",
        )
    return module.folder


def copy_chart(source: ChartSource, origin: Path, into: Path) -> None:
    """Write a chart into a folder of charts. origin: the folder of its Go module, or its stand-in."""
    target = into / source.file_name
    if source.manifest:
        target.write_text("".join(_documents(origin / source.manifest)), encoding="utf-8")
        return
    if source.chart or source.stand_in:
        chart = STAND_INS / source.name if source.stand_in else origin / source.chart
        # Not copytree's own copy: the module cache is read-only, and its modes would come along.
        shutil.copytree(chart, target, copy_function=shutil.copyfile)
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    else:
        target.mkdir()
        (target / "Chart.yaml").write_text(f"apiVersion: v2\nname: {source.name}\n", encoding="utf-8")
    templates = target / "templates"
    templates.mkdir(exist_ok=True)
    for file in _manifests(origin / source.definitions) if source.definitions else ():
        # A definition's descriptions may have braces, which a template would read.
        text = json.dumps(_completed(file, source.fields), ensure_ascii=False)
        (templates / file.name).write_text(f"{{{{ {text} }}}}\n", encoding="utf-8")
    for kind in source.kinds:
        definition = _definition(*kind.split())
        (templates / f"{definition['metadata']['name']}.yaml").write_text(
            json.dumps(definition), encoding="utf-8"
        )
    if source.values:
        text = (target / source.values).read_text(encoding="utf-8")
        (target / "values.yaml").write_text(Template(text).substitute(source.words), encoding="utf-8")
    _write_chart_file(target / "Chart.yaml", source)
    # Of subcharts, which the module does not have.
    (target / "Chart.lock").unlink(missing_ok=True)


def _completed(file: Path, fields: Iterable[str]) -> str:
    """Return the text of a definition with the fields that it lacks. Raises ToolchainError for one that it
    has."""
    text = file.read_text(encoding="utf-8")
    # Files have the name GROUP_PLURAL.yaml, definitions PLURAL.GROUP.
    defined = ".".join(reversed(file.stem.split("_", 1)))
    added = [field for field in map(str.split, fields) if field[0] == defined]
    if not added:
        return text
    definition: Body = yaml.safe_load(text)
    for name, version, path, kind in added:
        [schema] = [
            entry["schema"]["openAPIV3Schema"]
            for entry in definition["spec"]["versions"]
            if entry["name"] == version
        ]
        *parents, last = path.split(".")
        for part in parents:
            schema = schema["properties"][part]
        if last in schema["properties"]:
            raise ToolchainError(
                f"{CHARTS_FILE.name}: {name} has the field {path} already.", advice="remove the field there."
            )
        schema["properties"][last] = {"type": kind}
    return yaml.safe_dump(definition, sort_keys=False)


def _definition(name: str, kind: str, scope: str, version: str) -> Body:
    """Return a custom resource definition that accepts every object of its kind."""
    plural, _, group = name.partition(".")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": scope,
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def _write_chart_file(file: Path, source: ChartSource) -> None:
    """Write the versions of the release into Chart.yaml, and leave out subcharts that are not there."""
    chart: Body = yaml.safe_load(file.read_text(encoding="utf-8"))
    dependencies: list[Body] = chart.pop("dependencies", None) or []
    included = [entry for entry in dependencies if (file.parent / "charts" / entry["name"]).is_dir()]
    if included:
        chart["dependencies"] = included
    chart |= {"version": source.chart_version, "appVersion": source.app_version}
    file.write_text(yaml.safe_dump(chart, sort_keys=False), encoding="utf-8")


def _documents(folder: Path) -> Iterator[str]:
    for file in _manifests(folder):
        yield f"---\n{file.read_text(encoding='utf-8').strip()}\n"


def _manifests(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml")
