"""What one call leaves to chance, written down: made again, the call is handed the same.

A seed alone gives the same ids only as long as the code draws in the same order. Here each draw is known by
who draws (the names of the functions it came through), so that code which draws more than before, or draws
in another order, still gives what was there the ids that it had. What has no record comes from a generator
that is separate: never from the one whose values were written down, as two things could get one id.

Keys of OpenSSL's making (RSA, EC) are draws too: it takes no seed.
"""

from __future__ import annotations

import random
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from types import FrameType
from typing import Any, Final

Drawn = dict[str, list[Any]]

_DEPTH: Final = 4
# Chance's own machinery: it says nothing of who draws.
_MACHINERY: Final = frozenset({"random.py", "uuid.py", "moto_random.py", "draws.py"})
_ELSEWHERE: Final = 0x5851F42D4C957F2D


@dataclass
class Draws:
    """The draws of one call. recorded: what they were when it was made; None where it is made now."""

    seed: int
    recorded: Mapping[str, list[Any]] | None = None
    drawn: Drawn = field(default_factory=dict[str, list[Any]])
    strange: int = 0
    """Draws that have no record, of a call that has one."""

    def take(self, who: str, make: Callable[[], Any], otherwise: Callable[[random.Random], Any]) -> Any:
        """The next value for `who`."""
        values = self.drawn.setdefault(who, [])
        value = self._next(who, len(values), make, otherwise)
        values.append(value)
        return value

    def record(self) -> Drawn:
        """What to remember: what was drawn, and what of the record was not asked for this time."""
        rest = {who: values[len(self.drawn.get(who, [])) :] for who, values in (self.recorded or {}).items()}
        return {
            who: [*self.drawn.get(who, []), *rest.get(who, [])] for who in dict.fromkeys([*self.drawn, *rest])
        }

    def _next(
        self, who: str, at: int, make: Callable[[], Any], otherwise: Callable[[random.Random], Any]
    ) -> Any:
        if self.recorded is None:
            return make()
        known = self.recorded.get(who, ())
        if at < len(known):
            return known[at]
        self.strange += 1
        if not hasattr(self, "_other"):
            self._other = random.Random(self.seed ^ _ELSEWHERE)  # noqa: S311 - it is to be the same each time
        return otherwise(self._other)


class _Current:
    draws: Draws | None = None


def begin(draws: Draws | None) -> Draws | None:
    """From now on draws are these; returns those of before. One call at a time."""
    before, _Current.draws = _Current.draws, draws
    return before


def install() -> None:
    """Let moto's source of chance, and OpenSSL's keys, be written down."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from moto.moto_api._internal import mock_random

    kind: Any = type(mock_random)
    if hasattr(kind, "twin_recorded"):
        return

    class Recorded(kind):
        """moto's, with each draw reported."""

        twin_recorded = True

        def getrandbits(self, k: int, /) -> int:
            """k bits."""
            draws = _Current.draws
            if draws is None:
                return super().getrandbits(k)
            return draws.take(_who(k), lambda: super(Recorded, self).getrandbits(k), _bits(k))

        def random(self) -> float:
            """From 0 to below 1."""
            draws = _Current.draws
            if draws is None:
                return super().random()
            return draws.take(_who("r"), super().random, random.Random.random)

    mock_random.__class__ = Recorded
    rsa.generate_private_key = _key(rsa.generate_private_key, "rsa")
    ec.generate_private_key = _key(ec.generate_private_key, "ec")


def _bits(k: int) -> Callable[[random.Random], int]:
    return lambda generator: generator.getrandbits(k)


def _key(original: Any, kind: str) -> Any:
    def generate(*arguments: Any, **named: Any) -> Any:
        draws = _Current.draws
        if draws is None:
            return original(*arguments, **named)
        reported = [*arguments, *named.values()]
        shape = next((getattr(argument, "name", argument) for argument in reported if argument != 65537), "")
        fresh: list[Any] = []

        def make(*_: Any) -> str:
            fresh.append(original(*arguments, **named))
            return _sealed(fresh[0])

        known = draws.take(_who(f"{kind}:{shape}"), make, make)
        return fresh[0] if fresh else _opened(known)

    return generate


def _sealed(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()


def _opened(sealed: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    # Our own, as it was sealed: to prove that it is a key takes longer than the call that asks for it.
    return load_der_private_key(b64decode(sealed), password=None, unsafe_skip_rsa_key_validation=True)


@cache
def _is_machinery(file: str) -> bool:
    # Asked for each frame of each draw, of a few hundred files.
    return PurePath(file).name in _MACHINERY


def _who(what: object) -> str:
    """Who draws what: the functions nearest to the draw, nearest first."""
    names: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(names) < _DEPTH:
        if not _is_machinery(frame.f_code.co_filename):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return "<".join([*names, str(what)])
