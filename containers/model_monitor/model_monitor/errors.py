"""Errors that running a command again does not change."""


class RefusedError(Exception):
    """What was requested is refused: the command ends with exit code 2, and is not repeated."""
