"""Names of resource hooks."""

from collections import Counter
from typing import Final

_names: Final = Counter[str]()
"""Name -> hooks that asked for it."""


def unique_name(name: str) -> str:
    """Return the name of a hook, with a number from the second one of this name on: the engine refuses two
    hooks of one name, and children of different components may have the same logical name."""
    _names[name] += 1
    return name if _names[name] == 1 else f"{name}-{_names[name]}"
