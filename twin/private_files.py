"""Files that only their owner reads, written whole or not at all, and folders for their owner only."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Create a folder, and those above it that are missing, with mode 0700; return it."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(exist_ok=True, mode=0o700)
    return path


def write_private(target: Path, text: str) -> Path:
    """Write a file that only its owner reads, whole or not at all. OSError names the file."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(target.name + ".new")
    draft.unlink(missing_ok=True)
    _write(draft, text, target)
    draft.replace(target)
    return target


def create_private(target: Path, text: str) -> bool:
    """Write such a file where there is none; return whether it was written now. Safe for many processes."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    try:
        _write(draft, text, target)
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _write(draft: Path, text: str, target: Path) -> None:
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
    except OSError as error:
        draft.unlink(missing_ok=True)
        # An error of a write (a full disk) names no file by itself.
        raise OSError(error.errno, error.strerror, str(target)) from error
