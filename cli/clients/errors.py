"""Errors that clients of both clouds raise."""


class UncheckedError(Exception):
    """Something that cannot be read or changed: the message states why."""
