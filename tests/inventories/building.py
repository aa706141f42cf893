"""How the variants of a component are recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from tests.components.recording import Recording, record

Variants = Mapping[str, Callable[[], Recording]]


def variants_of(
    component: Callable[..., pulumi.ComponentResource],
    name: str,
    *,
    answers: Any = None,
    common: Mapping[str, Any],
    **variants: Mapping[str, Any],
) -> Variants:
    """Variants of a component with arguments in common; `_` in a variant's name stands for a hyphen."""

    def recorded(more: Mapping[str, Any]) -> Callable[[], Recording]:
        return lambda: record(lambda: component(name, {**common, **more}), answers=answers)

    return {variant.replace("_", "-"): recorded(more) for variant, more in variants.items()}
