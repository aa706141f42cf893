"""The twin's tools, found or built: what the rest of the twin imports.

    tools = ensure(progress=..., ready=lambda name, path: ...)

A good enough tool on PATH is used; what is missing is taken from the archive that AIPLATFORM_TOOLCHAIN
names, or built once into the user's cache, in an order in which each can be put to work while the next one
compiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.toolchain import archive
from twin.toolchain.build_specs import (
    COMMANDS,
    CONTROLLERS,
    MONITORING_TOOLS,
    SELECTABLE,
    WHEELS,
    controller_version,
    program_of,
    recipes,
    with_needed,
)
from twin.toolchain.cache import Cache, cache_dir
from twin.toolchain.errors import ToolchainError
from twin.toolchain.golang import go_builder, install_wheel
from twin.toolchain.progress import Progress, Silent
from twin.toolchain.store import Store
from twin.toolchain.system_tools import (
    find_kubectl,
    find_kubernetes_plugin,
    find_monitoring_tool,
    find_pulumi,
)
from twin.toolchain.versions import Versions, read_versions

__all__ = [
    "ALL",
    "COMMANDS",
    "CONTROLLERS",
    "MONITORING_TOOLS",
    "SELECTABLE",
    "Toolchain",
    "ToolchainError",
    "cache_dir",
    "controller_version",
    "ensure",
    "language_exec",
    "locate",
    "program_of",
    "with_needed",
]

# kubectl costs nothing; then the order in which `up` needs them.
ALL = ("kubectl", "controlplane", "pulumi", "kubernetes-provider")

Ready = Callable[[str, Path], None]


@dataclass(frozen=True)
class Toolchain:
    """Where each tool is."""

    controlplane: Path
    pulumi: Path
    kubernetes_provider: Path
    kubectl: Path
    # What the language host of this package runs programs with. None with an official pulumi,
    # which has another host. This one is next to the engine, and needs the variable
    # AIPLATFORM_PYTHON: the interpreter that has the twin installed.
    language_exec: Path | None

    @classmethod
    def of(cls, tools: Mapping[str, Path], cache: Cache | None = None) -> Toolchain:
        """From what `ensure` returned."""
        return cls(
            controlplane=tools["controlplane"],
            pulumi=tools["pulumi"],
            kubernetes_provider=tools["kubernetes-provider"],
            kubectl=tools["kubectl"],
            language_exec=language_exec(tools["pulumi"], cache),
        )


def ensure(
    names: Sequence[str] = ALL,
    progress: Progress | None = None,
    ready: Ready | None = None,
    cache: Cache | None = None,
) -> dict[str, Path]:
    """Find or build the named tools; returns the path of each.

    `ready` is called with name and path as soon as a tool is there, from the calling
    thread, between two builds: hand slow work to another thread. Two processes
    that ask at once build once. Raises ToolchainError.
    """
    known = (*ALL, *CONTROLLERS, *COMMANDS, *MONITORING_TOOLS, *WHEELS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"unknown tools: {', '.join(unknown)}; there are {', '.join(known)}")
    cache = cache or Cache()
    versions = read_versions()
    progress = progress or Silent()
    tools: dict[str, Path] = {}

    def note(name: str, path: Path) -> None:
        tools[name] = path
        if ready is not None:
            ready(name, path)

    for name, path in _on_machine(names, versions, cache).items():
        note(name, path)
    for name in WHEELS:
        if name in names:
            version = controller_version(name, versions)
            note(name, install_wheel(name, WHEELS[name], version, cache, progress))
    wanted = [recipe for name, recipe in recipes(versions).items() if name in names and name not in tools]
    archive.unpack({recipe.key: recipe.name for recipe in wanted}, cache, progress)
    Store(cache, progress, lambda: go_builder(cache, versions, progress)).ensure(wanted, note)
    return {name: tools[name] for name in names}


def locate(cache: Cache | None = None) -> dict[str, Path]:
    """The tools that are there now; builds, downloads and waits for nothing."""
    cache = cache or Cache()
    versions = read_versions()
    tools = _on_machine((*ALL, *MONITORING_TOOLS), versions, cache, download=False, required=False)
    store = Store(cache, Silent(), lambda: go_builder(cache, versions, Silent()))
    for name, recipe in recipes(versions).items():
        binary = store.installed(recipe)
        if name not in tools and binary is not None:
            tools[name] = binary
    return tools


def language_exec(pulumi: Path, cache: Cache | None = None) -> Path | None:
    """The pulumi-language-python-exec next to a pulumi that was built here; None for an official one."""
    resolved = pulumi.resolve()
    ours = resolved.is_relative_to((cache or Cache()).root.resolve())
    return resolved.with_name("pulumi-language-python-exec") if ours else None


def _on_machine(
    names: Sequence[str], versions: Versions, cache: Cache, *, download: bool = True, required: bool = True
) -> dict[str, Path]:
    """The tools that need no build: kubectl, those of monitoring on PATH, and an official pulumi with its
    plugin."""
    tools: dict[str, Path] = {}
    for name in MONITORING_TOOLS:
        path = find_monitoring_tool(name, versions) if name in names else None
        if path is not None:
            tools[name] = path
    if "kubectl" in names:
        try:
            tools["kubectl"] = find_kubectl(versions)
        except ToolchainError:
            if required:
                raise
    if not {"pulumi", "kubernetes-provider"} & set(names):
        return tools
    pulumi = find_pulumi(versions, ours=cache.root)
    if pulumi is None:
        return tools
    if "pulumi" in names:
        tools["pulumi"] = pulumi
    if "kubernetes-provider" in names:
        plugin = find_kubernetes_plugin(pulumi, versions, download=download)
        if plugin is not None:
            tools["kubernetes-provider"] = plugin
    return tools
