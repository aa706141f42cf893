"""Names that the program leaves out: `<logical name>-<7 hexadecimal digits>`, as real providers make them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.provider_interface import AutoName, Failure, Props

DIGITS: Final = 7
DEFAULTS_KEY: Final = "__defaults"
"""Inputs list here which of them Check filled in, as those of the real providers do; the engine hides it."""


@dataclass(frozen=True)
class Naming:
    """What the engine asks of a name (`pulumi:autonaming`)."""

    mode: str = "propose"
    """`propose`, `enforce` or `disable`."""
    proposed: str = ""
    """The engine's proposal, empty where the user configured none."""


def fill(
    auto: AutoName, inputs: Props, olds: Mapping[str, Any], logical: str, seed: bytes, naming: Naming
) -> Failure | None:
    """Set the name in `inputs` unless the program does; return what prevents that, if anything does.

    The previous name stays where Check made it; one that the program gave and now leaves out is replaced.
    """
    if inputs.get(auto.property) is not None or f"{auto.property}Prefix" in inputs:
        return None
    old = olds.get(auto.property)
    if isinstance(old, str) and auto.property in (olds.get(DEFAULTS_KEY) or ()):
        inputs[auto.property] = old
        return None
    if naming.mode == "disable":
        return Failure(
            auto.property, "missing, and pulumi:autonaming is disabled: set the name of the resource"
        )
    name = naming.proposed or f"{logical}{auto.separator}{_digits(seed)}"
    name = name.lower() if auto.lower and naming.mode != "enforce" else name
    if len(name) > auto.max_length:
        return Failure(
            auto.property,
            f"the name made from the logical name, {name!r}, has {len(name)} characters; at most "
            f"{auto.max_length} are allowed: shorten the logical name, or set {auto.property!r}",
        )
    inputs[auto.property] = name
    return None


def _digits(seed: bytes) -> str:
    # The engine's seed makes a name the same in the preview and the update that follows it.
    return hashlib.sha256(seed).hexdigest()[:DIGITS] if seed else secrets.token_hex(DIGITS)[:DIGITS]
