"""Errors that a user can act on."""

from __future__ import annotations


class RefusedError(Exception):
    """What running the program again does not change. The message states what is expected."""
