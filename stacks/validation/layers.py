"""The topic `layers`: each layer has one stack."""

from __future__ import annotations

from collections.abc import Iterator

from aiplatform._shared.args import Problem
from stacks.settings import Settings


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the problem of a layer that is listed twice."""
    separate = settings.layers.separate
    for index, name in enumerate(separate):
        if name in separate[:index]:
            yield Problem(
                f"layers.separate[{index}]", f"got {name!r} a second time; expected each layer once"
            )
