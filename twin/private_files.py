"""Files that only their owner reads."""

from __future__ import annotations

from pathlib import Path


def write_private(target: Path, text: str) -> Path:
    """Write a file that only its owner reads, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(target.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(target)
    return target
