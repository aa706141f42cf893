"""Starts the SDK's pulumi-language-python-exec, which runs a program: `python program_start.py EXECUTOR ...`.

The language host interrupts the program when the engine gives the update up, so that the program can clean
up. The interruption's own traceback would then stand between the user and the error that matters: it is left
out. Whatever else a program raises is shown as ever.

Run by the program's own interpreter, which may hold nothing but the standard library.
"""

import os
import runpy
import signal
import sys
import warnings
from typing import Any

# What pulumi-language-python-exec ends with when the user has seen the error.
SHOWN_TO_THE_USER = 32


def main() -> None:
    """Become the executor, as if Python had been started with it."""
    sys.excepthook = _raised
    sys.unraisablehook = _unraisable
    signal.signal(signal.SIGINT, _interrupted)
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would slow the start
    del sys.argv[0]
    if sys.path[:1] == [folder]:
        # The modules next to this file must not stand in for the program's.
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))  # noqa: PTH100, PTH120
    executor = sys.argv[0]
    try:
        runpy.run_path(executor, run_name="__main__")
    except SystemExit as end:
        # With 1 the executor itself ends after it has shown a pulumi.RunError, or that there is no SDK, where
        # another exception that it shows gives the code below. The engine would add that an unhandled error
        # occurred.
        if end.code == 1 and _place(end) == executor:
            sys.exit(SHOWN_TO_THE_USER)
        raise


def _place(error: BaseException) -> str:
    """The file in which it was raised."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place.tb_frame.f_code.co_filename if place is not None else ""


def _interrupted(number: Any, frame: Any) -> None:
    # Of coroutines that are not awaited any more.
    warnings.simplefilter("ignore")
    signal.default_int_handler(number, frame)


def _raised(kind: Any, error: Any, traceback: Any) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


def _unraisable(unraisable: Any) -> None:
    if not issubclass(unraisable.exc_type or BaseException, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


main()
