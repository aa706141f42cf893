"""Folders for their owner only."""

from __future__ import annotations

from pathlib import Path


def folder(path: Path) -> Path:
    """Create a folder, and those above it that are missing, with mode 0700; return it."""
    if not path.is_dir():
        folder(path.parent)
        path.mkdir(exist_ok=True, mode=0o700)
    return path
