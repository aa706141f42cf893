"""What a misspelt word may have been."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def did_you_mean(word: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean 'network'?`, or an empty string if no word is near.

    Upper case counts as lower case, and the beginning of a single known word as that word (`expr` of
    `expression`).
    """
    by_lower_case = {entry.lower(): entry for entry in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, n=1, cutoff=cutoff)
    begun = [entry for entry in by_lower_case if len(word) > 2 and entry.startswith(word.lower())]
    if not close and len(begun) == 1:
        close = begun
    return f"; did you mean {by_lower_case[close[0]]!r}?" if close else ""


def nearest(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean 'network'?`, or what is known if no word is near."""
    return did_you_mean(word, known) or (f"; expected one of {', '.join(known)}" if known else "")
