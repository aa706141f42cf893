"""The variables of this process, from which clients read endpoints and credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def only(values: Mapping[str, str]) -> Iterator[None]:
    """Let this process have only these variables."""
    before: dict[str, Any] = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(values)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
