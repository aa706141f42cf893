"""Keeps the stack traces of resources out of the state, all but the line that declares each.

The SDK records for each resource the some 20 frames that lead to its declaration. They are a ninth of the
state, which the engine saves after each step, and contain paths of the machine. The engine shows the first
with an error, and no other. The SDK has no setting for this (pulumi 3.274).
"""

from typing import Any

from pulumi.runtime import resource


def shorten() -> None:
    """Let the SDK record one frame for each resource that is registered from now on. Does nothing where
    another version of the SDK records them in another way."""
    record: Any = getattr(resource, "_get_stack_trace", None)
    if record is None:
        return

    def first_frame() -> Any:
        trace = record()
        del trace.frames[1:]
        return trace

    setattr(resource, "_get_stack_trace", first_frame)  # noqa: B010 - the SDK declares it private
