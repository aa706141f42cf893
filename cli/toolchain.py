"""`aiplatform toolchain`: the built tools as an archive, for machines that should not compile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import CommandError, did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(help="Archive the built tools, for machines that should not compile.", no_args_is_help=True)
FILE = typer.Argument(..., metavar="FILE", help="The archive to write, such as toolchain.tar.gz.")
ALSO = typer.Option(
    [],
    "--with",
    metavar="TOOL",
    help="A controller or another tool that is built on this machine, also. Repeat for several.",
)


@app.callback()
def options() -> None:
    """Keep `pack` a subcommand, though it is the only one."""


@app.command()
def pack(file: Path = FILE, also: list[str] = ALSO) -> None:
    """Write the built tools and charts into one archive, with its SHA-256 digest.

    A machine whose variable AIPLATFORM_TOOLCHAIN names the archive (a path, or an https address that ends in
    `#sha256=DIGEST`) unpacks it instead of compiling, and compiles what the archive lacks for it.
    """
    from cli.progress import show_progress
    from twin.toolchain import archive
    from twin.toolchain.cache import Cache

    folders = _folders(also)
    with show_progress() as progress, progress.step(f"Packing {', '.join(folders)}"):
        packed = archive.pack(file, folders, Cache())
    say(f"{packed.path}: {packed.path.stat().st_size >> 20} MiB, sha256 {packed.sha256}")
    say(f"Use it: {archive.VARIABLE}={packed.path.absolute()}#sha256={packed.sha256} make setup")


def _folders(also: Sequence[str]) -> list[str]:
    """Return the folders of the tools that were built here, and of the charts."""
    from twin.toolchain import build, charts
    from twin.toolchain.build_specs import recipes
    from twin.toolchain.versions import read_versions

    keys = {name: recipe.key for name, recipe in recipes(read_versions()).items()}
    for name in also:
        if name not in keys:
            raise CommandError(f"--with {name}: no such tool; {did_you_mean(name, keys)}", code=2)
    tools, place = build.locate(), charts.folder()
    wanted = [name for name in (*build.ALL, *also) if name in keys]
    missing = [name for name in wanted if name not in tools]
    if not place.is_dir():
        missing.append("charts")
    if missing:
        raise CommandError(
            f"not built: {', '.join(missing)}; expected tools that are: `aiplatform doctor --build`"
            " builds those of every environment, `aiplatform up --controllers NAME` a controller's"
        )
    # A tool on PATH that is new enough has no folder: machines that unpack the archive may lack it.
    outside = [name for name in wanted if keys[name] not in tools[name].parts]
    if outside:
        paths = ", ".join(f"{name} ({tools[name]})" for name in outside)
        raise CommandError(f"not built here but found on PATH: {paths}; take it from PATH and build")
    return [*(keys[name] for name in wanted), place.name]
