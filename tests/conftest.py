"""For all tests."""

from __future__ import annotations

import gc
import logging

# Importing the SDKs and recording resources make millions of objects that live to the end: looking through
# them again and again is a tenth of the unit tier's time.
gc.disable()

# A program that is refused leaves futures whose error nobody asks for any more: the test has it already, and
# Python would print each of them with its traceback when the process ends.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def pytest_sessionfinish() -> None:
    """pytest and Python look through all of it again and again before they end, to free what goes anyway."""
    gc.freeze()
