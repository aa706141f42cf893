"""Problems of arguments: their paths, their texts, and the error that lists them."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pulumi import Output

_LONGEST_QUOTE = 80
SECRET_KEYS = frozenset({"admin_secret", "credential", "master_secret", "password", "secret", "token"})
"""Keys that take the name of a secret. A secret itself is easily pasted there, so errors do not quote it."""
HIDDEN = "got a value that is not shown, as it may be a secret"
"""What errors state in place of such a value."""


@dataclass(frozen=True)
class Problem:
    """A problem of the arguments. path: `NetworkArgs.zone_ids[1]`. reason: the problem and what is
    expected."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ArgumentError(ValueError):
    """The arguments of a component are invalid; nothing was registered. Lists every problem with its path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            str(self.problems[0])
            if len(self.problems) == 1
            else "\n".join(
                [f"{len(self.problems)} arguments are wrong:", *(f"  {problem}" for problem in self.problems)]
            )
        )


def got(value: object) -> str:
    """Return a value as errors quote it: `got 'singel'`."""
    if isinstance(value, Output):
        return "got an output that is only known after a deployment"
    quoted = repr(value)
    return f"got {quoted if len(quoted) <= _LONGEST_QUOTE else quoted[: _LONGEST_QUOTE - 1] + '…'}"


def with_value(value: object, reason: str, path: str = "") -> str:
    """Return a rule's reason with the value: `got 4; expected 2 or 3`, `got 'x', which ...; expected y`.
    path: of the key, which decides whether the value is quoted. A mapping is not, where the reason names the
    wrong keys of it (`with 'x'; ...`)."""
    if reason.startswith("with ") and isinstance(value, Mapping):
        return f"got an object {reason}"
    quoted = HIDDEN if path.rpartition(".")[2] in SECRET_KEYS else got(value)
    return f"{quoted}{';' if reason.startswith('expected ') else ','} {reason}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'single'?`, or an empty string where no known word is similar."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
