"""Where the tools lie, and how one gets there whole or not at all.

    <cache>/tools/<name>-<version>-<key>/   a finished tool; it appears by one rename
    <cache>/tools/go-<version>/             Go from PyPI, where the machine has none
    <cache>/tmp/                            what is being built; leftovers are removed
    <cache>/logs/<name>.log                 the last build's output
    <cache>/build.lock, build.owner.json    who builds, and since when

Only the holder of the lock writes under tmp/, so whatever lies there when the lock
is taken was left by a process that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import platformdirs
import psutil
from filelock import FileLock, Timeout

from twin.toolchain.errors import ToolchainError
from twin.toolchain.progress import Step

POLL_SECONDS = 0.5
KEPT_SECONDS = 24 * 60 * 60
"""How long a version stays after it was installed or used (`Cache.use`): other checkouts may read it."""


def cache_dir() -> Path:
    """The user's cache folder for the tools: AIPLATFORM_CACHE, or the platform's own place."""
    folder = os.environ.get("AIPLATFORM_CACHE")
    return Path(folder).expanduser().absolute() if folder else platformdirs.user_cache_path("ai-platform")


class Cache:
    """The cache folder. A path is computed freely; only `locked` may be followed by writing."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_dir()

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def _temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def _owner(self) -> Path:
        return self.root / "build.owner.json"

    @contextlib.contextmanager
    def locked(self, purpose: str, step: Step, done: Callable[[], bool]) -> Iterator[bool]:
        """Hold the build lock; waits for another process, and shows which.

        `done` is asked while waiting: when the other process has made what is wanted
        the wait ends at once, and the context says False (nothing is held).
        """
        self._make_folders()
        lock = FileLock(self.root / "build.lock")
        if not self._acquire(lock, step, done):
            yield False
            return
        try:
            self._remove_leftovers()
            self._owner.write_text(json.dumps({"pid": os.getpid(), "purpose": purpose, "since": time.time()}))
            yield True
        finally:
            self._owner.unlink(missing_ok=True)
            lock.release()

    def _make_folders(self) -> None:
        try:
            for folder in (self.tools, self.logs, self._temporary):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ToolchainError(
                f"The cache folder {self.root} cannot be written: {error}",
                advice="make it writable, or name another one in the variable AIPLATFORM_CACHE.",
            ) from error

    def _acquire(self, lock: FileLock, step: Step, done: Callable[[], bool]) -> bool:
        while True:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                step.update(f"waiting for {self._describe_owner()}")
                if done():
                    return False
                time.sleep(POLL_SECONDS)
            else:
                return True

    def _describe_owner(self) -> str:
        try:
            owner = json.loads(self._owner.read_text())
            seconds = int(time.time() - owner["since"])
            return f"process {owner['pid']}, which builds {owner['purpose']} since {seconds} s"
        except (OSError, ValueError, KeyError, TypeError):
            # The owner has the lock but not yet written its name, or just removed it.
            return "another process that is building"

    def _remove_leftovers(self) -> None:
        for process in psutil.process_iter(["cwd"]):
            # A build whose starter was killed goes on by itself, and would write on.
            if Path(process.info["cwd"] or "/").is_relative_to(self._temporary):
                with contextlib.suppress(psutil.Error):
                    process.kill()
        for leftover in self._temporary.iterdir():
            remove_tree(leftover)

    @contextlib.contextmanager
    def temporary(self, name: str) -> Iterator[Path]:
        """A folder next to the tools (so that a rename into place is atomic), removed afterwards."""
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._temporary))
        try:
            yield folder
        finally:
            remove_tree(folder)

    def install(self, folder: Path, name: str, key: str) -> Path:
        """Put a finished folder in its place under `tools`, by one rename.

        key: the folder's name, which begins with the tool's name. Of the tool's other versions the latest
        stays (another checkout may want it), and so do one that a process runs from and one of the last day:
        files that are read and not run have no process.
        """
        place = self.tools / key
        # It is there without its binary, or it would not have been built: a user has tidied up.
        remove_tree(place)
        folder.chmod(0o755)  # mkdtemp's folders are for their owner alone
        os.rename(folder, place)  # noqa: PTH104 - Path.rename would read as a move of files
        self._prune(name, place)
        return place

    def use(self, place: Path) -> None:
        """Have a folder stay for the next day."""
        with contextlib.suppress(OSError):  # Of another user.
            os.utime(place)

    def _prune(self, name: str, newest: Path) -> None:
        version = re.compile(re.escape(name) + r"-v?\d.*")  # `pulumi-3.274.1-...`, not `pulumi-plugin-1.0`
        others = [
            (folder.stat().st_mtime, folder)
            for folder in self.tools.iterdir()
            if folder != newest and version.fullmatch(folder.name)
        ]
        longest = time.time() - KEPT_SECONDS
        older = [folder for used, folder in sorted(others)[:-1] if used < longest]
        used = _in_use(older) if older else set()
        for folder in older:
            if folder not in used:
                with contextlib.suppress(OSError):
                    # By a rename: a kill in the middle leaves no half of a tool.
                    remove_tree(folder.rename(self._temporary / folder.name))


def _in_use(folders: Sequence[Path]) -> set[Path]:
    """Those that some process runs from, be it a binary or a script."""
    used: set[Path] = set()
    # The system names a process's binary by its real path, and it may have been started by another.
    names = {folder: (f"{folder}{os.sep}", f"{folder.resolve()}{os.sep}") for folder in folders}
    for process in psutil.process_iter(["exe", "cmdline"]):
        words = [process.info["exe"] or "", *(process.info["cmdline"] or [])]
        used |= {folder for folder in folders if any(word.startswith(names[folder]) for word in words)}
    return used


def remove_tree(path: Path) -> None:
    """Remove a file or folder, also one that Go made read-only."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for folder, _, _ in os.walk(path):
        with contextlib.suppress(OSError):
            Path(folder).chmod(stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)
