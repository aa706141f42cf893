"""Building what the cache lacks: once, whole or not at all, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from twin.toolchain.build_specs import MINUTES, Recipe
from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.progress import Progress, Step


class Maker(Protocol):
    """What builds recipes; the tests have one that needs no Go."""

    def make(self, recipe: Recipe, into: Path, step: Step) -> None:
        """Build one tool into a folder."""
        ...

    def download_ahead(self, recipe: Recipe) -> None:
        """Begin to fetch what a later recipe needs."""
        ...


class Store:
    """The built tools in the cache."""

    def __init__(
        self,
        cache: Cache,
        progress: Progress,
        maker: Callable[[], AbstractContextManager[Maker]],
    ) -> None:
        self._cache = cache
        self._progress = progress
        self._maker = maker

    def installed(self, recipe: Recipe) -> Path | None:
        """The finished tool, if it is there."""
        binary = self._cache.tools / recipe.key / recipe.binary
        return binary if binary.exists() else None

    def ensure(self, wanted: Sequence[Recipe], ready: Callable[[str, Path], None]) -> None:
        """Build those that are missing, in order; `ready` hears of each as soon as it is there.

        Another process that builds already is waited for, and `ready` also hears of
        what that one finishes.
        """
        missing = list(wanted)

        def settle() -> bool:
            for recipe in [*missing]:
                binary = self.installed(recipe)
                if binary is not None:
                    missing.remove(recipe)
                    ready(recipe.name, binary)
            return not missing

        if settle():
            return
        purpose = ", ".join(recipe.name for recipe in missing)
        with ExitStack() as stack:
            with self._progress.step("Preparing to build") as step:
                locked = stack.enter_context(self._cache.locked(purpose, step, settle))
            # The process that held the lock before may have built some of it, or all.
            if locked and not settle():
                self._build(missing, settle)

    def _build(self, missing: list[Recipe], settle: Callable[[], bool]) -> None:
        names = ", ".join(f"{recipe.name} {recipe.version}" for recipe in missing)
        minutes = sum(MINUTES.get(recipe.name, 1) for recipe in missing)
        self._progress.say(f"To be built, once: {names}. On two cores this takes about {minutes} minutes.")
        with self._maker() as maker:
            while missing:
                recipe, *later = missing
                with (
                    self._progress.step(f"{recipe.name} {recipe.version}") as step,
                    self._cache.temporary(recipe.name) as folder,
                ):
                    if later:
                        maker.download_ahead(later[0])
                    maker.make(recipe, folder, step)
                    if not (folder / recipe.binary).exists():
                        raise ToolchainError(
                            f"The build of {recipe.name} ended well and left no {recipe.binary}.",
                            advice="please report it: its recipe in twin/toolchain/tools.toml is wrong.",
                        )
                    self._cache.install(folder, recipe.name, recipe.key)
                settle()
