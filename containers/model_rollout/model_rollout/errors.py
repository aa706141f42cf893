"""Errors that a user can act on."""

from __future__ import annotations


class RefusedError(Exception):
    """A rollout that is refused; running it again does not help. The message states what is expected."""
