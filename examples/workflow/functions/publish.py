"""Publish the scores of a batch: state where they are."""

from __future__ import annotations

from typing import Any


def publish(batch: dict[str, Any]) -> dict[str, Any]:
    """Return the batch with the table of its scores."""
    return {**batch, "scores": f"{batch['table']}_scores"}


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle a call of Lambda."""
    return publish(event)
