"""The topic `layers`: each layer has one stack."""

from __future__ import annotations

from collections.abc import Iterator

from aiplatform._shared.args import Problem
from stacks.settings import Settings


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the problems of layers that are listed twice, and of teams that would be deployed too early."""
    separate = settings.layers.separate
    for index, name in enumerate(separate):
        if name in separate[:index]:
            yield Problem(
                f"layers.separate[{index}]", f"got {name!r} a second time; expected each layer once"
            )
    below = [name for name in separate if name != "teams"]
    if settings.teams and below and "teams" not in separate:
        yield Problem(
            "layers.separate",
            f"got {', '.join(below)} without teams, which use outputs of these layers; expected teams, too",
        )
