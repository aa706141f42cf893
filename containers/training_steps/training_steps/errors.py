"""Errors that running a step again does not change."""


class RefusedError(Exception):
    """What was requested is refused: the step ends with exit code 2, and is not repeated."""
